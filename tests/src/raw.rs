//! HTTP by hand, for requests that no well-behaved client would send.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a server may take to answer or to hang up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection over which anything may be sent.
pub struct Raw {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer as it came over the connection.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// The status code.
    pub status: u16,
    /// The head, status line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Raw {
    /// Connects to `host:port`.
    pub async fn connect(address: &str) -> Raw {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Raw { stream, received: Vec::new() }
    }

    /// Sends these bytes; false when the server has hung up.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says that nothing more will come, and still listens.
    pub async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads one answer; none when the server hangs up without one.
    pub async fn answer(&mut self) -> Option<RawAnswer> {
        self.answer_to("GET").await
    }

    /// Reads one answer to this method: a HEAD's has no body, whatever its length says.
    pub async fn answer_to(&mut self, method: &str) -> Option<RawAnswer> {
        let head_end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            if self.read_more().await == 0 {
                return None;
            }
        };
        let head: Vec<u8> = self.received.drain(..head_end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut answer = RawAnswer { status, head, body: Vec::new() };
        let bodiless = method == "HEAD" || status < 200 || status == 204 || status == 304;
        if bodiless {
            return Some(answer);
        }
        let length: Option<usize> =
            answer.header("content-length").and_then(|value| value.parse().ok());
        match length {
            Some(length) => {
                while self.received.len() < length {
                    if self.read_more().await == 0 {
                        return None;
                    }
                }
                answer.body = self.received.drain(..length).collect();
            }
            None => {
                while self.read_more().await > 0 {}
                answer.body = std::mem::take(&mut self.received);
            }
        }
        Some(answer)
    }

    /// Waits until the server hangs up; panics when it does not.
    pub async fn hung_up(&mut self) {
        while self.read_more().await > 0 {}
    }

    async fn read_more(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        // A reset is a way of hanging up.
        let length = read.expect("the server neither answers nor hangs up").unwrap_or(0);
        self.received.extend_from_slice(&buffer[..length]);
        length
    }
}

impl RawAnswer {
    /// A header's value, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

/// Sends one request given as a whole and reads its answer.
pub async fn exchange(address: &str, request: impl AsRef<[u8]>) -> Option<RawAnswer> {
    let mut connection = Raw::connect(address).await;
    connection.send(request).await;
    connection.answer().await
}
