//! What retention rules are made of: Harbor's list, and ours, which has more.

use std::sync::Arc;

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Caller},
    retention::{TEMPLATES, TemplateInfo},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, Operations};
use crate::State;

/// What only Haven has of retention.
pub(super) fn operations() -> Operations {
    Operations::haven("retention").get(
        "/retentions/metadatas",
        "getRetentionMetadata",
        "What rules are made of.",
        show_all,
        &[401],
    )
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
