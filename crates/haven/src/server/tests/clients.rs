//! What every client may rely on.

use super::fixture::{Running, generous};

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";

fn header<'a>(response: &'a str, name: &str) -> &'a str {
    let head = response.split("\r\n\r\n").next().unwrap();
    let line = head.lines().find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("{name} is missing in {head}")).split_once(": ").unwrap().1
}

#[tokio::test]
async fn a_request_gets_an_id_of_its_own() {
    let server = Running::with_limits(generous());
    let mut client = server.connect().await;
    client.send(HELLO).await;
    let first = header(&client.response().await, "x-request-id").to_owned();
    client.send(HELLO).await;
    let second = header(&client.response().await, "x-request-id").to_owned();
    assert!(first.len() >= 16 && first != second);
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_told_to_the_application() {
    let server = Running::with_limits(generous());
    let mut client = server.connect().await;
    client.send("GET /about HTTP/1.1\r\nhost: x\r\nx-request-id: my-id/1\r\n\r\n").await;
    let response = client.response().await;
    assert_eq!(header(&response, "x-request-id"), "my-id/1");
    assert!(response.ends_with(" my-id/1"), "{response}");
    assert!(response.contains("127.0.0.1"), "{response}");
}

#[tokio::test]
async fn a_request_id_that_is_not_sane_is_replaced() {
    let server = Running::with_limits(generous());
    let mut client = server.connect().await;
    for id in ["a b", "", "\u{fc}", &"x".repeat(129)] {
        client.send(format!("GET /hello HTTP/1.1\r\nhost: x\r\nx-request-id: {id}\r\n\r\n")).await;
        let response = client.response().await;
        let answered = header(&response, "x-request-id");
        assert!(answered != id && answered.len() >= 16, "{id:?} became {answered:?}");
    }
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_serves_on() {
    let server = Running::with_limits(generous());
    let mut client = server.connect().await;
    client.send("GET /panic HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let response = client.response().await;
    assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
    assert!(response.contains(r#"{"errors":[{"code":"UNKNOWN""#), "{response}");
    client.send(HELLO).await;
    assert!(client.response().await.ends_with("hello"));
}

#[tokio::test]
async fn http2_is_spoken_without_tls_by_who_knows() {
    let server = Running::with_limits(generous());
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/echo", server.address);
    let response = client.post(url).body(vec![b'y'; 1 << 20]).send().await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.bytes().await.unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn requests_are_counted_when_they_are_over() {
    let server = Running::with_limits(generous());
    let url = format!("http://{}/big", server.address);
    let body = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len(), super::fixture::BIG);
    server.until_quiet().await;
    let mut registry = prometheus_client::registry::Registry::default();
    crate::metrics::register_http(&mut registry, server.metrics.clone());
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let counted = r#"harbor_core_http_request_total{method="GET",operation="sample",code="200"} 1"#;
    assert!(text.contains(counted), "{text}");
    let sent = format!(
        r#"haven_http_response_size_bytes_sum{{method="GET",operation="sample"}} {:.1}"#,
        body.len() as f64
    );
    assert!(text.contains(&sent), "{text}");
}
