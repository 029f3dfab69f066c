//! What every verb is given: the database, the store, time, keys and settings.

use std::{sync::Arc, time::Duration};

use db::Db;
use kit::{Clock, Seal};

use crate::{artifacts, cache::Cached, projects, uploads, users};

/// How this installation is to behave, from its configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a registry token is good for.
    pub token_lifetime: Duration,
    /// How old an upload may become before it is given up.
    pub upload_max_age: Duration,
    /// How many uploads with bytes in them one caller may have open.
    pub uploads_per_caller: u32,
    /// Whether a manifest may refer to blobs and manifests that are not there.
    pub allow_missing_references: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(30 * 60),
            upload_max_age: Duration::from_secs(7 * 24 * 3600),
            uploads_per_caller: 1000,
            allow_missing_references: false,
        }
    }
}

/// The one context, passed by reference to every verb. There are no globals.
pub struct Context {
    /// The database: the truth.
    pub db: Db,
    /// The blob store: the bytes.
    pub blobs: blobs::Store,
    /// Where time comes from.
    pub clock: Clock,
    /// Seals secrets that the database keeps.
    pub seal: Seal,
    /// How to behave.
    pub settings: Settings,
    pub(crate) caches: Arc<Caches>,
}

/// All facts kept in memory. Each room owns the shape of its own.
pub(crate) struct Caches {
    pub(crate) users: Cached<i64, users::User>,
    pub(crate) projects: Cached<String, projects::Project>,
    pub(crate) roles: Cached<crate::cache::Pair<i64, i64>, projects::Roles>,
    pub(crate) repositories: Cached<String, artifacts::Repository>,
    pub(crate) tags: Cached<crate::cache::Pair<i64, oci::Tag>, oci::Digest>,
    pub(crate) manifests: Cached<crate::cache::Pair<i64, oci::Digest>, artifacts::Stored>,
    pub(crate) blobs: Cached<crate::cache::Pair<i64, oci::Digest>, uploads::Held>,
}
