//! The signed name of an upload.
//!
//! An upload without bytes is only its name: it says when it was begun, and a keyed
//! hash binds it to one repository, one project and one caller. So beginning an upload
//! writes nothing, any replica accepts it, and nobody else can continue it. A row comes
//! with the first bytes.

use aws_lc_rs::hmac;
use kit::{Error, Result, Subject, Time};
use oci::{Algorithm, RepositoryName};

use crate::Context;

/// Algorithm (1 byte), seconds (5 bytes) and random (10 bytes), then the truncated hash.
const TIME: std::ops::Range<usize> = 1..6;
const NAME_LENGTH: usize = 16;
const HASH_LENGTH: usize = 16;
const TICKET_LENGTH: usize = NAME_LENGTH + HASH_LENGTH;

/// The key that signs the names of uploads; the same on every replica.
pub(crate) struct TicketKey(hmac::Key);

impl TicketKey {
    /// From a secret that all replicas share.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

/// An upload's name, known to be ours and in force.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The name, as it stands in the upload's address.
    pub id: String,
    /// Who uploads.
    pub(crate) principal: String,
    /// When it was begun, to the second.
    pub(crate) begun: Time,
    /// How its bytes are hashed as they come; the digest at the end may still be another's.
    pub(crate) algorithm: Algorithm,
}

/// A new upload's name.
pub(super) fn issue(
    context: &Context,
    project_id: i64,
    name: &RepositoryName,
    principal: &str,
    algorithm: Algorithm,
) -> Ticket {
    let seconds = context.clock.now().seconds();
    let mut bytes = [0; TICKET_LENGTH];
    bytes[0] = u8::from(algorithm == Algorithm::Sha512);
    bytes[TIME].copy_from_slice(&seconds.to_be_bytes()[8 - TIME.len()..]);
    rand::fill(&mut bytes[TIME.end..NAME_LENGTH]);
    let signed = message(&bytes[..NAME_LENGTH], project_id, name, principal);
    let tag = hmac::sign(&context.ticket_key.0, &signed);
    bytes[NAME_LENGTH..].copy_from_slice(&tag.as_ref()[..HASH_LENGTH]);
    Ticket {
        id: hex(&bytes),
        principal: principal.to_owned(),
        begun: Time::from_seconds(seconds),
        algorithm,
    }
}

/// The upload that a name stands for, or the error that there is none.
pub(super) fn read(
    context: &Context,
    text: &str,
    project_id: i64,
    name: &RepositoryName,
    principal: &str,
) -> Result<Ticket> {
    let bytes = unhex(text).ok_or_else(unknown)?;
    let signed = message(&bytes[..NAME_LENGTH], project_id, name, principal);
    let tag = hmac::sign(&context.ticket_key.0, &signed);
    if !kit::constant_time_eq(&tag.as_ref()[..HASH_LENGTH], &bytes[NAME_LENGTH..]) {
        return Err(unknown());
    }
    let mut seconds = [0; 8];
    seconds[8 - TIME.len()..].copy_from_slice(&bytes[TIME]);
    let begun = Time::from_seconds(i64::from_be_bytes(seconds));
    if begun.after(context.settings.upload_max_age) < context.clock.now() {
        return Err(unknown());
    }
    let algorithm = if bytes[0] == 1 { Algorithm::Sha512 } else { Algorithm::Sha256 };
    Ok(Ticket { id: text.to_owned(), principal: principal.to_owned(), begun, algorithm })
}

/// The answer for every upload that is not there for this caller.
pub(super) fn unknown() -> Error {
    Error::not_found(Subject::Upload, "blob upload unknown to registry")
}

/// What the hash covers. The principal comes last: it alone may hold any character.
fn message(name_bytes: &[u8], project_id: i64, name: &RepositoryName, principal: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(NAME_LENGTH + 16 + name.as_str().len() + principal.len());
    message.extend_from_slice(name_bytes);
    message.extend_from_slice(&project_id.to_be_bytes());
    message.extend_from_slice(name.as_str().as_bytes());
    message.push(0);
    message.extend_from_slice(principal.as_bytes());
    message
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn unhex(text: &str) -> Option<[u8; TICKET_LENGTH]> {
    if text.len() != TICKET_LENGTH * 2 {
        return None;
    }
    let mut bytes = [0; TICKET_LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
