//! The access log: one line for each request, when it is over.

use std::{cell::RefCell, fmt, net::IpAddr, time::Duration};

use http::HeaderValue;
use tracing::Level;

use crate::log::{Form, LineWriter, Lines};

/// Where access lines go.
#[derive(Clone)]
pub struct AccessLog {
    lines: Lines,
    form: Form,
}

/// What a line tells.
pub struct AccessLine<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's path. Never the query, which may hold secrets.
    pub path: &'a str,
    /// The response's status; 499 when the client left before.
    pub status: u16,
    /// The operation's name.
    pub route: &'a str,
    /// Bytes of the request's body that were read.
    pub received: u64,
    /// Bytes of the response's body that were taken.
    pub sent: u64,
    /// Whether the response was sent to its end.
    pub whole: bool,
    /// From the complete request head to the end of the response.
    pub took: Duration,
    /// The client's address.
    pub client: IpAddr,
    /// Who asked.
    pub principal: Option<&'a str>,
    /// The client's program, as it calls itself.
    pub agent: Option<&'a HeaderValue>,
    /// The request's id.
    pub id: &'a str,
}

thread_local! {
    /// Where a line is put together, so that no request allocates one.
    static LINE: RefCell<String> = RefCell::new(String::with_capacity(512));
}

impl AccessLog {
    /// An access log among the other lines.
    pub fn new(lines: Lines, form: Form) -> Self {
        Self { lines, form }
    }

    /// Adds a line.
    pub fn write(&self, line: &AccessLine<'_>) {
        LINE.with_borrow_mut(|text| {
            text.clear();
            if self.put_together(line, text).is_ok() {
                self.lines.push(text.as_bytes());
            }
        });
    }

    fn put_together(&self, line: &AccessLine<'_>, text: &mut String) -> fmt::Result {
        let mut out = LineWriter::begin(self.form, Level::INFO, "request", text)?;
        out.text("method", line.method)?;
        out.text("path", line.path)?;
        out.number("status", line.status)?;
        out.text("route", line.route)?;
        out.number("bytes_in", line.received)?;
        out.number("bytes_out", line.sent)?;
        out.number("ms", Milliseconds(line.took))?;
        if !line.whole {
            out.number("aborted", true)?;
        }
        match self.form {
            Form::Text => out.number("client", line.client)?,
            Form::Json => out.number("client", format_args!("\"{}\"", line.client))?,
        }
        if let Some(principal) = line.principal {
            out.text("principal", principal)?;
        }
        if let Some(agent) = line.agent {
            out.text("agent", &String::from_utf8_lossy(agent.as_bytes()))?;
        }
        out.text("request_id", line.id)?;
        out.end()
    }
}

/// Milliseconds with three places.
struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1000, micros % 1000)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn line_in(form: Form) -> String {
        let (lines, _end) = Lines::start(std::io::sink()).unwrap();
        let agent = HeaderValue::from_bytes(b"dock\xffer \"27\"").unwrap();
        let line = AccessLine {
            method: "GET",
            path: "/v2/library/a/manifests/latest",
            status: 200,
            route: "manifest_get",
            received: 0,
            sent: 1234,
            whole: false,
            took: Duration::from_micros(1234),
            client: "2001:db8::1".parse().unwrap(),
            principal: Some("admin"),
            agent: Some(&agent),
            id: "abc",
        };
        let mut text = String::new();
        AccessLog::new(lines, form).put_together(&line, &mut text).unwrap();
        text
    }

    #[test]
    fn a_json_line_tells_everything() {
        let line: serde_json::Value = serde_json::from_str(&line_in(Form::Json)).unwrap();
        assert_eq!(line["path"], "/v2/library/a/manifests/latest");
        assert_eq!(line["status"], 200);
        assert_eq!(line["bytes_out"], 1234);
        assert_eq!(line["ms"], 1.234);
        assert_eq!(line["aborted"], true);
        assert_eq!(line["client"], "2001:db8::1");
        assert_eq!(line["principal"], "admin");
        assert_eq!(line["agent"], "dock\u{fffd}er \"27\"");
        assert_eq!(line["request_id"], "abc");
    }

    #[test]
    fn a_text_line_reads_like_a_sentence() {
        let line = line_in(Form::Text);
        assert!(
            line.contains("INFO request method=GET path=/v2/library/a/manifests/latest status=200")
        );
        assert!(line.ends_with("request_id=abc\n"));
    }
}
