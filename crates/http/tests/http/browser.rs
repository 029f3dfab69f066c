//! A browser with one of Harbor's pages in it.

use axum::{
    body::Body,
    http::{Request, header::SET_COOKIE},
};
use haven_http::Peer;

use crate::server::{Answer, Server};

/// A browser with one of Harbor's pages in it: it keeps cookies, and shows the token that it
/// was last given.
pub struct Browser<'s> {
    server: &'s Server,
    cookies: Vec<(String, String)>,
    pub token: Option<String>,
    pub address: &'static str,
    pub https: bool,
}

impl<'s> Browser<'s> {
    pub fn new(server: &'s Server) -> Self {
        Self { server, cookies: Vec::new(), token: None, address: "192.0.2.1:9", https: false }
    }

    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let peer =
            Peer { address: self.address.parse().unwrap(), scheme_https: self.https, host: None };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "registry.example.org")
            .header("user-agent", "Browser/1.0")
            .extension(peer);
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.header("x-harbor-csrf-token", token);
        }
        let answer = self.server.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        for set in answer.headers.get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(own, _)| own != name);
            if !attributes.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        if let Some(token) = answer.headers.get("x-harbor-csrf-token") {
            self.token = Some(token.to_str().unwrap().to_owned());
        }
        answer
    }

    /// As Harbor's page: what is refused for its token is sent once more with the new one.
    pub async fn persist(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let answer = self.send(method, path, body).await;
        if answer.status == 403 { self.send(method, path, body).await } else { answer }
    }

    pub async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.persist("POST", "/c/login", &format!("principal={name}&password={password}")).await
    }

    pub async fn user(&mut self) -> Option<String> {
        let answer = self.send("GET", "/api/v2.0/users/current", "").await;
        let name = (answer.status == 200).then(|| answer.json()["username"].clone());
        name.map(|name| name.as_str().unwrap().to_owned())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(own, _)| own != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
    }
}
