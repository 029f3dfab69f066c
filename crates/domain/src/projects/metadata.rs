//! What is set for a project: Harbor's metadata, which are texts.

use std::collections::BTreeMap;

use db::{Tx, args};
use kit::{Error, Result, Subject, query};

use super::{Allowed, Project, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    context::Caches,
    rights::{Action, Resource, Right},
};

/// The one that is a column of the project.
const PUBLIC: &str = "public";

/// The longest text, in bytes.
const LONGEST: usize = 1024;

/// The metadata of a project, as far as given: names that are known, and values that are
/// right and written in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Whether everybody may pull.
    pub(super) public: Option<bool>,
    /// Everything else, by Harbor's names.
    others: BTreeMap<String, String>,
}

/// What a value may be.
enum Values {
    TrueOrFalse,
    Severity,
    Number,
    DoublestarOrRegex,
    Text,
}

/// Every name that may be set, and what its value may be.
fn values(name: &str) -> Option<Values> {
    Some(match name {
        PUBLIC
        | "enable_content_trust"
        | "enable_content_trust_cosign"
        | "prevent_vul"
        | "auto_scan"
        | "auto_sbom_generation"
        | "reuse_sys_cve_allowlist"
        | "proxy_referrer_api"
        | "proxy_cache_local_on_not_found" => Values::TrueOrFalse,
        "severity" => Values::Severity,
        "proxy_speed_kb" | "max_upstream_conn" => Values::Number,
        "proxy_cache_filter_kind" => Values::DoublestarOrRegex,
        "proxy_cache_filter_pattern" => Values::Text,
        _ => return None,
    })
}

impl Metadata {
    /// Whether everybody may pull, and nothing else.
    pub fn public(public: bool) -> Self {
        Self { public: Some(public), ..Self::default() }
    }

    /// Reads names and values.
    ///
    /// # Errors
    /// Invalid, in Harbor's words, when a name is not known or a value not allowed.
    pub fn read(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut metadata = Self::default();
        for (name, value) in pairs {
            let value = read_value(&name, &value)?;
            if name == PUBLIC {
                metadata.public = Some(value == "true");
            } else {
                metadata.others.insert(name, value);
            }
        }
        Ok(metadata)
    }

    /// Stores all but `public`, which is a column of the project. At most a dozen rows.
    pub(super) async fn store(&self, tx: &mut Tx, project_id: i64) -> Result<()> {
        for (name, value) in &self.others {
            tx.execute(sql::SET_METADATA, args![project_id, name, value]).await?;
        }
        Ok(())
    }
}

/// A value as it is stored.
fn read_value(name: &str, value: &str) -> Result<String> {
    let unknown = || invalid(format!("invalid key: {name}"));
    let wrong = || invalid(format!("invalid value: {value}"));
    let fits = match values(name).ok_or_else(unknown)? {
        Values::TrueOrFalse => {
            return query::flag(value).map(|flag| flag.to_string()).map_err(|_| wrong());
        }
        Values::Severity => {
            let lower = value.to_ascii_lowercase();
            let fits = matches!(&*lower, "none" | "low" | "medium" | "high" | "critical");
            return if fits { Ok(lower) } else { Err(wrong()) };
        }
        Values::Number => value.parse::<i32>().is_ok_and(|number| number >= -1),
        Values::DoublestarOrRegex => matches!(value, "doublestar" | "regex"),
        Values::Text => value.len() <= LONGEST && !value.contains('\0'),
    };
    if fits { Ok(value.to_owned()) } else { Err(wrong()) }
}

fn invalid(message: String) -> Error {
    Error::invalid(message).about(Subject::Project)
}

/// All that is set for a project, `public` included.
///
/// # Errors
/// NotFound when the project was deleted meanwhile.
pub async fn metadata(context: &Context, allowed: &Allowed) -> Result<BTreeMap<String, String>> {
    allowed.require(Right::new(Resource::Metadata, Action::List))?;
    stored(context, allowed).await
}

/// What is set for a project by one name; nothing if it is not set.
///
/// # Errors
/// As [`metadata`].
pub async fn metadatum(
    context: &Context,
    allowed: &Allowed,
    name: &str,
) -> Result<BTreeMap<String, String>> {
    allowed.require(Right::new(Resource::Metadata, Action::Read))?;
    let mut all = stored(context, allowed).await?;
    all.retain(|own, _| own == name);
    Ok(all)
}

