//! What retention rules are made of: Harbor's list, and ours, which has more.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller},
    retention::{self, Finding, Outcome, TEMPLATES, TemplateInfo},
};
use kit::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Listed, Timestamp},
    request::{PageRequest, Path, Query},
    retention::{TaskPath, known},
};
use crate::State;

/// What only Haven has of retention.
pub(super) fn operations() -> Operations {
    let artifacts = "/retentions/{id}/executions/{eid}/tasks/{tid}/artifacts";
    let refusals = &[400, 401, 403, 404];
    Operations::haven("retention")
        .get(
            "/retentions/metadatas",
            "getRetentionMetadata",
            "What rules are made of.",
            show_all,
            &[401],
        )
        .get(artifacts, "listRetentionFindings", "What was decided, and why.", list, refusals)
}

/// What rules are made of.
#[derive(Serialize, ToSchema)]
pub(super) struct RetentionMetadata {
    templates: Vec<RetentionRuleMetadata>,
    scope_selectors: Vec<RetentionSelectorMetadata>,
    tag_selectors: Vec<RetentionSelectorMetadata>,
}

/// A template.
#[derive(Serialize, ToSchema)]
struct RetentionRuleMetadata {
    rule_template: &'static str,
    display_text: &'static str,
    action: &'static str,
    params: Vec<RetentionRuleParamMetadata>,
}

/// The number of a template.
#[derive(Serialize, ToSchema)]
struct RetentionRuleParamMetadata {
    #[serde(rename = "type")]
    kind: &'static str,
    unit: &'static str,
    required: bool,
}

/// A kind of selector.
#[derive(Serialize, ToSchema)]
struct RetentionSelectorMetadata {
    display_text: &'static str,
    kind: &'static str,
    decorations: [&'static str; 2],
}

impl From<&TemplateInfo> for RetentionRuleMetadata {
    fn from(info: &TemplateInfo) -> Self {
        let number = |unit| RetentionRuleParamMetadata { kind: "int", unit, required: true };
        Self {
            rule_template: info.name,
            display_text: info.display_text,
            action: "retain",
            params: info.unit.map(number).into_iter().collect(),
        }
    }
}

fn metadata<'t>(
    templates: impl Iterator<Item = &'t TemplateInfo>,
    kinds: &[&'static str],
) -> RetentionMetadata {
    let selectors = |display_text, decorations| {
        let of =
            |kind: &&'static str| RetentionSelectorMetadata { display_text, kind, decorations };
        kinds.iter().map(of).collect()
    };
    RetentionMetadata {
        templates: templates.map(Into::into).collect(),
        scope_selectors: selectors("Repositories", ["repoMatches", "repoExcludes"]),
        tag_selectors: selectors("Tags", ["matches", "excludes"]),
    }
}

/// What Harbor's rules are made of: its clients know nothing else.
pub(super) async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<RetentionMetadata>, ApiError> {
    access::known(&state.domain, &caller).await?;
    let harbors = TEMPLATES.iter().filter(|info| info.is_harbors);
    Ok(Json(metadata(harbors, &["doublestar"])))
}

async fn show_all(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<RetentionMetadata>, ApiError> {
    access::known(&state.domain, &caller).await?;
    Ok(Json(metadata(TEMPLATES.iter(), &kit::Selector::KINDS)))
}

/// Which artifacts are shown.
#[derive(Deserialize, IntoParams)]
struct FindingsQuery {
    /// Those with one outcome: `delete`, `immutable`, `in_use`, `retain` or `error`.
    outcome: Option<String>,
}

/// What was decided about an artifact, and why.
#[derive(Serialize, ToSchema)]
struct RetentionFinding {
    digest: String,
    /// Its tags, or the first hundred of them.
    tags: Vec<String>,
    labels: Vec<String>,
    push_time: Timestamp,
    pull_time: Timestamp,
    signed: bool,
    /// `delete`, or why it stays.
    outcome: &'static str,
    /// The rules that keep it.
    kept_by: Vec<RetentionReason>,
    /// The rules that are about it and do not keep it.
    passed_over_by: Vec<RetentionReason>,
    /// What kept it from being deleted, if something did.
    message: String,
}

/// A rule as the reason for something.
#[derive(Serialize, ToSchema)]
struct RetentionReason {
    /// Its place among the rules of the policy, from 0.
    rule: usize,
    /// What it keeps.
    keeps: String,
}

impl From<Finding> for RetentionFinding {
    fn from(found: Finding) -> Self {
        let reasons = |rules: Vec<(usize, String)>| {
            let reason = |(rule, keeps)| RetentionReason { rule, keeps };
            rules.into_iter().map(reason).collect()
        };
        Self {
            digest: found.digest,
            tags: found.tags,
            labels: found.labels,
            push_time: found.pushed_at.into(),
            pull_time: Timestamp::or_never(found.pulled_at),
            signed: found.is_signed,
            outcome: found.outcome.name(),
            kept_by: reasons(found.kept_by),
            passed_over_by: reasons(found.passed_over_by),
            message: found.message,
        }
    }
}

async fn list(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(TaskPath { id, eid, tid }): Path<TaskPath>,
    Query(query): Query<FindingsQuery>,
    request: PageRequest,
) -> Result<Listed<RetentionFinding>, ApiError> {
    let (policy, allowed) = known(&state, &caller, id, Action::Read).await?;
    let read = |name: String| {
        Outcome::from_name(&name).ok_or_else(|| {
            let names = Outcome::ALL.map(Outcome::name).join(", ");
            Error::invalid(format!("an outcome is one of {names}"))
        })
    };
    let outcome = query.outcome.map(read).transpose()?;
    let of = (eid, tid);
    let page = request.page()?;
    let found = retention::findings(&state.domain, &allowed, &policy, of, outcome, page).await?;
    Ok(request.answer(found, RetentionFinding::from))
}
