//! What is shown of projects.

use std::collections::{BTreeMap, HashMap};

use db::{Args, Row, Sql, args};
use kit::{Error, Result, Selection, Subject, query::Direction};

use super::{Allowed, Project, Role, TOTAL, read_project, sql};
use crate::{
    Context,
    allowlists::{self, Allowlist},
    listing::{Field, List, Listing, Source},
    rights::View,
    users::User,
};

/// Projects have indexes on id, name, owner and whether they are public; by their times they
/// are sorted whole, which are as many as an installation has projects.
pub(super) const LIST: List = List {
    id: "p.id",
    shown: sql::LIST_SHOWN,
    fields: &[
        Field::text("name", "p.name"),
        Field::number("project_id", "p.id"),
        Field::number("owner_id", "p.owner_id"),
        Field::flag("public", "p.public"),
        Field::text("owner", "u.username").within(sql::OWNER),
        Field::time("creation_time", "p.created_at"),
        Field::time("update_time", "p.updated_at"),
    ],
    order: ("p.name", Direction::Ascending),
};

/// A project with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Details {
    /// The project.
    pub project: Project,
    /// The name of its owner.
    pub owner_name: String,
    /// How many repositories it has.
    pub repository_count: i64,
    /// What is set, `public` included.
    pub metadata: BTreeMap<String, String>,
    /// The CVEs that do not count in it.
    pub allowlist: Allowlist,
    /// The numbers of the roles of who asks, the one with the most rights first.
    pub role_ids: Vec<i64>,
}

/// A page of the projects that a caller sees, by name if nothing else is asked for: one
/// query for the page, one for the total unless it is in memory, one for each kind of part.
///
/// # Errors
/// Invalid when a value to look for is none of its field's.
pub async fn list(
    context: &Context,
    view: View,
    selection: &Selection,
) -> Result<Listing<Details>> {
    let (from, args, total) = match view {
        View::Everything => (sql::EVERY_FROM, args![], Some(total(context).await?)),
        view => (sql::VISIBLE_FROM, args![view.user_id(), view.robot_id()], None),
    };
    let source = Source { from, args, among: None, counted: None, total };
    let mut found = LIST.page_from(&context.db, &source, selection, read_details).await?;
    add_parts(context, view.user_id(), &mut found.items).await?;
    Ok(found)
}

/// A page of the projects that a user is a member of, by itself or by a group.
///
/// # Errors
/// As [`list`].
pub async fn list_own(
    context: &Context,
    user: &User,
    selection: &Selection,
) -> Result<Listing<Details>> {
    let args = args![user.id];
    let mut found = LIST.page(&context.db, sql::OWN_FROM, args, selection, read_details).await?;
    add_parts(context, user.id, &mut found.items).await?;
    Ok(found)
}

/// How many projects there are.
async fn total(context: &Context) -> Result<i64> {
    let count = async || {
        let row = context.db.one(sql::TOTAL, args![]).await?;
        row.map(|row| row.get(0)).transpose()
    };
    let total = context.caches.project_total.get(&context.db, &TOTAL, count).await?;
    Ok(total.map_or(0, |total| *total))
}

/// All that is shown of a project, to a user by number if one asks.
///
/// # Errors
/// NotFound when it was deleted meanwhile.
pub async fn details(
    context: &Context,
    allowed: &Allowed,
    user_id: Option<i64>,
) -> Result<Details> {
    let project = allowed.project();
    let row = context.db.one(sql::DETAILS, args![project.id]).await?.ok_or_else(|| {
        Error::not_found(Subject::Project, format!("project {} not found", project.name))
    })?;
    let mut details = [read_details(&row)?];
    add_parts(context, user_id.unwrap_or_default(), &mut details).await?;
    let [details] = details;
    Ok(details)
}

/// Adds the metadata and allowlists of projects and the roles of a user in them, which are
/// asked for side by side.
async fn add_parts(context: &Context, user_id: i64, projects: &mut [Details]) -> Result<()> {
    let ids: Vec<i64> = projects.iter().map(|details| details.project.id).collect();
    let (mut metadata, mut roles) = (Args::new(), args![user_id]);
    metadata.extend(ids.iter().copied());
    roles.extend(ids.iter().copied());
    let of_metadata = Sql::list(sql::METADATA_BEFORE, ids.len(), sql::METADATA_AFTER);
    let of_roles = Sql::list(sql::ROLES_BEFORE, ids.len(), sql::ROLES_AFTER);
    let (metadata, roles, allowlists) = tokio::try_join!(
        context.db.all(of_metadata, metadata),
        context.db.all(of_roles, roles),
        allowlists::of(context, &ids),
    )?;

    let mut by_id: HashMap<i64, &mut Details> =
        projects.iter_mut().map(|details| (details.project.id, details)).collect();
    for row in metadata {
        if let Some(details) = by_id.get_mut(&row.get(0)?) {
            details.metadata.insert(row.get(1)?, row.get(2)?);
        }
    }
    for (id, allowlist) in allowlists {
        if let Some(details) = by_id.get_mut(&id) {
            details.allowlist = allowlist;
        }
    }
    for row in roles {
        if let Some(details) = by_id.get_mut(&row.get(0)?) {
            details.role_ids.push(row.get(1)?);
        }
    }
    for details in by_id.into_values() {
        details.role_ids.sort_by_key(|id| (rank(*id), *id));
        details.role_ids.dedup();
    }
    Ok(())
}

/// Where a role stands among others: the one with the most rights first, custom ones last.
fn rank(role_id: i64) -> u8 {
    match Role::from_id(role_id) {
        Some(Role::ProjectAdmin) => 0,
        Some(Role::Maintainer) => 1,
        Some(Role::Developer) => 2,
        Some(Role::Guest) => 3,
        Some(Role::LimitedGuest) => 4,
        None => 5,
    }
}

/// Reads the columns of [`sql::LIST_SHOWN`].
fn read_details(row: &Row) -> Result<Details> {
    let project = read_project(row)?;
    let public = ("public".to_owned(), project.public.to_string());
    Ok(Details {
        project,
        owner_name: row.get(6)?,
        repository_count: row.get(7)?,
        metadata: BTreeMap::from([public]),
        allowlist: Allowlist::default(),
        role_ids: Vec::new(),
    })
}
