//! Messages between a directory and us (RFC 4511, section 4; paged results: RFC 2696).

use super::{
    ber::{
        BOOLEAN, ENUMERATED, INTEGER, OCTETS, Reader, SEQUENCE, SET, Writer, constructed, context,
        malformed, operation,
    },
    filter::Filter,
};
use crate::Result;

const PAGED_RESULTS: &[u8] = b"1.2.840.113556.1.4.319";
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// How far below its base a search goes. The numbers are the protocol's and Harbor's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The base itself.
    Base,
    /// What is right below it.
    OneLevel,
    /// It and all below it.
    #[default]
    Subtree,
}

impl Scope {
    /// From Harbor's number for it.
    pub fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Base),
            1 => Some(Self::OneLevel),
            2 => Some(Self::Subtree),
            _ => None,
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Base => 0,
            Self::OneLevel => 1,
            Self::Subtree => 2,
        }
    }
}

/// What is searched.
pub(super) struct Search<'a> {
    pub(super) base: &'a str,
    pub(super) scope: Scope,
    pub(super) filter: &'a Filter,
    pub(super) attributes: &'a [&'a str],
    /// The most entries that are wanted.
    pub(super) most: u32,
    /// How long the server may take, in whole seconds.
    pub(super) seconds: u32,
}

/// An entry of the directory, with the attributes that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// The values of an attribute; what is not text is left out.
    pub(super) fn values(&self, attribute: &str) -> impl Iterator<Item = &str> {
        let named = |name: &str| {
            // A server may say which range or language the values are of.
            let name = name.split_once(';').map_or(name, |(name, _)| name);
            name.eq_ignore_ascii_case(attribute)
        };
        let values = self.attributes.iter().filter(move |(name, _)| named(name));
        values.flat_map(|(_, values)| values.iter().map(String::as_str))
    }

    /// The first value of an attribute that is not empty.
    pub(super) fn first(&self, attribute: &str) -> Option<&str> {
        self.values(attribute).find(|value| !value.is_empty())
    }
}

/// How the server says that an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) code: u32,
    pub(super) message: String,
    /// Where the next page begins; empty when there is none.
    pub(super) cookie: Vec<u8>,
}

/// What a message from the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Bound(Outcome),
    Found(Entry),
    /// Look elsewhere; we do not.
    Elsewhere,
    Done(Outcome),
    Extended(Outcome),
}

fn request(id: u32, inside: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut message = Writer::default();
    message.nest(SEQUENCE, |message| {
        message.number(INTEGER, id);
        inside(message);
    });
    message.into_bytes()
}

/// Asks to become somebody, by a password in the clear: the connection has to protect it.
pub(super) fn bind(id: u32, dn: &str, password: &str) -> Vec<u8> {
    request(id, |message| {
        message.nest(operation(0), |bind| {
            bind.number(INTEGER, 3);
            bind.put(OCTETS, dn.as_bytes());
            bind.put(context(0), password.as_bytes());
        });
    })
}

/// Asks for entries, a page of them if `page` says how many and after which cookie.
pub(super) fn search(id: u32, search: &Search<'_>, page: Option<(u32, &[u8])>) -> Vec<u8> {
    request(id, |message| {
        message.nest(operation(3), |to| {
            to.put(OCTETS, search.base.as_bytes());
            to.number(ENUMERATED, search.scope.number());
            // Aliases are followed when the base is looked up and in searching.
            to.number(ENUMERATED, 3);
            to.number(INTEGER, search.most);
            to.number(INTEGER, search.seconds);
            to.flag(BOOLEAN, false);
            search.filter.write(to);
            to.nest(SEQUENCE, |to| {
                search.attributes.iter().for_each(|name| to.put(OCTETS, name.as_bytes()));
            });
        });
        if let Some((size, cookie)) = page {
            let mut value = Writer::default();
            value.nest(SEQUENCE, |value| {
                value.number(INTEGER, size);
                value.put(OCTETS, cookie);
            });
            // Not critical: a server that knows no pages sends everything.
            message.nest(constructed(0), |controls| {
                controls.nest(SEQUENCE, |control| {
                    control.put(OCTETS, PAGED_RESULTS);
                    control.put(OCTETS, &value.into_bytes());
                });
            });
        }
    })
}

/// Asks to go on with TLS.
pub(super) fn start_tls(id: u32) -> Vec<u8> {
    request(id, |message| {
        message.nest(operation(23), |extended| extended.put(context(0), START_TLS));
    })
}

/// Takes leave; nothing answers.
pub(super) fn unbind(id: u32) -> Vec<u8> {
    const UNBIND: u8 = 0x42;
    request(id, |message| message.put(UNBIND, &[]))
}

