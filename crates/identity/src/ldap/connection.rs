//! A conversation with a directory: one request after the other, all of it within a time.

use std::{io, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    ber,
    message::{self, Entry, Outcome, Said, Search},
};
use crate::{Failure, Result, Trust};

/// How long a whole conversation may take, whatever is said in it.
const CONVERSATION: Duration = Duration::from_secs(30);

/// The largest message that is read, in bytes: an entry with tens of thousands of groups.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// How much is read in one conversation, in bytes.
const MOST_READ: usize = 32 * 1024 * 1024;

/// How many entries are asked for at a time.
const PAGE: u32 = 100;

/// How many messages an exchange may have beyond the entries that are wanted.
const MOST_OTHERS: usize = 1000;

/// Result codes (RFC 4511, section 4.1.9).
mod code {
    pub(super) const SUCCESS: u32 = 0;
    pub(super) const TIME_LIMIT: u32 = 3;
    pub(super) const SIZE_LIMIT: u32 = 4;
    pub(super) const ADMIN_LIMIT: u32 = 11;
    pub(super) const NO_SUCH_OBJECT: u32 = 32;
    pub(super) const INVALID_DN: u32 = 34;
    pub(super) const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
    pub(super) const INVALID_CREDENTIALS: u32 = 49;
    pub(super) const FILTER_ERROR: u32 = 87;
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a directory is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tls {
    Never,
    /// After a request for it.
    Started,
    /// At once.
    Always,
}

/// A connection to a directory. Whoever is bound on it is who asks.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    /// What was read and not yet understood.
    pending: Vec<u8>,
    read: usize,
    last_id: u32,
    /// How long one exchange may take.
    exchange: Duration,
    /// When everything has to be over.
    end: Instant,
}

impl Connection {
    /// Connects; `limit` bounds this, and each exchange after it.
    pub(super) async fn open(place: &Place, trust: &Trust, limit: Duration) -> Result<Self> {
        let end = Instant::now() + limit.min(CONVERSATION);
        timeout_at(end, Self::connect(place, trust, limit)).await.map_err(|_| Failure::TimedOut)?
    }

    async fn connect(place: &Place, trust: &Trust, limit: Duration) -> Result<Self> {
        let tcp = TcpStream::connect((place.host.as_str(), place.port)).await;
        let tcp = tcp.map_err(|error| Failure::Unreachable(error.to_string()))?;
        // Small questions, each of which waits for its answer.
        tcp.set_nodelay(true).map_err(broken)?;
        let stream: Box<dyn Stream> = match place.tls {
            Tls::Never => Box::new(tcp),
            Tls::Always => encrypt(place, trust, tcp).await?,
            Tls::Started => {
                let mut plain = Self::over(Box::new(tcp), limit);
                plain.start_tls().await?;
                encrypt(place, trust, plain.into_stream()?).await?
            }
        };
        Ok(Self::over(stream, limit))
    }

    fn over(stream: Box<dyn Stream>, exchange: Duration) -> Self {
        let end = Instant::now() + CONVERSATION;
        Self { stream, pending: Vec::new(), read: 0, last_id: 0, exchange, end }
    }

    /// The bare stream. What came in the clear after the answer that allowed TLS was put there
    /// by somebody else.
    fn into_stream(self) -> Result<Box<dyn Stream>> {
        match self.pending.is_empty() {
            true => Ok(self.stream),
            false => Err(ber::malformed("it goes on in the clear when TLS begins")),
        }
    }

    async fn start_tls(&mut self) -> Result<()> {
        let id = self.next_id();
        let end = self.exchange_end();
        self.send(&message::start_tls(id), end).await?;
        match self.receive(id, end).await? {
            Said::Extended(outcome) if outcome.code == code::SUCCESS => Ok(()),
            Said::Extended(outcome) => Err(refusal(&outcome)),
            _ => Err(ber::malformed("another answer than the one that was asked for")),
        }
    }

    /// Becomes somebody. A directory takes an empty password for nobody's and says yes, so one
    /// is never sent with a name.
    ///
    /// # Errors
    /// BadCredentials when the directory says so.
    pub(super) async fn bind(&mut self, dn: &str, password: &str) -> Result<()> {
        if !dn.is_empty() && password.is_empty() {
            return Err(Failure::BadCredentials);
        }
        let id = self.next_id();
        let end = self.exchange_end();
        self.send(&message::bind(id, dn, password), end).await?;
        let Said::Bound(outcome) = self.receive(id, end).await? else {
            return Err(ber::malformed("another answer than the one that was asked for"));
        };
        match outcome.code {
            code::SUCCESS => Ok(()),
            // Active Directory and others say these for an unknown or a locked account too.
            code::INVALID_CREDENTIALS
            | code::INAPPROPRIATE_AUTHENTICATION
            | code::NO_SUCH_OBJECT => Err(Failure::BadCredentials),
            _ => Err(refusal(&outcome)),
        }
    }

