//! Facts kept in memory, correct at once after a write of this process.
//!
//! A cache holds what was found, never that something was missing, so what is new shows
//! everywhere at once. What changes is forgotten: the verb that changes a row announces
//! it in its transaction, and after the commit (on other replicas within a second, see
//! `db`) the entry goes.
//!
//! The race between filling and forgetting is closed by generations: a fill remembers
//! its key's generation before it asks the database, and puts its entry in only if the
//! generation has not moved since. Both that look and forgetting hold the generation's lock,
//! so that what is no longer so is in nobody's sight, not even for a moment. Who only reads
//! takes no lock.

use std::{
    any::Any,
    borrow::Borrow,
    fmt::Display,
    future::Future,
    hash::{BuildHasher, Hash, RandomState},
    marker::PhantomData,
    str::FromStr,
    sync::Arc,
};

use db::{Change, Db, Tx};
use kit::Result;
use parking_lot::Mutex;

/// Keys share this many generations; a collision only costs a needless fill.
const GENERATIONS: usize = 1024;

/// What stands for every key of a topic. No fact has it for a key.
const EVERY: &str = "*";

/// A fact of any type. Each type of keys and values has the whole map compiled once more, a
/// quarter of a megabyte; so the map does not know what its values are, and only `get` does.
type Fact = Arc<dyn Any + Send + Sync>;

/// A map from keys to facts that the database holds.
pub(crate) struct Cached<K, V> {
    topic: &'static str,
    entries: moka::sync::Cache<K, Fact>,
    facts: PhantomData<fn() -> V>,
    generations: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

impl<K, V> Cached<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + Display + FromStr + 'static,
    V: Send + Sync + 'static,
{
    /// A cache of at most `capacity` in weight; `weigh` gives an entry's weight.
    /// The topic names its changes in the change log and must be its own.
    pub(crate) fn new(topic: &'static str, capacity: u64, weigh: fn(&V) -> u32) -> Self {
        Self {
            topic,
            entries: moka::sync::Cache::builder()
                .max_capacity(capacity)
                .weigher(move |_, fact: &Fact| fact.downcast_ref().map_or(1, weigh))
                .build(),
            facts: PhantomData,
            generations: (0..GENERATIONS).map(|_| Mutex::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The fact for a key: from memory, or else found by `find`. A replica that is out
    /// of touch with the change log asks every time.
    pub(crate) async fn get<Q, F>(
        &self,
        db: &Db,
        key: &Q,
        find: impl FnOnce() -> F,
    ) -> Result<Option<Arc<V>>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        F: Future<Output = Result<Option<V>>>,
    {
        let in_touch = db.in_touch();
        let known = || self.entries.get(key)?.downcast().ok();
        if in_touch && let Some(known) = known() {
            return Ok(Some(known));
        }
        let before = *self.generation(key).lock();
        let Some(found) = find().await?.map(Arc::new) else { return Ok(None) };
        if in_touch {
            let generation = self.generation(key).lock();
            if *generation == before {
                self.entries.insert(key.to_owned(), found.clone());
            }
        }
        Ok(Some(found))
    }

    /// Announces in a transaction that the fact for a key changes with it.
    pub(crate) fn changes(&self, tx: &mut Tx, key: &K) {
        tx.announce(Change::new(self.topic, key.to_string()));
    }

    /// Announces that more facts change with it than are worth naming.
    pub(crate) fn all_change(&self, tx: &mut Tx) {
        tx.announce(Change::new(self.topic, EVERY));
    }

    /// Forgets what a change names, if it is one of this cache's. True if it is.
    pub(crate) fn apply(&self, change: &Change) -> bool {
        if change.topic() != self.topic {
            return false;
        }
        if change.key() == EVERY {
            self.forget_all();
        } else if let Ok(key) = change.key().parse::<K>() {
            let mut generation = self.generation(&key).lock();
            *generation += 1;
            self.entries.invalidate(&key);
        }
        true
    }

    /// Forgets everything: what changed is not known.
    pub(crate) fn forget_all(&self) {
        for generation in &self.generations {
            *generation.lock() += 1;
        }
        // Whatever is put in from here on was asked for after the change.
        self.entries.invalidate_all();
    }

    fn generation<Q: Hash + ?Sized>(&self, key: &Q) -> &Mutex<u64> {
        let slot = self.hasher.hash_one(key) as usize % GENERATIONS;
        &self.generations[slot]
    }
}

/// A key of two parts, written `first/second`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pair<A, B>(pub A, pub B);

impl<A: Display, B: Display> Display for Pair<A, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

impl<A: FromStr, B: FromStr> FromStr for Pair<A, B> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, second) = text.split_once('/').ok_or(())?;
        Ok(Self(first.parse().map_err(|_| ())?, second.parse().map_err(|_| ())?))
    }
}
