//! The keys that sign tokens: one signs, those before it still verify for a while.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use db::{Change, Row, Tx, args};
use jsonwebtoken::DecodingKey;
use kit::{Error, Result, Seal, Time};
use moka::sync::Cache;
use parking_lot::RwLock;

use super::{LEEWAY, Verified, sql};
use crate::{Context, settings};

/// What a change of keys is called in the change log.
const TOPIC: &str = "signing_keys";

/// How much memory verified tokens may take, in bytes of token.
const VERIFIED_BYTES: u64 = 4 * 1024 * 1024;

/// How often, at most, an unknown key has the table read: microseconds.
const READ_AGAIN_AFTER: i64 = 1_000_000;

/// What a sealed private key is bound to, beside its id.
const SEALED_AS: &str = "signing key";

/// The keys in memory, and the tokens that they verified.
pub(crate) struct Keys {
    ring: RwLock<Option<Arc<Ring>>>,
    read_at: AtomicI64,
    changed: AtomicBool,
    /// Held while the table is read, so that an older reading never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
    verified: Cache<Box<str>, Arc<Verified>>,
}

/// All keys of one reading of the table.
pub(super) struct Ring {
    signing: Arc<SigningKey>,
    known: Vec<KnownKey>,
}

/// The key that signs.
pub(super) struct SigningKey {
    pub(super) id: String,
    pub(super) pair: EcdsaKeyPair,
}

/// A key that verifies.
struct KnownKey {
    id: String,
    public: DecodingKey,
    retired_at: Option<Time>,
}

/// A key that was made and not yet stored.
pub(crate) struct NewKey {
    id: String,
    sealed_private: String,
    public: Vec<u8>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            ring: RwLock::new(None),
            read_at: AtomicI64::new(i64::MIN),
            changed: AtomicBool::new(false),
            reading: tokio::sync::Mutex::new(()),
            verified: Cache::<Box<str>, Arc<Verified>>::builder()
                .max_capacity(VERIFIED_BYTES)
                .weigher(|token, _| u32::try_from(token.len()).unwrap_or(u32::MAX))
                .build(),
        }
    }

    /// Forgets the keys if a change says that they changed.
    pub(crate) fn apply(&self, change: &Change) {
        if change.topic() == TOPIC || change.is_everything() {
            self.changed.store(true, Ordering::SeqCst);
            self.verified.invalidate_all();
        }
    }

    /// A token that was verified before.
    pub(super) fn verified(&self, token: &str) -> Option<Arc<Verified>> {
        self.verified.get(token)
    }

    /// Remembers a token whose signature is good.
    pub(super) fn remember(&self, token: &str, verified: Arc<Verified>) {
        self.verified.insert(token.into(), verified);
    }
}

impl Ring {
    pub(super) fn signing(&self) -> &SigningKey {
        &self.signing
    }
}

/// Makes sure that tokens can be issued.
///
/// # Errors
/// Internal when there is no key or it does not open.
pub(crate) async fn ready(context: &Context) -> Result<()> {
    ring(context).await.map(|_| ())
}

/// The keys, read if they changed.
pub(super) async fn ring(context: &Context) -> Result<Arc<Ring>> {
    let changed = context.keys.changed.load(Ordering::SeqCst);
    let known = context.keys.ring.read().clone();
    match known {
        Some(ring) if !changed => Ok(ring),
        _ => read(context).await,
    }
}

/// The public half of the key with an id, if tokens that it signed may still be good.
pub(super) async fn find(context: &Context, id: &str) -> Result<Option<DecodingKey>> {
    let mut ring = ring(context).await?;
    let now = context.clock.now();
    let since_read = now.0.saturating_sub(context.keys.read_at.load(Ordering::SeqCst));
    if !ring.known.iter().any(|key| key.id == id) && since_read >= READ_AGAIN_AFTER {
        ring = read(context).await?;
    }
    let lifetime = settings::token_lifetime(context).await?;
    let oldest = now.before(lifetime).before(2 * LEEWAY);
    let good = |key: &&KnownKey| {
        key.id == id && key.retired_at.is_none_or(|retired_at| retired_at >= oldest)
    };
    Ok(ring.known.iter().find(good).map(|key| key.public.clone()))
}

