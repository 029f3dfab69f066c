//! The part of BER (X.690) that LDAP uses (RFC 4511, section 5.1): low tag numbers, definite
//! lengths. Elements are read one after the other where their structure says so, never by a
//! recursion whose depth the other side chooses.

use crate::{Failure, Result};

/// BOOLEAN.
pub(super) const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub(super) const OCTETS: u8 = 0x04;
/// ENUMERATED.
pub(super) const ENUMERATED: u8 = 0x0a;
/// SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// SET.
pub(super) const SET: u8 = 0x31;

/// The tag of a primitive element that a context numbers.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag of a constructed element that a context numbers.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The tag of one of LDAP's operations, where it is constructed, as most are.
pub(super) const fn operation(number: u8) -> u8 {
    0x60 | number
}

pub(super) fn malformed(what: &'static str) -> Failure {
    Failure::Nonsense(what.to_owned())
}

/// Reads elements one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element's tag, without going on.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its tag and its content.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8])> {
        let (tag, head, length) =
            header(self.0)?.ok_or_else(|| malformed("an element is cut short"))?;
        let content = self.0.get(head..).and_then(|rest| rest.get(..length));
        let content = content.ok_or_else(|| malformed("an element is cut short"))?;
        self.0 = &self.0[head + length..];
        Ok((tag, content))
    }

    /// The content of the next element, which has to have a tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8]> {
        match self.next()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(malformed("an element is of another kind than its place allows")),
        }
    }

    /// The next element, which has to hold others.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Reader<'a>> {
        self.expect(tag).map(Reader)
    }

    /// A text of UTF-8, as far as it is.
    pub(super) fn text(&mut self, tag: u8) -> Result<String> {
        self.expect(tag).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// A number that is not negative.
    pub(super) fn number(&mut self, tag: u8) -> Result<u32> {
        let bytes = self.expect(tag)?;
        let significant = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let significant = &bytes[significant..];
        let negative = bytes.first().is_none_or(|byte| byte & 0x80 != 0);
        if negative || significant.len() > 4 {
            return Err(malformed("a number is out of range"));
        }
        Ok(significant.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }
}

/// The head of the first element: its tag, how long the head is, and how long the content.
/// None while the head is not there as a whole.
pub(super) fn header(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>> {
    let [tag, first, rest @ ..] = bytes else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(malformed("a tag is not one of LDAP's"));
    }
    if *first < 0x80 {
        return Ok(Some((*tag, 2, usize::from(*first))));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(malformed("a length is indefinite or too long"));
    }
    let Some(length) = rest.get(..count) else { return Ok(None) };
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    Ok(Some((*tag, 2 + count, length)))
}

/// Writes elements one after the other.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An element with a content.
    pub(super) fn put(&mut self, tag: u8, content: &[u8]) {
        self.0.push(tag);
        let length = content.len().to_be_bytes();
        let zeros = length.iter().take_while(|byte| **byte == 0).count();
        let significant = &length[zeros..];
        match significant {
            [] => self.0.push(0),
            [short] if *short < 0x80 => self.0.push(*short),
            _ => {
                // No more than eight bytes of length.
                self.0.push(0x80 | significant.len() as u8);
                self.0.extend_from_slice(significant);
            }
        }
        self.0.extend_from_slice(content);
    }

    /// An element that holds others.
    pub(super) fn nest(&mut self, tag: u8, inside: impl FnOnce(&mut Self)) {
        let mut content = Self::default();
        inside(&mut content);
        self.put(tag, &content.0);
    }

    pub(super) fn number(&mut self, tag: u8, number: u32) {
        let bytes = number.to_be_bytes();
        let zeros = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
        let significant = &bytes[zeros..];
        // A first bit would make it negative.
        match significant.first() {
            Some(byte) if byte & 0x80 != 0 => self.put(tag, &[&[0], significant].concat()),
            _ => self.put(tag, significant),
        }
    }

    pub(super) fn flag(&mut self, tag: u8, flag: bool) {
        self.put(tag, &[if flag { 0xff } else { 0 }]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            content in prop::collection::vec(any::<u8>(), 0..70_000),
            number: u32,
            flag: bool,
        ) {
            let mut writer = Writer::default();
            writer.nest(SEQUENCE, |inside| {
                inside.number(INTEGER, number);
                inside.put(OCTETS, &content);
                inside.flag(BOOLEAN, flag);
            });
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            let mut inside = reader.enter(SEQUENCE).unwrap();
            prop_assert_eq!(inside.number(INTEGER).unwrap(), number);
            prop_assert_eq!(inside.expect(OCTETS).unwrap(), content);
            prop_assert_eq!(inside.expect(BOOLEAN).unwrap() != [0], flag);
            prop_assert!(inside.is_empty() && reader.is_empty());
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = Reader::new(&bytes);
            while let Ok((_, content)) = reader.next() {
                let _any = Reader::new(content).number(INTEGER);
            }
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for bytes in [
            &[0x30, 0x80][..],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0xff],
            &[0x1f, 0x01, 0x00],
            &[0x30, 0x05, 0x00],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00],
        ] {
            assert!(Reader::new(bytes).next().is_err(), "{bytes:x?}");
        }
        assert_eq!(header(&[0x30, 0x82, 0x01]).unwrap(), None);
        assert_eq!(header(&[0x30, 0x82, 0x01, 0x02]).unwrap(), Some((0x30, 4, 0x102)));
    }
}
