//! Forwarding the log by syslog, beside everything else.
//!
//! Whoever writes an entry puts its line into a bounded queue and goes on; one task sends
//! what is in it. What does not fit is dropped and counted, never waited for. A line whose
//! place cannot be reached waits in the task, which tries again, longer and longer apart;
//! meanwhile the queue fills.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::FutureExt;
use kit::{Error, Result};
use parking_lot::Mutex;
use rustls_pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::ClientConfig};

use super::syslog::{Endpoint, Speaker, Transport};

/// How many lines wait at the most; one takes a few hundred bytes.
const MOST_WAITING: usize = 10_000;

/// How long a connection may take, and how long a line.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long to wait before trying again, at first and at the most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How often a failure that lasts is told.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Sends lines away. Clones send by the same queue.
#[derive(Clone)]
pub(crate) struct Forwarder {
    queue: mpsc::Sender<Parcel>,
    shared: Arc<Shared>,
}

struct Shared {
    speaker: Speaker,
    /// How many lines were dropped since the start.
    dropped: AtomicU64,
    /// Where the last line was to go: who waits for another place waits in vain.
    latest: Mutex<Arc<str>>,
    tls: Mutex<Option<Arc<ClientConfig>>>,
}

enum Parcel {
    Line {
        endpoint: Arc<str>,
        line: String,
    },
    /// Everything before it was sent or dropped.
    Flush(oneshot::Sender<()>),
}

impl Forwarder {
    /// Starts the task that sends. It ends with the last clone.
    pub(crate) fn start() -> Self {
        let (queue, parcels) = mpsc::channel(MOST_WAITING);
        let shared = Arc::new(Shared {
            speaker: Speaker::here(),
            dropped: AtomicU64::new(0),
            latest: Mutex::new("".into()),
            tls: Mutex::new(None),
        });
        tokio::spawn(send_all(parcels, shared.clone()));
        Self { queue, shared }
    }

    /// Who speaks, to make lines.
    pub(super) fn speaker(&self) -> &Speaker {
        &self.shared.speaker
    }

    /// Puts a line on its way. Never waits.
    pub(super) fn send(&self, endpoint: &Arc<str>, line: String) {
        {
            let mut latest = self.shared.latest.lock();
            if *latest != *endpoint {
                *latest = endpoint.clone();
            }
        }
        if self.queue.try_send(Parcel::Line { endpoint: endpoint.clone(), line }).is_err() {
            self.shared.dropped.fetch_add(1, Relaxed);
        }
    }

    /// How many lines were dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }

    /// Waits until what was put on its way is sent, as long as that may take.
    pub(super) async fn flush(&self, patience: Duration) {
        let (done, flushed) = oneshot::channel();
        let flushing = async {
            if self.queue.send(Parcel::Flush(done)).await.is_ok() {
                let _ = flushed.await;
            }
        };
        let _ = timeout(patience, flushing).await;
    }

    /// Whom to trust in place of the authorities that the system trusts, for tests.
    #[cfg(test)]
    pub(super) fn trust(&self, config: ClientConfig) {
        *self.shared.tls.lock() = Some(Arc::new(config));
    }

    /// Whether lines can be sent to a place now.
    pub(super) async fn reach(&self, endpoint: &Endpoint) -> Result<()> {
        Wire::connect(endpoint, &self.shared).await.map(drop)
    }
}

async fn send_all(mut parcels: mpsc::Receiver<Parcel>, shared: Arc<Shared>) {
    let mut wire: Option<(Arc<str>, Wire)> = None;
    let mut told = 0;
    while let Some(parcel) = parcels.recv().await {
        match parcel {
            Parcel::Flush(done) => drop(done.send(())),
            Parcel::Line { endpoint, line } => {
                if wire.as_ref().is_some_and(|(place, _)| *place != endpoint) {
                    wire = None;
                }
                wire = deliver(wire, endpoint, &line, &shared).await;
            }
        }
        let dropped = shared.dropped.load(Relaxed);
        if dropped > told && wire.is_some() {
            tracing::warn!(lines = dropped - told, "lines of the audit log were not forwarded");
            told = dropped;
        }
    }
}