/// Makes a new key that signs from now on, here at once and on other replicas within a
/// second. What the key before it signed stays good until it expires.
pub async fn rotate(context: &Context) -> Result<()> {
    let key = NewKey::make(&context.seal)?;
    let now = context.clock.now();
    let lifetime = settings::token_lifetime(context).await?;
    let expired = now.before(lifetime).before(4 * LEEWAY);
    let key = Arc::new(key);
    context
        .db
        .write(move |tx| {
            let key = key.clone();
            Box::pin(async move {
                tx.execute(sql::DELETE_RETIRED_KEYS, args![expired]).await?;
                tx.execute(sql::RETIRE_KEYS, args![now]).await?;
                key.insert(tx, now).await?;
                tx.announce(Change::new(TOPIC, key.id.clone()));
                Ok(())
            })
        })
        .await
}

impl NewKey {
    /// Makes a key.
    pub(crate) fn make(seal: &Seal) -> Result<Self> {
        let mistake = |_| Error::internal("a signing key could not be made");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(mistake)?;
        let private = pair.to_pkcs8v1().map_err(mistake)?;
        let id = kit::random_token(12);
        let sealed_private = seal.seal(private.as_ref(), &sealed_as(&id));
        Ok(Self { id, sealed_private, public: pair.public_key().as_ref().to_vec() })
    }

    /// Stores the key.
    async fn insert(&self, tx: &mut Tx, now: Time) -> Result<()> {
        let args = args![&self.id, &self.sealed_private, &self.public, now];
        tx.execute(sql::INSERT_KEY, args).await.map(|_| ())
    }

    /// Stores the key if there is none that signs. The caller holds a lock.
    pub(crate) async fn insert_if_first(&self, tx: &mut Tx, now: Time) -> Result<()> {
        if tx.one(sql::SIGNING_KEY, args![]).await?.is_none() {
            self.insert(tx, now).await?;
        }
        Ok(())
    }
}

/// Reads the table.
async fn read(context: &Context) -> Result<Arc<Ring>> {
    let _alone = context.keys.reading.lock().await;
    // Cleared before the reading: a change during it has the table read once more.
    context.keys.changed.store(false, Ordering::SeqCst);
    context.keys.read_at.store(context.clock.now().0, Ordering::SeqCst);
    match read_rows(context).await {
        Ok(ring) => {
            let ring = Arc::new(ring);
            *context.keys.ring.write() = Some(ring.clone());
            Ok(ring)
        }
        Err(error) => {
            context.keys.changed.store(true, Ordering::SeqCst);
            Err(error)
        }
    }
}

async fn read_rows(context: &Context) -> Result<Ring> {
    let rows = context.db.all(sql::KEYS, args![]).await?;
    let newest = rows.first().ok_or_else(|| Error::internal("there is no signing key"))?;
    Ok(Ring {
        signing: Arc::new(open(context, newest)?),
        known: rows.iter().map(read_known).collect::<Result<_>>()?,
    })
}

/// Opens the private half of a row's key.
fn open(context: &Context, row: &Row) -> Result<SigningKey> {
    let id: String = row.get(0)?;
    let private = context.seal.open(&row.get::<String>(1)?, &sealed_as(&id))?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)
        .map_err(|_| Error::internal("a signing key is damaged"))?;
    Ok(SigningKey { id, pair })
}

fn read_known(row: &Row) -> Result<KnownKey> {
    Ok(KnownKey {
        id: row.get(0)?,
        public: DecodingKey::from_ec_der(&row.get::<Vec<u8>>(2)?),
        retired_at: row.get(3)?,
    })
}

fn sealed_as(id: &str) -> String {
    format!("{SEALED_AS} {id}")
}
