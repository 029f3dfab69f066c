//! What proves that an entry is Haven's and as Haven wrote it.
//!
//! The texts that name a person are hashed with a salt, and a keyed hash (the key lies
//! sealed in the database, so who can only write there cannot make one) binds the result
//! to everything else. To forget somebody takes the texts and the salt away: the entry
//! still proves itself, and nobody can find the name by trying.

use std::fmt;

use aws_lc_rs::{
    digest::{Context as Hasher, SHA256},
    hmac,
};
use kit::Time;

/// The key of the audit log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AuditKey(hmac::Key);

impl AuditKey {
    /// From its bytes.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The keyed hash of some parts for a purpose.
    pub(super) fn sign(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        bytes(context.sign().as_ref())
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey")
    }
}

/// What an entry says.
#[derive(Debug)]
pub(super) struct Facts<'e> {
    pub(super) project_id: i64,
    pub(super) at: Time,
    pub(super) operation: &'e str,
    pub(super) resource_type: &'e str,
    pub(super) resource: &'e str,
    pub(super) username: &'e str,
    pub(super) description: &'e str,
    pub(super) address: &'e str,
    pub(super) succeeded: bool,
}

impl Facts<'_> {
    /// Whether the thing that something was done to is a person.
    fn is_about_a_person(&self) -> bool {
        matches!(self.resource_type, "user" | "member")
    }
}

/// What stands for the texts that name a person.
pub(super) fn names_hash(salt: &[u8], facts: &Facts<'_>) -> [u8; 32] {
    let mut hasher = Hasher::new(&SHA256);
    hasher.update(salt);
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    add(facts.username);
    add(facts.address);
    if facts.is_about_a_person() {
        add(facts.resource);
        add(facts.description);
    }
    bytes(hasher.finish().as_ref())
}

/// The proof of an entry. What is not among the names is in it as it is.
pub(super) fn mac(key: &AuditKey, facts: &Facts<'_>, names_hash: &[u8]) -> [u8; 32] {
    let about_a_person = facts.is_about_a_person();
    let text = |text| if about_a_person { "" } else { text };
    key.sign(
        "entry",
        &[
            &facts.project_id.to_be_bytes(),
            &facts.at.0.to_be_bytes(),
            facts.operation.as_bytes(),
            facts.resource_type.as_bytes(),
            text(facts.resource).as_bytes(),
            text(facts.description).as_bytes(),
            &[u8::from(facts.succeeded)],
            names_hash,
        ],
    )
}

/// The proof that it was Haven who forgot whom an entry is about.
pub(super) fn forgotten(key: &AuditKey, id: i64, names_hash: &[u8]) -> [u8; 32] {
    key.sign("forgotten", &[&id.to_be_bytes(), names_hash])
}

/// The digest of a block's entries, in the order of their numbers.
pub(super) struct Content(Hasher);

impl Content {
    /// Of no entries yet.
    pub(super) fn new() -> Self {
        Self(Hasher::new(&SHA256))
    }

    /// Adds the next entry.
    pub(super) fn add(&mut self, id: i64, mac: &[u8]) {
        self.0.update(&id.to_be_bytes());
        self.0.update(&(mac.len() as u64).to_be_bytes());
        self.0.update(mac);
    }

    /// The digest.
    pub(super) fn finish(self) -> [u8; 32] {
        bytes(self.0.finish().as_ref())
    }
}

/// What a block says, beside its entries.
pub(super) struct Block<'b> {
    pub(super) id: i64,
    pub(super) entries: i64,
    pub(super) content: &'b [u8],
    pub(super) newest: Time,
    pub(super) sealed_at: Time,
}

/// The head of a block, which binds it to the head of the one before.
pub(super) fn head(key: &AuditKey, previous: &[u8], block: &Block<'_>) -> [u8; 32] {
    key.sign(
        "block",
        &[
            previous,
            &block.id.to_be_bytes(),
            &block.entries.to_be_bytes(),
            block.content,
            &block.newest.0.to_be_bytes(),
            &block.sealed_at.0.to_be_bytes(),
        ],
    )
}

/// The proof that it was Haven who purged a block's entries.
pub(super) fn purged(key: &AuditKey, id: i64, head: &[u8]) -> [u8; 32] {
    key.sign("purged", &[&id.to_be_bytes(), head])
}

/// The proof that it was Haven who removed some entries from a block.
pub(super) fn removed(key: &AuditKey, id: i64, removed: &[u8]) -> [u8; 32] {
    key.sign("removed", &[&id.to_be_bytes(), removed])
}

fn bytes(digest: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest);
    bytes
}
