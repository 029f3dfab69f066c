//! An application of a test's own, and a client for it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Context,
    testing::{self, PASSWORD, Place},
};
use haven_http::{App, Peer, State};
use http_body_util::BodyExt;
use kit::Clock;
use serde_json::Value;
use tokio::net::TcpListener;

pub struct Server {
    pub domain: Arc<Context>,
    app: App,
    _place: Place,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

pub async fn both() -> [Server; 2] {
    let [sqlite, postgres] = testing::both().await;
    [Server::new(sqlite).await, Server::new(postgres).await]
}

pub async fn sqlite() -> Server {
    Server::new(testing::sqlite()).await
}

/// The same at this moment, at which servers outside live.
pub async fn both_now() -> [Server; 2] {
    let [sqlite, postgres] = testing::both().await;
    [Server::now(sqlite).await, Server::now(postgres).await]
}

pub async fn sqlite_now() -> Server {
    Server::now(testing::sqlite()).await
}

impl Server {
    async fn now(place: Place) -> Self {
        let clock = Clock::manual(Clock::System.now());
        let domain = Arc::new(place.open_with(clock).await);
        Self::over(place, domain, None)
    }

    async fn new(place: Place) -> Self {
        Self::reached_by(place, None).await
    }

    /// One that is told where clients reach it.
    pub async fn reached_by(place: Place, external_url: Option<&str>) -> Self {
        let domain = Arc::new(place.open().await);
        Self::over(place, domain, external_url)
    }

    fn over(place: Place, domain: Arc<Context>, external_url: Option<&str>) -> Self {
        let external_url = external_url.map(|url| url.parse().unwrap());
        let root_certificate = external_url.as_ref().map(|_| "a certificate".into());
        let version = "1.2.3";
        let state = State { domain: domain.clone(), external_url, root_certificate, version };
        Self { domain, app: App::new(state), _place: place }
    }

    /// Listens on a port, and says where.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = self.app.clone();
        let answer = move |mut request: Request<Body>| {
            let app = app.clone();
            request.extensions_mut().insert(direct());
            async move { app.handle(request).await }
        };
        tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
        address
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let peer = request.extensions().get::<Peer>().cloned().unwrap_or_else(direct);
        request.extensions_mut().insert(peer);
        let response = self.app.handle(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Asks as somebody: a user by name with [`PASSWORD`], or nobody by an empty name.
    pub async fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !who.is_empty() {
            request = request.header("authorization", basic(who, PASSWORD));
        }
        let request =
            request.header("host", "registry.example.org").body(Body::from(body.to_owned()));
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(who, "GET", path, "").await
    }

    /// Asks with an `Authorization` header.
    pub async fn get_as(&self, authorization: &str, path: &str) -> Answer {
        let request = Request::get(path)
            .header("authorization", authorization)
            .header("host", "registry.example.org");
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status, code and message of an error in Harbor's format.
    pub fn error(&self) -> (u16, String, String) {
        let json = self.json();
        let errors = json["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1);
        let text = |name: &str| errors[0][name].as_str().unwrap().to_owned();
        (self.status.as_u16(), text("code"), text("message"))
    }

    /// The status and code of an error.
    pub fn code(&self) -> (u16, String) {
        let (status, code, _) = self.error();
        (status, code)
    }
}

/// A client that no proxy stands before.
fn direct() -> Peer {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    Peer { address, scheme_https: false, host: None }
}

pub fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}
