//! The end of a server.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use rustix::process::Signal;

use crate::fixture::{Home, PATIENCE, Server, until};

const FORM: &str = "grant_type=password&service=harbor-registry&username=admin&password=wrong";

/// Sends a request up to the middle of its body.
fn half_a_request(server: &Server) -> TcpStream {
    let mut client = TcpStream::connect(server.address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /service/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        FORM.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    // The server asks for the body when it has begun to work on the request.
    let mut go_on = [0; 25];
    client.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "));
    client.write_all(&FORM.as_bytes()[..20]).unwrap();
    client
}

#[test]
fn a_request_in_flight_is_finished() {
    let home = Home::new();
    let mut server = home.serve(&[]);
    let mut client = half_a_request(&server);
    server.signal(Signal::TERM);
    until("new connections are refused", || TcpStream::connect(server.address).is_err());
    client.write_all(&FORM.as_bytes()[20..]).unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    let status = server.ended();
    assert!(status.success(), "{status}: {}", server.log());
    assert!(server.log().contains("\"message\":\"stopped\""), "{}", server.log());
}

#[test]
fn a_request_that_never_ends_does_not_hold_the_server() {
    let home = Home::new();
    let mut server = home.serve(&[("HAVEN_SHUTDOWN_TIMEOUT", "100ms")]);
    let _client = half_a_request(&server);
    server.signal(Signal::TERM);
    let status = server.ended();
    assert!(status.success(), "{status}");
    assert!(server.log().contains("some requests had to be cut"), "{}", server.log());
}

#[test]
fn who_asks_twice_does_not_wait() {
    let home = Home::new();
    let mut server = home.serve(&[("HAVEN_SHUTDOWN_TIMEOUT", "1h")]);
    let _client = half_a_request(&server);
    server.signal(Signal::INT);
    until("new connections are refused", || TcpStream::connect(server.address).is_err());
    server.signal(Signal::INT);
    let status = server.ended();
    assert!(status.success(), "{status}");
}
