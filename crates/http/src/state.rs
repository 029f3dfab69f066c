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
    /// The certificate of the authority that clients have to trust, in PEM, for them to
    /// download.
    pub root_certificate: Option<bytes::Bytes>,
    /// The version of this build, as `systeminfo` tells it.
    pub version: &'static str,
}
