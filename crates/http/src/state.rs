//! What every handler is given.

use std::sync::Arc;

use url::Url;

/// The domain, and what only HTTP needs to know.
#[derive(Clone)]
pub struct State {
    /// The rooms' context.
    pub domain: Arc<domain::Context>,
    /// Where clients reach this server, when the configuration says so. Otherwise what
    /// the request says is believed.
    pub external_url: Option<Url>,
    /// The version of this build, as `systeminfo` tells it.
    pub version: &'static str,
}
