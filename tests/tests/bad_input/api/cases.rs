//! One thing wrong at a time: in the path, the query, a header, a field or the whole body.

use super::{
    document::{Operation, Parameter},
    values::{MEDIA_TYPES, VALUES, bodies, texts},
    world::World,
};
use bytes::Bytes;
use haven_tests::{Client, Request};
use rand::{rngs::StdRng, seq::IndexedRandom as _};
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

    /// Whether it sends an array, which no operation takes.
    pub fn is_array(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.starts_with(b"["))
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

/// One thing that can be wrong.
enum Wrong<'a> {
    /// A parameter's value, as it stands on the wire.
    Parameter(&'a Parameter, String),
    /// A parameter of the query that must be there.
    WithoutParameter(&'a Parameter),
    /// Something in the query that nobody asked for.
    More(&'static str),
    /// The whole body.
    Body(Vec<u8>),
    /// The body's type.
    MediaType(&'static str),
    /// A place in the body.
    Field(String, &'static Value),
    /// What should be in the body.
    WithoutField(String),
    /// What the body should not hold.
    UnknownField,
}

/// Some of all that can be wrong with an operation.
pub fn cases(
    operation: &Operation,
    world: &World<'_>,
    random: &mut StdRng,
    count: usize,
) -> Vec<Case> {
    let mut all = wrong_parameters(operation);
    if let Some(body) = &operation.body {
        all.extend(wrong_bodies(body));
    }
    let right = Right { operation, world };
    all.sample(random, count).filter_map(|wrong| right.wrong(wrong)).collect()
}

fn wrong_parameters(operation: &Operation) -> Vec<Wrong<'_>> {
    let mut all: Vec<Wrong<'_>> =
        ["unknown=1", "q", "q=%00", "page=1&page=2&page=x", "&&&==&=", "%ff=%fe", "a;b"]
            .map(Wrong::More)
            .into();
    for parameter in &operation.parameters {
        all.extend(texts().iter().map(|text| Wrong::Parameter(parameter, encode(text))));
        // As bytes that are no text, and encoded twice.
        for odd in ["%ff%fe", "%c0%af", "%zz", "%252e%252e", "a%2Fb", "a%252Fb"] {
            all.push(Wrong::Parameter(parameter, odd.to_owned()));
        }
        if parameter.required && parameter.place == "query" {
            all.push(Wrong::WithoutParameter(parameter));
        }
    }
    all
}

fn wrong_bodies(body: &Value) -> Vec<Wrong<'_>> {
    let mut all: Vec<Wrong<'_>> = bodies().into_iter().map(Wrong::Body).collect();
    all.extend(MEDIA_TYPES.iter().copied().map(Wrong::MediaType));
    for pointer in pointers(body, "") {
        all.extend(VALUES.iter().map(|value| Wrong::Field(pointer.clone(), value)));
        all.push(Wrong::WithoutField(pointer));
    }
    all.push(Wrong::UnknownField);
    all
}

impl Right<'_> {
    /// A request with this wrong; none where it makes no difference.
    fn wrong(&self, wrong: &Wrong<'_>) -> Option<Case> {
        let body = self.operation.body.as_ref();
        let start = |text: String| text.chars().take(60).collect::<String>();
        Some(match wrong {
            Wrong::Parameter(parameter, value) if parameter.place == "header" => {
                let headers = vec![(parameter.name.clone(), value.chars().take(1000).collect())];
                Case { headers, ..self.case(format!("{}: {value}", parameter.name)) }
            }
            Wrong::Parameter(parameter, value) => {
                let path = self.path(Some((&parameter.name, value)), "");
                Case { path, ..self.case(format!("{}={value}", parameter.name)) }
            }
            Wrong::WithoutParameter(parameter) => {
                let path = self.path(None, "");
                let path = path.split('?').next()?.to_owned();
                Case { path, ..self.case(format!("without {}", parameter.name)) }
            }
            Wrong::More(more) => {
                Case { path: self.path(None, more), ..self.case(format!("?{more}")) }
            }
            Wrong::Body(bytes) => {
                let what = start(String::from_utf8_lossy(bytes).into_owned());
                Case { body: Some(bytes.clone().into()), ..self.case(format!("the body {what}")) }
            }
            Wrong::MediaType(media_type) => {
                Case { media_type, ..self.case(format!("as {media_type}")) }
            }
            Wrong::Field(pointer, value) => {
                let mut wrong = body?.clone();
                *wrong.pointer_mut(pointer)? = (*value).clone();
                let what = format!("{pointer} = {}", start(value.to_string()));
                Case { body: Some(self.fill(&wrong)), ..self.case(what) }
            }
            Wrong::WithoutField(pointer) => {
                let mut without = body?.clone();
                let (above, name) = pointer.rsplit_once('/')?;
                without.pointer_mut(above)?.as_object_mut()?.remove(name);
                Case { body: Some(self.fill(&without)), ..self.case(format!("without {pointer}")) }
            }
            Wrong::UnknownField => {
                let mut more = body?.as_object()?.clone();
                more.insert("unknown".to_owned(), json!({"a": [1]}));
                let body = Some(self.fill(&Value::Object(more)));
                Case { body, ..self.case("an unknown field".to_owned()) }
            }
        })
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
