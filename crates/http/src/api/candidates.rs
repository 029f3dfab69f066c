//! Who may become a member of a project: users and groups that are known here, and those that
//! only a directory knows. Only Haven has it.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    groups::GroupKind,
    sources::{self, Sought},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    request::{Project, Query},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let path = "/projects/{project_name_or_id}/candidates";
    let summary = "Who may become a member of a project.";
    Operations::haven("member").get(path, "findCandidates", summary, find, &[401, 403, 404])
}

/// Who is looked for.
#[derive(Deserialize, IntoParams)]
struct CandidatesQuery {
    /// A part of the name. In directories, only who may search them finds by a part; others
    /// find by the exact user name, or by a group's distinguished name. Nobody without one.
    text: Option<String>,
    /// Whether groups are looked for, and no users.
    groups: Option<bool>,
}

/// Who may become a member.
#[derive(Serialize, ToSchema)]
struct MemberCandidates {
    /// Who is known here first, then whom only a directory knows.
    candidates: Vec<MemberCandidate>,
    /// The names of the directories that are searched too.
    directories: Vec<String>,
    /// Whether one of them did not answer.
    unanswered: bool,
}

/// A user or a group.
#[derive(Serialize, ToSchema)]
struct MemberCandidate {
    name: String,
    /// The name in real life, as a directory tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    realname: Option<String>,
    /// The number of the user or the group that is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// Of a group: 1 of LDAP, 2 of HTTP, 3 of OIDC.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_type: Option<i64>,
    /// Of a directory's group.
    #[serde(skip_serializing_if = "Option::is_none")]
    ldap_group_dn: Option<String>,
    /// The directory that told of it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl From<sources::Candidate> for MemberCandidate {
    fn from(candidate: sources::Candidate) -> Self {
        Self {
            name: candidate.name,
            realname: candidate.realname,
            id: candidate.id,
            group_type: candidate.kind.map(GroupKind::id),
            ldap_group_dn: candidate.dn,
            source: candidate.source,
        }
    }
}

async fn find(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Query(query): Query<CandidatesQuery>,
) -> Result<Json<MemberCandidates>, ApiError> {
    let domain = &state.domain;
    let right = Right::new(Resource::Member, Action::Create);
    let allowed = access::on_project(domain, &caller, project.by(), right).await?;
    let right = Right::new(Resource::LdapUser, Action::List);
    let looks = match access::rights_on_system(domain, &caller).await?.has(right) {
        true => Some(access::on_system(domain, &caller, right).await?),
        false => None,
    };
    let sought = if query.groups.unwrap_or_default() { Sought::Group } else { Sought::User };
    let text = query.text.unwrap_or_default();
    let all = sources::candidates(domain, &allowed, looks.as_ref(), sought, &text).await?;
    Ok(Json(MemberCandidates {
        candidates: all.found.into_iter().map(MemberCandidate::from).collect(),
        directories: all.directories,
        unanswered: all.unanswered,
    }))
}
