//! Sockets, the accept loop and the graceful stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use kit::{Error, Result};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{Application, Presence, Shared, connection};

/// Connections that the kernel holds for us until we accept them.
const BACKLOG: i32 = 1024;

/// How long to wait when no connection can be accepted, as when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Sockets for a server: bound first, so that a taken address is known before anything is
/// done, and open to clients later, when everything is ready.
pub struct Listeners(Vec<Socket>);

impl Listeners {
    /// Binds every address. Port 0 takes a free one.
    ///
    /// # Errors
    /// When an address is taken or not ours.
    pub fn bind(addresses: &[SocketAddr]) -> Result<Self> {
        let sockets = addresses.iter().map(|address| {
            bind(*address, addresses)
                .map_err(|error| Error::unavailable(format!("cannot listen on {address}: {error}")))
        });
        Ok(Self(sockets.collect::<Result<_>>()?))
    }

    /// The addresses, with the ports that were taken.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.0.iter().filter_map(|socket| socket.local_addr().ok());
        addresses.filter_map(|address| address.as_socket()).collect()
    }

    /// Lets clients come. They wait until they are served.
    ///
    /// # Errors
    /// When another server listens there since the addresses were bound.
    pub fn open(self) -> Result<OpenListeners> {
        let open = |socket: Socket| {
            let address = socket.local_addr()?.as_socket();
            let opened = socket.listen(BACKLOG).and_then(|()| TcpListener::from_std(socket.into()));
            opened.map_err(|error| match address {
                Some(address) => io::Error::new(error.kind(), format!("{address}: {error}")),
                None => error,
            })
        };
        let listeners: io::Result<_> = self.0.into_iter().map(open).collect();
        let failed = |error| Error::unavailable(format!("cannot listen on {error}"));
        Ok(OpenListeners(listeners.map_err(failed)?))
    }
}

/// Sockets that clients can connect to.
pub struct OpenListeners(Vec<TcpListener>);

fn bind(address: SocketAddr, all: &[SocketAddr]) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // `[::]` serves IPv4 too, unless IPv4 has a socket of its own on that port.
        let ipv4_has_its_own =
            all.iter().any(|other| other.is_ipv4() && other.port() == address.port());
        socket.set_only_v6(ipv4_has_its_own || !address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Serves until `stopping` turns true, then lets requests in flight end for at most
/// `shutdown_timeout`. Returns how many connections had to be cut.
pub async fn serve<A: Application>(
    listeners: OpenListeners,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared<A>>,
    stopping: watch::Receiver<bool>,
    shutdown_timeout: Duration,
) -> usize {
    let connections = shared.limits.connections;
    let presence = Presence { stopping, places: Arc::new(Semaphore::new(connections)) };
    let mut accepting = JoinSet::new();
    for listener in listeners.0 {
        accepting.spawn(accept(listener, tls.clone(), shared.clone(), presence.clone()));
    }
    while accepting.join_next().await.is_some() {}

    let everybody = u32::try_from(connections).unwrap_or(u32::MAX);
    let everybody_left = presence.places.acquire_many(everybody);
    match tokio::time::timeout(shutdown_timeout, everybody_left).await {
        Ok(_) => 0,
        Err(_) => connections - presence.places.available_permits(),
    }
}

async fn accept<A: Application>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared<A>>,
    presence: Presence,
) {
    let mut stopping = presence.stopping.clone();
    loop {
        let next = async {
            // A place first: a client beyond the limit waits in the kernel's queue.
            let place = presence.places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, remote)) => {
                // Without this a small answer may wait for the client's delayed ACK.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%remote, %error, "the client was gone at once");
                    continue;
                }
                let serving = connection::serve(
                    stream,
                    remote,
                    tls.clone(),
                    shared.clone(),
                    presence.stopping.clone(),
                );
                tokio::spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) if concerns_one_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether accepting failed because of a client that left, not because of us.
fn concerns_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
