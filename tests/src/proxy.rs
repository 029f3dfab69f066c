//! A TCP proxy that can be cut: how a test takes a database or a store away.

use std::{net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes connections on to a target until it is cut.
pub struct Proxy {
    /// Where it listens, `127.0.0.1:port`.
    pub address: String,
    state: Arc<watch::Sender<State>>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Bytes pass.
    Open,
    /// Connections are closed at once, old and new.
    Cut,
    /// Connections stay, and nothing passes: a peer that has fallen silent.
    Silent,
}

impl Proxy {
    /// A proxy before this `host:port`.
    pub async fn before(target: &str) -> Proxy {
        let target: SocketAddr = target.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(watch::Sender::new(State::Open));
        let task = tokio::spawn(accept(listener, target, state.clone()));
        Proxy { address, state, task }
    }

    /// Closes every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Lets nothing pass, and closes nothing.
    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    /// Lets connections pass again.
    pub fn restore(&self) {
        self.state.send_replace(State::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.send_replace(State::Cut);
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, state: Arc<watch::Sender<State>>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        tokio::spawn(pass(client, target, state.subscribe()));
    }
}

async fn pass(client: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    if state.wait_for(|state| *state != State::Silent).await.is_err() {
        return;
    }
    if *state.borrow() == State::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    tokio::join!(
        copy(client_read, server_write, state.clone()),
        copy(server_read, client_write, state),
    );
}

// Copies until either side ends or the proxy is cut. In silence what has been
// read waits.
async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut buffer = vec![0; 64 * 1024];
    let mut cut = state.clone();
    loop {
        let length = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(length) => length,
            },
            _ = cut.wait_for(|state| *state == State::Cut) => return,
        };
        if state.wait_for(|state| *state != State::Silent).await.is_err() {
            return;
        }
        if *state.borrow() == State::Cut || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
