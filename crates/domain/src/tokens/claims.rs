//! What a token says (distribution's token specification, with two fields of our own).

use std::sync::Arc;

use oci::Scope;
use serde::{Deserialize, Serialize};

use crate::access::{Caller, Grant, Grants, Principal, RepositoryActions};

/// The payload of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    /// The user's name; empty for anonymous.
    pub(super) sub: String,
    pub(super) aud: String,
    /// Seconds since the epoch, as are the next two.
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) jti: String,
    pub(super) access: Vec<Access>,
    /// Ours: the user's number, which its rights hang on. Absent for anonymous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<i64>,
    /// Ours: the robot's number, if a robot asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rid: Option<i64>,
    /// Ours: the number of the personal token that the token was got by, and ends with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pat: Option<i64>,
}

/// What is granted on one resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Access {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) actions: Vec<String>,
    /// Ours: the number of the project that had the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pid: Option<i64>,
}

impl Access {
    /// An entry that grants actions on a repository, or none if it may not be known.
    pub(super) fn to_repository(name: &str, granted: Option<(i64, RepositoryActions)>) -> Self {
        let actions = granted.map_or(RepositoryActions::NONE, |(_, actions)| actions);
        Self {
            kind: "repository".to_owned(),
            name: name.to_owned(),
            actions: actions.names().map(str::to_owned).collect(),
            pid: granted.map(|(project_id, _)| project_id),
        }
    }
}

impl Access {
    /// What the entry grants, as a scope.
    pub(super) fn to_scope(&self) -> Scope {
        Scope {
            kind: self.kind.clone(),
            class: None,
            name: self.name.clone(),
            actions: self.actions.clone(),
        }
    }
}

impl Claims {
    /// Who the token speaks for, narrowed to what it grants.
    pub(super) fn caller(&self) -> Caller {
        let mut grants = Grants::default();
        for access in &self.access {
            match (access.kind.as_str(), access.pid) {
                ("repository", Some(project_id)) => grants.repositories.push(Grant {
                    project_id,
                    repository: access.name.as_str().into(),
                    actions: access
                        .actions
                        .iter()
                        .fold(RepositoryActions::NONE, |set, name| set.with_name(name)),
                }),
                ("registry", _) if access.name == "catalog" => {
                    grants.catalog |= access.actions.iter().any(|action| action == "*");
                }
                _ => {}
            }
        }
        let principal = match (self.uid, self.rid) {
            (Some(id), _) => Principal::User(id),
            (None, Some(id)) => Principal::Robot(id),
            (None, None) => Principal::Anonymous,
        };
        let is_known = principal != Principal::Anonymous;
        let name = is_known.then(|| Arc::from(self.sub.as_str()));
        Caller::by_token(principal, name, Arc::new(grants), self.pat)
    }
}
