//! Directories, as administrators look into them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    groups::GroupKind,
    sources::{self, FailedImport, First, Found, Group, Person, Probe},
};
use kit::{Error, Kind, Secret};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::Whole,
    describe::{Description, Output},
    request::{Query, Sent, null_is_nothing, parse_body},
    usergroups::UserGroup,
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let refusals = &[400, 401, 403];
    Operations::harbor("Ldap")
        .post("/ldap/ping", "pingLdap", "Tries an LDAP server.", ping, refusals)
        .get("/ldap/users/search", "searchLdapUser", "Users of LDAP.", find_people, refusals)
        .post("/ldap/users/import", "importLdapUser", "Imports users.", import, refusals)
        .get("/ldap/groups/search", "searchLdapGroup", "Groups of LDAP.", find_groups, refusals)
}

/// The operations of this file that only Haven has: directories by a part of a name.
pub(super) fn haven_operations() -> Operations {
    let refusals = &[400, 401, 403];
    let (people, groups) = ("/directory/people", "/directory/groups");
    Operations::haven("Ldap")
        .get(people, "searchDirectoryPeople", "People of directories.", search_people, refusals)
        .get(groups, "searchDirectoryGroups", "Groups of directories.", search_groups, refusals)
}

/// How a directory is to be tried; what is stored, if nothing is said.
#[derive(Default, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
struct LdapConf {
    #[serde(deserialize_with = "null_is_nothing")]
    ldap_url: String,
    #[serde(deserialize_with = "null_is_nothing")]
    ldap_search_dn: String,
    #[serde(deserialize_with = "null_is_nothing")]
    #[schema(value_type = String)]
    ldap_search_password: Secret,
    #[serde(deserialize_with = "null_is_nothing")]
    ldap_base_dn: String,
    #[serde(deserialize_with = "null_is_nothing")]
    ldap_filter: String,
    #[serde(deserialize_with = "null_is_nothing")]
    ldap_uid: String,
    ldap_scope: Option<i64>,
    ldap_connection_timeout: Option<i64>,
    ldap_verify_cert: Option<bool>,
}

impl LdapConf {
    fn probe(self) -> Probe {
        Probe {
            url: self.ldap_url,
            search_dn: self.ldap_search_dn,
            search_password: self.ldap_search_password,
            base_dn: self.ldap_base_dn,
            filter: self.ldap_filter,
            uid: self.ldap_uid,
            scope: self.ldap_scope.unwrap_or(2),
            timeout: self.ldap_connection_timeout.and_then(|seconds| u64::try_from(seconds).ok()),
            verify_certificate: self.ldap_verify_cert.unwrap_or(true),
        }
    }
}

/// Whether a directory can be asked.
#[derive(Serialize, ToSchema)]
struct LdapPingResult {
    success: bool,
    /// Why not.
    message: String,
}

/// Somebody of a directory.
#[derive(Serialize, ToSchema)]
struct LdapUser {
    username: String,
    realname: String,
    email: String,
}

impl From<Person> for LdapUser {
    fn from(person: Person) -> Self {
        let Person { username, realname, email, .. } = person;
        Self { username, realname, email: email.unwrap_or_default() }
    }
}

/// Who is to be imported.
#[derive(Deserialize, ToSchema)]
struct LdapImportUsers {
    #[serde(default, deserialize_with = "null_is_nothing")]
    ldap_uid_list: Vec<String>,
}

/// Somebody who could not be imported.
#[derive(Serialize, ToSchema)]
struct LdapFailedImportUser {
    uid: String,
    error: String,
}

impl From<FailedImport> for LdapFailedImportUser {
    fn from(failed: FailedImport) -> Self {
        Self { uid: failed.name, error: failed.why }
    }
}

/// Which users are searched.
#[derive(Deserialize, IntoParams)]
struct UsersQuery {
    /// The name to sign in with.
    username: Option<String>,
}

/// Which groups are searched.
#[derive(Deserialize, IntoParams)]
struct GroupsQuery {
    /// A part of the name.
    groupname: Option<String>,
    /// The distinguished name.
    groupdn: Option<String>,
}

/// What is searched in directories.
#[derive(Deserialize, IntoParams)]
struct TextQuery {
    /// A part of a name, or of the e-mail address; the distinguished name of a group. The
    /// first of all without one.
    text: Option<String>,
}

/// People of directories, by the name to sign in with.
#[derive(Serialize, ToSchema)]
struct DirectoryPeople {
    people: Vec<DirectoryPerson>,
    /// Whether there are more than are shown.
    more: bool,
}

/// Somebody of a directory.
#[derive(Serialize, ToSchema)]
struct DirectoryPerson {
    username: String,
    realname: String,
    email: String,
    /// The identity source, by name.
    source: String,
    /// The number of the user that they are already.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
}

