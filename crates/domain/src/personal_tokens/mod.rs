//! What users show in place of their password: personal access tokens, and the CLI secret of
//! users from elsewhere.
//!
//! Owns the tables `personal_tokens`, `personal_token_projects` and `cli_secrets`. Promises: a
//! token is shown when it is made and kept only as a hash; one that is revoked, has expired or
//! whose user is gone opens nothing from then on, here at once and on other replicas within a
//! second, and neither does a registry token that was got by it; what it may do, `access` cuts
//! with its scope; a CLI secret is sealed, because Harbor shows it, and lives until it is
//! replaced or its user is gone. To use either costs a look into memory. `access` and
//! everybody below may call.

mod cli;
mod make;
mod revoke;
mod scope;
mod sql;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::{Arc, atomic::AtomicBool};

use db::{Row, Sql, args};
use kit::{Result, Time};

use crate::{Context, users::AllowedAccount};

pub use cli::{CliSecret, cli_secret, ensure_cli_secret, set_cli_secret};
pub(crate) use cli::{Proofs, no_proofs, recall_cli, verify_cli};
pub use make::{NewToken, make};
pub use revoke::{revoke, revoke_all};
pub use scope::Scope;
pub(crate) use verify::verify;

/// How many a user may have.
const MOST: i64 = 100;

/// A personal access token.
#[derive(Debug)]
pub struct PersonalToken {
    /// Its number, never used again.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What its user calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// In which projects, by number; none for all.
    pub projects: Option<Vec<i64>>,
    /// When it ends, if it does.
    pub expires_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, give or take some minutes.
    pub used_at: Option<Time>,
    hash: String,
    /// Whether this process is about to write down that it is used.
    marking: AtomicBool,
}

impl PersonalToken {
    /// Whether it still opens anything.
    pub fn is_live(&self, now: Time) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it takes nothing away from what its user may do.
    pub(crate) fn is_whole(&self) -> bool {
        self.scope == Scope::All && self.projects.is_none()
    }

    /// Whether it lets its user do something in a project.
    pub(crate) fn allows(&self, project_id: i64, right: crate::rights::Right) -> bool {
        self.scope.allows(right)
            && self.projects.as_ref().is_none_or(|projects| projects.contains(&project_id))
    }
}

/// The tokens of a user, the newest first, those that have expired among them.
///
/// # Errors
/// None but the database's.
pub async fn list(context: &Context, allowed: &AllowedAccount) -> Result<Vec<PersonalToken>> {
    let rows = context.db.all(sql::OF_USER, args![allowed.user().id, MOST]).await?;
    let mut tokens: Vec<PersonalToken> = rows.iter().map(read_token).collect::<Result<_>>()?;
    add_projects(context, &mut tokens).await?;
    Ok(tokens)
}

/// The token with a number, from memory, whether or not it is live.
pub(crate) async fn find(context: &Context, id: i64) -> Result<Option<Arc<PersonalToken>>> {
    let find = || async {
        let Some(row) = context.db.one(sql::BY_ID, args![id]).await? else { return Ok(None) };
        let mut tokens = [read_token(&row)?];
        add_projects(context, &mut tokens).await?;
        let [token] = tokens;
        Ok(Some(token))
    };
    context.caches.personal_tokens.get(&context.db, &id, find).await
}

/// Adds the projects that tokens are for.
async fn add_projects(context: &Context, tokens: &mut [PersonalToken]) -> Result<()> {
    if tokens.iter().all(|token| token.projects.is_none()) {
        return Ok(());
    }
    let mut ids = args![];
    ids.extend(tokens.iter().map(|token| token.id));
    let statement = Sql::list(sql::PROJECTS_BEFORE, tokens.len(), sql::PROJECTS_AFTER);
    for row in context.db.all(statement, ids).await? {
        let id: i64 = row.get(0)?;
        let of = tokens.iter_mut().find(|token| token.id == id);
        if let Some(projects) = of.and_then(|token| token.projects.as_mut()) {
            projects.push(row.get(1)?);
        }
    }
    Ok(())
}

/// Reads the columns of [`sql::BY_ID`].
fn read_token(row: &Row) -> Result<PersonalToken> {
    let all_projects: bool = row.get(4)?;
    Ok(PersonalToken {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        scope: Scope::from_name(&row.get::<String>(3)?).unwrap_or(Scope::Pull),
        projects: (!all_projects).then(Vec::new),
        expires_at: row.get(5)?,
        created_at: row.get(6)?,
        used_at: row.get(7)?,
        hash: row.get(8)?,
        marking: AtomicBool::new(false),
    })
}
