//! What every verb is given: the database, the store, time, keys and settings.

use std::{sync::Arc, time::Duration};

use db::{Change, Db};
use kit::{Clock, Seal, metrics::Metrics};

use crate::{
    artifacts, audit,
    cache::{Cached, Pair},
    events, immutability, jobs, personal_tokens, projects, repositories, robots, roles, sessions,
    settings, sign_in, sources, tokens, uploads, users,
};

/// How this installation is to behave, from its configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a registry token is good for.
    pub token_lifetime: Duration,
    /// How old an upload may become before it is given up.
    pub upload_max_age: Duration,
    /// How many uploads with bytes in them one caller may have open.
    pub uploads_per_caller: u32,
    /// How long what nothing needs any more stays.
    pub gc_window: Duration,
    /// Whether a manifest may refer to blobs and manifests that are not there.
    pub allow_missing_references: bool,
    /// Whether the environment says what the settings of `settings` are, so that nobody
    /// may change them.
    pub configuration_is_fixed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(30 * 60),
            upload_max_age: Duration::from_secs(7 * 24 * 3600),
            uploads_per_caller: 1000,
            gc_window: Duration::from_secs(2 * 3600),
            allow_missing_references: false,
            configuration_is_fixed: false,
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
    /// Where work is counted.
    pub metrics: Metrics,
    /// Where jobs are counted.
    pub jobs: Arc<jobs::Counted>,
    pub(crate) caches: Arc<Caches>,
    /// Sign registry tokens.
    pub(crate) keys: Arc<tokens::Keys>,
    /// What this process knows of passwords.
    pub(crate) passwords: users::Passwords,
    /// What this process knows of wrong passwords.
    pub(crate) throttle: sign_in::Throttle,
    /// Who reads additions of artifacts, which takes memory.
    pub(crate) addition_readers: tokio::sync::Semaphore,
    /// Marks what browsers hold of sessions, and personal tokens.
    pub(crate) session_key: sessions::SessionKey,
    /// What this process knows of the sources of users.
    pub(crate) sources: sources::Memory,
    /// Signs the names of uploads.
    pub(crate) ticket_key: uploads::TicketKey,
    /// Proves that entries of the audit log are Haven's.
    pub(crate) audit_key: audit::AuditKey,
    /// Sends the audit log away.
    pub(crate) forwarder: audit::Forwarder,
    /// Pulls that are to be audited.
    pub(crate) pulls: audit::Pulls,
    /// What is to be written of pulls beside that.
    pub(crate) pull_marks: artifacts::PullMarks,
    /// Who is writing which upload in this process.
    pub(crate) writers: uploads::Writers,
    /// Wakes whoever does jobs in this process.
    pub(crate) bell: jobs::Bell,
    /// Pulls that are to be told of as events.
    pub(crate) event_pulls: events::Pulls,
}

/// All facts kept in memory. Each room owns the shape of its own.
pub(crate) struct Caches {
    pub(crate) configuration: Cached<u8, settings::Configuration>,
    pub(crate) users: Cached<i64, users::User>,
    pub(crate) projects: Cached<String, projects::Project>,
    /// How many projects there are.
    pub(crate) project_total: Cached<u8, i64>,
    pub(crate) roles: Cached<Pair<i64, i64>, Vec<projects::Membership>>,
    pub(crate) custom_roles: Cached<i64, roles::CustomRole>,
    pub(crate) robots: Cached<i64, robots::Robot>,
    pub(crate) robot_proofs: robots::Proofs,
    pub(crate) sessions: Cached<String, sessions::Session>,
    pub(crate) sources: Cached<u8, Vec<Arc<sources::Source>>>,
    pub(crate) personal_tokens: Cached<i64, personal_tokens::PersonalToken>,
    /// The numbers of personal tokens by their hashes; what else is true of them is asked.
    pub(crate) token_ids: moka::sync::Cache<String, i64>,
    pub(crate) cli_secrets: Cached<i64, personal_tokens::CliSecret>,
    pub(crate) cli_proofs: personal_tokens::Proofs,
    pub(crate) repositories: Cached<String, repositories::Repository>,
    /// How many repositories there are.
    pub(crate) repository_total: Cached<u8, i64>,
    pub(crate) tags: Cached<Pair<i64, oci::Tag>, artifacts::Target>,
    pub(crate) immutable_rules: Cached<i64, immutability::Rules>,
    pub(crate) manifests: Cached<Pair<i64, oci::Digest>, artifacts::Stored>,
    pub(crate) blobs: Cached<Pair<i64, oci::Digest>, uploads::Held>,
}

