//! What Harbor's provider asks and what it is told, written down: where the provider is, it is
//! listened to; where it is not, it is spoken for, and Haven has to tell what it told then.

use haven_tests::{Answer, Client, Request, Server};
use serde_json::{Map, Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A year, in seconds.
const YEAR: i64 = 366 * 24 * 3600;

/// Stands between the provider and a server, and writes down what passes.
pub struct Listener {
    /// Its address, `http://127.0.0.1:port`.
    pub url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Listener {
    /// One before a server.
    pub async fn before(server: &Server) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (client, writes) = (server.anonymous.clone(), heard.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(stream, client.clone(), writes.clone()));
            }
        });
        Listener { url, heard, task }
    }

    /// What was said since this was last asked.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes one request on and its answer back, and hangs up.
async fn pass(mut stream: TcpStream, server: Client, heard: Arc<Mutex<Vec<Value>>>) {
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(at) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let mut body = received.split_off(head_end);
    let head = String::from_utf8(received).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap().split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut request = server.request(method, path);
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "host" | "connection" | "accept-encoding" => {}
            _ => request = request.header(name, value),
        }
    }
    while body.len() < length {
        assert!(stream.read_buf(&mut body).await.unwrap() > 0, "{method} {path} was cut short");
    }
    let sent = read(&body);
    let answer = with_body(request, body).send().await;
    heard.lock().unwrap().push(exchange((method, path, &sent), &answer, server.host()));
    let mut back = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", answer.status);
    for name in ["content-type", "location", "link", "x-total-count"] {
        if let Some(value) = answer.maybe(name) {
            back.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    back.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
    let _ = stream.write_all(back.as_bytes()).await;
    let _ = stream.write_all(&answer.body).await;
    let _ = stream.shutdown().await;
}

fn with_body(request: Request, body: Vec<u8>) -> Request {
    if body.is_empty() { request } else { request.body(body) }
}

/// A body as JSON; what is none, as a text.
fn read(body: &[u8]) -> Value {
    match body {
        [] => Value::Null,
        body => serde_json::from_slice(body)
            .unwrap_or_else(|_no| String::from_utf8_lossy(body).into_owned().into()),
    }
}

/// A request and its answer, without what differs each time.
fn exchange((method, path, sent): (&str, &str, &Value), answer: &Answer, host: &str) -> Value {
    let mut told = read(&answer.body);
    settle(&mut told, host);
    let mut said = Map::from_iter([
        ("method".to_owned(), json!(method)),
        ("path".to_owned(), json!(path)),
        ("status".to_owned(), json!(answer.status)),
    ]);
    let location = answer.maybe("location").map_or(Value::Null, Value::from);
    for (name, value) in [("sent", sent.clone()), ("location", location), ("told", told)] {
        if !value.is_null() {
            said.insert(name.to_owned(), value);
        }
    }
    Value::Object(said)
}

/// Makes equal what differs each time: moments, what is drawn, where the server is and which
/// version it has.
fn settle(told: &mut Value, host: &str) {
    match told {
        Value::String(text) => {
            let is_time = text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            *text = if is_time { "a moment".to_owned() } else { text.replace(host, "host") };
        }
        Value::Number(number) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
            if number.as_i64().is_some_and(|number| (number - now).abs() < YEAR) {
                *told = "a moment".into();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|each| settle(each, host)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "secret" | "harbor_version" if value.is_string() => *value = "a text".into(),
                    _ => settle(value, host),
                }
            }
        }
        _ => {}
    }
}

/// Says again what was said, and panics unless the answers tell what they told: more may be
/// told, nothing else.
pub async fn repeat(said: &[Value], admin: &Client) {
    for before in said {
        let text = |name: &str| before[name].as_str().unwrap();
        let (method, path, sent) = (text("method"), text("path"), &before["sent"]);
        let mut request = admin.request(method, path);
        if !sent.is_null() {
            request = request.json(sent);
        }
        let answer = request.send().await;
        let now = exchange((method, path, sent), &answer, admin.host());
        for name in ["status", "location", "told"] {
            if let Err(what) = is_told(&before[name], &now[name]) {
                let (sent, answer) = (sent.to_string(), answer.describe());
                panic!("{name}{what}, in the answer to {sent}\n{answer}");
            }
        }
    }
}

/// Whether all that was told is told now.
fn is_told(before: &Value, now: &Value) -> Result<(), String> {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before {
                let told = now.get(name).ok_or_else(|| format!(".{name} is missing"))?;
                is_told(value, told).map_err(|what| format!(".{name}{what}"))?;
            }
            Ok(())
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (at, (value, told)) in before.iter().zip(now).enumerate() {
                is_told(value, told).map_err(|what| format!("[{at}]{what}"))?;
            }
            Ok(())
        }
        _ if before == now => Ok(()),
        _ => Err(format!(" was {before} and is {now}")),
    }
}

#[test]
fn what_is_told_may_grow_and_not_shrink() {
    let before = json!({"id": 1, "tags": [{"name": "a"}]});
    assert!(is_told(&before, &json!({"id": 1, "tags": [{"name": "a", "x": 1}], "y": 2})).is_ok());
    for (now, what) in [
        (json!({"id": 2, "tags": [{"name": "a"}]}), ".id was 1 and is 2"),
        (json!({"id": 1, "tags": []}), r#".tags was [{"name":"a"}] and is []"#),
        (json!({"id": 1, "tags": [{}]}), ".tags[0].name is missing"),
        (json!({"tags": [{"name": "a"}]}), ".id is missing"),
    ] {
        assert_eq!(is_told(&before, &now).unwrap_err(), what);
    }
    let mut told = json!({"at": "2026-01-02T03:04:05.000Z", "url": "http://here:1/x", "secret": "x",
        "expires_at": 1_999_999_999, "name": "v1"});
    settle(&mut told, "here:1");
    let settled = json!({"at": "a moment", "url": "http://host/x", "secret": "a text",
        "expires_at": 1_999_999_999, "name": "v1"});
    assert_eq!(told, settled);
}
