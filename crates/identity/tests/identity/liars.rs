//! Servers that hang, drop and lie, as raw sockets.

use std::{future::Future, time::Duration};

use identity::{
    Failure, Trust,
    http::Reach,
    ldap::{self, Grouping, Membership, Scope, Settings},
    oidc::Issuer,
};
use kit::{Clock, Secret};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

/// However a server behaves, nobody waits longer for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that does something with each connection.
async fn server<F: Future<Output = ()> + Send + 'static>(
    behave: impl Fn(TcpStream) -> F + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    port
}

fn settings(port: u16) -> Settings {
    Settings {
        url: format!("ldap://127.0.0.1:{port}"),
        start_tls: false,
        trust: Trust::System,
        timeout: Duration::from_secs(1),
        search_dn: "cn=search".to_owned(),
        search_password: Secret::from("x"),
        base_dn: "dc=x".to_owned(),
        filter: String::new(),
        uid: "uid".to_owned(),
        scope: Scope::Subtree,
        grouping: Some(Grouping {
            base_dn: "dc=x".to_owned(),
            filter: String::new(),
            name_attribute: String::new(),
            scope: Scope::Subtree,
            admin_dn: String::new(),
            membership: Membership::OfPerson("memberof".to_owned()),
            nesting: 10,
        }),
    }
}

/// Tries to sign in, and says why it did not work.
async fn attempt(settings: &Settings) -> Failure {
    let password = Secret::from("password");
    let attempt = ldap::authenticate(settings, "alice", &password);
    timeout(PATIENCE, attempt).await.expect("it hangs").unwrap_err()
}

/// An element with a short content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// A message with an operation.
fn message(id: u8, tag: u8, content: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, id][..], &element(tag, content)].concat())
}

/// The end of an operation.
fn outcome(code: u8) -> Vec<u8> {
    vec![0x0a, 1, code, 4, 0, 4, 0]
}

