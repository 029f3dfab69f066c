//! Rules that make tags immutable.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    extract::{self, OriginalUri},
};
use domain::{
    access::{self, Action, Allowed, Caller, Resource, Right},
    immutability::{self, NewRule, Rule, Scopes, Selector},
};
use kit::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Created, Done, Listed},
    request::{ListRequest, Path, Project, Sent, null_is_nothing, whatever},
};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let all = "/projects/{project_name_or_id}/immutabletagrules";
    let one = "/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}";
    let refusals = &[400, 401, 403, 404];
    let changes = &[400, 401, 403, 404, 409];
    Operations::harbor("immutable")
        .get(all, "ListImmuRules", "A project's rules.", list, refusals)
        .post(all, "CreateImmuRule", "Makes a rule.", create, &[400, 401, 403, 404, 409, 412])
        .put(one, "UpdateImmuRule", "Changes a rule.", update, changes)
        .delete(one, "DeleteImmuRule", "Deletes a rule.", remove, refusals)
}

/// A rule in a path.
#[derive(Deserialize, IntoParams)]
struct RulePath {
    /// The number of the rule.
    immutable_rule_id: i64,
}

/// A rule as clients see and send it.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = ImmutableRule)]
struct RuleModel {
    #[serde(default, deserialize_with = "null_is_nothing")]
    id: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    priority: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    disabled: bool,
    /// `immutable`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    action: String,
    /// `immutable_template`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    template: String,
    /// Rules have none; what is sent does not matter.
    #[serde(default, deserialize_with = "whatever", skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, Object>)]
    params: BTreeMap<String, ()>,
    #[serde(default, deserialize_with = "null_is_nothing")]
    tag_selectors: Vec<ImmutableSelector>,
    #[serde(default, deserialize_with = "null_is_nothing")]
    scope_selectors: BTreeMap<String, Vec<ImmutableSelector>>,
}

/// Which tags or repositories are meant.
#[derive(Serialize, Deserialize, ToSchema)]
struct ImmutableSelector {
    /// `doublestar`, or one that only Haven has: `regex`, `semver`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    kind: String,
    /// `matches` or `excludes`; of repositories `repoMatches` or `repoExcludes`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    decoration: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    pattern: String,
    #[serde(
        default,
        deserialize_with = "null_is_nothing",
        skip_serializing_if = "String::is_empty"
    )]
    extras: String,
}

impl From<ImmutableSelector> for Selector {
    fn from(sent: ImmutableSelector) -> Self {
        let ImmutableSelector { kind, decoration, pattern, extras } = sent;
        Self { kind, decoration, pattern, extras }
    }
}

impl From<Selector> for ImmutableSelector {
    fn from(selector: Selector) -> Self {
        let Selector { kind, decoration, pattern, extras } = selector;
        Self { kind, decoration, pattern, extras }
    }
}

impl From<Rule> for RuleModel {
    fn from(Rule { id, what, .. }: Rule) -> Self {
        let NewRule { priority, disabled, action, template, tag_selectors, scope_selectors } = what;
        Self {
            id,
            priority,
            disabled,
            action,
            template,
            params: BTreeMap::new(),
            tag_selectors: all_into(tag_selectors),
            scope_selectors: scope_selectors
                .into_iter()
                .map(|(scope, selectors)| (scope, all_into(selectors)))
                .collect(),
        }
    }
}

impl From<RuleModel> for NewRule {
    fn from(sent: RuleModel) -> Self {
        let scopes = sent.scope_selectors.into_iter();
        Self {
            priority: sent.priority,
            disabled: sent.disabled,
            action: sent.action,
            template: sent.template,
            tag_selectors: all_into(sent.tag_selectors),
            scope_selectors: scopes
                .map(|(scope, selectors)| (scope, all_into(selectors)))
                .collect::<Scopes>(),
        }
    }
}

fn all_into<A: Into<B>, B>(these: Vec<A>) -> Vec<B> {
    these.into_iter().map(Into::into).collect()
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    request: ListRequest,
) -> Result<Listed<RuleModel>, ApiError> {
    let allowed = may(&state, &caller, &project, Action::List).await?;
    let found = immutability::list(&state.domain, &allowed, &request.selection()?).await?;
    Ok(request.answer(found, RuleModel::from))
}

async fn create(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    OriginalUri(uri): OriginalUri,
    project: Project,
    request: Sent<RuleModel>,
) -> Result<Created, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Create).await?;
    let new = request.read().await?.into();
    let id = immutability::create(&state.domain, &allowed, new).await?;
    Ok(Created::below(&uri, id))
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(RulePath { immutable_rule_id }): Path<RulePath>,
    request: Sent<RuleModel>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Update).await?;
    let sent = request.read().await?;
    if sent.id != immutable_rule_id {
        let message = "the immutable_rule_id doesn't match the id in the payload body of \
                       ImmutableRule";
        return Err(Error::invalid(message).into());
    }
    immutability::update(&state.domain, &allowed, immutable_rule_id, sent.into()).await?;
    Ok(Done)
}

async fn remove(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    project: Project,
    Path(RulePath { immutable_rule_id }): Path<RulePath>,
) -> Result<Done, ApiError> {
    let allowed = may(&state, &caller, &project, Action::Delete).await?;
    immutability::delete(&state.domain, &allowed, immutable_rule_id).await?;
    Ok(Done)
}

/// Whether a caller may do something with the rules of a project.
async fn may(state: &State, caller: &Caller, project: &Project, action: Action) -> Result<Allowed> {
    let right = Right::new(Resource::ImmutableTag, action);
    access::on_project(&state.domain, caller, project.by(), right).await
}
