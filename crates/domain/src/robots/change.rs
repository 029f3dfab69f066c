//! Changing a robot, and its end.

use db::{Tx, args};
use kit::{Error, Kind, Result, Secret, Time};

use super::{
    AllowedLevel, Given, Held, Permission, Scope,
    create::{check_description, check_duration, end, store},
    list::known,
    prefix, secret, sql,
};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Patterns},
};

/// What a robot is to be like.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its name, which cannot change.
    pub name: String,
    /// Harbor's name of its level, which cannot change.
    pub level: String,
    /// What it is for.
    pub description: String,
    /// For how many days, from when it was made; -1 for ever, none for as it is.
    pub duration: Option<i64>,
    /// Whether it is turned off.
    pub disabled: bool,
}

/// Changes a robot, all of its rights included. What narrows a right to repositories
/// stays, as long as the robot has rights in the same place.
///
/// # Errors
/// Invalid when it breaks a rule of Harbor's; NotFound.
pub async fn update(
    context: &Context,
    allowed: &AllowedLevel,
    id: i64,
    change: Change,
    given: Given,
) -> Result<()> {
    allowed.require(Action::Update)?;
    let robot = known(context, allowed, id).await?;
    if *change.name != *robot.name || change.level != robot.level.as_str() {
        return Err(Error::invalid("cannot update the level or name of robot"));
    }
    check_description(&change.description)?;
    if let Some(duration) = change.duration {
        check_duration(duration, false)?;
    }
    let permissions = keep_narrow(given.0, &robot.permissions);
    in_lock(context, allowed, id, (Event::UpdateRobot, ""), move |tx, kept, now| {
        let (permissions, change) = (permissions.clone(), change.clone());
        Box::pin(async move {
            let duration = change.duration.unwrap_or(kept.duration);
            let end = end(kept.created_at, duration);
            let row = args![id, change.description, duration, end, change.disabled, now];
            tx.execute(sql::UPDATE, row).await?;
            tx.execute(sql::DELETE_PERMISSIONS, args![id]).await?;
            store(tx, id, &permissions).await
        })
    })
    .await
}

/// New permissions, narrowed as the old ones in the same place were; but what whoever gives
/// them is narrowed to goes first.
fn keep_narrow(mut new: Vec<Permission>, old: &[Permission]) -> Vec<Permission> {
    for permission in new.iter_mut().filter(|permission| permission.repositories.is_none()) {
        let before = old.iter().find(|before| before.scope == permission.scope);
        permission.repositories = before.and_then(|before| before.repositories.clone());
    }
    new
}

/// Gives a robot another secret: the one that is given, or a new one. The old one is void
/// at once.
///
/// # Errors
/// Invalid when the secret breaks Harbor's rules; NotFound.
pub async fn set_secret(context: &Context, held: &Held, chosen: Option<Secret>) -> Result<Secret> {
    let id = held.robot.id;
    let (secret, hash) = match chosen {
        Some(chosen) => {
            let hash = secret::hash_chosen(context, &chosen).await?;
            (chosen, hash)
        }
        None => secret::generate(),
    };
    in_lock(context, &held.allowed, id, (Event::UpdateRobot, "secret"), move |tx, _, now| {
        let hash = hash.clone();
        Box::pin(async move {
            tx.execute(sql::SET_SECRET, args![id, hash, now]).await?;
            Ok(())
        })
    })
    .await?;
    Ok(secret)
}

/// Narrows what a robot may do in a project, or by `*` in all, to some repositories; or,
/// without patterns, lets it reach all of them again.
///
/// # Errors
/// Denied for who is narrowed itself; NotFound when there is no such robot, or it may do
/// nothing there.
pub async fn narrow(
    context: &Context,
    held: &Held,
    namespace: &str,
    patterns: Option<Patterns>,
) -> Result<()> {
    let id = held.robot.id;
    if !held.everywhere {
        let message = "who may reach some repositories only cannot say which a robot reaches";
        return Err(Error::new(Kind::Denied, message));
    }
    let scope = held
        .robot
        .permissions
        .iter()
        .map(|permission| &permission.scope)
        .find(|scope| **scope != Scope::System && scope.namespace() == namespace)
        .ok_or_else(|| {
            let message = format!("robot {id} has no permission in {namespace}");
            Error::new(Kind::NotFound, message)
        })?;
    let project_id = scope.project_id();
    let stored = patterns.as_ref().map(Patterns::to_stored).transpose()?;
    let what = format!("repositories in {namespace}");
    in_lock(context, &held.allowed, id, (Event::UpdateRobot, what), move |tx, _, _| {
        let row = args![id, project_id, stored.clone()];
        Box::pin(async move {
            tx.execute(sql::NARROW, row).await?;
            Ok(())
        })
    })
    .await
}

/// Deletes a robot.
///
/// # Errors
/// NotFound.
pub async fn delete(context: &Context, allowed: &AllowedLevel, id: i64) -> Result<()> {
    allowed.require(Action::Delete)?;
    in_lock(context, allowed, id, (Event::DeleteRobot, ""), move |tx, _, _| {
        Box::pin(async move {
            tx.execute(sql::DELETE, args![id]).await?;
            Ok(())
        })
    })
    .await
}

/// What of a robot is needed to change it.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    created_at: Time,
    duration: i64,
}

/// Does something with a robot of the level that was allowed, which nobody else changes
/// meanwhile, announces it and records the event; `what` of the robot it is about, if not
/// all of it.
pub(super) async fn in_lock<T, F>(
    context: &Context,
    allowed: &AllowedLevel,
    id: i64,
    (event, what): (Event, impl Into<String>),
    deed: F,
) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, Kept, Time) -> futures_util::future::BoxFuture<'t, Result<T>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let (project_id, now) = (allowed.level().project_id(), context.clock.now());
    let audit = audit::by(context, allowed.by()).await?;
    let prefix = prefix(context).await?;
    let (caches, what) = (context.caches.clone(), what.into());
    context
        .db
        .write(move |tx| {
            let (deed, caches) = (deed.clone(), caches.clone());
            let (audit, prefix, what) = (audit.clone(), prefix.clone(), what.clone());
            Box::pin(async move {
                let row = tx.one(sql::LOCK, args![id, project_id]).await?;
                let row = row.ok_or_else(|| unknown(id))?;
                let kept = Kept { created_at: row.get(0)?, duration: row.get(1)? };
                let done = deed(tx, kept, now).await?;
                caches.robots.changes(tx, &id);
                let name = format!("{prefix}{}", row.get::<String>(2)?);
                let mut entry = Entry::new(event, name.as_str());
                if !what.is_empty() {
                    entry = entry.described(format!("update robot: {name}, {what}"));
                }
                if let Some(project_id) = project_id {
                    entry = entry.in_project(project_id);
                }
                audit.record(tx, entry).await?;
                Ok(done)
            })
        })
        .await
}

pub(super) fn unknown(id: i64) -> Error {
    Error::new(Kind::NotFound, format!("robot account {id} not found"))
}
