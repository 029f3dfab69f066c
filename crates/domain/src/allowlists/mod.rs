//! CVEs that do not count against an image: the system's list.
//!
//! Owns the table `cve_allowlists`. Promises: a list names a CVE once. Everybody who is
//! known may read; a sysadmin changes.

mod sql;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use db::args;
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

/// The list of the system; empty as long as nobody set it.
///
/// # Errors
/// None but the database's.
pub async fn system(context: &Context) -> Result<Allowlist> {
    let Some(row) = context.db.one(sql::OF, args![SYSTEM]).await? else {
        return Ok(Allowlist::default());
    };
    Ok(Allowlist {
        id: Some(row.get(0)?),
        expires_at: row.get(1)?,
        items: serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?,
        created_at: Some(row.get(3)?),
        updated_at: Some(row.get(4)?),
    })
}

/// Sets the list of the system.
///
/// # Errors
/// Invalid when it names a CVE twice, or too many, or with an empty or too long name.
pub async fn set_system(
    context: &Context,
    allowed: &Allowed<System>,
    expires_at: Option<Time>,
    items: Vec<String>,
) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    check(&items)?;
    let items = serde_json::to_string(&items).map_err(Error::internal)?;
    let now = context.clock.now();
    let audit = audit::by(context, allowed.by()).await?;
    context
        .db
        .write(move |tx| {
            let (items, audit) = (items.clone(), audit.clone());
            Box::pin(async move {
                tx.execute(sql::SET, args![SYSTEM, expires_at, items, now]).await?;
                let entry = Entry::new(Event::UpdateConfiguration, "configuration");
                audit.record(tx, entry.described("update configuration: cve_allowlist")).await
            })
        })
        .await
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
