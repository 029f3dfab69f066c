//! The HTTP client for the object store: one whose memory for a connection is bounded.
//!
//! The client that `object_store` brings along reads up to 400 KiB ahead on each connection.
//! With hundreds of downloads whose clients are slower than the server, that alone is more
//! than the process may take. This one reads ahead by [`RECEIVED`] bytes.

use std::{
    error::Error as StdError,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Tcp},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
        HttpResponse, HttpResponseBody, HttpService,
    },
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::time::{Instant, Sleep, sleep, timeout};

/// How many bytes are received ahead of who reads them, on each connection.
pub(super) const RECEIVED: usize = 64 * 1024;

/// How long it may take to reach the server.
const CONNECT: Duration = Duration::from_secs(5);

/// How long the server may say nothing, in the middle of an answer or while it takes a part.
const SILENCE: Duration = Duration::from_secs(60);

/// How long it may take to begin its answer to a request that brings it nothing. Clients wait
/// behind these, and a server that is well answers them at once.
const QUIET: Duration = Duration::from_secs(20);

/// How long a connection is kept for the next request, and how many of them.
const IDLE: (Duration, usize) = (Duration::from_secs(30), 64);

/// Makes the client.
#[derive(Debug)]
pub(super) struct BoundedHttp;

impl HttpConnector for BoundedHttp {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_platform_verifier())
            .map_err(|error| object_store::Error::Generic { store: "S3", source: error.into() })?
            .with_no_client_auth();
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(SILENCE));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE.0)
            .pool_max_idle_per_host(IDLE.1)
            .http1_max_buf_size(RECEIVED)
            .build(connector);
        Ok(HttpClient::new(Http(client)))
    }
}

#[derive(Debug)]
struct Http(Client<HttpsConnector<Tcp>, HttpRequestBody>);

type Calling<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Http {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> Calling<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let patience = patience_with(request.method());
            let answer = match timeout(patience, self.0.request(request)).await {
                Ok(answer) => answer.map_err(failed)?,
                Err(elapsed) => return Err(HttpError::new(HttpErrorKind::Timeout, elapsed)),
            };
            Ok(answer.map(|body| HttpResponseBody::new(Answer::new(body))))
        })
    }
}

/// How long the answer to a request may take to begin.
fn patience_with(method: &Method) -> Duration {
    match *method {
        Method::GET | Method::HEAD | Method::DELETE => QUIET,
        // A part is on its way meanwhile, or the server joins parts.
        _ => SILENCE,
    }
}

/// Says whether a failed request may be sent again.
fn failed(error: hyper_util::client::legacy::Error) -> HttpError {
    let kind = if error.is_connect() { HttpErrorKind::Connect } else { kind_of(&error) };
    HttpError::new(kind, error)
}

/// A connection that broke says nothing against the request; it is sent again if that does no
/// harm.
fn kind_of(error: &(dyn StdError + 'static)) -> HttpErrorKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_closed() || error.is_canceled() || error.is_incomplete_message())
        {
            return HttpErrorKind::Interrupted;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
                _ => HttpErrorKind::Interrupted,
            };
        }
        cause = error.source();
    }
    HttpErrorKind::Unknown
}

/// The body of an answer. It fails when the server falls silent in the middle of it; how long
/// the reader takes does not count.
struct Answer {
    body: Incoming,
    silence: Pin<Box<Sleep>>,
    is_silent: bool,
}

impl Answer {
    fn new(body: Incoming) -> Self {
        Self { body, silence: Box::pin(sleep(SILENCE)), is_silent: false }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.is_silent = false;
            return Poll::Ready(frame.map(|frame| {
                frame.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))
            }));
        }
        if !self.is_silent {
            self.is_silent = true;
            self.silence.as_mut().reset(Instant::now() + SILENCE);
        }
        if self.silence.as_mut().poll(cx).is_ready() {
            let error = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Timeout, error))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
