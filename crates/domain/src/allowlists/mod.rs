//! CVEs that do not count against an image: the system's list, and those of projects.
//!
//! Owns the table `cve_allowlists`. Promises: a list names a CVE once. Everybody who is
//! known may read the system's, and a sysadmin changes it; a project's is part of the
//! project, and `projects` asks and sets it.

mod sql;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use db::{Args, Row, Sql, Tx, args};
use kit::{Error, Result, Time};

use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System},
};

/// The number in place of a project's for the list of the system.
const SYSTEM: i64 = 0;

/// How many CVEs a list may name, and how long a name may be, in bytes.
const MOST: usize = 10_000;
const LONGEST: usize = 255;

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowlist {
    /// Its number; none as long as nobody set it.
    pub id: Option<i64>,
    /// When it ends; none if it does not.
    pub expires_at: Option<Time>,
    /// The CVEs' names.
    pub items: Vec<String>,
    /// When it was first set.
    pub created_at: Option<Time>,
    /// When it was last set.
    pub updated_at: Option<Time>,
}

/// What somebody sets a list to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// When it ends; none if it does not.
    pub expires_at: Option<Time>,
    /// The CVEs' names.
    pub items: Vec<String>,
}

/// The list of the system; empty as long as nobody set it.
///
/// # Errors
/// None but the database's.
pub async fn system(context: &Context) -> Result<Allowlist> {
    Ok(of(context, &[SYSTEM]).await?.remove(&SYSTEM).unwrap_or_default())
}

/// The lists of projects by their numbers; one that nobody set is not there.
pub(crate) async fn of(context: &Context, projects: &[i64]) -> Result<HashMap<i64, Allowlist>> {
    let mut ids = Args::new();
    ids.extend(projects.iter().copied());
    let statement = Sql::list(sql::OF_BEFORE, projects.len(), sql::OF_AFTER);
    context.db.all(statement, ids).await?.iter().map(read).collect()
}

/// Reads the columns of [`sql::OF_BEFORE`].
fn read(row: &Row) -> Result<(i64, Allowlist)> {
    let list = Allowlist {
        id: Some(row.get(1)?),
        expires_at: row.get(2)?,
        items: serde_json::from_str(&row.get::<String>(3)?).map_err(Error::internal)?,
        created_at: Some(row.get(4)?),
        updated_at: Some(row.get(5)?),
    };
    Ok((row.get(0)?, list))
}

/// Sets the list of the system.
///
/// # Errors
/// Invalid when it names a CVE twice, or too many, or with an empty or too long name.
pub async fn set_system(
    context: &Context,
    allowed: &Allowed<System>,
    change: Change,
) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    change.check()?;
    let now = context.clock.now();
    let audit = audit::by(context, allowed.by()).await?;
    context
        .db
        .write(move |tx| {
            let (change, audit) = (change.clone(), audit.clone());
            Box::pin(async move {
                change.store(tx, SYSTEM, now).await?;
                let entry = Entry::new(Event::UpdateConfiguration, "configuration");
                audit.record(tx, entry.described("update configuration: cve_allowlist")).await
            })
        })
        .await
}

/// The list of a project that is deleted goes with it.
pub(crate) async fn remove(tx: &mut Tx, project_id: i64) -> Result<()> {
    tx.execute(sql::DELETE, args![project_id]).await.map(drop)
}

impl Change {
    /// Whether a list may be so.
    ///
    /// # Errors
    /// Invalid when it names a CVE twice, or too many, or with an empty or too long name.
    pub(crate) fn check(&self) -> Result<()> {
        check(&self.items)
    }

    /// Sets the list of a project, in the transaction of a deed.
    pub(crate) async fn store(&self, tx: &mut Tx, project_id: i64, now: Time) -> Result<()> {
        let items = serde_json::to_string(&self.items).map_err(Error::internal)?;
        tx.execute(sql::SET, args![project_id, self.expires_at, items, now]).await.map(drop)
    }
}

fn check(items: &[String]) -> Result<()> {
    if items.len() > MOST {
        return Err(Error::invalid(format!("an allowlist names at most {MOST} CVEs")));
    }
    let mut seen = HashSet::new();
    for item in items {
        if item.is_empty() || item.len() > LONGEST || item.chars().any(char::is_control) {
            return Err(Error::invalid(format!("a CVE's name has 1 to {LONGEST} bytes")));
        }
        if !seen.insert(item) {
            return Err(Error::invalid(format!("duplicate CVE ID in allowlist: {item}")));
        }
    }
    Ok(())
}
