//! A provider: what it says of itself, and its keys.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use kit::{Clock, Time};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    Failure, Result, Trust,
    http::{Answer, Http, Reach},
};

/// How long what a provider says of itself, and its keys, are believed without asking again.
const FRESH_FOR: Duration = Duration::from_secs(3600);

/// How long what is old is still used while the provider is away.
const USABLE_FOR: Duration = Duration::from_secs(24 * 3600);

/// How long to wait before a provider is asked again that failed, or for keys again that were
/// just read, so that no flood of bad tokens becomes one of requests.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// How many providers are remembered.
const MOST_ISSUERS: u64 = 1000;

/// The most keys of a provider that are kept.
const MOST_KEYS: usize = 100;

/// What a provider says of itself (Discovery 1.0, section 3), as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) end_session_endpoint: Option<String>,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
}

/// Something that was read from a provider, when, and when it was last tried.
struct Read<T> {
    value: Option<(Time, Arc<T>)>,
    failed: Option<(Time, Failure)>,
}

impl<T> Default for Read<T> {
    fn default() -> Self {
        Self { value: None, failed: None }
    }
}

impl<T> Read<T> {
    /// What was read, if it is not older than that.
    fn within(&self, now: Time, age: Duration) -> Option<Arc<T>> {
        let (at, value) = self.value.as_ref()?;
        (now < at.after(age)).then(|| value.clone())
    }

    /// The failure of a moment ago, which stands for another try.
    fn just_failed(&self, now: Time) -> Option<Failure> {
        let (at, failure) = self.failed.as_ref()?;
        (now < at.after(AGAIN_AFTER)).then(|| failure.clone())
    }

    /// Remembers how a try ended. Where it failed, what is not too old goes on to serve.
    fn remember(&mut self, now: Time, tried: Result<T>) -> Result<Arc<T>> {
        match tried {
            Ok(value) => {
                let value = Arc::new(value);
                *self = Self { value: Some((now, value.clone())), failed: None };
                Ok(value)
            }
            Err(failure) => {
                self.failed = Some((now, failure.clone()));
                self.within(now, USABLE_FOR).ok_or(failure)
            }
        }
    }
}

/// A provider.
pub struct Issuer {
    url: String,
    pub(super) http: Http,
    pub(super) clock: Clock,
    metadata: Mutex<Read<Metadata>>,
    keys: Mutex<Read<JwkSet>>,
}

impl Issuer {
    /// A provider by its address, which nobody has asked yet.
    ///
    /// # Errors
    /// Misconfigured when the address is none, or out of reach.
    pub fn new(url: &str, trust: &Trust, reach: Reach, clock: Clock) -> Result<Self> {
        let http = Http::new(trust, reach)?;
        let address = http.address(url)?;
        if address.query().is_some() || address.fragment().is_some() {
            return Err(Failure::Misconfigured("an issuer has no query".to_owned()));
        }
        let url = url.trim().to_owned();
        Ok(Self { url, http, clock, metadata: Mutex::default(), keys: Mutex::default() })
    }

    /// Its address, as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks the provider what it is, whatever is remembered.
    ///
    /// # Errors
    /// All that is about the connection; Misconfigured or Nonsense when it is no provider, or
    /// another one.
    pub async fn ping(&self) -> Result<()> {
        let now = self.clock.now();
        let tried = self.discover().await;
        let outcome = tried.as_ref().map(|_| ()).map_err(Clone::clone);
        let _kept = self.metadata.lock().await.remember(now, tried);
        outcome
    }

    /// What it says of itself.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>> {
        // Whoever comes while one asks waits, and is served by the answer.
        let mut metadata = self.metadata.lock().await;
        let now = self.clock.now();
        if let Some(known) = metadata.within(now, FRESH_FOR) {
            return Ok(known);
        }
        if let Some(failure) = metadata.just_failed(now) {
            return metadata.within(now, USABLE_FOR).ok_or(failure);
        }
        let tried = self.discover().await;
        metadata.remember(now, tried)
    }

    async fn discover(&self) -> Result<Metadata> {
        let base = self.url.trim_end_matches('/');
        let url = self.http.address(&format!("{base}/.well-known/openid-configuration"))?;
        let metadata: Metadata = Answer::to(self.http.get(url)).await?.success()?;
        if metadata.issuer.trim_end_matches('/') != base {
            let message = "the provider calls itself by another address than the configured one";
            return Err(Failure::Nonsense(message.to_owned()));
        }
        // They are asked later; that they may be is known now.
        self.http.address(&metadata.jwks_uri)?;
        Ok(metadata)
    }

    /// The keys that may have signed with such a key's name: the one with it, or, for a token
    /// that names none, all.
    pub(super) async fn keys(&self, id: Option<&str>) -> Result<Vec<Jwk>> {
        let mut keys = self.keys.lock().await;
        let now = self.clock.now();
        let among = |keys: &JwkSet| -> Vec<Jwk> {
            let named = |key: &&Jwk| id.is_none() || key.common.key_id.as_deref() == id;
            keys.keys.iter().filter(named).take(MOST_KEYS).cloned().collect()
        };
        if let Some(known) = keys.within(now, FRESH_FOR) {
            let found = among(&known);
            if !found.is_empty() || keys.within(now, AGAIN_AFTER).is_some() {
                return Ok(found);
            }
        }
        if let Some(failure) = keys.just_failed(now) {
            return keys.within(now, USABLE_FOR).map(|known| among(&known)).ok_or(failure);
        }
        let tried = self.read_keys().await;
        keys.remember(now, tried).map(|known| among(&known))
    }

    async fn read_keys(&self) -> Result<JwkSet> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let metadata = self.metadata().await?;
        let url = self.http.address(&metadata.jwks_uri)?;
        let read: Keys = Answer::to(self.http.get(url)).await?.success()?;
        // A key of a kind that we do not know is no reason to refuse the others.
        let known = read.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(JwkSet { keys: known.take(MOST_KEYS).collect() })
    }
}

/// The providers that were asked before, each with what it said.
pub struct Issuers {
    clock: Clock,
    known: moka::sync::Cache<(String, Trust, Reach), Arc<Issuer>>,
}

impl Issuers {
    /// None yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, known: moka::sync::Cache::new(MOST_ISSUERS) }
    }

    /// A provider by its address.
    ///
    /// # Errors
    /// As [`Issuer::new`].
    pub fn issuer(&self, url: &str, trust: &Trust, reach: Reach) -> Result<Arc<Issuer>> {
        let key = (url.trim().to_owned(), trust.clone(), reach);
        if let Some(known) = self.known.get(&key) {
            return Ok(known);
        }
        let issuer = Arc::new(Issuer::new(url, trust, reach, self.clock.clone())?);
        self.known.insert(key, issuer.clone());
        Ok(issuer)
    }
}