/// Sends a line, again and again until it is sent or nobody wants it there any more.
/// Gives the connection for the next.
async fn deliver(
    mut wire: Option<(Arc<str>, Wire)>,
    endpoint: Arc<str>,
    line: &str,
    shared: &Shared,
) -> Option<(Arc<str>, Wire)> {
    let mut pause = FIRST_PAUSE;
    let mut told: Option<Instant> = None;
    loop {
        let sending = async {
            let mut ready = match wire.take() {
                Some((_, ready)) if ready.is_open() => ready,
                _ => Wire::connect(&endpoint.parse()?, shared).await?,
            };
            ready.send(line).await?;
            Ok::<_, Error>(ready)
        };
        let failure = match sending.await {
            Ok(ready) => return Some((endpoint, ready)),
            Err(failure) => failure,
        };
        if told.is_none_or(|told| told.elapsed() > TOLD_EVERY) {
            let dropped = shared.dropped.load(Relaxed);
            tracing::warn!(error = %failure, %endpoint, dropped, "the audit log cannot be forwarded");
            told = Some(Instant::now());
        }
        if *shared.latest.lock() != endpoint {
            shared.dropped.fetch_add(1, Relaxed);
            return None;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A connection to where lines go.
enum Wire {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Udp(UdpSocket),
}

impl Wire {
    async fn connect(endpoint: &Endpoint, shared: &Shared) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::unavailable(format!("{}:{}: {error}", endpoint.host, endpoint.port))
        };
        let place = (endpoint.host.as_str(), endpoint.port);
        let connecting = async {
            Ok(match endpoint.transport {
                Transport::Tcp => Self::Tcp(TcpStream::connect(place).await?),
                Transport::Tls => {
                    let name = ServerName::try_from(endpoint.host.clone())
                        .map_err(std::io::Error::other)?;
                    let connector = TlsConnector::from(trusting(shared)?);
                    let stream = TcpStream::connect(place).await?;
                    Self::Tls(Box::new(connector.connect(name, stream).await?))
                }
                Transport::Udp => {
                    let address = tokio::net::lookup_host(place).await?.next();
                    let address = address.ok_or_else(|| std::io::Error::other("no address"))?;
                    let any: std::net::IpAddr = match address.is_ipv4() {
                        true => std::net::Ipv4Addr::UNSPECIFIED.into(),
                        false => std::net::Ipv6Addr::UNSPECIFIED.into(),
                    };
                    let socket = UdpSocket::bind((any, 0)).await?;
                    socket.connect(address).await?;
                    Self::Udp(socket)
                }
            })
        };
        timeout(PATIENCE, connecting)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(failed)
    }

    /// Whether the other side has not closed it: then a line would be lost in the sending.
    fn is_open(&self) -> bool {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
            Self::Udp(_) => return true,
        };
        !matches!(stream.peek(&mut [0]).now_or_never(), Some(Ok(0) | Err(_)))
    }

    async fn send(&mut self, line: &str) -> Result<()> {
        let sending = async {
            match self {
                Self::Tcp(stream) => frame(stream, line).await,
                Self::Tls(stream) => frame(stream, line).await,
                Self::Udp(socket) => socket.send(line.as_bytes()).await.map(drop),
            }
        };
        let sent = timeout(PATIENCE, sending).await;
        sent.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(|error| Error::unavailable(error.to_string()))
    }
}

/// A line after its length.
async fn frame(stream: &mut (impl AsyncWrite + Unpin), line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{} {line}", line.len()).as_bytes()).await?;
    stream.flush().await
}

/// The system's trust, read once.
fn trusting(shared: &Shared) -> std::io::Result<Arc<ClientConfig>> {
    let mut known = shared.tls.lock();
    if let Some(config) = &*known {
        return Ok(config.clone());
    }
    let config = Arc::new(ClientConfig::with_platform_verifier().map_err(std::io::Error::other)?);
    *known = Some(config.clone());
    Ok(config)
}
