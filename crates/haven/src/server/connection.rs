//! One connection, from its first byte to its graceful end.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, server::conn::http2, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Application, Limits, Shared, exchange,
    files::Wire,
    guard::{Flow, Patience},
    stream::Stream,
};

/// How much is read or buffered at once. Larger reads save system calls on uploads; but an
/// upload that waits for its turn holds up to three of them: one taken, one on its way to
/// who takes it, one being read.
const BUFFER: usize = 64 * 1024;

/// Windows of HTTP/2: what a client may have on its way before we have read it.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How often a silent HTTP/2 client is asked whether it is there, and how long for.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What the requests of one connection share.
pub(super) struct Connection<A> {
    pub(super) server: Arc<Shared<A>>,
    pub(super) flow: Arc<Flow>,
    pub(super) remote: SocketAddr,
    pub(super) https: bool,
}

/// Serves one accepted connection until it ends. Why it ended is of use to nobody but a
/// person who debugs: clients come and go as they like.
pub(super) async fn serve<A: Application>(
    stream: TcpStream,
    remote: SocketAddr,
    tls: Option<TlsAcceptor>,
    server: Arc<Shared<A>>,
    stopping: watch::Receiver<bool>,
) {
    let flow = Flow::new();
    let beginning = tokio::time::timeout(
        server.limits.header_timeout,
        begin(stream, tls.as_ref(), flow.clone()),
    );
    let begun = match until_stop(beginning, stopping.clone()).await {
        Some(Ok(Ok(begun))) => begun,
        Some(Ok(Err(error))) => return tracing::debug!(%remote, %error, "no beginning"),
        Some(Err(_)) => return tracing::debug!(%remote, "the client took too long to begin"),
        None => return,
    };
    let https = tls.is_some();
    let connection = Arc::new(Connection { server, flow, remote, https });
    let outcome = match begun {
        Begun::Plain(stream, http2) => serve_http(stream, http2, connection, stopping).await,
        Begun::Tls(stream, http2) => serve_http(*stream, http2, connection, stopping).await,
    };
    if let Err(error) = outcome {
        tracing::debug!(%remote, %error, "the connection broke off");
    }
}

/// A connection that has begun, and whether it speaks HTTP/2.
enum Begun {
    Plain(Stream<TcpStream>, bool),
    Tls(Box<Stream<TlsStream<TcpStream>>>, bool),
}

/// With TLS the two agree on a protocol; without, a client may begin with HTTP/2 if it
/// knows that we speak it.
async fn begin(stream: TcpStream, tls: Option<&TlsAcceptor>, flow: Arc<Flow>) -> io::Result<Begun> {
    let Some(tls) = tls else {
        let mut stream = Stream::new(stream, flow);
        let http2 = stream.begins_http2().await?;
        return Ok(Begun::Plain(stream, http2));
    };
    let stream = tls.accept(stream).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok(Begun::Tls(Box::new(Stream::new(stream, flow)), http2))
}

/// Why a connection broke off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Protocol(#[from] hyper::Error),
    #[error("the client made no progress")]
    NoProgress,
}

async fn serve_http<A: Application, S>(
    stream: Stream<S>,
    http2: bool,
    connection: Arc<Connection<A>>,
    stopping: watch::Receiver<bool>,
) -> Result<(), Broken>
where
    S: AsyncRead + AsyncWrite + Wire + Unpin + Send + 'static,
{
    let limits = connection.server.limits.clone();
    let patience = Patience::new(connection.flow.clone(), limits.clone(), http2);
    let service = service_fn(move |request: Request<Incoming>| {
        connection.flow.request_begins();
        let connection = connection.clone();
        async move { Ok::<_, Infallible>(exchange::answer(connection, request).await) }
    });
    let stream = TokioIo::new(stream);
    if http2 {
        let serving = pin!(http2_settings(&limits).serve_connection(stream, service));
        until_ended(serving, patience, stopping).await
    } else {
        let serving = pin!(http1_settings(&limits).serve_connection(stream, service));
        until_ended(serving, patience, stopping).await
    }
}

fn http1_settings(limits: &Limits) -> http1::Builder {
    let mut settings = http1::Builder::new();
    settings
        .max_header_size(limits.header_size)
        .max_buf_size(BUFFER.max(limits.header_size))
        // The guard bounds this more cheaply.
        .header_read_timeout(None);
    settings
}

fn http2_settings(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut settings = http2::Builder::new(TokioExecutor::new());
    settings
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_size).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    settings
}

/// Runs something that may be dropped as soon as the server stops.
async fn until_stop<T>(
    work: impl Future<Output = T>,
    mut stopping: watch::Receiver<bool>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        _ = stopping.wait_for(|stop| *stop) => None,
    }
}

/// Drives a connection to its end: its own, that of our patience, or, when the server
/// stops, that of the requests in flight.
async fn until_ended<C>(
    mut connection: Pin<&mut C>,
    mut patience: Patience,
    stopping: watch::Receiver<bool>,
) -> Result<(), Broken>
where
    C: GracefulConnection<Output = Result<(), hyper::Error>, Error = hyper::Error>,
{
    let mut signal = stopping.clone();
    let mut signal = pin!(async move {
        // A sender that is gone means the server is, too.
        let _ = signal.wait_for(|stop| *stop).await;
    });
    // Polling the signal takes a lock, and a connection is polled often. The task's waker
    // never changes, so one poll registers it; after that a look at the value is enough.
    let mut registered = false;
    let mut told = false;
    poll_fn(move |cx| {
        let stop = if registered {
            !told && stopping.has_changed().unwrap_or(true)
        } else {
            registered = true;
            signal.as_mut().poll(cx).is_ready()
        };
        if stop {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
            return Poll::Ready(outcome.map_err(Broken::from));
        }
        if told && patience.owes_nothing() {
            // All that the client may still send is the rest of a head.
            return Poll::Ready(Ok(()));
        }
        patience.poll(cx).map(|()| Err(Broken::NoProgress))
    })
    .await
}
