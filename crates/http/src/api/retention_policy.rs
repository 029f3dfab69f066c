//! A retention policy as Harbor's clients send and see it.

use std::collections::BTreeMap;

use domain::{
    immutability::{Scopes, Selector},
    retention::{Frame, NewPolicy, Policy, Rule},
};
use kit::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{answer::Timestamp, request::null_is_nothing, retention::Facts};

/// A policy.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct RetentionPolicy {
    #[serde(default, deserialize_with = "null_is_nothing")]
    id: i64,
    /// `or`: what one rule keeps stays.
    #[serde(default, deserialize_with = "null_is_nothing")]
    algorithm: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    rules: Vec<RetentionRule>,
    #[serde(default, deserialize_with = "null_is_nothing")]
    trigger: RetentionRuleTrigger,
    #[serde(default, deserialize_with = "null_is_nothing")]
    scope: RetentionPolicyScope,
}

/// When a policy is run.
#[derive(Default, Serialize, Deserialize, ToSchema)]
struct RetentionRuleTrigger {
    /// `Schedule`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    kind: String,
    /// `cron`, six fields in UTC, which may be empty; `next_scheduled_time`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[schema(value_type = Object)]
    settings: Facts,
    /// Nothing.
    #[serde(
        default,
        deserialize_with = "null_is_nothing",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schema(value_type = Object)]
    references: Facts,
}

/// What a policy is about.
#[derive(Default, Serialize, Deserialize, ToSchema)]
struct RetentionPolicyScope {
    /// `project`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    level: String,
    /// The number of the project.
    #[serde(default, deserialize_with = "null_is_nothing", rename = "ref")]
    reference: i64,
}

/// A rule.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct RetentionRule {
    #[serde(default, deserialize_with = "null_is_nothing")]
    id: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    priority: i64,
    #[serde(default, deserialize_with = "null_is_nothing")]
    disabled: bool,
    /// `retain`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    action: String,
    /// How it chooses: one of the templates that the metadata list.
    #[serde(default, deserialize_with = "null_is_nothing")]
    template: String,
    /// The number of the template, by its name.
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[schema(value_type = BTreeMap<String, Object>)]
    params: Facts,
    #[serde(default, deserialize_with = "null_is_nothing")]
    tag_selectors: Vec<RetentionSelector>,
    #[serde(default, deserialize_with = "null_is_nothing")]
    scope_selectors: BTreeMap<String, Vec<RetentionSelector>>,
}

/// Which tags or repositories are meant.
#[derive(Serialize, Deserialize, ToSchema)]
struct RetentionSelector {
    /// `doublestar`, or one that only Haven has: `regex`, `semver`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    kind: String,
    /// `matches` or `excludes`; of repositories `repoMatches` or `repoExcludes`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    decoration: String,
    #[serde(default, deserialize_with = "null_is_nothing")]
    pattern: String,
    /// JSON: whether artifacts without tags are meant, `{"untagged":true}`.
    #[serde(default, deserialize_with = "null_is_nothing")]
    extras: String,
}

impl RetentionPolicy {
    /// What it is about and when it is run, as it says.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            trigger: self.trigger.kind.clone(),
            level: self.scope.level.clone(),
            reference: self.scope.reference,
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// Invalid, in Harbor's words.
    pub(super) fn into_new(self) -> Result<NewPolicy> {
        let cron = match self.trigger.settings.get("cron") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(cron)) => cron.clone(),
            Some(_) => {
                return Err(Error::invalid(
                    "invalid cron type for scheduled tag retention: must be a string",
                ));
            }
        };
        let rules = self.rules.into_iter().map(Rule::from).collect();
        Ok(NewPolicy { algorithm: self.algorithm, rules, cron })
    }
}

impl From<RetentionRule> for Rule {
    fn from(sent: RetentionRule) -> Self {
        let scopes = sent.scope_selectors.into_iter();
        Self {
            id: sent.id,
            priority: sent.priority,
            disabled: sent.disabled,
            action: sent.action,
            template: sent.template,
            params: sent.params,
            tag_selectors: sent.tag_selectors.into_iter().map(Selector::from).collect(),
            scope_selectors: scopes
                .map(|(scope, sent)| (scope, sent.into_iter().map(Selector::from).collect()))
                .collect::<Scopes>(),
        }
    }
}

impl From<Rule> for RetentionRule {
    fn from(rule: Rule) -> Self {
        let shown = |selectors: Vec<Selector>| selectors.into_iter().map(Into::into).collect();
        let scopes = rule.scope_selectors.into_iter();
        Self {
            id: rule.id,
            priority: rule.priority,
            disabled: rule.disabled,
            action: rule.action,
            template: rule.template,
            params: rule.params,
            tag_selectors: shown(rule.tag_selectors),
            scope_selectors: scopes.map(|(scope, of)| (scope, shown(of))).collect(),
        }
    }
}

impl From<RetentionSelector> for Selector {
    fn from(sent: RetentionSelector) -> Self {
        let RetentionSelector { kind, decoration, pattern, extras } = sent;
        Self { kind, decoration, pattern, extras }
    }
}

impl From<Selector> for RetentionSelector {
    fn from(selector: Selector) -> Self {
        let Selector { kind, decoration, pattern, extras } = selector;
        Self { kind, decoration, pattern, extras }
    }
}

impl From<Policy> for RetentionPolicy {
    fn from(policy: Policy) -> Self {
        let mut settings = Facts::from([("cron".to_owned(), json!(policy.what.cron))]);
        if let Some(next) = policy.next_at {
            settings.insert("next_scheduled_time".to_owned(), json!(Timestamp::from(next)));
        }
        let trigger = RetentionRuleTrigger {
            kind: "Schedule".to_owned(),
            settings,
            references: Facts::new(),
        };
        Self {
            id: policy.id,
            algorithm: policy.what.algorithm,
            rules: policy.what.rules.into_iter().map(Into::into).collect(),
            trigger,
            scope: RetentionPolicyScope {
                level: "project".to_owned(),
                reference: policy.project_id,
            },
        }
    }
}
