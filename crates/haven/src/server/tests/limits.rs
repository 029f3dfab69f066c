//! What no client may do.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::fixture::{BIG, PATIENCE, Running, generous};
use crate::server::Limits;

/// Short for a client, long for a machine under load.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_flood_of_headers_is_refused() {
    let server = Running::with_limits(generous());
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(20 * 1024));
    for headers in [many, long] {
        let mut client = server.connect().await;
        client.send(format!("GET /hello HTTP/1.1\r\nhost: x\r\n{headers}\r\n")).await;
        let response = client.rest().await;
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = Running::with_limits(generous());
    for nonsense in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ] {
        let mut client = server.connect().await;
        client.send(nonsense).await;
        let response = client.rest().await;
        assert!(response.starts_with("HTTP/1.1 400 ") || response.is_empty(), "{response}");
    }
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(client.response().await.ends_with("hello"));
}

#[tokio::test]
async fn who_sends_no_whole_head_in_time_is_cut() {
    let server = Running::with_limits(Limits { header_timeout: SHORT, ..generous() });
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.send("GET /hello HTTP/1.1\r\nhost:").await;
    let mut slow_again = server.connect().await;
    slow_again.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    slow_again.response().await;
    slow_again.send("GET /hello").await;
    for client in [&mut silent, &mut slow, &mut slow_again] {
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn a_head_that_drips_is_cut_although_it_moves() {
    let server = Running::with_limits(Limits { header_timeout: SHORT, ..generous() });
    let mut client = server.connect().await;
    let dripping = async {
        let mut drops = tokio::time::interval(SHORT / 10);
        while tokio::io::AsyncWriteExt::write_all(&mut client.0, b"x").await.is_ok() {
            drops.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, dripping).await.expect("the client is cut");
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let server = Running::with_limits(Limits { idle_timeout: SHORT, ..generous() });
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    client.response().await;
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_request_may_take_longer_than_any_timeout() {
    let limits =
        Limits { header_timeout: SHORT, idle_timeout: SHORT, stall_timeout: SHORT, ..generous() };
    let server = Running::with_limits(limits);
    let mut client = server.connect().await;
    client.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.application.begun.notified().await;
    // The time is what is tested: several times every timeout passes.
    tokio::time::sleep(SHORT * 4).await;
    server.application.go_on.notify_one();
    assert!(client.response().await.ends_with("at last"));
}

#[tokio::test]
async fn a_request_body_that_stalls_is_cut_with_an_answer() {
    let server = Running::with_limits(Limits { stall_timeout: SHORT, ..generous() });
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").await;
    let response = client.rest().await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    server.until_quiet().await;
}

#[tokio::test]
async fn a_request_body_that_moves_is_not_cut() {
    let server = Running::with_limits(Limits { stall_timeout: SHORT, ..generous() });
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\n").await;
    let mut drops = tokio::time::interval(SHORT / 10);
    for _ in 0..30 {
        drops.tick().await;
        client.send("z").await;
    }
    assert!(client.response().await.ends_with(&"z".repeat(30)));
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let server = Running::with_limits(Limits { stall_timeout: SHORT, ..generous() });
    let mut client = server.connect().await;
    client.send("GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await;
    client.0.readable().await.unwrap();
    assert_eq!(server.metrics.in_flight.get(), 1);
    server.until_quiet().await;
    assert!(client.rest().await.len() < BIG);
}

#[tokio::test]
async fn a_client_that_takes_little_at_a_time_is_not_cut() {
    let server = Running::with_limits(Limits { stall_timeout: SHORT, ..generous() });
    let mut client = server.connect().await;
    client.send("GET /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    // For several times the timeout it is slow, then it takes the rest.
    let mut sips = tokio::time::interval(SHORT / 5);
    let mut sip = vec![0; 1 << 20];
    for _ in 0..15 {
        sips.tick().await;
        client.0.read_exact(&mut sip).await.unwrap();
    }
    assert!(client.rest().await.len() + (15 << 20) > BIG);
}

#[tokio::test]
async fn an_http2_client_that_takes_nothing_is_cut() {
    let server = Running::with_limits(Limits { stall_timeout: SHORT, ..generous() });
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let uri = format!("http://{}/big", server.address);
    let request = http::Request::get(uri).body(Empty::<axum::body::Bytes>::new()).unwrap();
    // Its connection lives and answers pings, but nobody asks for the body.
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(server.metrics.in_flight.get(), 1);
    server.until_quiet().await;
    let _ = tokio::time::timeout(PATIENCE, connection).await.expect("the connection is cut");
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed() {
    let server = Running::with_limits(Limits { idle_timeout: SHORT, ..generous() });
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = hyper::client::conn::http2::handshake::<
        _,
        _,
        Empty<axum::body::Bytes>,
    >(TokioExecutor::new(), TokioIo::new(stream))
    .await
    .unwrap();
    let _ = tokio::time::timeout(PATIENCE, connection).await.expect("the connection is closed");
    drop(sender);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let server = Running::with_limits(Limits { connections: 1, ..generous() });
    let mut first = server.connect().await;
    first.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    first.response().await;
    let mut second = server.connect().await;
    second.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let early = tokio::time::timeout(SHORT, second.0.readable()).await;
    assert!(early.is_err(), "the second connection is served beside the first");
    drop(first);
    assert!(second.response().await.ends_with("hello"));
}