/// Says yes to whoever binds, then says the same to whatever is asked, again and again.
async fn yes_then(answer: impl Fn(u8) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let answer = std::sync::Arc::new(answer);
    server(move |mut stream| {
        let answer = answer.clone();
        async move {
            let mut question = [0; 4096];
            for id in 1.. {
                match stream.read(&mut question).await {
                    Ok(count) if count > 0 => {}
                    _ => return,
                }
                let said = match id {
                    1 => message(1, 0x61, &outcome(0)),
                    id => answer(id),
                };
                if stream.write_all(&said).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_server_that_hangs_is_left() {
    let silent = server(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let begun = Instant::now();
    assert_eq!(attempt(&settings(silent)).await, Failure::TimedOut);
    let started = Settings { start_tls: true, ..settings(silent) };
    assert_eq!(attempt(&started).await, Failure::TimedOut);
    let encrypted = Settings { url: format!("ldaps://127.0.0.1:{silent}"), ..settings(silent) };
    assert_eq!(attempt(&encrypted).await, Failure::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // One that is silent after it has said yes.
    let half = yes_then(|_| Vec::new()).await;
    assert_eq!(attempt(&settings(half)).await, Failure::TimedOut);
    // One that says a little, again and again, and never all of it.
    let slow = server(|mut stream| async move {
        let _begun = stream.write_all(&[0x30, 0x83, 0x01, 0, 0]).await;
        while stream.write_all(&[2]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(attempt(&settings(slow)).await, Failure::TimedOut);
}

#[tokio::test]
async fn a_server_that_drops_is_told_of() {
    let dropping = server(|stream| async move { drop(stream) }).await;
    assert!(matches!(attempt(&settings(dropping)).await, Failure::Unreachable(_)));
    let polite = yes_then(|_| {
        // A notice of disconnection (RFC 4511, section 4.4.1).
        message(0, 0x78, &[&outcome(52)[..], b"\x8a\x16", b"1.3.6.1.4.1.1466.20036"].concat())
    })
    .await;
    assert!(matches!(attempt(&settings(polite)).await, Failure::Unreachable(_)));
    let started = Settings { start_tls: true, ..settings(dropping) };
    assert!(matches!(attempt(&started).await, Failure::Unreachable(_)));
}

#[tokio::test]
async fn a_server_that_lies_is_refused() {
    /// Elements in elements, deeper than any stack.
    fn deep() -> Vec<u8> {
        let mut nested = vec![4, 0];
        for _ in 0..2_000 {
            nested = element(0x30, &nested);
        }
        nested
    }
    let nested = deep();
    let lies: Vec<Box<dyn Fn(u8) -> Vec<u8> + Send + Sync>> = vec![
        Box::new(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Box::new(|_| vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
        Box::new(|_| vec![0x30, 0x80, 0, 0]),
        Box::new(|_| vec![0x30, 0]),
        Box::new(|_| vec![0; 100]),
        Box::new(|_| vec![0xff; 100]),
        // An answer to another request, another kind of answer, half an answer.
        Box::new(|id| message(id + 1, 0x65, &outcome(0))),
        Box::new(|id| message(id, 0x61, &outcome(0))),
        Box::new(|id| message(id, 0x65, &[0x0a])),
        Box::new(|id| message(id, 0x64, &[4, 200, b'x'])),
        Box::new(|id| message(id, 0x7f, &outcome(0))),
        Box::new(move |id| message(id, 0x64, &nested)),
        // Looking elsewhere, for ever.
        Box::new(|id| message(id, 0x73, &[]).repeat(20_000)),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let port = yes_then(lie).await;
        let failure = attempt(&settings(port)).await;
        assert!(matches!(failure, Failure::Nonsense(_)), "lie {number}: {failure:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_ends_is_left() {
    /// A search that goes on on another page, for ever, and finds nothing.
    fn more_to_come(id: u8) -> Vec<u8> {
        let cookie = element(0x30, b"\x02\x01\x00\x04\x01c");
        let control =
            element(0x30, &[element(4, b"1.2.840.113556.1.4.319"), element(4, &cookie)].concat());
        let end = element(0x65, &outcome(0));
        element(0x30, &[&[2, 1, id][..], &end, &element(0xa0, &control)].concat())
    }
    let endless = yes_then(more_to_come).await;
    let failure = attempt(&settings(endless)).await;
    assert!(matches!(failure, Failure::TimedOut | Failure::Nonsense(_)), "{failure:?}");
    // Everybody in the world has the name.
    let entry = |id| {
        let uid =
            element(0x30, &[element(4, b"uid"), element(0x31, &element(4, b"alice"))].concat());
        message(id, 0x64, &[element(4, b"uid=alice"), element(0x30, &uid)].concat())
    };
    let crowd = yes_then(move |id| entry(id).repeat(10_000)).await;
    assert_eq!(attempt(&settings(crowd)).await, Failure::SeveralFound);
}

#[tokio::test]
async fn what_comes_before_tls_does_not_count() {
    // Yes to TLS, and in the same breath a yes to the bind that has not been asked for.
    let hasty = server(|mut stream| async move {
        let mut question = [0; 100];
        let _asked = stream.read(&mut question).await;
        let yes = message(1, 0x78, &outcome(0));
        let _said = stream.write_all(&[yes, message(2, 0x61, &outcome(0))].concat()).await;
        std::future::pending::<()>().await;
    })
    .await;
    let started = Settings { start_tls: true, trust: Trust::Anything, ..settings(hasty) };
    assert!(matches!(attempt(&started).await, Failure::Nonsense(_)));
}

#[tokio::test]
async fn a_provider_that_lies_is_refused() {
    fn http(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }
    let other = r#"{"issuer": "http://other", "jwks_uri": "http://other/keys"}"#;
    for (answer, expected) in [
        (http("200 OK", "<html>"), "makes no sense"),
        (http("200 OK", other), "another address"),
        (http("404 Not Found", ""), "HTTP status 404"),
        (http("302 Found\r\nlocation: http://127.0.0.1:1/", ""), "HTTP status 302"),
        (http("200 OK", &"x".repeat(2_000_000)), "longer than 1 MiB"),
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), "cannot be reached"),
        (Vec::new(), "cannot be reached"),
    ] {
        let port = server(move |mut stream| {
            let answer = answer.clone();
            async move {
                let mut question = [0; 4096];
                let _asked = stream.read(&mut question).await;
                let _said = stream.write_all(&answer).await;
            }
        })
        .await;
        let url = format!("http://127.0.0.1:{port}");
        let issuer = Issuer::new(&url, &Trust::System, Reach::Anywhere, Clock::System).unwrap();
        let told = issuer.ping().await.unwrap_err().to_string();
        assert!(told.contains(expected), "{expected}: {told}");
    }
}
