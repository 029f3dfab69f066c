//! What only Haven's robots have: issuers whose tokens stand for them, and rights that reach
//! some repositories only.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller, Patterns},
    robots::{self, NewTrust, Permission, Trust},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Timestamp, Whole},
    request::{Path, Sent, null_is_nothing},
    robots::RobotPath,
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let trusts = "/robots/{robot_id}/trusts";
    let one = "/robots/{robot_id}/trusts/{trust_id}";
    let reach = "/robots/{robot_id}/repositories";
    let refusals = &[401, 403, 404];
    Operations::haven("robot")
        .get(trusts, "listRobotTrusts", "Whose tokens stand for a robot.", list, refusals)
        .post(trusts, "addRobotTrust", "Lets tokens stand for a robot.", create, refusals)
        .delete(one, "removeRobotTrust", "Ends a trust.", remove, refusals)
        .get(reach, "listRobotReach", "Which repositories a robot reaches.", reaches, refusals)
        .put(reach, "narrowRobot", "Sets which repositories a robot reaches.", narrow, refusals)
}

/// A trust in a path.
#[derive(Deserialize, IntoParams)]
struct TrustPath {
    /// The number of the robot.
    robot_id: i64,
    /// The number of the trust.
    trust_id: i64,
}

/// Whose tokens stand for a robot.
#[derive(Serialize, ToSchema)]
struct RobotTrust {
    id: i64,
    issuer: String,
    audience: String,
    claims: BTreeMap<String, String>,
    creation_time: Timestamp,
}

/// What a client sends to let tokens stand for a robot.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct RobotTrustRequest {
    /// Who issues the tokens: an HTTPS URL.
    #[serde(deserialize_with = "null_is_nothing")]
    issuer: String,
    /// Whom the tokens must be for.
    #[serde(deserialize_with = "null_is_nothing")]
    audience: String,
    /// What the claims of a token must match, each a pattern.
    #[serde(deserialize_with = "null_is_nothing")]
    claims: BTreeMap<String, String>,
}

/// Which repositories a robot reaches in a project, or by `*` in all.
#[derive(Deserialize, Serialize, ToSchema)]
struct RobotReach {
    #[serde(default, deserialize_with = "null_is_nothing")]
    namespace: String,
    /// Patterns of repositories, named without their project; null for all of them.
    repositories: Option<Vec<String>>,
}

impl From<Trust> for RobotTrust {
    fn from(trust: Trust) -> Self {
        let text = |(name, pattern): (String, kit::Pattern)| (name, pattern.as_str().to_owned());
        Self {
            id: trust.id,
            issuer: trust.issuer,
            audience: trust.audience,
            claims: trust.claims.into_iter().map(text).collect(),
            creation_time: trust.created_at.into(),
        }
    }
}

impl From<&Permission> for RobotReach {
    fn from(permission: &Permission) -> Self {
        Self {
            namespace: permission.scope.namespace().to_owned(),
            repositories: permission.repositories.as_ref().map(Patterns::texts),
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
) -> Result<Whole<RobotTrust>, ApiError> {
    let allowed = access::on_robot(&state.domain, &caller, robot_id, Action::Read).await?;
    let found = robots::trusts(&state.domain, &allowed, robot_id).await?;
    Ok(Whole(found.into_iter().map(RobotTrust::from).collect()))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
    OriginalUri(uri): OriginalUri,
    request: Sent<RobotTrustRequest>,
) -> Result<Created, ApiError> {
    let held = access::hold(&state.domain, &caller, robot_id).await?;
    let RobotTrustRequest { issuer, audience, claims } = request.read().await?;
    let new = NewTrust { issuer, audience, claims };
    let id = robots::add_trust(&state.domain, &held, new).await?;
    Ok(Created::below(&uri, id))
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(TrustPath { robot_id, trust_id }): Path<TrustPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_robot(&state.domain, &caller, robot_id, Action::Update).await?;
    robots::remove_trust(&state.domain, &allowed, robot_id, trust_id).await?;
    Ok(Done)
}

async fn reaches(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
) -> Result<Whole<RobotReach>, ApiError> {
    let allowed = access::on_robot(&state.domain, &caller, robot_id, Action::Read).await?;
    let robot = robots::show(&state.domain, &allowed, robot_id).await?;
    let of_projects = robot.permissions.iter().filter(|permission| permission.is_in_projects());
    Ok(Whole(of_projects.map(RobotReach::from).collect()))
}

async fn narrow(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
    request: Sent<RobotReach>,
) -> Result<Done, ApiError> {
    let held = access::hold(&state.domain, &caller, robot_id).await?;
    let request = request.read().await?;
    let patterns = request.repositories.as_deref().map(Patterns::parse).transpose()?;
    robots::narrow(&state.domain, &held, &request.namespace, patterns).await?;
    Ok(Done)
}