impl From<Found<Person>> for DirectoryPerson {
    fn from(found: Found<Person>) -> Self {
        let Person { username, realname, email, .. } = found.what;
        let (email, user_id) = (email.unwrap_or_default(), found.id);
        Self { username, realname, email, source: found.source, user_id }
    }
}

/// Groups of directories, by name.
#[derive(Serialize, ToSchema)]
struct DirectoryGroups {
    groups: Vec<DirectoryGroup>,
    /// Whether there are more than are shown.
    more: bool,
}

/// A group of a directory.
#[derive(Serialize, ToSchema)]
struct DirectoryGroup {
    group_name: String,
    ldap_group_dn: String,
    /// The identity source, by name.
    source: String,
    /// The number of the user group that it is already.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<i64>,
}

impl From<Found<Group>> for DirectoryGroup {
    fn from(found: Found<Group>) -> Self {
        let Group { name, dn, .. } = found.what;
        let (group_name, ldap_group_dn) = (name, dn);
        Self { group_name, ldap_group_dn, source: found.source, group_id: found.id }
    }
}

async fn ping(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<LdapConf>,
) -> Result<Json<LdapPingResult>, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Read);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let body = request.bytes().await?;
    let conf: LdapConf = match body.trim_ascii().is_empty() {
        true => LdapConf::default(),
        false => parse_body(&body)?,
    };
    let probe = (conf != LdapConf::default()).then(|| conf.probe());
    let failed = sources::ping_directory(&state.domain, &allowed, probe).await?;
    Ok(Json(LdapPingResult {
        success: failed.is_none(),
        message: failed.map_or_else(String::new, |why| format!("error: {why}")),
    }))
}

async fn find_people(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<UsersQuery>,
) -> Result<Whole<LdapUser>, ApiError> {
    let right = Right::new(Resource::LdapUser, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let name = query.username.unwrap_or_default();
    let found = sources::find_people(&state.domain, &allowed, &name).await?;
    Ok(Whole(found.into_iter().map(LdapUser::from).collect()))
}

async fn find_groups(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<GroupsQuery>,
) -> Result<Whole<UserGroup>, ApiError> {
    let right = Right::new(Resource::LdapUser, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let (name, dn) = (query.groupname.unwrap_or_default(), query.groupdn.unwrap_or_default());
    let found = sources::find_groups(&state.domain, &allowed, &name, &dn).await?;
    if found.is_empty() {
        let message = format!("group name:{name}, group DN:{dn}");
        return Err(Error::new(Kind::NotFound, message).into());
    }
    let shown = |group: Group| UserGroup {
        group_name: group.name,
        ldap_group_dn: group.dn,
        group_type: GroupKind::Ldap.id(),
        ..UserGroup::default()
    };
    Ok(Whole(found.into_iter().map(shown).collect()))
}

async fn search_people(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<TextQuery>,
) -> Result<Json<DirectoryPeople>, ApiError> {
    let right = Right::new(Resource::LdapUser, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let text = query.text.unwrap_or_default();
    let First { found, more } = sources::search_people(&state.domain, &allowed, &text).await?;
    let people = found.into_iter().map(DirectoryPerson::from).collect();
    Ok(Json(DirectoryPeople { people, more }))
}

async fn search_groups(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<TextQuery>,
) -> Result<Json<DirectoryGroups>, ApiError> {
    let right = Right::new(Resource::LdapUser, Action::List);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let text = query.text.unwrap_or_default();
    let First { found, more } = sources::search_groups(&state.domain, &allowed, &text).await?;
    let groups = found.into_iter().map(DirectoryGroup::from).collect();
    Ok(Json(DirectoryGroups { groups, more }))
}

async fn import(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<LdapImportUsers>,
) -> Result<Imported, ApiError> {
    let right = Right::new(Resource::LdapUser, Action::Create);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let names = request.read().await?.ldap_uid_list;
    let failed = sources::import(&state.domain, &allowed, &names).await?;
    Ok(Imported(failed.into_iter().map(LdapFailedImportUser::from).collect()))
}

/// That all were imported, or who was not.
struct Imported(Vec<LdapFailedImportUser>);

impl IntoResponse for Imported {
    fn into_response(self) -> Response {
        match self.0.is_empty() {
            true => StatusCode::OK.into_response(),
            false => (StatusCode::NOT_FOUND, Json(self.0)).into_response(),
        }
    }
}

impl Output for Imported {
    fn describe(description: &mut Description) {
        description.answers(StatusCode::OK, &[]);
        description.answers_list::<LdapFailedImportUser>(StatusCode::NOT_FOUND, &[]);
    }
}
