//! Logs, metrics and traces.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;

use crate::fixture::{Home, PASSWORD, Server};

async fn ask(server: &Server, id: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = reqwest::Client::new().get(server.url("/v2/"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .header("x-request-id", id)
        .header("user-agent", "observer/1")
        .basic_auth("admin", Some(PASSWORD))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn every_request_leaves_a_line() {
    let home = Home::new();
    let server = home.serve(&[]);
    let response = ask(&server, "id-of-the-test", &[]).await;
    assert_eq!(response.headers()["x-request-id"], "id-of-the-test");
    let body = response.bytes().await.unwrap();
    let log = server.stop();
    let line = log.lines().find(|line| line.contains("id-of-the-test")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["message"], "request");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/v2/");
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes_out"], body.len());
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["principal"], "admin");
    assert_eq!(line["agent"], "observer/1");
    assert!(line["ms"].as_f64().unwrap() > 0.0);
    assert!(
        log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{log}"
    );
    assert!(!log.contains(PASSWORD));
}

#[tokio::test]
async fn access_lines_can_be_left_out_and_lines_be_text() {
    let home = Home::new();
    let server = home.serve(&[("HAVEN_LOG_ACCESS", "false"), ("HAVEN_LOG_FORMAT", "text")]);
    ask(&server, "id-of-the-test", &[]).await;
    let log = server.stop();
    assert!(!log.contains("id-of-the-test"), "{log}");
    assert!(log.contains(" INFO stopped target=haven"), "{log}");
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own() {
    let home = Home::new();
    let server = home.serve(&[("HAVEN_METRICS_LISTEN", "127.0.0.1:0")]);
    ask(&server, "one", &[]).await;
    let output = server.output.lock().unwrap().clone();
    let url = output.split_whitespace().find(|word| word.ends_with("/metrics")).unwrap().to_owned();
    let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
    for beginning in [
        r#"harbor_core_http_request_total{method="GET",operation="v2_base",code="200"} 1"#,
        r#"harbor_core_http_request_duration_seconds_count{method="GET",operation="v2_base"} 1"#,
        "harbor_core_http_inflight_requests 0",
        "haven_uploads_in_flight 0",
        "haven_storage_operation_duration_seconds_count{operation=\"commit\"} ",
        "haven_database_operation_duration_seconds_count{operation=\"write\"} ",
        r#"harbor_jobservice_task_total{type="RETENTION",status="fail"} 0"#,
        r#"harbor_jobservice_task_process_time_seconds_count{type="RETENTION",status="success"} 0"#,
        r#"haven_jobservice_task_wait_seconds_count{type="RETENTION"} 0"#,
        r#"harbor_task_queue_size{type="GARBAGE_COLLECTION"} 0"#,
        r#"harbor_task_queue_latency{type="GARBAGE_COLLECTION"} 0"#,
        r#"haven_task_queue_paused{type="SCHEDULER"} 0"#,
        "harbor_task_scheduled_total ",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_open_fds ",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(beginning)),
            "{beginning}\nis missing in\n{text}"
        );
    }
    // A first start writes, and what is never counted would stay at nothing.
    let nothing = "haven_database_operation_duration_seconds_count{operation=\"write\"} 0";
    assert!(!text.lines().any(|line| line == nothing), "{text}");
    assert!(text.ends_with("# EOF\n"));
    for (page, expected) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
        let response = reqwest::get(url.replace("/metrics", page)).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await.unwrap(), expected);
    }
    assert_eq!(reqwest::get(server.url("/metrics")).await.unwrap().status(), 404);
}

/// What is shown at an address until a line is among it.
async fn shown(url: &str, line: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        if text.lines().any(|shown| shown == line) {
            return text;
        }
        assert!(Instant::now() < deadline, "{line}\nis missing in\n{text}");
    }
}

