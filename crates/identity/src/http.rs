//! Requests to other servers: whoever may make Haven ask a server asks through here, and
//! nowhere is a server asked without a bound on time and size, or a redirect followed.

use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use kit::Secret;
use reqwest::{
    Client, RequestBuilder, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::{Failure, Result, Trust};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a request may take, from its beginning to the last byte of its answer.
const WHOLE: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The longest address, in bytes.
const LONGEST_URL: usize = 2048;

/// How far a request may reach. It depends on who chose the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Any server, by HTTP too: an administrator of the system chose it, and the servers of a
    /// company are inside.
    Anywhere,
    /// Servers with public addresses, by HTTPS: somebody chose it who may not look at what is
    /// inside through us.
    Public,
}

/// Asks servers.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    reach: Reach,
}

impl Http {
    /// A client for servers that are trusted so, as far as it may reach.
    ///
    /// # Errors
    /// Misconfigured when the certificates of the trust cannot be read.
    pub fn new(trust: &Trust, reach: Reach) -> Result<Self> {
        let tls = trust.client_config()?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .user_agent("haven");
        if reach == Reach::Public {
            // A proxy would look the name up by itself.
            builder = builder.no_proxy().dns_resolver(Arc::new(PublicOnly));
        }
        let client = builder.build();
        let client = client.map_err(|error| Failure::Misconfigured(error.to_string()))?;
        Ok(Self { client, reach })
    }

    /// The address that a text is, if we may ask there.
    ///
    /// # Errors
    /// Misconfigured when it is none, or out of reach.
    pub fn address(&self, text: &str) -> Result<Url> {
        let wrong = |why: &str| Failure::Misconfigured(format!("the address {why}"));
        if text.len() > LONGEST_URL {
            return Err(wrong("is longer than 2048 bytes"));
        }
        let url = Url::parse(text.trim()).map_err(|_| wrong("is not a URL"))?;
        match (url.scheme(), self.reach) {
            ("https", _) | ("http", Reach::Anywhere) => {}
            ("http", Reach::Public) => return Err(wrong("must begin with https://")),
            _ => return Err(wrong("must begin with https:// or http://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must not hold a user or a password"));
        }
        let address = match url.host() {
            None => return Err(wrong("names no host")),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        if self.reach == Reach::Public && address.is_some_and(|address| !is_public(address)) {
            return Err(wrong("is not a public one"));
        }
        Ok(url)
    }

    /// A request to read something.
    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// A request to do something.
    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// The answer to a request.
    pub(crate) async fn to(request: RequestBuilder) -> Result<Self> {
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        let too_long = || Failure::Nonsense("the answer is longer than 1 MiB".to_owned());
        if response.content_length().is_some_and(|length| length > LONGEST as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, body })
    }

    /// What it says, whatever its status.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        // Parsers tell what they found; what was found may be secret.
        serde_json::from_slice(&self.body).map_err(|_| {
            Failure::Nonsense("the answer is not the JSON that is expected".to_owned())
        })
    }

    /// What it says, if the server says that all is well.
    pub(crate) fn success<T: DeserializeOwned>(&self) -> Result<T> {
        match self.status.is_success() {
            true => self.json(),
            false => Err(Failure::Refused(format!("HTTP status {}", self.status.as_u16()))),
        }
    }
}

/// Adds a name and a password to a request.
pub(crate) fn basic(request: RequestBuilder, name: &str, password: &Secret) -> RequestBuilder {
    request.basic_auth(name, Some(password.reveal()))
}

/// Why there is no answer. The address stays out of it: its query may hold secrets.
fn failed(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::TimedOut;
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    let mut deepest = error.to_string();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Failure::Untrusted(error.to_string());
        }
        // TLS comes wrapped in an error of input and output.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Failure::Untrusted(error.to_string());
        }
        deepest = error.to_string();
        cause = error.source();
    }
    Failure::Unreachable(deepest)
}

/// Looks names up and forgets the addresses that are not public, so that no name leads inside,
/// whatever it meant when it was checked.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet (the registries of IANA for special
/// purposes, RFC 6890, list those that are not).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            !(a == 0
                || a == 10
                || a == 127
                || (a == 100 && (64..128).contains(&b))
                || (a == 169 && b == 254)
                || (a == 172 && (16..32).contains(&b))
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && matches!(c, 0 | 2))
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && matches!(b, 18 | 19))
                || (a == 198 && b == 51 && c == 100)
                || (a == 203 && b == 0 && c == 113)
                || a >= 224)
        }
        IpAddr::V6(address) => {
            if let Some(mapped) = embedded(address) {
                return is_public(mapped);
            }
            let [first, second, ..] = address.segments();
            // Only 2000::/3 is given out; within it, some is for documentation and the like.
            first & 0xe000 == 0x2000
                && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
                && first != 0x3fff
        }
    }
}

/// The older address that a newer one stands for (RFC 4291, RFC 6052, RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<IpAddr> {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(IpAddr::from([a, b, c, d]))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_inside_is_known() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "0.0.0.0",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::7f00:1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1", "64:ff9b::101:101"]
        {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn addresses_are_checked_for_their_reach() {
        let anywhere = Http::new(&Trust::System, Reach::Anywhere).unwrap();
        let public = Http::new(&Trust::System, Reach::Public).unwrap();
        for text in ["http://10.0.0.1/x", "https://localhost:8443", "https://sso.example.org"] {
            assert!(anywhere.address(text).is_ok(), "{text}");
        }
        assert!(public.address("https://sso.example.org").is_ok());
        for text in [
            "http://sso.example.org",
            "https://127.0.0.1",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://169.254.169.254/latest",
            "https://[::ffff:10.0.0.1]/",
        ] {
            assert!(public.address(text).is_err(), "{text}");
        }
        for text in ["", "x", "file:///etc/passwd", "ftp://a", "https://a:b@c/", "https://"] {
            assert!(anywhere.address(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_does_not_lead_inside() {
        let public = Http::new(&Trust::System, Reach::Public).unwrap();
        let url = public.address("https://localhost:1/").unwrap();
        let refused = Answer::to(public.get(url)).await.err().unwrap();
        let told = refused.to_string();
        assert!(told.contains("no public address"), "{told}");
    }
}
