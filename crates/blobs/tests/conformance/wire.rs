//! A wire to the S3 server that a test can cut.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use url::Url;

/// Passes connections on to a server, as long as it is not cut.
#[derive(Clone)]
pub struct Wire(Arc<State>);

struct State {
    server: String,
    address: String,
    /// How many connections are still to be refused.
    refusals: AtomicU64,
    cutting: Notify,
    /// After how many bytes from the server the next connection breaks; 0 for never.
    breaks_after: AtomicU64,
    requests: AtomicU64,
}

impl Wire {
    /// Lays a wire to a server.
    pub async fn to(server: &Url) -> Self {
        let server = format!("{}:{}", server.host_str().unwrap(), server.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self(Arc::new(State {
            server,
            address: listener.local_addr().unwrap().to_string(),
            refusals: AtomicU64::new(0),
            cutting: Notify::new(),
            breaks_after: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        }));
        let passing = wire.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let wire = passing.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = wire.pass(client) => {}
                        () = wire.0.cutting.notified() => {}
                    }
                });
            }
        });
        wire
    }

    /// Where its near end is.
    pub fn url(&self) -> Url {
        format!("http://{}", self.0.address).parse().unwrap()
    }

    /// Breaks all connections and refuses new ones.
    pub fn cut(&self) {
        self.cut_for(u64::MAX);
    }

    /// Breaks all connections and refuses so many new ones.
    pub fn cut_for(&self, refusals: u64) {
        self.0.refusals.store(refusals, Ordering::SeqCst);
        self.0.cutting.notify_waiters();
    }

    /// Lets connections pass again.
    pub fn mend(&self) {
        self.0.refusals.store(0, Ordering::SeqCst);
    }

    /// Whether connections pass.
    pub fn is_whole(&self) -> bool {
        self.0.refusals.load(Ordering::SeqCst) == 0
    }

    /// Breaks the connection that first receives so many bytes, once.
    pub fn break_after(&self, bytes: u64) {
        self.0.breaks_after.store(bytes, Ordering::SeqCst);
    }

    /// Whether the break that was asked for has happened.
    pub fn has_broken(&self) -> bool {
        self.0.breaks_after.load(Ordering::SeqCst) == 0
    }

    /// How many requests have passed.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::SeqCst)
    }

    async fn pass(&self, client: TcpStream) {
        let less = |refusals: u64| refusals.checked_sub(1);
        if self.0.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.0.server).await else { return };
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        // Who speaks after an answer, or first, asks for something.
        let answered = AtomicBool::new(true);
        let there = async {
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                if answered.swap(false, Ordering::SeqCst) {
                    self.0.requests.fetch_add(1, Ordering::SeqCst);
                }
                if to_server.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        };
        let back = async {
            let (mut passed, mut buffer) = (0, vec![0; 16 * 1024]);
            while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                answered.store(true, Ordering::SeqCst);
                passed += read as u64;
                let limit = self.0.breaks_after.load(Ordering::SeqCst);
                if limit > 0 && passed > limit {
                    self.0.breaks_after.store(0, Ordering::SeqCst);
                    return;
                }
                if to_client.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = there => {}
            () = back => {}
        }
    }
}
