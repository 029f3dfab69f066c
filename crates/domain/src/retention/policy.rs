//! What a policy says.

use std::collections::BTreeMap;

use kit::{Error, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template::Template;
use crate::{
    immutability::{Meant, Scopes, Selector, check_many, repositories_of},
    jobs::Cron,
};

/// How many rules a policy has at most.
pub(super) const MOST_RULES: usize = 15;

/// What Harbor calls the only algorithm, action, kind of trigger and level of scope.
const ALGORITHM: &str = "or";
const ACTION: &str = "retain";
const SCHEDULE: &str = "Schedule";
const PROJECT: &str = "project";

/// A project's policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its number.
    pub id: i64,
    /// Its project's number.
    pub project_id: i64,
    /// What it says.
    pub what: NewPolicy,
    /// When it is run next, if it has a schedule.
    pub next_at: Option<Time>,
}

/// What a policy is to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewPolicy {
    /// `or`: what one rule keeps stays.
    pub algorithm: String,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// When it is run: six fields of cron in UTC; empty for never.
    pub cron: String,
}

/// A rule: which artifacts of which repositories stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// As whoever made it numbers it.
    pub id: i64,
    /// Kept for Harbor's clients; it changes nothing.
    pub priority: i64,
    /// Whether it does not count.
    pub disabled: bool,
    /// `retain`.
    pub action: String,
    /// How it chooses.
    pub template: String,
    /// Its number, by the name of the template.
    pub params: BTreeMap<String, Value>,
    /// Which artifacts, by their tags; all of these must mean an artifact.
    pub tag_selectors: Vec<Selector>,
    /// Of which repositories; without any, of all.
    pub scope_selectors: Scopes,
}

/// A rule, ready to ask.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    /// Its place in the policy.
    pub(super) place: usize,
    pub(super) template: Template,
    pub(super) tags: Vec<Meant>,
    repositories: Vec<Meant>,
}

impl Ready {
    /// Whether it is about a repository, named without its project.
    pub(super) fn covers(&self, repository: &str) -> bool {
        self.repositories.iter().all(|meant| meant.means(repository))
    }
}

impl Rule {
    fn read(&self, place: usize) -> Result<Ready> {
        if self.action != ACTION {
            return Err(Error::invalid(format!("the action of a retention rule is {ACTION}")));
        }
        if self.tag_selectors.is_empty() {
            return Err(Error::invalid("a retention rule needs a selector of tags"));
        }
        if self.params.len() > 10 {
            return Err(Error::invalid("a retention rule has at most 10 parameters"));
        }
        check_many(&self.tag_selectors)?;
        Ok(Ready {
            place,
            template: Template::read(&self.template, &self.params)?,
            tags: self.tag_selectors.iter().map(Selector::of_tags).collect::<Result<_>>()?,
            repositories: repositories_of(&self.scope_selectors)?,
        })
    }

    /// What it keeps, for people.
    pub fn text(&self) -> String {
        Template::text(&self.template, &self.params)
    }
}

impl NewPolicy {
    /// Makes sure that it is well formed, and gives when it is run.
    ///
    /// # Errors
    /// Invalid, in Harbor's words where Harbor says something; Conflict when two rules are the
    /// same.
    pub(super) fn check(&self) -> Result<Option<Cron>> {
        if self.rules.len() > MOST_RULES {
            return Err(Error::invalid(format!("only {MOST_RULES} rules are allowed at most")));
        }
        if !self.algorithm.is_empty() && self.algorithm != ALGORITHM {
            return Err(Error::invalid(format!(
                "the algorithm of a retention policy is {ALGORITHM}"
            )));
        }
        self.check_conflicts()?;
        for (place, rule) in self.rules.iter().enumerate() {
            rule.read(place)?;
        }
        if self.cron.is_empty() {
            return Ok(None);
        }
        Cron::parse(&self.cron).map(Some).map_err(|error| {
            let cron: String = self.cron.chars().take(256).collect();
            Error::invalid(format!(
                "invalid cron string for scheduled tag retention: {cron}, error: {error}"
            ))
        })
    }

    fn check_conflicts(&self) -> Result<()> {
        let same = |a: &Rule, b: &Rule| Rule { id: b.id, ..a.clone() } == *b;
        for (n, rule) in self.rules.iter().enumerate() {
            if let Some(old) = self.rules[..n].iter().rposition(|old| same(old, rule)) {
                return Err(Error::conflict(format!("rule {n} is conflict with rule {old}")));
            }
        }
        Ok(())
    }

    /// The rules that count.
    ///
    /// # Errors
    /// Invalid when one is not well formed.
    pub(super) fn ready(&self) -> Result<Vec<Ready>> {
        let counting = self.rules.iter().enumerate().filter(|(_, rule)| !rule.disabled);
        counting.map(|(place, rule)| rule.read(place)).collect()
    }

    /// The policy as it is stored.
    pub(super) fn to_stored(&self) -> Result<String> {
        let stored = Self { algorithm: ALGORITHM.to_owned(), ..self.clone() };
        serde_json::to_string(&stored).map_err(Error::internal)
    }

