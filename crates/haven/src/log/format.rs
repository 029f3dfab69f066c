//! How a line looks: text for a person, one JSON object for a program.

use std::fmt::{self, Write};

use jiff::Timestamp;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `time LEVEL words key=value …`
    Text,
    /// One JSON object with `time`, `level`, `message` and the rest.
    Json,
}

/// Writes a line piece by piece in either form.
pub struct LineWriter<'a> {
    form: Form,
    out: &'a mut dyn Write,
}

impl<'a> LineWriter<'a> {
    /// Begins a line with time, level and its words.
    ///
    /// # Errors
    /// When the target takes no more.
    pub fn begin(
        form: Form,
        level: Level,
        words: &str,
        out: &'a mut dyn Write,
    ) -> Result<Self, fmt::Error> {
        let now = Timestamp::now();
        match form {
            Form::Text => {
                write!(out, "{now:.6} {level:>5} ")?;
                // A line feed from outside must not make a line of its own.
                words.chars().try_for_each(|c| match c {
                    c if c.is_control() => write!(out, "{}", c.escape_default()),
                    c => out.write_char(c),
                })?;
            }
            Form::Json => {
                write!(out, r#"{{"time":"{now:.6}","level":"{level}","message":"#)?;
                write_quoted(out, words)?;
            }
        }
        Ok(Self { form, out })
    }

    /// Adds a text.
    ///
    /// # Errors
    /// When the target takes no more.
    pub fn text(&mut self, key: &str, value: &str) -> fmt::Result {
        self.key(key)?;
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        match self.form {
            Form::Text if !value.is_empty() && value.bytes().all(plain) => {
                self.out.write_str(value)
            }
            _ => write_quoted(self.out, value),
        }
    }

    /// Adds something that is neither quoted nor escaped: a number or a truth.
    ///
    /// # Errors
    /// When the target takes no more.
    pub fn number(&mut self, key: &str, value: impl fmt::Display) -> fmt::Result {
        self.key(key)?;
        write!(self.out, "{value}")
    }

    /// Ends the line.
    ///
    /// # Errors
    /// When the target takes no more.
    pub fn end(self) -> fmt::Result {
        match self.form {
            Form::Text => self.out.write_char('\n'),
            Form::Json => self.out.write_str("}\n"),
        }
    }

    fn key(&mut self, key: &str) -> fmt::Result {
        match self.form {
            Form::Text => write!(self.out, " {key}="),
            Form::Json => write!(self.out, ",\"{key}\":"),
        }
    }
}

/// Writes a JSON string.
fn write_quoted(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 | 0x7f => "",
            _ => continue,
        };
        out.write_str(&text[plain_from..at])?;
        plain_from = at + 1;
        match escape {
            "" => write!(out, "\\u{byte:04x}")?,
            escape => out.write_str(escape)?,
        }
    }
    out.write_str(&text[plain_from..])?;
    out.write_char('"')
}

/// Formats the events of `tracing`.
pub(super) struct EventFormat(pub(super) Form);

impl<S, N> FormatEvent<S, N> for EventFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let mut line = LineWriter::begin(self.0, level, &fields.message, &mut writer)?;
        for (key, value) in &fields.others {
            match value {
                Value::Text(text) => line.text(key, text)?,
                Value::Number(number) => line.number(key, number)?,
            }
        }
        super::with_request_id(|id| line.text("request_id", id)).unwrap_or(Ok(()))?;
        line.text("target", event.metadata().target())?;
        line.end()
    }
}

enum Value {
    Text(String),
    Number(String),
}

/// An event's fields, gathered.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.others.push((name, Value::Text(value.to_owned()))),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.push((field.name(), Value::Number(value.to_string())));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.push((field.name(), Value::Number(value.to_string())));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name(), Value::Number(value.to_string())));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NASTY: &str = "a \"b\" \\ \n\r\t\u{1}\u{7f} ü 日本";

    #[test]
    fn json_lines_hold_any_text() {
        let mut text = String::new();
        let mut line = LineWriter::begin(Form::Json, Level::INFO, NASTY, &mut text).unwrap();
        line.text("agent", NASTY).unwrap();
        line.number("status", 200).unwrap();
        line.end().unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["message"], NASTY);
        assert_eq!(parsed["agent"], NASTY);
        assert_eq!(parsed["status"], 200);
        assert_eq!(parsed["level"], "INFO");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn text_lines_stay_one_line() {
        let mut text = String::new();
        let mut line = LineWriter::begin(Form::Text, Level::WARN, NASTY, &mut text).unwrap();
        line.text("agent", NASTY).unwrap();
        line.text("plain", "docker/27").unwrap();
        line.end().unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.contains(" plain=docker/27"));
        assert!(text.contains(" WARN "));
    }
}
