//! Robots.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Caller},
    projects::ProjectRef,
    robots::{self, Change, NewRobot, Permission, RequestedAccess, RequestedPermission, Robot},
};
use kit::{
    Error, Secret, Time,
    query::{Filter, Pattern},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, CreatedWith, Done, Listed, Timestamp},
    request::{ListRequest, Path, Sent, null_is_nothing, whatever},
};
use crate::State;

/// How Harbor writes that a robot does not end.
const NEVER: i64 = -1;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let one = "/robots/{robot_id}";
    let refusals = &[400, 401, 403, 404];
    Operations::harbor("robot")
        .get("/robots", "ListRobot", "The robots of the system or a project.", list, refusals)
        .post("/robots", "CreateRobot", "Makes a robot.", create, &[401, 403, 404, 409])
        .get(one, "GetRobotByID", "A robot.", show, &[401, 403, 404])
        .put(one, "UpdateRobot", "Changes a robot.", update, &[401, 403, 404, 409])
        .patch(one, "RefreshSec", "Gives a robot another secret.", refresh, &[401, 403, 404])
        .delete(one, "DeleteRobot", "Deletes a robot.", remove, refusals)
}

/// A robot in a path.
#[derive(Deserialize, IntoParams)]
pub(super) struct RobotPath {
    /// The number of the robot.
    pub(super) robot_id: i64,
}

/// A robot as clients see it, and as they send it to change it.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[schema(as = Robot)]
#[serde(default)]
struct RobotModel {
    #[serde(deserialize_with = "null_is_nothing")]
    id: i64,
    #[serde(deserialize_with = "null_is_nothing")]
    name: String,
    #[serde(deserialize_with = "null_is_nothing")]
    description: String,
    /// Never shown here, and not taken: it has an operation of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(deserialize_with = "null_is_nothing")]
    level: String,
    /// In days; -1 for ever.
    duration: Option<i64>,
    #[serde(deserialize_with = "null_is_nothing")]
    editable: bool,
    #[serde(deserialize_with = "null_is_nothing")]
    disable: bool,
    /// Seconds since the epoch; -1 for never.
    #[serde(deserialize_with = "null_is_nothing")]
    expires_at: i64,
    #[serde(deserialize_with = "null_is_nothing")]
    permissions: Vec<RobotPermission>,
    #[serde(deserialize_with = "null_is_nothing")]
    creator_type: String,
    #[serde(deserialize_with = "null_is_nothing")]
    creator_ref: i64,
    #[serde(deserialize_with = "whatever")]
    creation_time: Timestamp,
    #[serde(deserialize_with = "whatever")]
    update_time: Timestamp,
}

/// What a client sends to make a robot.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
struct RobotCreate {
    #[serde(deserialize_with = "null_is_nothing")]
    name: String,
    #[serde(deserialize_with = "null_is_nothing")]
    description: String,
    #[serde(deserialize_with = "null_is_nothing")]
    secret: String,
    #[serde(deserialize_with = "null_is_nothing")]
    level: String,
    #[serde(deserialize_with = "null_is_nothing")]
    disable: bool,
    /// In days; -1 for ever, 0 for what the settings say.
    #[serde(deserialize_with = "null_is_nothing")]
    duration: i64,
    #[serde(deserialize_with = "null_is_nothing")]
    permissions: Vec<RobotPermission>,
}

/// Rights, and where they count.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
struct RobotPermission {
    #[serde(deserialize_with = "null_is_nothing")]
    kind: String,
    #[serde(deserialize_with = "null_is_nothing")]
    namespace: String,
    #[serde(deserialize_with = "null_is_nothing")]
    access: Vec<Access>,
}

/// A right.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
struct Access {
    #[serde(deserialize_with = "null_is_nothing")]
    resource: String,
    #[serde(deserialize_with = "null_is_nothing")]
    action: String,
    #[serde(deserialize_with = "null_is_nothing")]
    effect: String,
}

/// What whoever made a robot is told, once.
#[derive(Serialize, ToSchema)]
struct RobotCreated {
    id: i64,
    name: String,
    secret: String,
    creation_time: Timestamp,
    expires_at: i64,
}

/// A secret: the one that a client chose, or the one that was made.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
struct RobotSec {
    #[serde(deserialize_with = "null_is_nothing", skip_serializing_if = "String::is_empty")]
    secret: String,
}

impl From<RobotPermission> for RequestedPermission {
    fn from(permission: RobotPermission) -> Self {
        let access =
            |Access { resource, action, effect }| RequestedAccess { resource, action, effect };
        Self {
            kind: permission.kind,
            namespace: permission.namespace,
            access: permission.access.into_iter().map(access).collect(),
        }
    }
}

impl From<&Permission> for RobotPermission {
    fn from(permission: &Permission) -> Self {
        let access = |(resource, action): (&str, &str)| Access {
            resource: resource.to_owned(),
            action: action.to_owned(),
            effect: "allow".to_owned(),
        };
        Self {
            kind: permission.scope.kind().to_owned(),
            namespace: permission.scope.namespace().to_owned(),
            access: permission.access().map(access).collect(),
        }
    }
}