    /// Reads what was stored.
    pub(super) fn from_stored(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::internal)
    }
}

/// How a policy is run and what it is about, as Harbor's clients say it.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// `Schedule`.
    pub trigger: String,
    /// `project`.
    pub level: String,
    /// The number of the project.
    pub reference: i64,
}

impl Frame {
    /// The number of the project that it is about.
    ///
    /// # Errors
    /// Invalid, in Harbor's words.
    pub fn project_id(&self) -> Result<i64> {
        if self.level != PROJECT {
            let level: String = self.level.chars().take(64).collect();
            return Err(Error::invalid(format!("scope {level} is not support")));
        }
        if self.reference <= 0 {
            return Err(Error::invalid(format!("invalid Project id {}", self.reference)));
        }
        Ok(self.reference)
    }

    /// Makes sure that it is run by a schedule, if by anything.
    ///
    /// # Errors
    /// Invalid, in Harbor's words.
    pub fn check_trigger(&self) -> Result<()> {
        if self.trigger.is_empty() || self.trigger == SCHEDULE {
            return Ok(());
        }
        let trigger: String = self.trigger.chars().take(64).collect();
        Err(Error::invalid(format!("not support Trigger {trigger}")))
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use kit::Kind;
    use serde_json::json;

    use super::*;

    /// A rule for all repositories.
    pub(in super::super) fn rule(template: &str, number: i64, tags: &str) -> Rule {
        let selector = |decoration: &str, pattern: &str| Selector {
            kind: "doublestar".to_owned(),
            decoration: decoration.to_owned(),
            pattern: pattern.to_owned(),
            extras: String::new(),
        };
        let repositories = vec![selector("repoMatches", "**")];
        Rule {
            action: ACTION.to_owned(),
            template: template.to_owned(),
            params: BTreeMap::from([(template.to_owned(), json!(number))]),
            tag_selectors: vec![selector("matches", tags)],
            scope_selectors: Scopes::from([("repository".to_owned(), repositories)]),
            ..Rule::default()
        }
    }

    /// A policy of some rules.
    pub(in super::super) fn policy(rules: impl IntoIterator<Item = Rule>) -> NewPolicy {
        NewPolicy { rules: rules.into_iter().collect(), ..NewPolicy::default() }
    }

    #[test]
    fn a_policy_is_checked() {
        let fine = rule("always", 0, "**");
        assert!(policy([]).check().unwrap().is_none());
        let many = |n: i64| policy((0..n).map(|n| rule("latestPushedK", n, "**")));
        assert!(many(15).check().is_ok());
        assert_eq!(many(16).check().unwrap_err().message, "only 15 rules are allowed at most");
        let numbered = Rule { id: 7, ..fine.clone() };
        let twice = policy([fine.clone(), rule("signed", 0, "**"), numbered]).check().unwrap_err();
        assert!(twice.is(Kind::Conflict));
        assert_eq!(twice.message, "rule 2 is conflict with rule 0");
        let contrary = Rule { disabled: true, ..fine.clone() };
        assert!(policy([fine.clone(), contrary]).check().is_ok());

        for bad in [
            Rule { action: "delete".to_owned(), ..fine.clone() },
            Rule { template: "never".to_owned(), ..fine.clone() },
            Rule { tag_selectors: Vec::new(), ..fine.clone() },
            Rule {
                scope_selectors: Scopes::from([("project".to_owned(), Vec::new())]),
                ..fine.clone()
            },
            rule("latestPushedK", -1, "**"),
            rule("latestPushedK", 1, "["),
            rule("latestPushedK", 1, &"{a,b}".repeat(30)),
        ] {
            assert!(policy([bad.clone()]).check().unwrap_err().is(Kind::Invalid), "{bad:?}");
        }
        assert!(NewPolicy { algorithm: "and".to_owned(), ..policy([]) }.check().is_err());
        for cron in ["0 0 0 * * *", "0 30 3 * * 1"] {
            assert!(NewPolicy { cron: cron.to_owned(), ..policy([]) }.check().unwrap().is_some());
        }
        for cron in ["* * * * * *", "0 0 0 30 2 *", "never", "0 0 0 * *", " ", "0 0 25 * * *"] {
            let refused = NewPolicy { cron: cron.to_owned(), ..policy([]) }.check().unwrap_err();
            assert!(refused.is(Kind::Invalid), "{cron}");
            assert!(refused.message.contains("invalid cron string"), "{}", refused.message);
        }
    }

    #[test]
    fn a_frame_names_a_project() {
        let frame = |level: &str, reference| Frame {
            level: level.to_owned(),
            reference,
            trigger: "Schedule".to_owned(),
        };
        assert_eq!(frame("project", 3).project_id().unwrap(), 3);
        let refused = frame("system", 0).project_id().unwrap_err();
        assert_eq!(refused.message, "scope system is not support");
        assert_eq!(frame("project", 0).project_id().unwrap_err().message, "invalid Project id 0");
        assert!(
            Frame { trigger: "Event".to_owned(), ..frame("project", 1) }.check_trigger().is_err()
        );
        assert!(Frame::default().check_trigger().is_ok());
    }
}
