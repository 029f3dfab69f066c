//! What the server tells the application about a request, and hears about its response.

use std::{net::SocketAddr, sync::Arc};

/// The client of a request, as far as it can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address; its port is 0 when a proxy told only the address.
    pub address: SocketAddr,
    /// Whether the client spoke HTTPS, to us or to a trusted proxy.
    pub scheme_https: bool,
    /// The host that the client asked for, when a trusted proxy told it.
    pub host: Option<String>,
}

/// The id of a request, echoed to the client and in every log line about it.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// The name of the operation that answered, from a small fixed set.
#[derive(Clone, Copy, Debug)]
pub struct Route(pub &'static str);

/// Who asked, for the access line.
#[derive(Clone, Debug)]
pub struct Principal(pub Arc<str>);
