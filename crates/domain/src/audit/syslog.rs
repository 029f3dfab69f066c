//! Lines of the audit log as syslog has them (RFC 5424), and where they can be sent.

use std::{fmt::Write, str::FromStr};

use kit::{Error, Time};

use super::{proof::Facts, record::Row};

/// The facility "log audit" (13), times 8.
const FACILITY: u8 = 13 * 8;
const WARNING: u8 = 4;
const INFORMATIONAL: u8 = 6;

/// Names our structured data: the number is the one for those who have none of their own
/// (RFC 5612).
const STRUCTURE: &str = "haven@32473";

/// How lines travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Over TCP, each line after its length (RFC 6587, 3.4.1).
    Tcp,
    /// The same within TLS (RFC 5425).
    Tls,
    /// One datagram each (RFC 5426).
    Udp,
}

/// Where lines are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) transport: Transport,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Reads `host:port`, which is TCP, or the same after `tcp://`, `tls://` or `udp://`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(
                "bad request: the audit endpoint must be host:port, or the same after tcp://, \
                 tls:// or udp://",
            )
        };
        let (transport, address) = match text.split_once("://") {
            None => (Transport::Tcp, text),
            Some(("tcp", address)) => (Transport::Tcp, address),
            Some(("tls", address)) => (Transport::Tls, address),
            Some(("udp", address)) => (Transport::Udp, address),
            Some(_) => return Err(wrong()),
        };
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?.to_string(),
            None => host.to_owned(),
        };
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_host = bracketed.is_some() || (!host.is_empty() && host.chars().all(fine));
        if !is_host || host.len() > 253 {
            return Err(wrong());
        }
        Ok(Self { transport, host, port })
    }
}

/// Who speaks.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    hostname: String,
    process: u32,
}

impl Speaker {
    /// This process on this machine.
    pub(super) fn here() -> Self {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let hostname: String =
            name.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
        let hostname = if hostname.is_empty() { "-".to_owned() } else { hostname };
        Self { hostname, process: std::process::id() }
    }

    /// The line of an entry.
    pub(super) fn entry(&self, row: &Row) -> String {
        let Facts { operation, resource_type, resource, username, description, .. } = row.facts();
        let severity = if row.entry.succeeded { INFORMATIONAL } else { WARNING };
        let mut line = self.begin(severity, row.at, row.entry.event.name());
        let project = row.entry.project_id.to_string();
        for (name, value) in [
            ("user", username),
            ("address", &row.address),
            ("operation", operation),
            ("resource_type", resource_type),
            ("resource", resource),
            ("project_id", if row.entry.project_id == 0 { "" } else { &project }),
            ("result", if row.entry.succeeded { "success" } else { "failure" }),
        ] {
            if !value.is_empty() {
                let _ = write!(line, " {name}=\"{}\"", escaped(value));
            }
        }
        let _ = write!(line, "] \u{feff}{}", printable(description));
        line
    }

    /// The line of a block that was sealed: kept elsewhere, it shows that the chain was not
    /// cut off.
    pub(super) fn block(&self, at: Time, id: i64, head: &[u8]) -> String {
        let mut line = self.begin(INFORMATIONAL, at, "seal_block");
        let head: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(line, " block=\"{id}\" head=\"{head}\"] \u{feff}audit block {id} sealed");
        line
    }

    fn begin(&self, severity: u8, at: Time, message: &str) -> String {
        let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        format!(
            "<{}>1 {at:.6} {} haven {} {message} [{STRUCTURE}",
            FACILITY + severity,
            self.hostname,
            self.process
        )
    }
}

/// A value of structured data (RFC 5424, 6.3.3).
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        audit::{Entry, Event},
        rights::{Principal, Who},
    };

    #[test]
    fn endpoints_are_read() {
        let read = |text: &str| {
            let endpoint: Endpoint = text.parse().unwrap();
            (endpoint.transport, endpoint.host, endpoint.port)
        };
        assert_eq!(read("log.example.org:514"), (Transport::Tcp, "log.example.org".into(), 514));
        assert_eq!(read("tls://10.0.0.1:6514"), (Transport::Tls, "10.0.0.1".into(), 6514));
        assert_eq!(read("udp://[::1]:514"), (Transport::Udp, "::1".into(), 514));
        for bad in [
            "",
            "log",
            "log:",
            "log:0",
            "log:70000",
            ":514",
            "http://log:514",
            "tcp://",
            "a b:1",
            "[::1:514",
            "[x]:514",
            "::1:514",
            "log:514/x",
            "user@log:514",
            "log\n:514",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_is_as_the_specification_says() {
        let speaker = Speaker { hostname: "here".into(), process: 7 };
        let who = Who::new(Principal::User(1), Some(r#"al"i]c\e"#.into()));
        let who = who.at("10.1.2.3".parse().unwrap());
        let entry = Entry::new(Event::CreateProject, "p\nq").in_project(3).failed();
        let row = Row::new(entry, &who, Time(1_700_000_000_123_456));
        assert_eq!(
            speaker.entry(&row),
            "<108>1 2023-11-14T22:13:20.123456Z here haven 7 create_project [haven@32473 \
             user=\"al\\\"i\\]c\\\\e\" address=\"10.1.2.3\" operation=\"create\" \
             resource_type=\"project\" resource=\"p q\" project_id=\"3\" result=\"failure\"] \
             \u{feff}create project: p q"
        );
        assert_eq!(
            speaker.block(Time(0), 5, &[0xab, 1]),
            "<110>1 1970-01-01T00:00:00.000000Z here haven 7 seal_block [haven@32473 block=\"5\" \
             head=\"ab01\"] \u{feff}audit block 5 sealed"
        );
    }
}