impl From<&Robot> for RobotModel {
    fn from(robot: &Robot) -> Self {
        Self {
            id: robot.id,
            name: robot.name.to_string(),
            description: robot.description.clone(),
            secret: None,
            level: robot.level.as_str().to_owned(),
            duration: Some(robot.duration),
            editable: true,
            disable: robot.disabled,
            expires_at: end(robot.expires_at),
            permissions: robot.permissions.iter().map(RobotPermission::from).collect(),
            creator_type: robot.creator_type.clone(),
            creator_ref: robot.creator_ref,
            creation_time: robot.created_at.into(),
            update_time: robot.updated_at.into(),
        }
    }
}

fn end(expires_at: Option<Time>) -> i64 {
    expires_at.map_or(NEVER, Time::seconds)
}

fn requested(permissions: Vec<RobotPermission>) -> Vec<RequestedPermission> {
    permissions.into_iter().map(RequestedPermission::from).collect()
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: ListRequest,
) -> Result<Listed<RobotModel>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let selection = request.selection()?;
    let project = project_of(&selection.filter)?.map(ProjectRef::Id);
    let allowed = access::on_robots(&state.domain, &caller, project, Action::List).await?;
    let found = robots::list(&state.domain, &allowed, &selection).await?;
    Ok(request.answer(found, |robot| RobotModel::from(&robot)))
}

/// Whose robots a `q` asks for: a project's by number, or else the system's.
fn project_of(filter: &Filter) -> Result<Option<i64>, Error> {
    match filter.of("level") {
        None => Ok(None),
        Some(Pattern::Exact(level)) if level == "system" => Ok(None),
        Some(Pattern::Exact(level)) if level == "project" => match filter.of("project_id") {
            Some(Pattern::Exact(id)) => {
                id.parse().map(Some).map_err(|_| Error::invalid("Project ID must be int type."))
            }
            Some(_) => Err(Error::invalid("Project ID must be int type.")),
            None => Err(Error::invalid("must with project ID when to query project robots")),
        },
        Some(_) => Err(Error::invalid("bad request error level input")),
    }
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    request: Sent<RobotCreate>,
) -> Result<CreatedWith<RobotCreated>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let request = request.read().await?;
    let permissions = requested(request.permissions);
    let project = match (request.level.as_str(), permissions.first()) {
        ("system", _) => None,
        ("project", Some(permission)) => Some(ProjectRef::Name(&permission.namespace)),
        ("project", None) => return Err(Error::invalid("bad request empty permission").into()),
        (level, _) => {
            let message = format!("bad request error level input: {level}");
            return Err(Error::invalid(message).into());
        }
    };
    let allowed = access::on_robots(&state.domain, &caller, project, Action::Create).await?;
    let given = access::give(&state.domain, &caller, &allowed, &permissions).await?;
    let new = NewRobot {
        name: request.name,
        description: request.description,
        duration: request.duration,
        disabled: request.disable,
        visible: true,
        secret: Some(request.secret).filter(|secret| !secret.is_empty()).map(Secret::from),
    };
    let made = robots::create(&state.domain, &allowed, new, given).await?;
    let model = RobotCreated {
        id: made.id,
        name: made.name,
        secret: made.secret.reveal().to_owned(),
        creation_time: made.created_at.into(),
        expires_at: end(made.expires_at),
    };
    Ok(CreatedWith(Created::below(&uri, made.id), model))
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
) -> Result<Json<RobotModel>, ApiError> {
    let allowed = access::on_robot(&state.domain, &caller, robot_id, Action::Read).await?;
    let robot = robots::show(&state.domain, &allowed, robot_id).await?;
    Ok(Json(RobotModel::from(&*robot)))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
    request: Sent<RobotModel>,
) -> Result<Done, ApiError> {
    let allowed = access::on_robot(&state.domain, &caller, robot_id, Action::Update).await?;
    let request = request.read().await?;
    let permissions = requested(request.permissions);
    let given = access::give(&state.domain, &caller, &allowed, &permissions).await?;
    let change = Change {
        name: request.name,
        level: request.level,
        description: request.description,
        duration: request.duration,
        disabled: request.disable,
    };
    robots::update(&state.domain, &allowed, robot_id, change, given).await?;
    Ok(Done)
}

async fn refresh(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
    request: Sent<RobotSec>,
) -> Result<Json<RobotSec>, ApiError> {
    let held = access::hold(&state.domain, &caller, robot_id).await?;
    let chosen = request.read().await?.secret;
    let chosen = Some(chosen).filter(|secret| !secret.is_empty()).map(Secret::from);
    let is_chosen = chosen.is_some();
    let secret = robots::set_secret(&state.domain, &held, chosen).await?;
    // Who chose it knows it.
    let secret = if is_chosen { String::new() } else { secret.reveal().to_owned() };
    Ok(Json(RobotSec { secret }))
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(RobotPath { robot_id }): Path<RobotPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_robot(&state.domain, &caller, robot_id, Action::Delete).await?;
    robots::delete(&state.domain, &allowed, robot_id).await?;
    Ok(Done)
}