/// Reads a message from the server: the number of the request that it answers, and what it
/// says.
///
/// # Errors
/// Nonsense.
pub(super) fn read(bytes: &[u8]) -> Result<(u32, Said)> {
    let mut message = Reader::new(bytes).enter(SEQUENCE)?;
    let id = message.number(INTEGER)?;
    let (tag, content) = message.next()?;
    let body = Reader::new(content);
    const BOUND: u8 = operation(1);
    const FOUND: u8 = operation(4);
    const DONE: u8 = operation(5);
    const ELSEWHERE: u8 = operation(19);
    const EXTENDED: u8 = operation(24);
    let said = match tag {
        BOUND => Said::Bound(outcome(body, Vec::new())?),
        FOUND => Said::Found(entry(body)?),
        DONE => Said::Done(outcome(body, cookie(message)?)?),
        ELSEWHERE => Said::Elsewhere,
        EXTENDED => Said::Extended(outcome(body, Vec::new())?),
        _ => return Err(malformed("it is no answer that a client gets")),
    };
    Ok((id, said))
}

fn outcome(mut body: Reader<'_>, cookie: Vec<u8>) -> Result<Outcome> {
    let code = body.number(ENUMERATED)?;
    let _matched = body.expect(OCTETS)?;
    let message = body.text(OCTETS)?;
    Ok(Outcome { code, message, cookie })
}

fn entry(mut body: Reader<'_>) -> Result<Entry> {
    let dn = body.text(OCTETS)?;
    let mut list = body.enter(SEQUENCE)?;
    let mut attributes = Vec::new();
    while !list.is_empty() {
        let mut attribute = list.enter(SEQUENCE)?;
        let name = attribute.text(OCTETS)?;
        let mut set = attribute.enter(SET)?;
        let mut values = Vec::new();
        while !set.is_empty() {
            if let Ok(text) = std::str::from_utf8(set.expect(OCTETS)?) {
                values.push(text.to_owned());
            }
        }
        attributes.push((name, values));
    }
    Ok(Entry { dn, attributes })
}

/// The cookie among the controls that follow an operation.
fn cookie(mut message: Reader<'_>) -> Result<Vec<u8>> {
    if message.peek() != Some(constructed(0)) {
        return Ok(Vec::new());
    }
    let mut controls = message.enter(constructed(0))?;
    while !controls.is_empty() {
        let mut control = controls.enter(SEQUENCE)?;
        if control.expect(OCTETS)? != PAGED_RESULTS {
            continue;
        }
        if control.peek() == Some(BOOLEAN) {
            control.next()?;
        }
        let mut value = Reader::new(control.expect(OCTETS)?).enter(SEQUENCE)?;
        value.expect(INTEGER)?;
        return Ok(value.expect(OCTETS)?.to_vec());
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// What RFC 4511 says it looks like, byte by byte.
    #[test]
    fn requests_have_the_form_of_the_protocol() {
        let expected = b"\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x04cn=a\x80\x02pw";
        assert_eq!(bind(1, "cn=a", "pw"), expected);
        assert_eq!(unbind(2), b"\x30\x05\x02\x01\x02\x42\x00");
        assert!(start_tls(3).starts_with(b"\x30\x1d\x02\x01\x03\x77\x18\x80\x16"));
    }

    #[test]
    fn answers_are_read() {
        let bound = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00";
        let outcome = Outcome { code: 49, message: String::new(), cookie: Vec::new() };
        assert_eq!(read(bound).unwrap(), (1, Said::Bound(outcome)));
        let found = b"\x30\x1b\x02\x01\x02\x64\x16\x04\x04cn=a\x30\x0e\x30\x0c\x04\x02cn\
                      \x31\x06\x04\x01a\x04\x01\xff";
        let (id, Said::Found(entry)) = read(found).unwrap() else { panic!("an entry") };
        assert_eq!((id, entry.dn.as_str(), entry.first("CN")), (2, "cn=a", Some("a")));
        assert_eq!(entry.values("cn").count(), 1);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _any = read(&bytes);
        }

        /// A message of ours with a byte changed, which gets further than noise.
        #[test]
        fn no_change_makes_it_panic(at in 0usize..40, to: u8) {
            let mut bytes = b"\x30\x1b\x02\x01\x02\x64\x16\x04\x04cn=a\x30\x0e\x30\x0c\x04\x02cn\
                              \x31\x06\x04\x01a\x04\x01b".to_vec();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            let _any = read(&bytes);
        }
    }
}
