//! A proxy that verifies passwords, which speaks what Harbor's does.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{Trust, authproxy::Settings};

/// A proxy of a test's own. It knows alice, whose password is `right`, whose session is
/// `of-alice` and whose groups are dev and admins; and it gives bob, by the same password,
/// the session of alice.
pub struct Proxy {
    /// Its address.
    pub url: String,
}

impl Proxy {
    /// Starts a proxy.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut question = Vec::new();
                // All of the head, and of the body as long as the head says.
                loop {
                    if stream.read_buf(&mut question).await.unwrap_or(0) == 0 {
                        break;
                    }
                    let text = String::from_utf8_lossy(&question).to_lowercase();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .split("content-length: ")
                        .nth(1)
                        .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
                    if body.len() >= length {
                        break;
                    }
                }
                let (status, body) = answer(&String::from_utf8(question).unwrap());
                let body = body.to_string();
                let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length:");
                let answer = format!("{head} {}\r\n\r\n{body}", body.len());
                let _may_be_gone = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url }
    }

    /// How to ask it; members of admins may do everything.
    pub fn settings(&self) -> Settings {
        Settings {
            endpoint: format!("{}/login", self.url),
            token_review_endpoint: format!("{}/review", self.url),
            trust: Trust::System,
            admin_groups: vec!["admins".to_owned()],
            admin_usernames: Vec::new(),
        }
    }
}

fn answer(request: &str) -> (u16, Value) {
    let right = STANDARD.encode("alice:right");
    let mixed_up = STANDARD.encode("bob:right");
    if request.starts_with("POST /login") {
        return match request.contains(&right) || request.contains(&mixed_up) {
            true => (200, json!({"session_id": "of-alice"})),
            false => (401, json!({})),
        };
    }
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let review: Value = serde_json::from_str(body).unwrap();
    assert_eq!(review["kind"], "TokenReview");
    let authenticated = review["spec"]["token"] == "of-alice";
    let user = json!({"username": "alice", "groups": ["dev", "", "admins"]});
    let status = json!({"authenticated": authenticated, "user": user});
    (201, json!({"apiVersion": review["apiVersion"], "kind": "TokenReview", "status": status}))
}
