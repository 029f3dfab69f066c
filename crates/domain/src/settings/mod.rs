//! Settings that administrators change while Haven runs.
//!
//! Owns the table `configuration`: Harbor's names and values as text, secrets sealed.
//! What is not in it has its default. Promises: [`current`] comes from memory, on every
//! replica as changed anywhere within a second; a value that is read is one its setting
//! may have. Everybody may read; the room `configurations` alone changes.

mod keys;
mod outside;
mod sql;
mod value;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use db::{Tx, args};
use kit::{Error, Result, Seal, Secret};

use crate::Context;

pub use keys::{Group, Key, Kind};
pub use value::Value;

/// The one entry of its cache.
const ALL: u8 = 0;

/// All settings at one moment.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// By key.
    values: Vec<Value>,
    /// Whether somebody set it, by key.
    set: Vec<bool>,
}

impl Configuration {
    /// From what the database holds. What it holds and this program does not know or
    /// cannot read counts as not set: a program of another version wrote it.
    fn read(stored: &BTreeMap<String, String>, seal: &Seal) -> Result<Self> {
        let mut configuration = Self { values: Vec::new(), set: Vec::new() };
        for key in Key::all() {
            let found = stored.get(key.name()).map(|text| open(seal, key, text)).transpose()?;
            let value = found.and_then(|text| Value::stored(key, text.reveal()).ok());
            configuration.set.push(value.is_some());
            configuration.values.push(match value {
                Some(value) => value,
                None => Value::stored(key, key.default())?,
            });
        }
        Ok(configuration)
    }

    /// The value of a setting.
    pub fn value(&self, key: Key) -> &Value {
        &self.values[key as usize]
    }

    /// Whether somebody set it, to whatever.
    pub fn is_set(&self, key: Key) -> bool {
        self.set[key as usize]
    }

    /// A setting that is true or false; false for any other.
    pub fn flag(&self, key: Key) -> bool {
        matches!(self.value(key), Value::Flag(true))
    }

    /// A setting that is a number; 0 for any other.
    pub fn number(&self, key: Key) -> i64 {
        if let Value::Number(number) = self.value(key) { *number } else { 0 }
    }

    /// A setting that is a text or a map in JSON; empty for any other, secrets too.
    pub fn text(&self, key: Key) -> &str {
        if let Value::Text(text) = self.value(key) { text } else { "" }
    }

    /// A setting that is secret; empty for any other.
    pub fn secret(&self, key: Key) -> Secret {
        if let Value::Secret(secret) = self.value(key) { secret.clone() } else { Secret::default() }
    }

    /// A setting that is a map of texts; empty for any other.
    pub fn pairs(&self, key: Key) -> BTreeMap<String, String> {
        serde_json::from_str(self.text(key)).unwrap_or_default()
    }

    /// A setting that is a number of minutes, as a duration.
    pub fn minutes(&self, key: Key) -> Duration {
        Duration::from_secs(u64::try_from(self.number(key)).unwrap_or(0).saturating_mul(60))
    }
}

/// The settings as they are, from memory.
///
/// # Errors
/// Those of the database when they are not in memory.
pub async fn current(context: &Context) -> Result<Arc<Configuration>> {
    let find = || async {
        let rows = context.db.all(sql::ALL, args![]).await?;
        let stored = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        Configuration::read(&stored.collect::<Result<_>>()?, &context.seal).map(Some)
    };
    let found = context.caches.configuration.get(&context.db, &ALL, find).await?;
    found.ok_or_else(|| Error::internal("there is no configuration"))
}

/// How long a registry token is good for: as set, or else as this process was told.
///
/// # Errors
/// As [`current`].
pub async fn token_lifetime(context: &Context) -> Result<Duration> {
    let configuration = current(context).await?;
    if configuration.is_set(Key::TokenExpiration) {
        return Ok(configuration.minutes(Key::TokenExpiration));
    }
    Ok(context.settings.token_lifetime)
}

/// Values on their way into the database, secrets sealed.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    values: Vec<(Key, String)>,
}

impl Change {
    /// Seals what has to be.
    pub(crate) fn of(values: &[(Key, Value)], seal: &Seal) -> Self {
        let store = |(key, value): &(Key, Value)| {
            let text = value.to_text();
            let sealed =
                if key.is_secret() { seal.seal(text.as_bytes(), &purpose(*key)) } else { text };
            (*key, sealed)
        };
        Self { values: values.iter().map(store).collect() }
    }

    /// Stores the values and tells everybody. At most as many rows as there are keys.
    pub(crate) async fn store(&self, tx: &mut Tx, caches: &crate::context::Caches) -> Result<()> {
        for (key, value) in &self.values {
            tx.execute(sql::SET, args![key.name(), value]).await?;
        }
        caches.configuration.changes(tx, &ALL);
        Ok(())
    }
}

/// What a sealed setting is bound to.
fn purpose(key: Key) -> String {
    format!("setting {}", key.name())
}

fn open(seal: &Seal, key: Key, text: &str) -> Result<Secret> {
    if !key.is_secret() {
        return Ok(text.into());
    }
    let plain = seal.open(text, &purpose(key))?;
    String::from_utf8(plain.to_vec()).map(Secret::from).map_err(Error::internal)
}
