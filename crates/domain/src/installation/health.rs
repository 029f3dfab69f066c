//! How an installation's parts are.

use std::time::Duration;

use tokio::time::timeout;

use crate::Context;

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which parts answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The database.
    pub database: bool,
    /// The blob store.
    pub store: bool,
}

/// Asks the parts, all at once.
pub async fn health(context: &Context) -> Health {
    let (database, store) = tokio::join!(
        timeout(PATIENCE, context.db.ping()),
        timeout(PATIENCE, context.blobs.check()),
    );
    Health { database: matches!(database, Ok(Ok(()))), store: matches!(store, Ok(Ok(()))) }
}
