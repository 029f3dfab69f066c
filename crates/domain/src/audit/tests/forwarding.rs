//! The log on its way to a syslog server: a real one on a socket of the test's own.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::{TcpListener, UdpSocket},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ClientConfig, RootCertStore, ServerConfig},
};

use super::*;
use crate::testing::{eventually, sqlite};

/// The next line of a stream, by its length.
async fn line(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut length = 0;
    loop {
        match stream.read_u8().await.unwrap() {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut line = vec![0; length];
    stream.read_exact(&mut line).await.unwrap();
    String::from_utf8(line).unwrap()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.unwrap()
}

#[tokio::test]
async fn lines_arrive_over_tcp_and_after_a_restart_of_the_server() {
    let context = sqlite().open().await;
    let (listener, address) = listen().await;
    set(&context, Key::AuditLogForwardEndpoint, &address).await;
    tell(&context, &alice(), Event::CreateProject, "one").await;
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    let first = soon(line(&mut stream)).await;
    assert!(first.starts_with("<110>1 2027-01-15T08:00:00.000000Z "), "{first}");
    assert!(first.contains(r#" user="alice" address="10.1.2.3" "#), "{first}");
    assert!(first.ends_with("\u{feff}create project: one"), "{first}");
    keep(&context).await.unwrap();
    let head = verify(&context).await.unwrap().last.unwrap().1;
    assert!(soon(line(&mut stream)).await.contains(&format!("block=\"1\" head=\"{head}\"")));

    drop((stream, listener));
    tell(&context, &alice(), Event::CreateProject, "two").await;
    let listener = TcpListener::bind(&address).await.unwrap();
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    assert!(soon(line(&mut stream)).await.ends_with("create project: two"));
    assert_eq!(dropped(&context), 0);
}

#[tokio::test]
async fn lines_arrive_over_tls_from_servers_that_are_trusted() {
    let context = sqlite().open().await;
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = certified.signing_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listen().await;
    let endpoint = address.replace("127.0.0.1", "tls://localhost");
    let serving = tokio::spawn(async move {
        // Who does not trust the certificate goes away before it sends anything.
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                return line(&mut stream).await;
            }
        }
    });
    let refused = reach(&context, &endpoint).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Invalid);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    context.forwarder.trust(config);
    set(&context, Key::AuditLogForwardEndpoint, &endpoint).await;
    tell(&context, &alice(), Event::CreateProject, "one").await;
    assert!(soon(serving).await.unwrap().ends_with("create project: one"));
}

#[tokio::test]
async fn lines_arrive_as_datagrams() {
    let context = sqlite().open().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("udp://{}", socket.local_addr().unwrap());
    set(&context, Key::AuditLogForwardEndpoint, &endpoint).await;
    tell(&context, &alice(), Event::CreateProject, "one").await;
    let mut datagram = vec![0; 2048];
    let length = soon(socket.recv(&mut datagram)).await.unwrap();
    let text = String::from_utf8(datagram[..length].to_vec()).unwrap();
    assert!(text.starts_with("<110>1 ") && text.ends_with("create project: one"), "{text}");
}

#[tokio::test]
async fn a_server_that_takes_nothing_holds_nobody_up() {
    let context = sqlite().open().await;
    // It accepts and never reads, so what is sent stays in the sockets' buffers.
    let (listener, address) = listen().await;
    set(&context, Key::AuditLogForwardEndpoint, &address).await;
    let endpoint: Arc<str> = address.as_str().into();
    let begun = std::time::Instant::now();
    for _ in 0..12_000 {
        context.forwarder.send(&endpoint, "x".repeat(4000));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    eventually(async || dropped(&context) > 0).await;
    // Another place is served at once: what waits for the old one is given up.
    let (other, address) = listen().await;
    drop(listener);
    set(&context, Key::AuditLogForwardEndpoint, &address).await;
    let endpoint: Arc<str> = address.as_str().into();
    eventually(async || {
        context.forwarder.send(&endpoint, "new".to_owned());
        timeout(Duration::from_millis(50), other.accept()).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_place_where_nobody_is_cannot_be_set() {
    let context = sqlite().open().await;
    let (listener, address) = listen().await;
    reach(&context, &address).await.unwrap();
    drop(listener);
    let refused = reach(&context, &address).await.unwrap_err();
    assert!(refused.message.contains("could not connect to the audit endpoint"), "{refused}");
    assert!(reach(&context, "nonsense").await.unwrap_err().is(Kind::Invalid));
}
