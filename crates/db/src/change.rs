//! News of what was written, for whoever keeps copies in memory.

use std::{borrow::Cow, sync::Arc};

use parking_lot::RwLock;

/// The topic of [`Change::everything`].
const EVERYTHING: &str = "*";

/// What a transaction changed, as far as caches care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    topic: Cow<'static, str>,
    key: String,
}

impl Change {
    /// A change of one thing: a topic, such as a noun, and which one of it. Neither is
    /// secret.
    pub fn new(topic: &'static str, key: impl Into<String>) -> Self {
        Self { topic: Cow::Borrowed(topic), key: key.into() }
    }

    /// As another replica wrote it down.
    pub(crate) fn read(topic: String, key: String) -> Self {
        Self { topic: Cow::Owned(topic), key }
    }

    /// Anything may have changed: contact was lost and is back, and whoever keeps
    /// copies must drop them all.
    pub fn everything() -> Self {
        Self::new(EVERYTHING, "")
    }

    /// Whether this says that anything may have changed.
    pub fn is_everything(&self) -> bool {
        self.topic == EVERYTHING
    }

    /// The noun.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Which one.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Who is told of changes. It is called where the transaction ran, before its writer is
/// answered, so it only drops copies from memory.
pub type OnChange = Arc<dyn Fn(&[Change]) + Send + Sync>;

/// Everybody who is told of changes.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<OnChange>>);

impl Listeners {
    pub(crate) fn add(&self, listener: OnChange) {
        self.0.write().push(listener);
    }

    pub(crate) fn tell(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let listeners = self.0.read().clone();
        for listener in &listeners {
            listener(changes);
        }
    }
}
