//! Search filters (RFC 4511, section 4.5.1.7), and how administrators write them (RFC 4515).
//!
//! What somebody typed to sign in is a value in a filter and never part of its text, so there
//! is nothing that it could break out of.

use super::ber::{OCTETS, Writer, constructed, context};
use crate::{Failure, Result};

/// The longest text of a filter that is read, in bytes.
const LONGEST: usize = 4096;

/// How deep a filter may be nested.
const DEEPEST: usize = 16;

/// What entries are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// All of these hold.
    All(Vec<Filter>),
    /// One of these holds.
    Any(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// An attribute is there.
    Present(String),
    /// An attribute compares to a value.
    Compare(Comparison, String, Vec<u8>),
    /// An attribute holds these parts in this order.
    Parts { attribute: String, first: Vec<u8>, middle: Vec<Vec<u8>>, last: Vec<u8> },
    /// An attribute matches a value by a named rule, such as Active Directory's for chains.
    Rule { rule: String, attribute: String, value: Vec<u8>, dn: bool },
}

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    AtLeast,
    AtMost,
    Similar,
}

impl Filter {
    /// An attribute has a value, whatever is in it.
    pub(super) fn equal(attribute: &str, value: &str) -> Self {
        Self::Compare(Comparison::Equal, attribute.to_owned(), value.as_bytes().to_vec())
    }

    /// An attribute has a value somewhere in it.
    pub(super) fn contains(attribute: &str, value: &str) -> Self {
        Self::Parts {
            attribute: attribute.to_owned(),
            first: Vec::new(),
            middle: vec![value.as_bytes().to_vec()],
            last: Vec::new(),
        }
    }

    /// Every entry has this.
    pub(super) fn everything() -> Self {
        Self::Present("objectClass".to_owned())
    }

    /// Reads the text of a filter. Empty is everything; the outermost parentheses may be left
    /// out, as Harbor allows.
    ///
    /// # Errors
    /// BadFilter.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::everything());
        }
        if text.len() > LONGEST {
            return Err(Failure::BadFilter("it is longer than 4096 bytes"));
        }
        let whole = if text.starts_with('(') { text.to_owned() } else { format!("({text})") };
        let mut parser = Parser { rest: &whole, depth: 0 };
        let filter = parser.filter()?;
        if !parser.rest.trim().is_empty() {
            return Err(Failure::BadFilter("something follows its last parenthesis"));
        }
        Ok(filter)
    }

    /// Writes it as the protocol does. Its depth is bounded where it was read.
    pub(super) fn write(&self, to: &mut Writer) {
        let list = |to: &mut Writer, number, filters: &[Self]| {
            to.nest(constructed(number), |to| filters.iter().for_each(|filter| filter.write(to)));
        };
        match self {
            Self::All(filters) => list(to, 0, filters),
            Self::Any(filters) => list(to, 1, filters),
            Self::Not(filter) => to.nest(constructed(2), |to| filter.write(to)),
            Self::Present(attribute) => to.put(context(7), attribute.as_bytes()),
            Self::Compare(comparison, attribute, value) => {
                to.nest(constructed(comparison.number()), |to| {
                    to.put(OCTETS, attribute.as_bytes());
                    to.put(OCTETS, value);
                });
            }
            Self::Parts { attribute, first, middle, last } => to.nest(constructed(4), |to| {
                to.put(OCTETS, attribute.as_bytes());
                to.nest(super::ber::SEQUENCE, |to| {
                    let parts = middle.iter().map(|part| (1, part));
                    let parts = std::iter::once((0, first)).chain(parts).chain([(2, last)]);
                    for (number, part) in parts.filter(|(_, part)| !part.is_empty()) {
                        to.put(context(number), part);
                    }
                });
            }),
            Self::Rule { rule, attribute, value, dn } => to.nest(constructed(9), |to| {
                for (number, text) in [(1, rule), (2, attribute)] {
                    if !text.is_empty() {
                        to.put(context(number), text.as_bytes());
                    }
                }
                to.put(context(3), value);
                if *dn {
                    to.flag(context(4), true);
                }
            }),
        }
    }
}

