//! A proxy that verifies passwords, as one of the test's own that speaks what Harbor's does.

use base64::{Engine, engine::general_purpose::STANDARD};
use identity::{
    Failure, Trust,
    authproxy::{Settings, authenticate, review},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Knows alice, whose password is `right` and whose session is `of-alice`.
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

async fn settings() -> Settings {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = Vec::new();
            // All of the head, and of the body as long as the head says.
            loop {
                stream.read_buf(&mut question).await.unwrap();
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
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length:");
            stream.write_all(format!("{head} {length}\r\n\r\n{body}").as_bytes()).await.unwrap();
        }
    });
    Settings {
        endpoint: format!("{url}/login"),
        token_review_endpoint: format!("{url}/review"),
        trust: Trust::System,
        admin_groups: vec!["admins".to_owned()],
        admin_usernames: Vec::new(),
    }
}

#[tokio::test]
async fn the_proxy_says_who_it_is() {
    let settings = settings().await;
    let alice = authenticate(&settings, "alice", &"right".into()).await.unwrap();
    assert_eq!((alice.username.as_str(), alice.admin), ("alice", true));
    assert_eq!(alice.groups, ["dev", "admins"]);
    let named = Settings {
        admin_groups: vec![],
        admin_usernames: vec!["alice".into()],
        ..settings.clone()
    };
    assert!(review(&named, &"of-alice".into()).await.unwrap().admin);
    let nobody = Settings { admin_groups: vec![], ..settings.clone() };
    assert!(!review(&nobody, &"of-alice".into()).await.unwrap().admin);

    let wrong = authenticate(&settings, "alice", &"wrong".into()).await;
    assert_eq!(wrong, Err(Failure::BadCredentials));
    // The session that it gives bob is not bob's.
    let mixed_up = authenticate(&settings, "bob", &"right".into()).await;
    assert_eq!(mixed_up, Err(Failure::BadCredentials));
    for session in ["", "of-bob", &"x".repeat(20_000)] {
        assert_eq!(review(&settings, &session.into()).await, Err(Failure::BadCredentials));
    }
    let away = Settings { endpoint: "http://127.0.0.1:1/".into(), ..settings };
    let away = authenticate(&away, "alice", &"right".into()).await;
    assert!(matches!(away, Err(Failure::Unreachable(_))), "{away:?}");
}
