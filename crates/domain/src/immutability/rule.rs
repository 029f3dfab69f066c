//! What a rule says.

use kit::{Error, Result, Time};
use oci::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use super::selector::{Meant, Scopes, Selector, check_many, repositories_of};

/// What Harbor calls the action and the template of every rule.
const ACTION: &str = "immutable";
const TEMPLATE: &str = "immutable_template";

/// A rule of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub what: NewRule,
    /// When it was made.
    pub created_at: Time,
}

/// What a rule is to say. As with Harbor, of several selectors the first one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRule {
    /// Kept for Harbor's clients; it changes nothing.
    pub priority: i64,
    /// Whether it does not count.
    #[serde(skip)]
    pub disabled: bool,
    /// `immutable`.
    pub action: String,
    /// `immutable_template`.
    pub template: String,
    /// Which tags.
    pub tag_selectors: Vec<Selector>,
    /// Of which repositories.
    pub scope_selectors: Scopes,
}

impl NewRule {
    /// The rule as it is stored, and what two rules that say the same have in common.
    ///
    /// # Errors
    /// Invalid when it is not well formed.
    pub(super) fn to_stored(&self) -> Result<(String, String)> {
        let rule = Self {
            action: or(&self.action, ACTION),
            template: or(&self.template, TEMPLATE),
            ..self.clone()
        };
        if rule.action != ACTION {
            return Err(Error::invalid(format!("the action of an immutable rule is {ACTION}")));
        }
        if rule.template != TEMPLATE {
            return Err(Error::invalid(format!("the template of an immutable rule is {TEMPLATE}")));
        }
        rule.read()?;
        let text = serde_json::to_string(&rule).map_err(Error::internal)?;
        let fingerprint = Digest::of(Algorithm::Sha256, text.as_bytes()).to_string();
        Ok((text, fingerprint))
    }

    /// Reads what was stored.
    pub(super) fn from_stored(text: &str, disabled: bool) -> Result<Self> {
        let stored: Self = serde_json::from_str(text).map_err(Error::internal)?;
        Ok(Self { disabled, ..stored })
    }

    /// Which repositories and which tags are meant.
    ///
    /// # Errors
    /// Invalid when a selector is not well formed, or there is none.
    pub(super) fn read(&self) -> Result<(Meant, Meant)> {
        check_many(&self.tag_selectors)?;
        let repositories = repositories_of(&self.scope_selectors)?;
        let tags = self.tag_selectors.iter().map(Selector::of_tags).collect::<Result<Vec<_>>>()?;
        let first = |meant: Vec<Meant>, what| {
            meant.into_iter().next().ok_or_else(|| {
                Error::invalid(format!("an immutable rule needs a selector of {what}"))
            })
        };
        Ok((first(repositories, "repositories")?, first(tags, "tags")?))
    }
}

fn or(given: &str, default: &str) -> String {
    if given.is_empty() { default.to_owned() } else { given.to_owned() }
}
