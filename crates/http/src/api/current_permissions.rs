//! What whoever asks may do: for portals, which show what can be done.

use std::sync::Arc;

use axum::{Extension, extract};
use domain::{
    access::{self, Caller, PROJECT_RULES, Right, Rights},
    projects::{ProjectRef, Role},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ApiError, Operations, answer::Whole, permissions::Permission, request::Query};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("user").get(
        "/users/current/permissions",
        "getCurrentUserPermissions",
        "What whoever asks may do.",
        show,
        &[401],
    )
}

/// About what somebody asks.
#[derive(Deserialize, IntoParams)]
struct ScopeQuery {
    /// `/project/` and the number of a project, or `/system`.
    scope: Option<String>,
    /// Whether things are named as seen from the scope.
    relative: Option<bool>,
}

/// What is asked about.
enum Scope {
    Project(i64),
    System,
}

impl Scope {
    /// What a text means, if it means something. More may follow, which narrows what is
    /// shown in relation to it.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('/')?.splitn(3, '/');
        match (parts.next()?, parts.next()) {
            ("project", Some(id)) => Some(Self::Project(id.parse().ok()?)),
            ("system", _) => Some(Self::System),
            _ => None,
        }
    }

    /// How a thing in it is named in full.
    fn name(&self, resource: &str) -> String {
        let base = match self {
            Self::Project(id) => format!("/project/{id}"),
            Self::System => "/system".to_owned(),
        };
        if resource.is_empty() { base } else { format!("{base}/{resource}") }
    }
}

/// How a thing is named as seen from a scope, if it is within it; a dot for the scope itself.
fn relative(name: &str, scope: &str) -> Option<String> {
    let rest = name.strip_prefix(scope)?;
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    Some(if rest.is_empty() { ".".to_owned() } else { rest.to_owned() })
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ScopeQuery>,
) -> Result<Whole<Permission>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let text = query.scope.unwrap_or_default();
    let Some(scope) = Scope::parse(&text) else { return Ok(Whole(Vec::new())) };
    let rights: Rights = match scope {
        Scope::Project(id) => {
            let rights = access::rights_in(&state.domain, &caller, ProjectRef::Id(id)).await?;
            rights.iter().filter(|right| is_of_members(*right)).collect()
        }
        Scope::System => access::rights_on_system(&state.domain, &caller).await?,
    };
    let named = |right: Right| {
        let name = scope.name(right.resource.as_str());
        let resource = match query.relative.unwrap_or_default() {
            true => relative(&name, &text)?,
            false => name,
        };
        Some(Permission { resource, action: right.action.as_str().to_owned() })
    };
    Ok(Whole(rights.iter().filter_map(named).collect()))
}

/// Whether a right is one that members have: others are for robots only.
fn is_of_members(right: Right) -> bool {
    let rule = PROJECT_RULES.iter().find(|rule| rule.right == right);
    rule.is_some_and(|rule| Role::ALL.into_iter().any(|role| rule.has(role)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_named_as_seen_from_the_scope() {
        for (name, scope, seen) in [
            ("/project/1/repository", "/project/1", Some("repository")),
            ("/project/1/repository", "/project/1/", Some("repository")),
            ("/project/1", "/project/1", Some(".")),
            ("/project/1/member", "/project/1/repository", None),
            ("/system/user", "/system", Some("user")),
        ] {
            assert_eq!(relative(name, scope).as_deref(), seen, "{name} from {scope}");
        }
        for nothing in ["", "/", "project/1", "/project", "/project/x", "/project/1x", "/users"] {
            assert!(Scope::parse(nothing).is_none(), "{nothing}");
        }
    }
}