    /// Searches, in pages, until there is nothing more or `search.most` entries are there.
    pub(super) async fn search(&mut self, search: &Search<'_>) -> Result<Vec<Entry>> {
        let most = usize::try_from(search.most).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut cookie = Vec::new();
        let mut others = 0;
        let end = self.exchange_end();
        loop {
            let id = self.next_id();
            let page = PAGE.min(search.most);
            // One entry of a known name needs no page.
            let page = (search.scope != message::Scope::Base).then_some((page, &*cookie));
            self.send(&message::search(id, search, page), end).await?;
            let outcome = loop {
                match self.receive(id, end).await? {
                    Said::Found(entry) if found.len() < most => found.push(entry),
                    Said::Found(_) => return Ok(found),
                    Said::Elsewhere => others += 1,
                    Said::Done(outcome) => break outcome,
                    _ => return Err(ber::malformed("it is no answer to a search")),
                }
                if others > MOST_OTHERS {
                    return Err(ber::malformed("it sends us elsewhere all the time"));
                }
            };
            match outcome.code {
                code::SUCCESS => {}
                code::SIZE_LIMIT | code::ADMIN_LIMIT if !found.is_empty() => return Ok(found),
                code::TIME_LIMIT => return Err(Failure::TimedOut),
                code::NO_SUCH_OBJECT => return Err(Failure::NoSuchBase(search.base.to_owned())),
                code::INVALID_DN => return Err(Failure::BadDn),
                code::FILTER_ERROR => return Err(Failure::BadFilter("the server says so")),
                _ => return Err(refusal(&outcome)),
            }
            if outcome.cookie.is_empty() || found.len() >= most {
                return Ok(found);
            }
            cookie = outcome.cookie;
            // A server may send empty pages, but not for ever.
            others += 1;
        }
    }

    /// Takes leave. What goes wrong with it does not matter any more.
    pub(super) async fn close(mut self) {
        let id = self.next_id();
        let end = self.exchange_end();
        if self.send(&message::unbind(id), end).await.is_ok() {
            let _gone = timeout_at(end, self.stream.shutdown()).await;
        }
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    /// How long the conversation may still take for one exchange.
    fn exchange_end(&self) -> Instant {
        (Instant::now() + self.exchange).min(self.end)
    }

    async fn send(&mut self, message: &[u8], end: Instant) -> Result<()> {
        let sending = async {
            self.stream.write_all(message).await?;
            self.stream.flush().await
        };
        timeout_at(end, sending).await.map_err(|_| Failure::TimedOut)?.map_err(broken)
    }

    /// The next message to a request of ours.
    async fn receive(&mut self, id: u32, end: Instant) -> Result<Said> {
        let bytes = timeout_at(end, self.message()).await.map_err(|_| Failure::TimedOut)??;
        let (about, said) = message::read(&bytes)?;
        if about == 0 {
            // A notice of disconnection is the only one there is.
            return Err(Failure::Unreachable("the server ends the connection".to_owned()));
        }
        match about == id {
            true => Ok(said),
            false => Err(ber::malformed("an answer to a request that was not made")),
        }
    }

    /// The bytes of the next message.
    async fn message(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some((tag, head, length)) = ber::header(&self.pending)? {
                if tag != ber::SEQUENCE || length > LARGEST_MESSAGE {
                    return Err(ber::malformed("it is no message of a directory, or too large"));
                }
                if self.pending.len() >= head + length {
                    let rest = self.pending.split_off(head + length);
                    return Ok(std::mem::replace(&mut self.pending, rest));
                }
            }
            let count = self.stream.read_buf(&mut self.pending).await.map_err(broken)?;
            if count == 0 {
                return Err(Failure::Unreachable("the server closed the connection".to_owned()));
            }
            self.read += count;
            if self.read > MOST_READ {
                return Err(ber::malformed("it says more than 32 MiB"));
            }
        }
    }
}

async fn encrypt<S: Stream + 'static>(
    place: &Place,
    trust: &Trust,
    stream: S,
) -> Result<Box<dyn Stream>> {
    let name = ServerName::try_from(place.host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| Failure::Misconfigured("the host is not a valid name".to_owned()))?;
    let connector = TlsConnector::from(trust.client_config()?);
    let encrypted = connector.connect(name, stream).await.map_err(|error| {
        match error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
            true => Failure::Untrusted(error.to_string()),
            false => broken(error),
        }
    })?;
    Ok(Box::new(encrypted))
}

fn broken(error: io::Error) -> Failure {
    Failure::Unreachable(error.to_string())
}

/// What a directory says when it does not want to, without line breaks and not at length.
fn refusal(outcome: &Outcome) -> Failure {
    let said: String = outcome.message.chars().filter(|c| !c.is_control()).take(200).collect();
    Failure::Refused(format!("LDAP result {} {said}", outcome.code).trim_end().to_owned())
}
