//! Addresses, proxies and TLS as an operator sets them.

use std::net::SocketAddr;

use crate::fixture::{Home, Server};

/// Where the server sends a client for a token.
async fn realm(server: &Server, headers: &[(&str, &str)]) -> String {
    let mut request = reqwest::Client::new().get(server.url("/v2/"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    challenge.split('"').nth(1).unwrap().to_owned()
}

const FORWARDED: [(&str, &str); 3] = [
    ("x-forwarded-for", "192.0.2.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "hub.example.com"),
];

#[tokio::test]
async fn only_trusted_proxies_are_believed() {
    let home = Home::new();
    let server = home.serve(&[]);
    assert_eq!(realm(&server, &FORWARDED).await, server.url("/service/token"));
    let log = server.stop();
    assert!(log.contains("\"client\":\"127.0.0.1\""), "{log}");

    let server = home.serve(&[("HAVEN_TRUSTED_PROXIES", "127.0.0.0/8")]);
    assert_eq!(realm(&server, &FORWARDED).await, "https://hub.example.com/service/token");
    let log = server.stop();
    assert!(log.contains("\"client\":\"192.0.2.7\""), "{log}");
}

#[tokio::test]
async fn an_external_url_goes_before_what_a_request_says() {
    let home = Home::new();
    let server = home.serve(&[
        ("HAVEN_EXTERNAL_URL", "https://registry.example.com:8443"),
        ("HAVEN_TRUSTED_PROXIES", "127.0.0.0/8"),
    ]);
    assert_eq!(realm(&server, &FORWARDED).await, "https://registry.example.com:8443/service/token");
}

#[tokio::test]
async fn several_addresses_are_served() {
    let home = Home::new();
    let server = home.serve(&[("HAVEN_LISTEN", "127.0.0.1:0, 127.0.0.2:0")]);
    let addresses: Vec<SocketAddr> = server.announced();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let response = reqwest::get(format!("http://{address}/v2/")).await.unwrap();
        assert_eq!(response.status(), 401);
    }
}

#[tokio::test]
async fn a_certificate_makes_it_https() {
    let home = Home::new();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = home.file("cert.pem", &pair.cert.pem());
    let key = home.file("key.pem", &pair.signing_key.serialize_pem());
    let server = home.serve(&[("HAVEN_TLS_CERTIFICATE", &certificate), ("HAVEN_TLS_KEY", &key)]);
    assert!(server.output.lock().unwrap().contains(" https://127.0.0.1:"));
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_der(pair.cert.der()).unwrap()])
        .resolve("localhost", server.address)
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/v2/", server.address.port());
    let response = client.get(&url).send().await.unwrap();
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    let realm = format!("realm=\"https://localhost:{}/service/token\"", server.address.port());
    assert!(challenge.contains(&realm), "{challenge}");
}
