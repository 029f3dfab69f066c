//! Showing policies, and what came of their runs.

use std::collections::HashMap;

use db::{Args, Sql, args};
use kit::{Error, Kind, Result, Selection, Subject};

use super::{NewPolicy, Policy, sql};
use crate::{
    Context,
    access::{self, Caller},
    jobs::{self, Execution, Task},
    listing::Listing,
    projects::{Allowed, ProjectRef},
    rights::{self, Action, Resource, Right, System},
};

/// The policy of a number, and the proof that a caller may do something with it.
///
/// # Errors
/// As [`access::on_project`]; NotFound only for those who may do it with all projects.
pub async fn known(
    context: &Context,
    caller: &Caller,
    id: i64,
    action: Action,
) -> Result<(Policy, Allowed)> {
    let row = context.db.one(sql::BY_ID, args![id]).await?;
    let right = Right::new(Resource::TagRetention, action);
    let absent = || {
        let message = format!("no such Retention policy with id {id}");
        Error::not_found(Subject::Request, message)
    };
    let Some(row) = row else {
        // No project has the number 0.
        let refused = access::on_project(context, caller, ProjectRef::Id(0), right).await;
        return Err(match refused {
            Err(error) if !error.is(Kind::NotFound) => error,
            _ => absent(),
        });
    };
    let project_id: i64 = row.get(1)?;
    let allowed = access::on_project(context, caller, ProjectRef::Id(project_id), right).await?;
    let schedule = jobs::schedules::get(&context.db, jobs::Kind::Retention, id).await?;
    let policy = Policy {
        id,
        project_id,
        what: NewPolicy::from_stored(&row.get::<String>(2)?)?,
        next_at: schedule.map(|schedule| schedule.next_at),
    };
    Ok((policy, allowed))
}

/// The policy as a task finds it; none if it is gone.
pub(super) async fn find(context: &Context, id: i64) -> Result<Option<(i64, NewPolicy)>> {
    let Some(row) = context.db.one(sql::BY_ID, args![id]).await? else { return Ok(None) };
    Ok(Some((row.get(1)?, NewPolicy::from_stored(&row.get::<String>(2)?)?)))
}

/// The number of a project's policy, if it has one.
///
/// # Errors
/// None but the database's.
pub async fn policy_of(context: &Context, allowed: &Allowed) -> Result<Option<i64>> {
    let row = context.db.one(sql::OF_PROJECT, args![allowed.project().id]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// The names of the projects that policies are of, by the number of the policy; those that are
/// gone are left out.
///
/// # Errors
/// None but the database's.
pub async fn projects_of(
    context: &Context,
    allowed: &rights::Allowed<System>,
    policies: &[i64],
) -> Result<HashMap<i64, String>> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::List))?;
    if policies.is_empty() {
        return Ok(HashMap::new());
    }
    let mut arguments = Args::new();
    arguments.extend(policies.iter().copied());
    let statement = Sql::list(sql::PROJECTS_BEFORE, policies.len(), sql::PROJECTS_AFTER);
    let rows = context.db.all(statement, arguments).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A page of a policy's runs, the last first.
///
/// # Errors
/// None but the database's.
pub async fn executions(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    selection: &Selection,
) -> Result<Listing<Execution>> {
    allowed.require(Right::new(Resource::TagRetention, Action::List))?;
    jobs::list(&context.db, jobs::Kind::Retention, Some(policy.id), selection).await
}

/// A page of the tasks of a run, one for each repository.
///
/// # Errors
/// NotFound when the run is none of the policy's.
pub async fn tasks(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    execution_id: i64,
    selection: &Selection,
) -> Result<Listing<Task>> {
    allowed.require(Right::new(Resource::TagRetention, Action::List))?;
    execution(context, policy, execution_id).await?;
    jobs::tasks(&context.db, execution_id, selection).await
}

/// The log of a task.
///
/// # Errors
/// NotFound when the task is none of the run's, or the run none of the policy's.
pub async fn log(
    context: &Context,
    allowed: &Allowed,
    policy: &Policy,
    (execution_id, task_id): (i64, i64),
) -> Result<String> {
    allowed.require(Right::new(Resource::TagRetention, Action::Read))?;
    task(context, policy, execution_id, task_id).await?;
    jobs::log(&context.db, task_id).await
}

/// A run of a policy.
pub(super) async fn execution(
    context: &Context,
    policy: &Policy,
    execution_id: i64,
) -> Result<Execution> {
    let (db, kind) = (&context.db, jobs::Kind::Retention);
    let found = jobs::find(db, kind, Some(policy.id), execution_id).await?;
    found.ok_or_else(|| unknown(policy, execution_id))
}

/// A task of a run of a policy.
pub(super) async fn task(
    context: &Context,
    policy: &Policy,
    execution_id: i64,
    task_id: i64,
) -> Result<Task> {
    execution(context, policy, execution_id).await?;
    let found = jobs::task(&context.db, task_id).await?;
    let found = found.filter(|task| task.execution_id == execution_id);
    found.ok_or_else(|| unknown(policy, execution_id))
}

fn unknown(policy: &Policy, execution_id: i64) -> Error {
    let project = policy.project_id;
    let message = format!("project: {project}, execution id {execution_id} not found");
    Error::not_found(Subject::Request, message)
}
