//! What administrators do with sources.

use std::sync::Arc;

use db::{Tx, args};
use identity::{Failure, authproxy, http::Reach, ldap};
use kit::{Error, Kind, Result, Secret};
use serde_json::Value;

use super::{ALL, OF_SETTINGS, Source, every, how::How, secret_of, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System},
};

/// The longest name, in characters.
const LONGEST_NAME: usize = 255;

/// The longest settings and the longest secret, in bytes.
const LONGEST_SETTINGS: usize = 256 * 1024;
const LONGEST_SECRET: usize = 4096;

/// The most sources there are.
const MOST: i64 = 64;

/// A source as it is to be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What people call it.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// How it is asked.
    pub settings: Value,
    /// The password of who searches, or the secret of the client; none to leave it.
    pub secret: Option<Secret>,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Where it stands among the others; none to leave it, or for the last.
    pub position: Option<i64>,
}

impl Wanted {
    fn check(&self) -> Result<How> {
        let length = self.name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length)
            || self.name.chars().any(char::is_control)
            || self.name.trim() != self.name
        {
            return Err(Error::invalid("name must have 1 to 255 characters without spaces around"));
        }
        let secret = self.secret.as_ref().map_or("", |secret| secret.reveal());
        if secret.len() > LONGEST_SECRET || secret.contains('\0') {
            return Err(Error::invalid("secret must have at most 4096 characters"));
        }
        if self.settings.to_string().len() > LONGEST_SETTINGS {
            return Err(Error::invalid("the settings are too long"));
        }
        let how = How::read(&self.kind, self.settings.clone())?;
        how.check()?;
        Ok(how)
    }
}

/// All sources in their order, that of the settings first.
///
/// # Errors
/// None but the database's.
pub async fn list(context: &Context, allowed: &Allowed<System>) -> Result<Vec<Arc<Source>>> {
    allowed.require(Right::new(Resource::Configuration, Action::Read))?;
    every(context).await
}

/// A source.
///
/// # Errors
/// NotFound.
pub async fn show(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<Arc<Source>> {
    allowed.require(Right::new(Resource::Configuration, Action::Read))?;
    find(context, id).await
}

async fn find(context: &Context, id: i64) -> Result<Arc<Source>> {
    let found = every(context).await?.into_iter().find(|source| source.id == id);
    found.ok_or_else(|| unknown(id))
}

/// Adds a source, and gives its number.
///
/// # Errors
/// Invalid when something of it is; Conflict when the name is taken.
pub async fn create(context: &Context, allowed: &Allowed<System>, new: Wanted) -> Result<i64> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    let settings = new.check()?.to_json()?.to_string();
    let row = args![&new.name, new.kind, new.position, new.enabled, settings, context.clock.now()];
    let (secret, seal) = (new.secret.filter(|secret| !secret.reveal().is_empty()), &context.seal);
    let (seal, name) = (seal.clone(), new.name);
    in_write(context, allowed, move |tx| {
        let (row, secret, seal, name) = (row.clone(), secret.clone(), seal.clone(), name.clone());
        Box::pin(async move {
            let count = tx.one(sql::COUNT, args![]).await?;
            if count.map_or(Ok(0), |row| row.get::<i64>(0))? >= MOST {
                return Err(Error::invalid(format!("there are at most {MOST} identity sources")));
            }
            let made = tx.one(sql::INSERT, row).await?;
            let id = made.ok_or_else(|| Error::internal("a new source has no id"))?.get(0)?;
            if let Some(secret) = secret {
                let sealed = seal.seal(secret.reveal().as_bytes(), &secret_of(id));
                tx.execute(sql::SET_SECRET, args![id, sealed]).await?;
            }
            Ok((id, format!("create identity source: {name}")))
        })
    })
    .await
}