impl Comparison {
    fn number(self) -> u8 {
        match self {
            Self::Equal => 3,
            Self::AtLeast => 5,
            Self::AtMost => 6,
            Self::Similar => 8,
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// `( … )`
    fn filter(&mut self) -> Result<Filter> {
        if self.depth == DEEPEST {
            return Err(Failure::BadFilter("it is nested more than 16 deep"));
        }
        self.depth += 1;
        self.eat('(', "an opening parenthesis is missing")?;
        let filter = match self.rest.chars().next() {
            Some('&') => Filter::All(self.list()?),
            Some('|') => Filter::Any(self.list()?),
            Some('!') => {
                self.rest = &self.rest[1..];
                Filter::Not(Box::new(self.filter()?))
            }
            _ => self.item()?,
        };
        self.eat(')', "a closing parenthesis is missing")?;
        self.depth -= 1;
        Ok(filter)
    }

    /// `& (…) (…)`
    fn list(&mut self) -> Result<Vec<Filter>> {
        self.rest = self.rest[1..].trim_start();
        let mut filters = Vec::new();
        while self.rest.starts_with('(') {
            filters.push(self.filter()?);
            self.rest = self.rest.trim_start();
        }
        if filters.is_empty() {
            return Err(Failure::BadFilter("a list of filters is empty"));
        }
        Ok(filters)
    }

    /// `attribute=value` and its kin, up to the parenthesis that closes it.
    fn item(&mut self) -> Result<Filter> {
        let end = self.rest.find([')', '(']).unwrap_or(self.rest.len());
        let (item, rest) = self.rest.split_at(end);
        self.rest = rest;
        let (left, value) =
            item.split_once('=').ok_or(Failure::BadFilter("a comparison has no '='"))?;
        let left = left.trim();
        if let Some(left) = left.strip_suffix(':') {
            return rule(left, value);
        }
        let (comparison, attribute) = match left.as_bytes().last() {
            Some(b'>') => (Comparison::AtLeast, &left[..left.len() - 1]),
            Some(b'<') => (Comparison::AtMost, &left[..left.len() - 1]),
            Some(b'~') => (Comparison::Similar, &left[..left.len() - 1]),
            _ => (Comparison::Equal, left),
        };
        let attribute = description(attribute)?;
        if comparison != Comparison::Equal {
            return Ok(Filter::Compare(comparison, attribute, unescape(value)?));
        }
        if value == "*" {
            return Ok(Filter::Present(attribute));
        }
        let mut parts =
            value.split('*').map(unescape).collect::<Result<std::collections::VecDeque<_>>>()?;
        let (Some(first), last) = (parts.pop_front(), parts.pop_back()) else {
            return Err(Failure::BadFilter("a comparison has no value"));
        };
        Ok(match last {
            None => Filter::Compare(Comparison::Equal, attribute, first),
            Some(last)
                if first.is_empty() && last.is_empty() && parts.iter().all(Vec::is_empty) =>
            {
                Filter::Present(attribute)
            }
            Some(last) => Filter::Parts { attribute, first, middle: parts.into(), last },
        })
    }

    fn eat(&mut self, character: char, otherwise: &'static str) -> Result<()> {
        let rest = self.rest.trim_start().strip_prefix(character);
        self.rest = rest.ok_or(Failure::BadFilter(otherwise))?;
        Ok(())
    }
}

/// `attribute:dn:rule` before `:=`, each part of which may be left out.
fn rule(left: &str, value: &str) -> Result<Filter> {
    let mut parts = left.split(':');
    let attribute = parts.next().unwrap_or_default().trim();
    let attribute = if attribute.is_empty() { String::new() } else { description(attribute)? };
    let mut parts = parts.peekable();
    let dn = parts.next_if(|part| part.eq_ignore_ascii_case("dn")).is_some();
    let rule = match parts.next() {
        Some(rule) => description(rule)?,
        None => String::new(),
    };
    if parts.next().is_some() || (rule.is_empty() && attribute.is_empty()) {
        return Err(Failure::BadFilter("a matching rule is not as it should be"));
    }
    Ok(Filter::Rule { rule, attribute, value: unescape(value)?, dn })
}

/// The name of an attribute or its number, with options.
fn description(text: &str) -> Result<String> {
    let text = text.trim();
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';' | '_');
    if text.is_empty() || !text.chars().all(fine) {
        return Err(Failure::BadFilter("the name of an attribute is not one"));
    }
    Ok(text.to_owned())
}

/// The bytes that a value stands for: `\2a` is an asterisk.
fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            // Two hexadecimal digits are a byte.
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(Failure::BadFilter("a backslash is not followed by two digits")),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn bytes(filter: &Filter) -> Vec<u8> {
        let mut writer = Writer::default();
        filter.write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn what_administrators_write_is_read() {
        let person = || Filter::equal("objectClass", "person");
        assert_eq!(Filter::parse("objectClass=person").unwrap(), person());
        assert_eq!(Filter::parse(" (objectClass=person) ").unwrap(), person());
        assert_eq!(Filter::parse("").unwrap(), Filter::everything());
        assert_eq!(
            Filter::parse("(&(objectClass=person)(|(mail=*)(!(uid>=5))))").unwrap(),
            Filter::All(vec![
                person(),
                Filter::Any(vec![
                    Filter::Present("mail".into()),
                    Filter::Not(Box::new(Filter::Compare(
                        Comparison::AtLeast,
                        "uid".into(),
                        b"5".to_vec()
                    ))),
                ]),
            ])
        );
        assert_eq!(
            Filter::parse("(cn=a*b\\2a*c)").unwrap(),
            Filter::Parts {
                attribute: "cn".into(),
                first: b"a".to_vec(),
                middle: vec![b"b*".to_vec()],
                last: b"c".to_vec()
            }
        );
        assert_eq!(
            Filter::parse("(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=b)").unwrap(),
            Filter::Rule {
                rule: "1.2.840.113556.1.4.1941".into(),
                attribute: "memberOf".into(),
                value: b"cn=a,dc=b".to_vec(),
                dn: false
            }
        );
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
        let long = format!("(a={})", "x".repeat(5000));
        for text in [
            "(",
            ")",
            "()",
            "(&)",
            "(a=b",
            "(a=b))",
            "(a=b)(c=d)",
            "(a)",
            "(=b)",
            "(a b=c)",
            "(a=\\)",
            "(a=\\zz)",
            "(a=\\2)",
            "(!)",
            "(&(a=b)",
            "(:=x)",
            "(a:dn:b:c:=x)",
            "(\0=x)",
            &deep,
            &long,
        ] {
            assert!(matches!(Filter::parse(text), Err(Failure::BadFilter(_))), "{text}");
        }
    }

    #[test]
    fn a_filter_has_the_form_of_the_protocol() {
        assert_eq!(bytes(&Filter::Present("cn".into())), b"\x87\x02cn");
        assert_eq!(bytes(&Filter::equal("cn", "x")), b"\xa3\x07\x04\x02cn\x04\x01x");
        let parts = Filter::contains("cn", "x");
        assert_eq!(bytes(&parts), b"\xa4\x09\x04\x02cn\x30\x03\x81\x01x");
        let all = Filter::All(vec![Filter::Not(Box::new(Filter::Present("a".into())))]);
        assert_eq!(bytes(&all), b"\xa0\x05\xa2\x03\x87\x01a");
    }

    proptest! {
        /// Whatever somebody types is one value of one comparison.
        #[test]
        fn a_value_stays_a_value(value: String) {
            let written = bytes(&Filter::equal("uid", &value));
            let mut reader = super::super::ber::Reader::new(&written);
            let mut inside = reader.enter(constructed(3)).unwrap();
            prop_assert_eq!(inside.expect(OCTETS).unwrap(), b"uid");
            prop_assert_eq!(inside.expect(OCTETS).unwrap(), value.as_bytes());
            prop_assert!(inside.is_empty() && reader.is_empty());
        }

        #[test]
        fn nothing_makes_it_panic(text in "[()&|!=*\\\\a-f0-9:<>~; é]{0,60}") {
            let _any = Filter::parse(&text);
        }
    }
}
