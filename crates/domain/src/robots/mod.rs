//! Robots: accounts for machines, of the whole system or of one project.
//!
//! Owns the tables `robots`, `robot_permissions` and `robot_trusts`. Promises: a secret is
//! shown when it is made and kept only as a hash; a robot that is disabled, expired or gone,
//! or whose secret or rights change, is so with its next request; nothing is given to a
//! robot but what `access` found that its maker may give ([`Given`]). `access` and
//! everybody below may call.

mod change;
mod create;
mod list;
mod permission;
mod secret;
mod sql;
#[cfg(test)]
mod tests;
mod trust;

use std::sync::Arc;

use db::{Row, Sql, args};
use kit::{Result, Time};

use crate::{
    Context, projects,
    rights::{self, Action, Reach, Resource, Right, System},
    settings::{self, Key},
};

pub use change::{Change, delete, narrow, set_secret, update};
pub use create::{Created, NewRobot, create};
pub use list::{list, show};
pub(crate) use permission::read_requested;
pub use permission::{Given, Permission, RequestedAccess, RequestedPermission, Scope};
pub use secret::verify;
pub(crate) use secret::{Proofs, no_proofs};
pub use trust::{NewTrust, Trust, add_trust, remove_trust, trusted, trusts, trusts_of};

/// Where a robot belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// To the system.
    System,
    /// To the project with a number.
    Project(i64),
}

impl Level {
    /// Harbor's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Project(_) => "project",
        }
    }

    fn project_id(self) -> Option<i64> {
        match self {
            Self::System => None,
            Self::Project(id) => Some(id),
        }
    }
}

/// Proof that somebody may do something with the robots of a level.
#[derive(Clone, Debug)]
pub enum AllowedLevel {
    /// With those of the system.
    System(rights::Allowed<System>),
    /// With those of a project.
    Project(projects::Allowed),
}

impl AllowedLevel {
    /// Which level.
    pub fn level(&self) -> Level {
        match self {
            Self::System(_) => Level::System,
            Self::Project(allowed) => Level::Project(allowed.project().id),
        }
    }

    /// Who was allowed.
    pub fn by(&self) -> &rights::Who {
        match self {
            Self::System(allowed) => allowed.by(),
            Self::Project(allowed) => allowed.by(),
        }
    }

    fn require(&self, action: Action) -> Result<()> {
        let right = Right::new(Resource::Robot, action);
        match self {
            Self::System(allowed) => allowed.require(right),
            Self::Project(allowed) => allowed.require(right),
        }
    }
}

/// Proof that somebody may have a robot in hand: change it, and do whatever it may do.
/// Whoever sets a robot's secret, or whose tokens stand for it, can act as the robot.
#[derive(Clone, Debug)]
pub struct Held {
    allowed: AllowedLevel,
    robot: Arc<Robot>,
    /// Whether its rights are the holder's in all repositories.
    everywhere: bool,
}

impl Held {
    /// The proof, for `access` to give.
    pub(crate) fn decided(allowed: AllowedLevel, robot: Arc<Robot>, everywhere: bool) -> Self {
        Self { allowed, robot, everywhere }
    }
}

/// A robot, with all that is known of it.
#[derive(Clone, Debug)]
pub struct Robot {
    /// Its number, never used again.
    pub id: i64,
    /// The name to log in with.
    pub name: Arc<str>,
    /// What it is for.
    pub description: String,
    /// Where it belongs.
    pub level: Level,
    /// For how many days it was made; -1 for ever.
    pub duration: i64,
    /// When it ends, if it does.
    pub expires_at: Option<Time>,
    /// Whether it is turned off.
    pub disabled: bool,
    /// Whether lists show it.
    pub visible: bool,
    /// What made it: `local` for a user, `robot` for a robot.
    pub creator_type: String,
    /// The number of what made it.
    pub creator_ref: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// What it may do.
    pub permissions: Vec<Permission>,
    secret_hash: Arc<str>,
}

impl Robot {
    /// Whether it may still do something at all.
    pub fn is_live(&self, now: Time) -> bool {
        !self.disabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// How far a right of the robot reaches in a project; none if it has not got it there.
    pub(crate) fn reach(&self, project_id: i64, right: Right) -> Option<Reach> {
        self.permissions
            .iter()
            .filter(|permission| permission.scope.covers(project_id) && permission.allows(right))
            .map(|permission| Reach::of(permission.repositories.as_ref()))
            .reduce(Reach::or)
    }

    /// Whether the robot has a permission in all projects.
    pub(crate) fn covers_all(&self) -> bool {
        self.permissions.iter().any(|permission| permission.scope == Scope::AllProjects)
    }

    /// Whether the robot has a right on the system.
    pub(crate) fn may_on_system(&self, right: Right) -> bool {
        let on_system = |permission: &&Permission| permission.scope == Scope::System;
        self.permissions.iter().filter(on_system).any(|permission| permission.rights.has(right))
    }
}

/// What the names of robots begin with.
async fn prefix(context: &Context) -> Result<String> {
    Ok(settings::current(context).await?.text(Key::RobotNamePrefix).to_owned())
}

/// The robot with a number, from memory, whether or not it is live.
pub(crate) async fn find(context: &Context, id: i64) -> Result<Option<Arc<Robot>>> {
    let find = || async {
        let Some(row) = context.db.one(sql::BY_ID, args![id]).await? else { return Ok(None) };
        let mut robots = [read_robot(&prefix(context).await?, &row)?];
        add_permissions(context, &mut robots).await?;
        let [robot] = robots;
        Ok(Some(robot))
    };
    context.caches.robots.get(&context.db, &id, find).await
}

/// Adds the permissions of robots.
async fn add_permissions(context: &Context, robots: &mut [Robot]) -> Result<()> {
    let mut ids = args![];
    ids.extend(robots.iter().map(|robot| robot.id));
    let statement = Sql::list(sql::PERMISSIONS_BEFORE, robots.len(), sql::PERMISSIONS_AFTER);
    for row in context.db.all(statement, ids).await? {
        let id: i64 = row.get(0)?;
        if let Some(robot) = robots.iter_mut().find(|robot| robot.id == id) {
            robot.permissions.push(permission::read(&row)?);
        }
    }
    Ok(())
}

/// Reads the columns of [`sql::BY_ID`].
fn read_robot(prefix: &str, row: &Row) -> Result<Robot> {
    let name: String = row.get(1)?;
    let project_id: Option<i64> = row.get(3)?;
    Ok(Robot {
        id: row.get(0)?,
        name: format!("{prefix}{name}").into(),
        description: row.get(2)?,
        level: project_id.map_or(Level::System, Level::Project),
        duration: row.get(4)?,
        expires_at: row.get(5)?,
        disabled: row.get(6)?,
        visible: row.get(7)?,
        creator_type: row.get(8)?,
        creator_ref: row.get(9)?,
        created_at: row.get(10)?,
        updated_at: row.get(11)?,
        secret_hash: row.get::<String>(12)?.into(),
        permissions: Vec::new(),
    })
}