impl Caches {
    /// How many facts of one kind are kept, where they are small.
    const MOST: u64 = 100_000;

    /// How much memory the bytes of manifests may take.
    const MANIFEST_BYTES: u64 = 32 * 1024 * 1024;

    /// Empty ones.
    pub(crate) fn new() -> Self {
        Self {
            configuration: Cached::new("configuration", 8, |_| 1),
            users: Cached::new("user", Self::MOST, |_| 1),
            projects: Cached::new("project", Self::MOST, |_| 1),
            project_total: Cached::new("project_total", 8, |_| 1),
            roles: Cached::new("roles", Self::MOST, |_| 1),
            custom_roles: Cached::new("custom_role", Self::MOST, |_| 1),
            robots: Cached::new("robot", Self::MOST, |_| 1),
            robot_proofs: robots::no_proofs(),
            sessions: Cached::new("session", Self::MOST, |_| 1),
            sources: Cached::new("identity_sources", 8, |_| 1),
            personal_tokens: Cached::new("personal_token", Self::MOST, |_| 1),
            token_ids: moka::sync::Cache::new(Self::MOST),
            cli_secrets: Cached::new("cli_secret", Self::MOST, |_| 1),
            cli_proofs: personal_tokens::no_proofs(),
            repositories: Cached::new("repository", Self::MOST, |_| 1),
            repository_total: Cached::new(repositories::TOTAL.0, 8, |_| 1),
            immutable_rules: Cached::new("immutable_rules", Self::MOST, |_| 1),
            tags: Cached::new("tag", Self::MOST, |_| 1),
            manifests: Cached::new("manifest", Self::MANIFEST_BYTES, |stored| {
                u32::try_from(stored.content.len()).unwrap_or(u32::MAX).saturating_add(256)
            }),
            blobs: Cached::new("blob", Self::MOST, |_| 1),
        }
    }

    /// Forgets what a change names.
    pub(crate) fn apply(&self, change: &Change) {
        if change.is_everything() {
            return self.forget_all();
        }
        if self.configuration.apply(change) {
            // Their names begin with what it says.
            return self.robots.forget_all();
        }
        let _one_of_them = self.users.apply(change)
            || self.projects.apply(change)
            || self.project_total.apply(change)
            || self.roles.apply(change)
            || self.custom_roles.apply(change)
            || self.robots.apply(change)
            || self.sessions.apply(change)
            || self.sources.apply(change)
            || self.personal_tokens.apply(change)
            || self.cli_secrets.apply(change)
            || self.repositories.apply(change)
            || self.repository_total.apply(change)
            || self.immutable_rules.apply(change)
            || self.tags.apply(change)
            || self.manifests.apply(change)
            || self.blobs.apply(change);
    }

    fn forget_all(&self) {
        self.configuration.forget_all();
        self.users.forget_all();
        self.projects.forget_all();
        self.project_total.forget_all();
        self.roles.forget_all();
        self.custom_roles.forget_all();
        self.robots.forget_all();
        self.sessions.forget_all();
        self.sources.forget_all();
        self.personal_tokens.forget_all();
        self.cli_secrets.forget_all();
        self.repositories.forget_all();
        self.repository_total.forget_all();
        self.immutable_rules.forget_all();
        self.tags.forget_all();
        self.manifests.forget_all();
        self.blobs.forget_all();
    }
}
