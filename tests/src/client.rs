//! A plain HTTP client: what goes out and what comes back, and nothing clever.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use std::time::Duration;

/// How a client makes itself known.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Not at all.
    Anonymous,
    /// Name and password on every request.
    Basic(String, String),
    /// A token of `/service/token`.
    Bearer(String),
}

/// Somebody who talks to one server.
#[derive(Clone, Debug)]
pub struct Client {
    /// The server's address, `http://127.0.0.1:port`, without a slash at the end.
    pub url: String,
    /// Who this is.
    pub auth: Auth,
    http: reqwest::Client,
}

impl Client {
    /// Somebody unknown.
    pub fn new(url: &str) -> Client {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            // Well before the server gives up a quiet connection, so that no
            // request goes out on one that is just being closed.
            .pool_idle_timeout(Duration::from_millis(300))
            .build()
            .unwrap();
        Client { url: url.trim_end_matches('/').to_owned(), auth: Auth::Anonymous, http }
    }

    /// The same server, somebody else.
    pub fn with(&self, auth: Auth) -> Client {
        Client { auth, ..self.clone() }
    }

    /// The same server, with a name and a password.
    pub fn login(&self, name: &str, password: &str) -> Client {
        self.with(Auth::Basic(name.into(), password.into()))
    }

    /// The same server, nobody.
    pub fn anonymous(&self) -> Client {
        self.with(Auth::Anonymous)
    }

    /// The host and port, as they stand in an image's name.
    pub fn host(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// A request to a path, or to a whole URL as a `Location` may give it.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let url =
            if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let line = format!("{method} {url}");
        let builder = self.http.request(method, url);
        let builder = match &self.auth {
            Auth::Anonymous => builder,
            Auth::Basic(name, password) => builder.basic_auth(name, Some(password)),
            Auth::Bearer(token) => builder.bearer_auth(token),
        };
        Request { line, builder }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    /// HEAD.
    pub async fn head(&self, path: &str) -> Answer {
        self.request("HEAD", path).send().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send().await
    }

    /// What `/service/token` says to these scopes.
    pub async fn ask_token(&self, scopes: &[&str]) -> Answer {
        let mut path = String::from("/service/token?service=harbor-registry");
        for scope in scopes {
            path.push_str("&scope=");
            path.push_str(scope);
        }
        self.get(&path).await
    }

    /// The same client with a bearer token for these scopes.
    pub async fn with_token(&self, scopes: &[&str]) -> Client {
        let answer = self.ask_token(scopes).await.expect(200).json();
        self.with(Auth::Bearer(answer["token"].as_str().unwrap().to_owned()))
    }
}

/// The value of a Basic `Authorization` header.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

/// A request that has not gone out yet.
pub struct Request {
    line: String,
    builder: reqwest::RequestBuilder,
}

impl Request {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Request {
        let value = HeaderValue::from_str(value.as_ref()).unwrap();
        self.builder = self.builder.header(name, value);
        self
    }

    /// Sends these bytes with their `Content-Length`.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Request {
        self.builder = self.builder.body(bytes.into());
        self
    }

    /// Sends these pieces with `Transfer-Encoding: chunked`, as docker does.
    pub fn stream(mut self, bytes: &Bytes, piece: usize) -> Request {
        let pieces: Vec<std::io::Result<Bytes>> =
            bytes.chunks(piece).map(|piece| Ok(bytes.slice_ref(piece))).collect();
        let stream = futures_util::stream::iter(pieces);
        self.builder = self.builder.body(reqwest::Body::wrap_stream(stream));
        self
    }

    /// Sends JSON.
    pub fn json(mut self, value: &Value) -> Request {
        self.builder = self.builder.json(value);
        self
    }

    /// Sends a form.
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Request {
        self.builder = self.builder.form(pairs);
        self
    }

    /// Waits this long for the whole answer.
    pub fn timeout(mut self, limit: Duration) -> Request {
        self.builder = self.builder.timeout(limit);
        self
    }

    /// Sends it and reads the whole answer; panics when the connection fails.
    pub async fn send(self) -> Answer {
        let line = self.line.clone();
        match self.try_send().await {
            Ok(answer) => answer,
            Err(error) => panic!("{line}: {error:?}"),
        }
    }

    /// Sends it and reads the whole answer, or tells how the connection failed.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.builder.send().await?;
        Ok(Answer {
            line: self.line,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?,
        })
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The request it answers, for messages.
    pub line: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, read to its end.
    pub body: Bytes,
}

impl Answer {
    /// Panics unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert!(self.status == status, "expected {status}, got {}", self.describe());
        self
    }

    /// Panics unless this is an error in the registry's format with this status
    /// and code. A HEAD has no body: give the code "" there.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Answer {
        let answer = self.expect(status);
        if code.is_empty() {
            assert!(answer.body.is_empty(), "a body where none belongs: {}", answer.describe());
            return answer;
        }
        answer.assert_error_format();
        let json = answer.json();
        assert!(
            json["errors"][0]["code"] == code,
            "expected the code {code}, got {}",
            answer.describe()
        );
        answer
    }

    /// Panics unless the body is an error in the registry's format.
    #[track_caller]
    pub fn assert_error_format(&self) {
        assert!(
            self.maybe("content-type").is_some_and(|value| value.starts_with("application/json")),
            "an error must be JSON: {}",
            self.describe()
        );
        let json = self.json();
        let errors = json["errors"].as_array();
        assert!(
            errors.is_some_and(|errors| !errors.is_empty()),
            "no errors in {}",
            self.describe()
        );
        for error in errors.into_iter().flatten() {
            assert!(
                error["code"].as_str().is_some_and(|code| !code.is_empty()),
                "no code in {}",
                self.describe()
            );
            assert!(
                error["message"].as_str().is_some_and(|message| !message.is_empty()),
                "no message in {}",
                self.describe()
            );
        }
    }

    /// A header that must be there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        match self.maybe(name) {
            Some(value) => value,
            None => panic!("no {name} in {}", self.describe()),
        }
    }

    /// A header that may be there.
    pub fn maybe(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("not JSON ({error}): {}", self.describe()),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The path and query of the `Location`, whether it came whole or relative.
    #[track_caller]
    pub fn location(&self) -> String {
        let location = self.header("location");
        match location.split_once("://") {
            None => location.to_owned(),
            Some((_, rest)) => rest[rest.find('/').unwrap()..].to_owned(),
        }
    }

    /// Everything, for a message.
    pub fn describe(&self) -> String {
        let mut text = format!("{} -> {}\n", self.line, self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("  {name}: {}\n", value.to_str().unwrap_or("?")));
        }
        let body = self.text();
        text.push_str(body.get(..2000).unwrap_or(&body));
        text
    }
}