async fn stored(context: &Context, allowed: &Allowed) -> Result<BTreeMap<String, String>> {
    let rows = context.db.all(sql::METADATA, args![allowed.project().id]).await?;
    if rows.is_empty() {
        return Err(gone(&allowed.project().name));
    }
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Sets what was not set for a project yet.
///
/// # Errors
/// Conflict when it is set; Invalid when the name is not known or the value not allowed.
pub async fn add_metadata(
    context: &Context,
    allowed: &Allowed,
    name: String,
    value: &str,
) -> Result<()> {
    allowed.require(Right::new(Resource::Metadata, Action::Create))?;
    let value = read_value(&name, value)?;
    change(context, allowed, Changed::Added(name, value)).await
}

/// Sets something for a project.
///
/// # Errors
/// Invalid when the name is not known or the value not allowed.
pub async fn set_metadata(
    context: &Context,
    allowed: &Allowed,
    name: String,
    value: &str,
) -> Result<()> {
    allowed.require(Right::new(Resource::Metadata, Action::Update))?;
    let value = read_value(&name, value)?;
    change(context, allowed, Changed::Set(name, value)).await
}

/// Has something not be set for a project any more; nobody may pull then from one that was
/// public. What was not set stays so.
///
/// # Errors
/// Invalid when the name is not known.
pub async fn remove_metadata(context: &Context, allowed: &Allowed, name: String) -> Result<()> {
    allowed.require(Right::new(Resource::Metadata, Action::Delete))?;
    if values(&name).is_none() {
        return Err(invalid(format!("invalid key: {name}")));
    }
    change(context, allowed, Changed::Removed(name)).await
}

/// What happens to one of a project's metadata.
#[derive(Clone)]
enum Changed {
    Added(String, String),
    Set(String, String),
    Removed(String),
}

impl Changed {
    /// Whether everybody may pull afterwards, if it is about that.
    fn public(&self) -> Option<bool> {
        match self {
            Self::Added(..) => None,
            Self::Set(name, value) => (name == PUBLIC).then(|| value == "true"),
            Self::Removed(name) => (name == PUBLIC).then_some(false),
        }
    }

    async fn store(&self, tx: &mut Tx, project_id: i64) -> Result<()> {
        let known = |name: &str| {
            Error::conflict(format!("the metadata {name} is set already")).about(Subject::Project)
        };
        match self {
            Self::Added(name, _) if name == PUBLIC => return Err(known(name)),
            Self::Set(name, _) | Self::Removed(name) if name == PUBLIC => {}
            Self::Added(name, value) => {
                if tx.execute(sql::ADD_METADATA, args![project_id, name, value]).await? == 0 {
                    return Err(known(name));
                }
            }
            Self::Set(name, value) => {
                tx.execute(sql::SET_METADATA, args![project_id, name, value]).await?;
            }
            Self::Removed(name) => {
                tx.execute(sql::DELETE_METADATA, args![project_id, name]).await?;
            }
        }
        Ok(())
    }
}

async fn change(context: &Context, allowed: &Allowed, changed: Changed) -> Result<()> {
    let (project, now) = (allowed.project().clone(), context.clock.now());
    let (caches, audit) = (context.caches.clone(), audit::by(context, allowed.by()).await?);
    context
        .db
        .write(move |tx| {
            let (changed, project) = (changed.clone(), project.clone());
            let (caches, audit) = (caches.clone(), audit.clone());
            Box::pin(async move {
                let args = args![project.id, changed.public(), now];
                if tx.execute(sql::UPDATE, args).await? == 0 {
                    return Err(gone(&project.name));
                }
                changed.store(tx, project.id).await?;
                caches.projects.changes(tx, &project.name.to_string());
                let entry = Entry::new(Event::UpdateProject, &*project.name).in_project(project.id);
                audit.record(tx, entry).await
            })
        })
        .await
}

/// What tells which retention policy a project has.
const RETENTION: &str = "retention_id";

/// Tells in a project's metadata which retention policy it has. The room of these calls it.
///
/// # Errors
/// Those of the database.
pub(crate) async fn set_retention(
    tx: &mut Tx,
    caches: &Caches,
    project: &Project,
    policy_id: Option<i64>,
) -> Result<()> {
    match policy_id {
        Some(id) => {
            tx.execute(sql::SET_METADATA, args![project.id, RETENTION, id.to_string()]).await?;
        }
        None => {
            tx.execute(sql::DELETE_METADATA, args![project.id, RETENTION]).await?;
        }
    }
    caches.projects.changes(tx, &project.name.to_string());
    Ok(())
}

/// Makes sure that a project has the retention policy that a client says it has.
///
/// # Errors
/// Invalid when it has another, or none.
pub(super) async fn require_retention(tx: &mut Tx, project_id: i64, said: &str) -> Result<()> {
    for row in tx.all(sql::METADATA, args![project_id]).await? {
        if row.get::<String>(0)? == RETENTION && row.get::<String>(1)? == said {
            return Ok(());
        }
    }
    Err(Error::invalid("retention_id cannot be set: leave it out, or send it as it is"))
}

pub(super) fn gone(name: &str) -> Error {
    Error::not_found(Subject::Project, format!("project {name} not found"))
}

#[cfg(test)]
mod tests {
    use super::read_value;

    #[test]
    fn values_are_what_their_names_take() {
        for (name, value, stored) in [
            ("public", "True", "true"),
            ("auto_scan", "0", "false"),
            ("severity", "High", "high"),
            ("proxy_speed_kb", "-1", "-1"),
            ("proxy_cache_filter_kind", "regex", "regex"),
            ("proxy_cache_filter_pattern", "", ""),
        ] {
            assert_eq!(read_value(name, value).ok().as_deref(), Some(stored), "{name}={value}");
        }
        for (name, value) in [
            ("nonsense", "x"),
            ("retention_id", "1"),
            ("auto_scan", "yes"),
            ("auto_scan", ""),
            ("severity", "worst"),
            ("max_upstream_conn", "-2"),
            ("proxy_speed_kb", "99999999999"),
            ("proxy_cache_filter_pattern", "a\0"),
            ("proxy_cache_filter_pattern", &"a".repeat(1025)),
        ] {
            assert!(read_value(name, value).is_err(), "{name}={value}");
        }
    }
}
