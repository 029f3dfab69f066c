//! The log: lines on standard error, as text for a terminal and as JSON otherwise.

mod format;
mod lines;

use std::sync::Arc;

use kit::{Error, Result};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt,
};

pub use format::{Form, LineWriter};
pub use lines::{Lines, LinesEnd};

tokio::task_local! {
    /// The id of the request that a task works on.
    static REQUEST_ID: Arc<str>;
}

/// Where the driver logs what PostgreSQL remarks, and from which level on it is shown.
const REMARKS: &str = "sqlx::postgres::notice=warn";

/// A layer that is added to the log, as for the export of traces.
pub type ExtraLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts the log. What waits to be written is written when the second part goes.
///
/// `level` is a level or a list of levels by module, as in `info,db=debug`.
///
/// # Errors
/// When the level cannot be understood or a log was started before.
pub fn start(form: Form, level: &str, extra: Option<ExtraLayer>) -> Result<(Lines, LinesEnd)> {
    let (lines, end) = Lines::start(std::io::stderr()).map_err(Error::internal)?;
    let mut filter = parse_level(level)?;
    if !level.contains("sqlx") {
        // PostgreSQL remarks at each start that what is made if missing is there.
        filter = filter.add_directive(REMARKS.parse().map_err(Error::internal)?);
    }
    let events = tracing_subscriber::fmt::layer()
        .with_writer(lines.clone())
        .event_format(format::EventFormat(form))
        .with_filter(filter);
    tracing_subscriber::registry().with(extra).with(events).try_init().map_err(Error::internal)?;
    // A panic is a line like any other, so that who reads JSON can read it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("without words");
        tracing::error!(place, "panic: {message}");
    }));
    Ok((lines, end))
}

/// Reads a level or a list of levels by module.
///
/// # Errors
/// Says what is allowed.
pub fn parse_level(level: &str) -> Result<EnvFilter> {
    EnvFilter::builder().parse(level).map_err(|error| Error::invalid(error.to_string()))
}

/// Does some work of a request; every line that it logs names the request.
pub fn of_request<T>(id: &Arc<str>, work: impl FnOnce() -> T) -> T {
    REQUEST_ID.sync_scope(id.clone(), work)
}

fn with_request_id<T>(tell: impl FnOnce(&str) -> T) -> Option<T> {
    REQUEST_ID.try_with(|id| tell(id)).ok()
}
