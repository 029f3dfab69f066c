//! HTTP: the registry protocol, Harbor's API, tokens. Everything that knows what a
//! header is, and nothing that knows SQL.

mod api;
mod auth;
mod authproxy;
mod oidc;
mod drain;
mod portal;
mod read_only;
mod site;
mod state;
mod token;
mod v2;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use tower::ServiceExt;

pub use state::State;

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

/// Says of a request that the body of its answer goes to the socket as it is: neither
/// encrypted nor framed. The kernel may then send files by itself.
#[derive(Clone, Copy, Debug)]
pub struct PlainWire;

/// The id of a request, echoed to the client and in every log line about it.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// The name of the operation that answered, from a small fixed set.
#[derive(Clone, Copy, Debug)]
pub struct Route(pub &'static str);

/// Who asked, for the access line.
#[derive(Clone, Debug)]
pub struct Principal(pub Arc<str>);

/// The whole application: a request comes in, an answer goes out, whatever happens.
#[derive(Clone)]
pub struct App {
    state: Arc<State>,
    /// Everything but the registry protocol, whose paths no router can express.
    router: Router,
}

impl App {
    /// The application over a state.
    pub fn new(state: State) -> Self {
        let state = Arc::new(state);
        Self { router: api::router(state.clone()), state }
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let request = match api::tidy(request) {
            Ok(request) => request,
            Err(error) => return error.into_answer(),
        };
        let path = request.uri().path();
        if path == "/v2" || path.starts_with("/v2/") {
            return v2::handle(&self.state, request).await;
        }
        let headers = request.headers().clone();
        let (parts, body) = request.into_parts();
        let (body, mut returned) = drain::lend(body);
        let request = Request::from_parts(parts, body);
        let Ok(response) = self.router.clone().oneshot(request).await;
        if let Ok(unread) = returned.try_recv() {
            drain::drain(&headers, unread).await;
        }
        response
    }
}
