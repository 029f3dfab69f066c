//! What a provider says of somebody.

use kit::Time;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::{Failure, Result};

/// The most groups of somebody that are read, and how long the name of one is at most.
const MOST_GROUPS: usize = 1000;
const LONGEST_GROUP: usize = 255;

/// The longest filter for groups, in bytes, and how much memory it may take.
const LONGEST_FILTER: usize = 1024;
const FILTER_SIZE: usize = 1024 * 1024;

/// The claims of a token that was verified, and of the provider's answer about its subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

impl From<Map<String, Value>> for Claims {
    fn from(claims: Map<String, Value>) -> Self {
        Self(claims)
    }
}

impl Claims {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim, whatever it is.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All of them.
    pub fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Who issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.text("iss")
    }

    /// Of whom it is: the provider's name for somebody, which never becomes another's.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// When it ends.
    pub fn expires(&self) -> Option<Time> {
        self.time("exp")
    }

    /// For whom it is.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        texts(self.0.get("aud"))
    }

    /// A claim that is a time, in seconds, with or without a fraction.
    pub(super) fn time(&self, name: &str) -> Option<Time> {
        let seconds = self.0.get(name)?.as_f64()?;
        // Beyond what fits, the cast stops at the last that does.
        seconds.is_finite().then(|| Time::from_seconds(seconds as i64))
    }

    /// These, and those of others that are not among them.
    #[must_use]
    pub(super) fn or(mut self, others: Self) -> Self {
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }
}

/// A claim that is a text, or several.
fn texts(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, several) = match claim {
        Some(Value::String(text)) => (Some(text.as_str()), None),
        Some(Value::Array(list)) => (None, Some(list.iter().filter_map(Value::as_str))),
        _ => (None, None),
    };
    one.into_iter().chain(several.into_iter().flatten())
}

/// By which claims somebody is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The claim that is the name to sign in with; empty for `name`.
    pub user: String,
    /// The claim that holds the groups; empty for none.
    pub groups: String,
    /// What the name of a group has to match, as a regular expression; empty for all.
    pub group_filter: String,
    /// The group whose members may do everything; empty for none.
    pub admin_group: String,
}

impl Names {
    /// Whether the filter for groups can be read.
    ///
    /// # Errors
    /// Misconfigured.
    pub fn check(&self) -> Result<()> {
        self.filter().map(|_| ())
    }

    fn filter(&self) -> Result<Option<Regex>> {
        if self.group_filter.is_empty() {
            return Ok(None);
        }
        let wrong =
            || Failure::Misconfigured("the group filter is not a regular expression".into());
        if self.group_filter.len() > LONGEST_FILTER {
            return Err(wrong());
        }
        let built = RegexBuilder::new(&self.group_filter).size_limit(FILTER_SIZE).build();
        built.map(Some).map_err(|_| wrong())
    }

    /// Who the claims are about.
    ///
    /// # Errors
    /// Misconfigured when the claim for the name is not there, or the filter cannot be read.
    pub fn person(&self, claims: &Claims) -> Result<Person> {
        let (Some(issuer), Some(subject)) = (claims.issuer(), claims.subject()) else {
            return Err(Failure::BadToken("it does not say of whom it is"));
        };
        let username = match self.user.as_str() {
            "" => claims.text("name").unwrap_or_default(),
            claim => claims.text(claim).ok_or_else(|| {
                let message = format!("the claim {claim} is not there or not a text");
                Failure::Misconfigured(message)
            })?,
        };
        let filter = self.filter()?;
        let named: Vec<&str> = match self.groups.as_str() {
            "" => Vec::new(),
            claim => texts(claims.get(claim))
                .filter(|group| !group.trim().is_empty() && group.len() <= LONGEST_GROUP)
                .take(MOST_GROUPS)
                .collect(),
        };
        let admin = !self.admin_group.is_empty() && named.contains(&self.admin_group.as_str());
        let matches = |group: &&str| filter.as_ref().is_none_or(|filter| filter.is_match(group));
        let mut groups: Vec<String> =
            named.into_iter().filter(matches).map(str::to_owned).collect();
        groups.sort_unstable();
        groups.dedup();
        Ok(Person {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            username: username.trim().to_owned(),
            email: claims.text("email").filter(|email| !email.is_empty()).map(str::to_owned),
            groups,
            has_groups: claims.get(&self.groups).is_some(),
            admin,
        })
    }
}

/// Somebody, as a provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The provider.
    pub issuer: String,
    /// The provider's own name for them, which never becomes another's.
    pub subject: String,
    /// The name to sign in with; empty if the provider tells none.
    pub username: String,
    /// The e-mail address, if it is told.
    pub email: Option<String>,
    /// The groups that pass the filter, sorted.
    pub groups: Vec<String>,
    /// Whether the provider told groups at all, be it none.
    pub has_groups: bool,
    /// Whether one of all groups is the administrators'.
    pub admin: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        let Value::Object(map) = value else { panic!("an object") };
        Claims(map)
    }

    #[test]
    fn a_person_is_read_from_claims() {
        let names = Names {
            user: "preferred_username".into(),
            groups: "groups".into(),
            group_filter: "^(dev|ops)".into(),
            admin_group: "root".into(),
        };
        let shown = claims(json!({
            "iss": "https://sso", "sub": "1", "preferred_username": " alice ", "email": "a@b",
            "groups": ["ops", "dev-1", "root", "", 7, "dev-1"],
        }));
        let person = names.person(&shown).unwrap();
        assert_eq!(person.username, "alice");
        assert_eq!(person.groups, ["dev-1", "ops"]);
        assert!(person.admin && person.has_groups);
        let one =
            claims(json!({"iss": "i", "sub": "s", "preferred_username": "b", "groups": "dev"}));
        assert_eq!(names.person(&one).unwrap().groups, ["dev"]);
        let none = claims(json!({"iss": "i", "sub": "s", "preferred_username": "b"}));
        let person = names.person(&none).unwrap();
        assert!(person.groups.is_empty() && !person.has_groups && !person.admin);
        let unnamed = claims(json!({"iss": "i", "sub": "s", "preferred_username": 7}));
        assert!(names.person(&unnamed).is_err());
    }

    #[test]
    fn a_filter_is_bounded() {
        for filter in ["(", "a{1000}{1000}{1000}", &"x".repeat(2000)] {
            let names = Names { group_filter: filter.to_owned(), ..Names::default() };
            assert!(matches!(names.check(), Err(Failure::Misconfigured(_))), "{filter}");
        }
    }

    #[test]
    fn what_is_signed_counts_before_what_is_told() {
        let signed = claims(json!({"sub": "1", "email": "a"}));
        let told = claims(json!({"sub": "1", "email": "b", "name": "n"}));
        let both = signed.or(told);
        assert_eq!((both.text("email"), both.text("name")), (Some("a"), Some("n")));
    }

    #[test]
    fn times_need_not_fit() {
        let odd = claims(json!({"exp": 1e300, "nbf": -1e300, "iat": "1", "x": 1.5}));
        assert!(odd.time("exp") > odd.time("nbf"));
        assert_eq!((odd.time("iat"), odd.time("x")), (None, Some(Time(1_000_000))));
    }
}
