//! A server with a small application, and a raw client.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes};
use blobs::{Store, Stored};
use futures_util::{StreamExt, stream};
use haven_http::{Peer, PlainWire, RequestId, Route};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, watch},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    metrics::HttpMetrics,
    server::{Application, Limits, Listeners, Shared, serve},
};

/// How long a test waits for something that must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A time that is long for a test and never ends one that is well.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// How much `/big` answers, in bytes: more than any buffer between us and a client.
pub(super) const BIG: usize = 64 << 20;

/// An application with something for every test.
#[derive(Clone, Default)]
pub(super) struct Sample {
    /// Ends a request of `/slow`.
    pub(super) go_on: Arc<Notify>,
    /// Told when a request of `/slow` begins.
    pub(super) begun: Arc<Notify>,
    /// What `/blob` answers.
    pub(super) blob: Arc<OnceLock<(Store, Stored)>>,
}

impl Application for Sample {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let mut response = match request.uri().path() {
            "/hello" => Response::new(Body::from("hello")),
            "/about" => {
                let peer = request.extensions().get::<Peer>().unwrap();
                let id = request.extensions().get::<RequestId>().unwrap();
                Response::new(Body::from(format!("{peer:?} {}", id.0)))
            }
            "/echo" => match request.into_body().collect().await {
                Ok(body) => Response::new(Body::from(body.to_bytes())),
                Err(_) => status(StatusCode::REQUEST_TIMEOUT),
            },
            "/slow" => {
                self.begun.notify_one();
                self.go_on.notified().await;
                Response::new(Body::from("at last"))
            }
            "/big" => {
                let piece = Bytes::from(vec![b'x'; 1 << 20]);
                let pieces = stream::repeat(piece).take(BIG >> 20).map(Ok::<_, std::io::Error>);
                Response::new(Body::from_stream(pieces))
            }
            "/blob" => {
                let (store, stored) = self.blob.get().unwrap();
                let reader = store.read(&stored.key, stored.size, 1..stored.size).await;
                let mut reader = reader.unwrap();
                if request.extensions().get::<PlainWire>().is_some() {
                    reader.unread();
                }
                Response::new(Body::new(reader))
            }
            "/panic" => panic!("as asked for"),
            _ => status(StatusCode::NOT_FOUND),
        };
        response.extensions_mut().insert(Route("sample"));
        response
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Limits that no test reaches by accident.
pub(super) fn generous() -> Limits {
    Limits {
        header_size: 16 * 1024,
        header_timeout: LONG,
        idle_timeout: LONG,
        stall_timeout: LONG,
        connections: 100,
        streams: 100,
    }
}

/// A server that runs.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) application: Sample,
    pub(super) metrics: Arc<HttpMetrics>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) serving: JoinHandle<usize>,
}

impl Running {
    pub(super) fn with_limits(limits: Limits) -> Self {
        Self::start(limits, None, LONG)
    }

    pub(super) fn start(
        limits: Limits,
        tls: Option<TlsAcceptor>,
        shutdown_timeout: Duration,
    ) -> Self {
        let listeners = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listeners.addresses()[0];
        let listeners = listeners.open().unwrap();
        let application = Sample::default();
        let metrics = Arc::new(HttpMetrics::default());
        let shared = Shared {
            application: application.clone(),
            limits,
            trusted_proxies: Vec::new(),
            metrics: Some(metrics.clone()),
            access: None,
            spans: None,
        };
        let (stop, stopping) = watch::channel(false);
        let serving =
            tokio::spawn(serve(listeners, tls, Arc::new(shared), stopping, shutdown_timeout));
        Self { address, application, metrics, stop, serving }
    }

    pub(super) async fn connect(&self) -> Raw {
        Raw(TcpStream::connect(self.address).await.unwrap())
    }

    /// Waits until no request is being answered.
    pub(super) async fn until_quiet(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.metrics.in_flight.get() > 0 {
            assert!(Instant::now() < deadline, "a request is still being answered");
            tokio::task::yield_now().await;
        }
    }
}

/// A client that sends what it is told and reads what comes.
pub(super) struct Raw(pub(super) TcpStream);

impl Raw {
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until the server closes the connection, gracefully or not.
    pub(super) async fn rest(&mut self) -> String {
        let mut received = Vec::new();
        let reading = self.0.read_to_end(&mut received);
        // A server that cuts a client may reset the connection.
        let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the server closes");
        String::from_utf8_lossy(&received).into_owned()
    }

    /// Reads one response whose body has a declared length.
    pub(super) async fn response(&mut self) -> String {
        let mut received = Vec::new();
        let reading = async {
            while !is_whole(&received) {
                let count = self.0.read_buf(&mut received).await.unwrap();
                assert!(count > 0, "cut in {:?}", String::from_utf8_lossy(&received));
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("a response comes");
        String::from_utf8(received).unwrap()
    }
}

fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.unwrap_or("0").parse().unwrap()
}
