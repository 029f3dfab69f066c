//! Where people come from: the servers outside that know them, in a set order.
//!
//! Owns the tables `identity_sources`, `user_links` and `sign_in_steps`. Users with a password
//! here come first, `admin` always is one; then the source that Harbor's settings describe
//! (`auth_mode`), then the rows, in their order. Promises:
//! - Somebody from a source is a user here by a link of source and subject. A name that is
//!   taken stays whose it is: who has it in another source gets no user by it.
//! - A change of a source takes effect at once, on other replicas within a second.
//! - A source that hangs, fails or lies stops neither the next ones nor anybody for longer
//!   than its time, and is not asked again for some seconds.
//! - A password that a source vouched for is remembered for minutes, and no longer than the
//!   source stays as it is.
//!
//! Servers are asked only where administrators said so; for issuers of robots' tokens also
//! where project administrators did, and then public ones by HTTPS only. `sign_in` and HTTP
//! may call.

mod candidates;
mod directory;
mod enter;
mod harbor;
mod how;
mod manage;
mod member;
mod memory;
mod origins;
mod password;
mod provider;
mod recheck;
mod sql;
#[cfg(test)]
mod tests;
mod token;
mod workload;

use std::sync::Arc;

use aws_lc_rs::digest;
use db::{Row, args};
use kit::{Error, Result, Secret, Time};

use crate::{Context, settings};

pub use candidates::{
    Candidate, Candidates, First, Found, Sought, candidates, search_groups, search_people,
};
pub use directory::{
    FailedImport, Group, Person, Probe, find_groups, find_people, import, known_group,
    known_person, ping_directory,
};
pub use harbor::OF_SETTINGS;
pub use how::{AuthProxy, How, Issuer, Ldap, Oidc};
pub use manage::{Wanted, create, list, ping, remove, show, update};
pub use member::member;
pub(crate) use memory::Memory;
pub use origins::origins;
pub use password::{authenticate, remembered};
pub use provider::{
    Attempt, Begun, Finished, account, begin, finish, logout_url, onboard, ping_provider,
    providers, way_to_sign_in,
};
pub use recheck::keep;
pub use token::{bearer, by_id_token, by_session, has_proxy};
pub use workload::workload;

/// The one entry of its cache.
const ALL: u8 = 0;

/// A place that knows people, or issues tokens for robots.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its number; [`OF_SETTINGS`] for that of the settings.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// What it is, and how it is asked.
    pub how: How,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Where it stands among the others.
    pub position: i64,
    /// When it was made; none for that of the settings.
    pub created_at: Option<Time>,
    /// When it was last changed.
    pub updated_at: Option<Time>,
    secret: Secret,
    version: [u8; 32],
}

impl Source {
    fn new(id: i64, name: String, how: How, secret: Secret) -> Self {
        let version = version(&how, &secret);
        let (created_at, updated_at) = (None, None);
        Self { id, name, how, enabled: true, position: 0, created_at, updated_at, secret, version }
    }

    /// Whether it has a password or a secret to show.
    pub fn has_secret(&self) -> bool {
        !self.secret.reveal().is_empty()
    }
}

/// Stands for a source as it is: what was learnt from it counts while it stays so.
fn version(how: &How, secret: &Secret) -> [u8; 32] {
    let settings = how.to_json().map_or_else(|_| String::new(), |json| json.to_string());
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [how.kind(), settings.as_str(), secret.reveal()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut version = [0; 32];
    version.copy_from_slice(context.finish().as_ref());
    version
}

/// The sources that are asked, in their order.
pub(crate) async fn asked(context: &Context) -> Result<Vec<Arc<Source>>> {
    let mut sources = every(context).await?;
    sources.retain(|source| source.enabled);
    Ok(sources)
}

/// All sources in their order, that of the settings first, from memory.
async fn every(context: &Context) -> Result<Vec<Arc<Source>>> {
    let configuration = settings::current(context).await?;
    let find = || async {
        let rows = context.db.all(sql::ALL, args![]).await?;
        let read = |row| read(context, row).map(Arc::new);
        rows.iter().map(read).collect::<Result<Vec<_>>>().map(Some)
    };
    let rows = context.caches.sources.get(&context.db, &ALL, find).await?;
    let of_settings = harbor::source(&configuration).map(Arc::new);
    Ok(of_settings.into_iter().chain(rows.iter().flat_map(|rows| rows.iter().cloned())).collect())
}

/// Reads the columns of [`sql::ALL`].
fn read(context: &Context, row: &Row) -> Result<Source> {
    let (id, kind, settings): (i64, String, String) = (row.get(0)?, row.get(2)?, row.get(5)?);
    let settings = serde_json::from_str(&settings).map_err(Error::internal)?;
    let how = How::read(&kind, settings).map_err(Error::internal)?;
    let secret = match row.get::<Option<String>>(6)? {
        Some(sealed) => open(context, &sealed, &secret_of(id))?,
        None => Secret::default(),
    };
    let mut source = Source::new(id, row.get(1)?, how, secret);
    source.position = row.get(3)?;
    source.enabled = row.get(4)?;
    source.created_at = Some(row.get(7)?);
    source.updated_at = Some(row.get(8)?);
    Ok(source)
}

/// What the secret of a source is bound to.
fn secret_of(id: i64) -> String {
    format!("identity source {id}")
}

/// Opens a text that was sealed for something.
fn open(context: &Context, sealed: &str, purpose: &str) -> Result<Secret> {
    let plain = context.seal.open(sealed, purpose)?;
    String::from_utf8(plain.to_vec()).map(Secret::from).map_err(Error::internal)
}
