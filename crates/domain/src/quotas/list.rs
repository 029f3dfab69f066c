//! Looking at quotas.

use std::sync::Arc;

use db::{Row, Tx, args};
use kit::{
    Error, Result, Selection, Subject, Time,
    query::{Direction, Pattern},
};

use super::sql;
use crate::{
    Context,
    listing::{Field, List, Listing},
    rights::{Action, Allowed, Resource, Right, System},
};

/// There are as many quotas as projects: sorting them all is fine. By what projects use they
/// are sorted as far as it was added up; -1, no limit, is the largest, as in Harbor.
pub(super) const LIST: List = List {
    id: "p.id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::number("id", "p.id"),
        Field::number("reference_id", "p.id"),
        Field::text("project", "p.name"),
        Field::number(
            "hard.storage",
            "CASE WHEN COALESCE(p.storage_limit, -1) < 0 THEN 9223372036854775807 \
             ELSE p.storage_limit END",
        ),
        Field::number("used.storage", "COALESCE(u.used, 0)"),
        Field::time("creation_time", "p.created_at"),
        Field::time("update_time", "COALESCE(u.updated_at, p.created_at)"),
    ],
    order: ("p.created_at", Direction::Descending),
};

/// The quota of a project. It has the project's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The project's number.
    pub project_id: i64,
    /// The project's name.
    pub project: Arc<str>,
    /// The name of the project's owner.
    pub owner_name: String,
    /// How much the project may store, in bytes; -1 for no limit.
    pub limit: i64,
    /// How much it does.
    pub used: i64,
    /// When the project was made.
    pub created_at: Time,
    /// When the limit was set or what is used was last added up.
    pub updated_at: Time,
}

/// A page of the quotas, or that of one project.
///
/// # Errors
/// Invalid when the project is no number; else the database's.
pub async fn list(
    context: &Context,
    allowed: &Allowed<System>,
    project: Option<&str>,
    mut selection: Selection,
) -> Result<Listing<Quota>> {
    allowed.require(Right::new(Resource::Quota, Action::List))?;
    if let Some(project) = project {
        selection.filter.set("reference_id", Pattern::Exact(project.to_owned()));
    }
    LIST.page(&context.db, sql::LIST_FROM, args![], &selection, read).await
}

/// A quota.
///
/// # Errors
/// Not found when there is no such project.
pub async fn get(context: &Context, allowed: &Allowed<System>, id: i64) -> Result<Quota> {
    allowed.require(Right::new(Resource::Quota, Action::Read))?;
    let mut selection = Selection::default();
    selection.filter.set("id", Pattern::Exact(id.to_string()));
    let found = LIST.page(&context.db, sql::LIST_FROM, args![], &selection, read).await?;
    found.items.into_iter().next().ok_or_else(|| unknown(id))
}

/// How much a project may store and does; -1 for no limit.
///
/// # Errors
/// Not found when there is no such project.
pub async fn of_project(context: &Context, project_id: i64) -> Result<(i64, i64)> {
    let row = context.db.one(sql::STANDING, args![project_id]).await?;
    let row = row.ok_or_else(|| unknown(project_id))?;
    Ok((row.get(0)?, row.get(1)?))
}

/// How much all projects store together, each counted for itself.
///
/// # Errors
/// None but the database's.
pub(crate) async fn stored_by_all(context: &Context) -> Result<i64> {
    context.db.one(sql::STORED, args![]).await?.map_or(Ok(0), |row| row.get(0))
}

/// How much a project stores, or all of them together, in a transaction.
///
/// # Errors
/// None but the database's.
pub(crate) async fn stored(tx: &mut Tx, project_id: Option<i64>) -> Result<i64> {
    let row = match project_id {
        Some(id) => tx.one(sql::STORED_IN, args![id]).await?,
        None => tx.one(sql::STORED, args![]).await?,
    };
    row.map_or(Ok(0), |row| row.get(0))
}

pub(super) fn unknown(id: i64) -> Error {
    Error::not_found(Subject::Project, format!("quota {id} not found"))
}

fn read(row: &Row) -> Result<Quota> {
    Ok(Quota {
        project_id: row.get(0)?,
        project: row.get::<String>(1)?.into(),
        owner_name: row.get(2)?,
        limit: row.get(3)?,
        used: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}
