//! What is shown of projects.

use std::collections::{BTreeMap, HashMap};

use db::{Args, Row, Sql, args};
use kit::{Error, Page, Result, Subject};

use super::{Allowed, Project, Role, read_project, sql};
use crate::{
    Context,
    listing::{Listing, containing, limit, offset},
    rights::View,
};

/// Which projects a list has. What is not given does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of the name, in whatever case.
    pub name: Option<String>,
    /// Public, or not.
    pub public: Option<bool>,
    /// The name of the owner.
    pub owner: Option<String>,
}

/// How a list is sorted; where it leaves a choice, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name.
    #[default]
    Name,
    /// By name, backwards.
    NameDescending,
    /// The oldest first.
    Created,
    /// The newest first.
    CreatedDescending,
    /// The one that was changed longest ago first.
    Updated,
    /// The one that was changed last first.
    UpdatedDescending,
}

impl Sort {
    /// The sorting with a name of Harbor's, such as `-creation_time`.
    pub fn from_name(name: &str) -> Option<Self> {
        use Sort::{Created, CreatedDescending, Name, NameDescending, Updated, UpdatedDescending};
        [Name, NameDescending, Created, CreatedDescending, Updated, UpdatedDescending]
            .into_iter()
            .find(|sort| sort.name() == name)
    }

    /// Harbor's name.
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameDescending => "-name",
            Self::Created => "creation_time",
            Self::CreatedDescending => "-creation_time",
            Self::Updated => "update_time",
            Self::UpdatedDescending => "-update_time",
        }
    }
}

/// A project with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Details {
    /// The project.
    pub project: Project,
    /// The name of its owner.
    pub owner_name: String,
    /// How many repositories it has.
    pub repository_count: i64,
    /// What is set, beside `public`.
    pub metadata: BTreeMap<String, String>,
    /// The numbers of the roles of who asks, the one with the most rights first.
    pub role_ids: Vec<i64>,
}

/// A page of the projects that a caller sees: one count, one query for the page, one for
/// each kind of part.
///
/// # Errors
/// None but the database's.
pub async fn list(
    context: &Context,
    view: View,
    filter: &Filter,
    sort: Sort,
    page: Page,
) -> Result<Listing<Details>> {
    let mut args = args![
        view.is_everything(),
        view.user_id(),
        filter.name.as_deref().map(containing),
        filter.public,
        filter.owner.clone(),
        view.robot_id(),
    ];
    let total = context.db.one(sql::COUNT, args.clone()).await?;
    args.push(sort.name());
    args.push(limit(page));
    args.push(offset(page));
    let rows = context.db.all(sql::PAGE, args).await?;
    let mut items = rows.iter().map(read_details).collect::<Result<Vec<_>>>()?;
    add_parts(context, view.user_id(), &mut items).await?;
    Ok(Listing { items, total: total.map_or(Ok(0), |row| row.get(0))? })
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

/// Adds the metadata of projects and the roles of a user in them.
async fn add_parts(context: &Context, user_id: i64, projects: &mut [Details]) -> Result<()> {
    let ids: Vec<i64> = projects.iter().map(|details| details.project.id).collect();
    let mut by_id: HashMap<i64, &mut Details> =
        projects.iter_mut().map(|details| (details.project.id, details)).collect();

    let mut metadata = Args::new();
    metadata.extend(ids.iter().copied());
    let statement = Sql::list(sql::METADATA_BEFORE, ids.len(), sql::METADATA_AFTER);
    for row in context.db.all(statement, metadata).await? {
        if let Some(details) = by_id.get_mut(&row.get(0)?) {
            details.metadata.insert(row.get(1)?, row.get(2)?);
        }
    }

    let mut roles = args![user_id];
    roles.extend(ids.iter().copied());
    let statement = Sql::list(sql::ROLES_BEFORE, ids.len(), sql::ROLES_AFTER);
    for row in context.db.all(statement, roles).await? {
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

/// Reads the columns of [`sql::PAGE`].
fn read_details(row: &Row) -> Result<Details> {
    Ok(Details {
        project: read_project(row)?,
        owner_name: row.get(6)?,
        repository_count: row.get(7)?,
        metadata: BTreeMap::new(),
        role_ids: Vec::new(),
    })
}