/// Changes a source: all of it, but for what is none.
///
/// # Errors
/// Invalid when something of it is, or its kind is another; NotFound; Conflict when the name
/// is taken.
pub async fn update(
    context: &Context,
    allowed: &Allowed<System>,
    id: i64,
    wanted: Wanted,
) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    of_rows(id)?;
    let settings = wanted.check()?.to_json()?.to_string();
    let now = context.clock.now();
    let row = args![id, wanted.name, wanted.position, wanted.enabled, settings, now];
    let secret = wanted.secret.map(|secret| match secret.reveal() {
        "" => None,
        secret => Some(context.seal.seal(secret.as_bytes(), &secret_of(id))),
    });
    let kind = wanted.kind;
    in_write(context, allowed, move |tx| {
        let (row, secret, kind) = (row.clone(), secret.clone(), kind.clone());
        Box::pin(async move {
            let (name, is) = locked(tx, id).await?;
            if is != kind {
                let message = "the type of an identity source cannot be changed";
                return Err(Error::invalid(message));
            }
            tx.execute(sql::UPDATE, row).await?;
            if let Some(secret) = secret {
                tx.execute(sql::SET_SECRET, args![id, secret]).await?;
            }
            Ok(((), format!("update identity source: {name}")))
        })
    })
    .await
}

/// Removes a source from which nobody is any more: who is would be nobody's, and the next
/// source with the same name its owner's.
///
/// # Errors
/// NotFound; Precondition when users are from it.
pub async fn remove(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    of_rows(id)?;
    in_write(context, allowed, move |tx| {
        Box::pin(async move {
            let (name, _) = locked(tx, id).await?;
            let users = tx.one(sql::COUNT_USERS, args![id]).await?;
            let users = users.map_or(Ok(0), |row| row.get::<i64>(0))?;
            if users > 0 {
                let message = format!(
                    "{users} users are from this identity source: disable it, or delete them first"
                );
                return Err(Error::new(Kind::Precondition, message));
            }
            tx.execute(sql::DELETE_LINKS, args![id]).await?;
            tx.execute(sql::DELETE, args![id]).await?;
            Ok(((), format!("delete identity source: {name}")))
        })
    })
    .await
}

/// Whether a source can be asked now.
///
/// # Errors
/// NotFound; Invalid with why it cannot.
pub async fn ping(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    let source = find(context, id).await?;
    let asking = async {
        match &source.how {
            How::Ldap(directory) => ldap::ping(&directory.settings(&source.secret)).await,
            How::Oidc(oidc) => {
                let issuers = &context.sources.issuers;
                issuers.issuer(&oidc.endpoint, &oidc.trust(), Reach::Anywhere)?.ping().await
            }
            How::Issuer(issuer) => {
                let issuers = &context.sources.issuers;
                issuers.issuer(&issuer.url, &issuer.trust(), Reach::Anywhere)?.ping().await
            }
            How::AuthProxy(proxy) => {
                // A session that nobody has: a proxy that is there says so.
                let nobodys = kit::random_token(24).into();
                match authproxy::review(&proxy.settings(), &nobodys).await {
                    Ok(_) | Err(Failure::BadCredentials) => Ok(()),
                    Err(failure) => Err(failure),
                }
            }
        }
    };
    let asked = tokio::time::timeout(source.how.limit(), asking).await;
    asked.unwrap_or(Err(Failure::TimedOut)).map_err(|failure| Error::invalid(failure.to_string()))
}

/// The source of the settings is changed where they are.
fn of_rows(id: i64) -> Result<()> {
    if id == OF_SETTINGS {
        let message = "this identity source is described by the system's configurations";
        return Err(Error::invalid(message));
    }
    Ok(())
}

async fn locked(tx: &mut Tx, id: i64) -> Result<(String, String)> {
    let row = tx.one(sql::LOCK, args![id]).await?.ok_or_else(|| unknown(id))?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Changes sources in a transaction that tells everybody, and is told of by what it says.
async fn in_write<T, F>(context: &Context, allowed: &Allowed<System>, deed: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> futures_util::future::BoxFuture<'t, Result<(T, String)>>
        + Send
        + Sync
        + 'static,
{
    let audit = audit::by(context, allowed.by()).await?;
    let (caches, deed) = (context.caches.clone(), Arc::new(deed));
    let done = context
        .db
        .write(move |tx| {
            let (audit, caches, deed) = (audit.clone(), caches.clone(), deed.clone());
            Box::pin(async move {
                let (done, told) = deed(tx).await?;
                caches.sources.changes(tx, &ALL);
                let entry = Entry::new(Event::UpdateConfiguration, "identity-source");
                audit.record(tx, entry.described(told)).await?;
                Ok(done)
            })
        })
        .await;
    done.map_err(|error| match error.kind {
        Kind::Conflict => Error::conflict("an identity source with this name exists already"),
        _ => error,
    })
}

fn unknown(id: i64) -> Error {
    Error::new(Kind::NotFound, format!("identity source {id} not found"))
}
