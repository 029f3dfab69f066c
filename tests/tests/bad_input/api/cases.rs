//! One thing wrong at a time: in the path, the query, a header, a field or the whole body.

use super::{
    document::Operation,
    values::{MEDIA_TYPES, bodies, texts, values},
    world::World,
};
use bytes::Bytes;
use haven_tests::{Client, Request};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A request with something wrong in it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is wrong, for messages.
    pub what: String,
    path: String,
    headers: Vec<(String, String)>,
    media_type: &'static str,
    body: Option<Bytes>,
}

impl Case {
    /// Whether it may be refused before all of it was sent, so that its sender may never
    /// read the answer.
    pub fn is_huge(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.len() > 1_000_000)
    }

    pub fn request(&self, client: &Client, operation: &Operation) -> Request {
        let mut request = client.request(&operation.method, &self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.header("content-type", self.media_type).body(body.clone());
        }
        request
    }
}

/// A request with everything right, to make wrong ones of.
struct Right<'a> {
    operation: &'a Operation,
    world: &'a World<'a>,
}

impl Right<'_> {
    /// The path and query, with one parameter's value replaced as it stands on the wire.
    fn path(&self, wrong: Option<(&str, &str)>, more: &str) -> String {
        let value = |name: &str| match wrong {
            Some((wrong, value)) if wrong == name => value.to_owned(),
            _ => encode(&self.world.value(name)),
        };
        let mut path = String::new();
        for (i, part) in self.operation.path.split('{').enumerate() {
            match part.split_once('}').filter(|_| i > 0) {
                None => path.push_str(part),
                Some((name, rest)) => write!(path, "{}{rest}", value(name)).unwrap(),
            }
        }
        let mut joint = '?';
        for parameter in self.operation.parameters.iter().filter(|p| p.place == "query") {
            let is_wrong = wrong.is_some_and(|(name, _)| name == parameter.name);
            if parameter.required || is_wrong {
                write!(path, "{joint}{}={}", parameter.name, value(&parameter.name)).unwrap();
                joint = '&';
            }
        }
        if !more.is_empty() {
            write!(path, "{joint}{more}").unwrap();
        }
        path
    }

    fn body(&self) -> Option<Bytes> {
        self.operation.body.as_ref().map(|body| self.fill(body))
    }

    fn fill(&self, body: &Value) -> Bytes {
        self.world.fill(&body.to_string()).into()
    }

    fn case(&self, what: String) -> Case {
        let (path, body) = (self.path(None, ""), self.body());
        Case { what, path, headers: Vec::new(), media_type: "application/json", body }
    }
}

/// Everything that can be wrong with an operation.
pub fn cases(operation: &Operation, world: &World<'_>) -> Vec<Case> {
    let right = Right { operation, world };
    let mut cases = Vec::new();
    wrong_parameters(&right, &mut cases);
    for more in ["unknown=1", "q", "q=%00", "page=1&page=2&page=x", "&&&==&=", "%ff=%fe", "a;b"] {
        cases.push(Case { path: right.path(None, more), ..right.case(format!("?{more}")) });
    }
    if operation.body.is_some() {
        wrong_bodies(&right, &mut cases);
    }
    cases
}

fn wrong_parameters(right: &Right<'_>, cases: &mut Vec<Case>) {
    for parameter in &right.operation.parameters {
        let name = &parameter.name;
        let mut wrong: Vec<String> = texts().iter().map(|text| encode(text)).collect();
        // As bytes that are no text, and encoded twice.
        wrong.extend(
            ["%ff%fe", "%c0%af", "%zz", "%252e%252e", "a%2Fb", "a%252Fb"].map(str::to_owned),
        );
        for value in wrong {
            let what = format!("{} {name}={value}", parameter.place);
            if parameter.place == "header" {
                let header: String = value.chars().take(1000).collect();
                let headers = vec![(name.clone(), header)];
                cases.push(Case { headers, ..right.case(what) });
            } else {
                let path = right.path(Some((name, &value)), "");
                cases.push(Case { path, ..right.case(what) });
            }
        }
        if parameter.required && parameter.place == "query" {
            let path = right.path(None, "");
            let path = path.split('?').next().unwrap().to_owned();
            cases.push(Case { path, ..right.case(format!("without {name}")) });
        }
    }
}

fn wrong_bodies(right: &Right<'_>, cases: &mut Vec<Case>) {
    for body in bodies() {
        let start: String = String::from_utf8_lossy(&body).chars().take(40).collect();
        cases.push(Case { body: Some(body.into()), ..right.case(format!("the body {start}")) });
    }
    for media_type in MEDIA_TYPES {
        cases.push(Case { media_type, ..right.case(format!("as {media_type}")) });
    }
    let body = right.operation.body.as_ref().unwrap();
    for pointer in pointers(body, "") {
        for value in values() {
            let mut wrong = body.clone();
            let text: String = value.to_string().chars().take(60).collect();
            *wrong.pointer_mut(&pointer).unwrap() = value;
            let what = format!("{pointer} = {text}");
            cases.push(Case { body: Some(right.fill(&wrong)), ..right.case(what) });
        }
        let mut without = body.clone();
        let (above, name) = pointer.rsplit_once('/').unwrap();
        if let Some(Value::Object(fields)) = without.pointer_mut(above) {
            fields.remove(name);
            let what = format!("without {pointer}");
            cases.push(Case { body: Some(right.fill(&without)), ..right.case(what) });
        }
    }
    if let Value::Object(fields) = body {
        let mut more = fields.clone();
        more.insert("unknown".to_owned(), json!({"a": [1]}));
        let body = Some(right.fill(&Value::Object(more)));
        cases.push(Case { body, ..right.case("an unknown field".to_owned()) });
    }
}

/// Every place in a value.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, value) in below {
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.extend(pointers(value, &pointer));
        found.push(pointer);
    }
    found
}

/// A text as it stands in an address.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
    }
    encoded
}
