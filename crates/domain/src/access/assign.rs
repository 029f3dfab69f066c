//! What can be given to robots at all, for whoever chooses.

use kit::{Error, Kind, Result};

use super::{
    Caller,
    decide::{known, may_do_everything},
};
use crate::{
    Context, projects,
    rights::{PROJECT_RULES, Right, SYSTEM_RULES},
};

/// The rights that robots may be given.
#[derive(Clone, Debug, Default)]
pub struct Assignable {
    /// On the system; none for who cannot give them.
    pub system: Vec<Right>,
    /// In projects.
    pub project: Vec<Right>,
}

/// What a caller may choose from: sysadmins all of it, whoever administers a project what
/// counts in projects.
///
/// # Errors
/// Unauthenticated for anonymous, Forbidden for everybody else.
pub async fn assignable(context: &Context, caller: &Caller) -> Result<Assignable> {
    known(context, caller).await?;
    let all = !caller.has_token() && may_do_everything(context, caller).await?;
    let administers = match caller.user_id() {
        Some(id) if !all && !caller.has_token() => projects::administers_any(context, id).await?,
        _ => false,
    };
    if !all && !administers {
        let message = "only admins(system and project) can access permissions";
        return Err(Error::new(Kind::Forbidden, message));
    }
    let of_system = SYSTEM_RULES.iter().filter(|rule| all && rule.robot());
    let of_project = PROJECT_RULES.iter().filter(|rule| rule.robot());
    Ok(Assignable {
        system: of_system.map(|rule| rule.right).collect(),
        project: of_project.map(|rule| rule.right).collect(),
    })
}
