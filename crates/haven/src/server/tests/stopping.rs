//! The graceful stop.

use std::time::Duration;

use tokio::net::TcpStream;

use super::fixture::{PATIENCE, Running, generous};

const SLOW: &str = "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";

async fn stopped(server: Running) -> usize {
    tokio::time::timeout(PATIENCE, server.serving).await.expect("the server stops").unwrap()
}

#[tokio::test]
async fn requests_in_flight_are_finished_and_no_more_are_taken() {
    let server = Running::with_limits(generous());
    let mut client = server.connect().await;
    client.send(SLOW).await;
    server.application.begun.notified().await;
    server.stop.send(true).unwrap();
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("new connections are refused");
    server.application.go_on.notify_one();
    let response = client.rest().await;
    assert!(response.ends_with("at last"), "{response}");
    assert_eq!(stopped(server).await, 0);
}

#[tokio::test]
async fn connections_that_do_nothing_do_not_hold_the_server() {
    let server = Running::with_limits(generous());
    let silent = server.connect().await;
    let mut half = server.connect().await;
    half.send("GET /hel").await;
    let mut idle = server.connect().await;
    idle.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    idle.response().await;
    drop(silent);
    server.stop.send(true).unwrap();
    assert_eq!(idle.rest().await, "");
    half.rest().await;
    assert_eq!(stopped(server).await, 0);
}

#[tokio::test]
async fn an_http2_request_is_finished() {
    let server = Running::with_limits(generous());
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let request = client.get(format!("http://{}/slow", server.address)).send();
    let request = tokio::spawn(request);
    server.application.begun.notified().await;
    server.stop.send(true).unwrap();
    server.application.go_on.notify_one();
    let response = request.await.unwrap().unwrap();
    assert_eq!(response.text().await.unwrap(), "at last");
    assert_eq!(stopped(server).await, 0);
}

#[tokio::test]
async fn a_request_without_end_is_cut() {
    let server = Running::start(generous(), None, Duration::from_millis(100));
    let mut client = server.connect().await;
    client.send(SLOW).await;
    server.application.begun.notified().await;
    server.stop.send(true).unwrap();
    assert_eq!(stopped(server).await, 1);
}