#[tokio::test]
async fn metrics_tell_of_jobs_that_wait_run_and_end() {
    let home = Home::new();
    let server = home.serve(&[("HAVEN_METRICS_LISTEN", "127.0.0.1:0")]);
    let output = server.output.lock().unwrap().clone();
    let url = output.split_whitespace().find(|word| word.ends_with("/metrics")).unwrap().to_owned();
    let queue = server.url("/api/v2.0/jobservice/queues/GARBAGE_COLLECTION");
    let send = async |method: reqwest::Method, url: String, body: &str| {
        let request = reqwest::Client::new().request(method, url).body(body.to_owned());
        let request = request.header("content-type", "application/json");
        request.basic_auth("admin", Some(PASSWORD)).send().await.unwrap().status()
    };
    let put = reqwest::Method::PUT;
    assert_eq!(send(put.clone(), queue.clone(), r#"{"action":"pause"}"#).await, 200);
    let collect = r#"{"schedule":{"type":"Manual"}}"#;
    let schedule = server.url("/api/v2.0/system/gc/schedule");
    assert_eq!(send(reqwest::Method::POST, schedule, collect).await, 201);
    let text = shown(&url, r#"harbor_task_queue_size{type="GARBAGE_COLLECTION"} 1"#).await;
    assert!(text.contains("haven_task_queue_paused{type=\"GARBAGE_COLLECTION\"} 1\n"), "{text}");
    assert_eq!(send(put, queue, r#"{"action":"resume"}"#).await, 200);
    let done = r#"harbor_jobservice_task_total{type="GARBAGE_COLLECTION",status="success"} 1"#;
    let text = shown(&url, done).await;
    for line in [
        r#"harbor_task_queue_size{type="GARBAGE_COLLECTION"} 0"#,
        r#"haven_jobservice_task_wait_seconds_count{type="GARBAGE_COLLECTION"} 1"#,
        r#"harbor_jobservice_task_process_time_seconds_count{type="GARBAGE_COLLECTION",status="success"} 1"#,
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\nis missing in\n{text}");
    }
}

/// A collector of traces that keeps what it gets.
struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = spans.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let kept = kept.clone();
                std::thread::spawn(move || collect(client.unwrap(), &kept));
            }
        });
        Self { url, spans }
    }
}

/// Answers the requests of one connection.
fn collect(mut client: TcpStream, spans: &Mutex<Vec<Span>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
        assert!(line.starts_with("POST /v1/traces HTTP/1.1"), "{line}");
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        line.clear();
    }
}

#[tokio::test]
async fn requests_become_spans_of_their_callers_traces() {
    let collector = Collector::start();
    let home = Home::new();
    let server = home.serve(&[("HAVEN_TRACING_OTLP_ENDPOINT", &collector.url)]);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    ask(&server, "one", &[("traceparent", parent)]).await;
    ask(&server, "two", &[]).await;
    server.stop();

    let spans = collector.spans.lock().unwrap();
    let named: Vec<&Span> = spans.iter().filter(|span| span.name == "GET v2_base").collect();
    assert_eq!(named.len(), 2, "{spans:?}");
    let trace_id = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
    let child = named.iter().find(|span| span.trace_id == trace_id).unwrap();
    assert_eq!(child.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    assert_eq!(child.kind(), SpanKind::Server);
    let attribute = |key: &str| {
        let found = child.attributes.iter().find(|attribute| attribute.key == key);
        found
            .unwrap_or_else(|| panic!("{key} is missing in {child:?}"))
            .value
            .clone()
            .unwrap()
            .value
            .unwrap()
    };
    assert_eq!(attribute("url.path"), Value::StringValue("/v2/".to_owned()));
    assert_eq!(attribute("http.response.status_code"), Value::IntValue(200));
    let own = named.iter().find(|span| span.trace_id != trace_id).unwrap();
    assert!(own.parent_span_id.is_empty());
}

#[tokio::test]
async fn a_collector_that_is_away_stops_nobody() {
    let home = Home::new();
    let server = home.serve(&[("HAVEN_TRACING_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    assert_eq!(ask(&server, "one", &[]).await.status(), 200);
    server.stop();
}
