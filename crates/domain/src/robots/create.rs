//! Making a robot.

use std::time::Duration;

use db::{Tx, args};
use kit::{Error, Kind, Result, Secret, Time};

use super::{AllowedLevel, Given, Level, Permission, secret, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    projects,
    rights::{Action, Principal},
    settings::{self, Key},
};

/// The longest name and the longest description, in characters.
const LONGEST_NAME: usize = 255;
pub(super) const LONGEST_DESCRIPTION: usize = 1024;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A robot to be made.
#[derive(Clone, Debug)]
pub struct NewRobot {
    /// Its name, without prefix and project.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// For how many days; -1 for ever, 0 for what the settings say.
    pub duration: i64,
    /// Whether it is turned off.
    pub disabled: bool,
    /// Whether lists show it.
    pub visible: bool,
    /// Its secret, if somebody chose it.
    pub secret: Option<Secret>,
}

/// What whoever made a robot is told, once.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its number.
    pub id: i64,
    /// The name to log in with.
    pub name: String,
    /// The secret to log in with.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Time,
    /// When it ends, if it does.
    pub expires_at: Option<Time>,
}

impl NewRobot {
    fn check(&self) -> Result<()> {
        let is_short = self.name.chars().count() <= LONGEST_NAME;
        if !is_short || !projects::is_name(&self.name) {
            let message = "robot name is not in lower case or contains illegal characters";
            return Err(Error::invalid(message));
        }
        check_description(&self.description)?;
        check_duration(self.duration, true)
    }
}

/// Makes a robot of the level that was allowed.
///
/// # Errors
/// Invalid when it breaks a rule of Harbor's; Conflict when the name is taken.
pub async fn create(
    context: &Context,
    allowed: &AllowedLevel,
    new: NewRobot,
    given: Given,
) -> Result<Created> {
    allowed.require(Action::Create)?;
    new.check()?;
    let (creator_type, creator_ref) = creator(allowed.by().principal())?;
    let (secret, secret_hash) = match &new.secret {
        Some(chosen) => (chosen.clone(), secret::hash_chosen(context, chosen).await?),
        None => secret::generate(),
    };
    let name = match allowed {
        AllowedLevel::System(_) => new.name.clone(),
        AllowedLevel::Project(allowed) => format!("{}+{}", allowed.project().name, new.name),
    };
    let created_at = context.clock.now();
    let configuration = settings::current(context).await?;
    let duration = match new.duration {
        0 => configuration.number(Key::RobotTokenDuration),
        days => days,
    };
    let expires_at = end(created_at, duration);
    let row = args![
        &name,
        &new.description,
        allowed.level().project_id(),
        secret_hash,
        duration,
        expires_at,
        new.disabled,
        new.visible,
        creator_type,
        creator_ref,
        created_at,
    ];
    let full_name = format!("{}{name}", configuration.text(Key::RobotNamePrefix));
    let mut entry = Entry::new(Event::CreateRobot, full_name.as_str());
    if let Some(project_id) = allowed.level().project_id() {
        entry = entry.in_project(project_id);
    }
    let audit = audit::by(context, allowed.by()).await?;
    let made = context
        .db
        .write(move |tx| {
            let (row, permissions) = (row.clone(), given.0.clone());
            let (entry, audit) = (entry.clone(), audit.clone());
            Box::pin(async move {
                let made = tx.one(sql::INSERT, row).await?;
                let id = made.ok_or_else(|| Error::internal("a new robot has no id"))?.get(0)?;
                store(tx, id, &permissions).await?;
                audit.record(tx, entry).await?;
                Ok(id)
            })
        })
        .await;
    let id = made.map_err(|error| match error.kind {
        Kind::Conflict => Error::conflict(format!("robot account {name} already exists")),
        _ => error,
    })?;
    Ok(Created { id, name: full_name, secret, created_at, expires_at })
}

/// Stores the permissions of a robot that has none.
pub(super) async fn store(tx: &mut Tx, robot_id: i64, permissions: &[Permission]) -> Result<()> {
    for (position, permission) in permissions.iter().enumerate() {
        let position = i64::try_from(position).map_err(Error::internal)?;
        let repositories =
            permission.repositories.as_ref().map(|patterns| patterns.to_stored()).transpose()?;
        let row = args![
            robot_id,
            position,
            permission.scope.kind(),
            permission.scope.project_id(),
            permission.rights.to_stored(),
            repositories,
        ];
        tx.execute(sql::INSERT_PERMISSION, row).await?;
    }
    Ok(())
}

/// When a robot ends that was made for so many days.
pub(super) fn end(created_at: Time, duration: i64) -> Option<Time> {
    let days = u32::try_from(duration).ok()?;
    let microseconds = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
    Some(Time(created_at.0.saturating_add(i64::from(days).saturating_mul(microseconds))))
}

/// Whether a robot may live for so many days: -1 is for ever, and 0, where it may be left
/// open, is what the settings say.
pub(super) fn check_duration(duration: i64, may_be_open: bool) -> Result<()> {
    let fits = duration == -1
        || may_be_open && duration == 0
        || (1..i64::from(i32::MAX)).contains(&duration);
    if fits {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "bad request error duration input: {duration}, duration must be either -1(Never) or a \
         positive integer"
    )))
}

pub(super) fn check_description(description: &str) -> Result<()> {
    if description.chars().count() <= LONGEST_DESCRIPTION && !description.contains('\0') {
        return Ok(());
    }
    let message = format!("the description has at most {LONGEST_DESCRIPTION} characters");
    Err(Error::invalid(message))
}

/// Who made a robot, in Harbor's words.
fn creator(principal: Principal) -> Result<(&'static str, i64)> {
    match principal {
        Principal::User(id) => Ok(("local", id)),
        Principal::Robot(id) => Ok(("robot", id)),
        Principal::System => Ok(("solutionuser", 0)),
        Principal::Anonymous => Err(Error::internal("anonymous was allowed to make a robot")),
    }
}

impl Level {
    /// Whether robots of this level may be given rights on the system.
    pub fn is_system(self) -> bool {
        self == Self::System
    }
}
