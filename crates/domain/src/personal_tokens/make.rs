//! Making a token.

use db::{Args, Sql, args};
use kit::{Error, Kind, Result, Secret, Subject, Time};

use super::{MOST, Scope, sql, verify::Shown};
use crate::{
    Context,
    audit::{self, Entry, Event},
    users::AllowedAccount,
};

/// The longest name, in characters, and the most projects of one token.
const LONGEST_NAME: usize = 255;
const MOST_PROJECTS: usize = 100;

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What its user calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// In which projects, by number; none for all.
    pub projects: Option<Vec<i64>>,
    /// When it ends, if it does.
    pub expires_at: Option<Time>,
}

impl NewToken {
    fn check(&self, now: Time) -> Result<()> {
        let length = self.name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || self.name.chars().any(char::is_control) {
            return Err(Error::invalid("the name of a token has 1 to 255 characters"));
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("the token would have expired already"));
        }
        let fits = |projects: &Vec<i64>| (1..=MOST_PROJECTS).contains(&projects.len());
        if !self.projects.as_ref().is_none_or(fits) {
            return Err(Error::invalid("a token is for 1 to 100 projects, or for all"));
        }
        Ok(())
    }
}

/// Makes a token for a user, and gives its number and what is to be shown of it this once.
///
/// # Errors
/// Forbidden unless the user makes it itself; Invalid when it breaks a rule; Conflict when the
/// user has one of that name; Precondition when the user has too many.
pub async fn make(
    context: &Context,
    allowed: &AllowedAccount,
    mut new: NewToken,
) -> Result<(i64, Secret)> {
    if !allowed.is_own() {
        return Err(Error::new(Kind::Forbidden, "forbidden"));
    }
    let now = context.clock.now();
    if let Some(projects) = &mut new.projects {
        projects.sort_unstable();
        projects.dedup();
    }
    new.check(now)?;
    let shown = Shown::make(&context.session_key);
    let user = allowed.user();
    let row = args![
        user.id,
        &new.name,
        new.scope.name(),
        new.projects.is_none(),
        shown.hash(),
        new.expires_at,
        now
    ];
    let audit = audit::by(context, allowed.by()).await?;
    let deed = format!("create personal access token {} of user: {}", new.name, user.username);
    let entry = Entry::new(Event::UpdateUser, &*user.username).described(deed);
    let (user_id, projects) = (user.id, new.projects.unwrap_or_default());
    let made = context
        .db
        .write(move |tx| {
            let (row, projects) = (row.clone(), projects.clone());
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move {
                let count = tx.one(sql::COUNT, args![user_id]).await?;
                if count.map_or(Ok(0), |row| row.get::<i64>(0))? >= MOST {
                    let message = format!("a user has at most {MOST} personal access tokens");
                    return Err(Error::new(Kind::Precondition, message));
                }
                let row = tx.one(sql::INSERT, row).await?;
                let id: i64 =
                    row.ok_or_else(|| Error::internal("a new token has no id"))?.get(0)?;
                if !projects.is_empty() {
                    let mut args = Args::new();
                    for project in &projects {
                        args.push(id);
                        args.push(*project);
                    }
                    let rows = Sql::rows(sql::INSERT_PROJECTS_ROWS, 2, projects.len(), "");
                    tx.execute(rows, args).await?;
                }
                audit.record(tx, entry).await?;
                Ok(id)
            })
        })
        .await;
    let id = made.map_err(|error| match error.kind {
        Kind::Conflict => {
            Error::conflict("there is a token with this name already").about(Subject::User)
        }
        _ => error,
    })?;
    Ok((id, shown.into_secret()))
}
