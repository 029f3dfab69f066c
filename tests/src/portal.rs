//! A browser as far as it matters: it keeps cookies, and sends back the token that keeps
//! other pages from asking in its name.

use crate::{Answer, Client, Request};
use std::{collections::BTreeMap, sync::Mutex};

/// Harbor's name of the token.
const TOKEN: &str = "x-harbor-csrf-token";

/// Somebody with a browser.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    kept: Mutex<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    cookies: BTreeMap<String, String>,
    token: Option<String>,
}

impl Browser {
    /// A browser that was never here, at this server.
    pub fn at(client: &Client) -> Browser {
        Browser { client: client.anonymous(), kept: Mutex::default() }
    }

    /// The same browser, with its cookies, at another server.
    pub fn moved_to(&self, client: &Client) -> Browser {
        let kept = Mutex::new(self.kept.lock().unwrap().clone());
        Browser { client: client.anonymous(), kept }
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.kept.lock().unwrap().cookies.get(name).cloned()
    }

    /// Keeps a cookie that somebody else put there.
    pub fn plant(&self, name: &str, value: &str) {
        self.kept.lock().unwrap().cookies.insert(name.into(), value.into());
    }

    /// The token that the next request shows.
    pub fn token(&self) -> Option<String> {
        self.kept.lock().unwrap().token.clone()
    }

    /// A request with the cookies, and with no token.
    pub fn bare(&self, method: &str, path: &str) -> Request {
        let kept = self.kept.lock().unwrap();
        let cookies: Vec<String> =
            kept.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.request(method, path);
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    /// A request of a page of the server's own.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = self.bare(method, path);
        match self.token() {
            Some(token) => request.header(TOKEN, token),
            None => request,
        }
    }

    /// Sends a request and keeps what the answer brings.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = request.send().await;
        let mut kept = self.kept.lock().unwrap();
        for cookie in answer.all("set-cookie") {
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                kept.cookies.remove(name);
            } else {
                kept.cookies.insert(name.into(), value.into());
            }
        }
        if let Some(token) = answer.maybe(TOKEN) {
            kept.token = Some(token.to_owned());
        }
        answer
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// Signs in by the form of the portal.
    pub async fn log_in(&self, name: &str, password: &str) -> Answer {
        // The first answer brings the token for the form.
        self.get("/c/log_out").await;
        let form = [("principal", name), ("password", password)];
        self.send(self.request("POST", "/c/login").form(&form)).await
    }
}
