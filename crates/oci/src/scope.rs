//! Scopes of registry tokens: `type[(class)]:name:action[,action]`, as the token documentation
//! of the distribution project has them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::RepositoryName;

/// What a token is asked for, or grants: some actions on one resource. As JSON it is an entry
/// of a token's `access` claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The type of the resource, such as `repository` or `registry`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The class of the resource, such as `plugin`; rare, and without meaning here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The name of the resource. It is not checked: a name may begin with a host and a port.
    pub name: String,
    /// The actions, such as `pull`, `push` or `*`, each once.
    pub actions: Vec<String>,
}

/// Why a text is not a scope or a list of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It does not follow the grammar.
    #[error("a scope is type:name:action[,action], such as repository:library/alpine:pull,push")]
    Malformed,
    /// It is longer than [`Scope::LONGEST`].
    #[error("a scope has at most {} characters", Scope::LONGEST)]
    TooLong,
    /// There are more than [`Scope::MOST`] in a list.
    #[error("at most {} scopes can be asked for at once", Scope::MOST)]
    TooMany,
}

impl Scope {
    /// The type of a repository.
    pub const REPOSITORY: &'static str = "repository";
    /// The type of the registry as a whole, whose one resource is `catalog`.
    pub const REGISTRY: &'static str = "registry";
    /// The most bytes one scope may have: the longest name, a host and some actions.
    pub const LONGEST: usize = 1024;
    /// The most scopes in a list.
    pub const MOST: usize = 100;

    /// The scope of some actions on a repository, as a challenge asks for it.
    pub fn of_repository(name: &RepositoryName, actions: &[&str]) -> Self {
        Self {
            kind: Self::REPOSITORY.into(),
            class: None,
            name: name.as_str().into(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        }
    }

    /// Whether it has an action, by its name or by `*`.
    pub fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|own| own == action || own == "*")
    }

    /// Reads a list of scopes with spaces between them, as `scope` parameters hold it.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ScopeError> {
        let mut scopes = Vec::new();
        for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
            if scopes.len() == Self::MOST {
                return Err(ScopeError::TooMany);
            }
            scopes.push(scope.parse()?);
        }
        Ok(scopes)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.len() > Self::LONGEST {
            return Err(ScopeError::TooLong);
        }
        // The name may hold colons, as in host:port/name, so it ends at the last one.
        let (resource, rest) = text.split_once(':').ok_or(ScopeError::Malformed)?;
        let (name, actions) = rest.rsplit_once(':').ok_or(ScopeError::Malformed)?;
        let (kind, class) = split_class(resource)?;
        let is_name = !name.is_empty() && name.bytes().all(is_scope_character);
        if !is_word(kind) || !class.is_none_or(is_word) || !is_name {
            return Err(ScopeError::Malformed);
        }
        Ok(Self {
            kind: kind.to_owned(),
            class: class.map(str::to_owned),
            name: name.to_owned(),
            actions: parse_actions(actions)?,
        })
    }
}

/// Splits `type(class)`.
fn split_class(resource: &str) -> Result<(&str, Option<&str>), ScopeError> {
    let Some((kind, class)) = resource.split_once('(') else {
        return Ok((resource, None));
    };
    let class = class.strip_suffix(')').ok_or(ScopeError::Malformed)?;
    Ok((kind, Some(class)))
}

/// Reads actions with commas between them; there may be none.
fn parse_actions(text: &str) -> Result<Vec<String>, ScopeError> {
    let mut actions: Vec<String> = Vec::new();
    for action in text.split(',').filter(|action| !action.is_empty()) {
        if action != "*" && !is_word(action) {
            return Err(ScopeError::Malformed);
        }
        if !actions.iter().any(|known| known == action) {
            actions.push(action.to_owned());
        }
    }
    Ok(actions)
}

/// Whether a byte may stand in a scope (RFC 6749, section 3.3), hence between quotes in a header.
fn is_scope_character(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

fn is_word(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_allowed)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(class) = &self.class {
            write!(f, "({class})")?;
        }
        write!(f, ":{}:{}", self.name, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_parts() {
        let cases = [
            ("repository:library/alpine:pull", "repository", None, "library/alpine", vec!["pull"]),
            ("repository:a:pull,push,*", "repository", None, "a", vec!["pull", "push", "*"]),
            ("repository(plugin):a/b:pull", "repository", Some("plugin"), "a/b", vec!["pull"]),
            ("repository:host:5000/a/b:pull", "repository", None, "host:5000/a/b", vec!["pull"]),
            ("registry:catalog:*", "registry", None, "catalog", vec!["*"]),
            (
                "artifact-repository:a:scanner-pull",
                "artifact-repository",
                None,
                "a",
                vec!["scanner-pull"],
            ),
            ("repository:a:", "repository", None, "a", vec![]),
            ("repository:a:pull,pull,,push", "repository", None, "a", vec!["pull", "push"]),
        ];
        for (text, kind, class, name, actions) in cases {
            let scope: Scope = text.parse().unwrap();
            assert_eq!(
                (scope.kind.as_str(), scope.class.as_deref(), scope.name.as_str()),
                (kind, class, name)
            );
            assert_eq!(scope.actions, actions);
        }
    }

    #[test]
    fn refuses_what_is_no_scope() {
        let too_long = format!("repository:{}:pull", "a".repeat(Scope::LONGEST));
        for text in [
            "",
            "a",
            "a:b",
            ":a:pull",
            "repository::pull",
            "Repository:a:pull",
            "repository(:a:pull",
            "repository():a:pull",
            "repository(a:b:pull",
            "repository)a(:b:pull",
            "repository:a:PULL",
            "repository:a:pu ll",
            "repository:é:pull",
            "repository:a\"b:pull",
            "repository:a\\b:pull",
            "repository:a\n:pull",
            "repository:a:**",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError::Malformed), "{text:?}");
        }
        assert_eq!(too_long.parse::<Scope>(), Err(ScopeError::TooLong));
    }

    #[test]
    fn a_list_has_spaces_and_an_end() {
        assert_eq!(Scope::parse_list("").unwrap(), []);
        let scopes = Scope::parse_list(" repository:a:pull  repository:b:push ").unwrap();
        assert_eq!(
            scopes.iter().map(Scope::to_string).collect::<Vec<_>>(),
            ["repository:a:pull", "repository:b:push"]
        );
        assert_eq!(Scope::parse_list("repository:a:pull x"), Err(ScopeError::Malformed));
        assert_eq!(Scope::parse_list(&"a:b:c ".repeat(Scope::MOST)).unwrap().len(), Scope::MOST);
        assert_eq!(Scope::parse_list(&"a:b:c ".repeat(Scope::MOST + 1)), Err(ScopeError::TooMany));
    }

    #[test]
    fn a_star_allows_everything() {
        let name: RepositoryName = "a/b".parse().unwrap();
        let some = Scope::of_repository(&name, &["pull", "push"]);
        assert!(some.allows("pull") && some.allows("push") && !some.allows("delete"));
        assert!(Scope::of_repository(&name, &["*"]).allows("delete"));
        assert!(!Scope::of_repository(&name, &[]).allows("pull"));
        assert_eq!(some.to_string(), "repository:a/b:pull,push");
    }

    #[test]
    fn is_an_entry_of_the_access_claim() {
        let scope: Scope = "repository:a:pull".parse().unwrap();
        let json = r#"{"type":"repository","name":"a","actions":["pull"]}"#;
        assert_eq!(serde_json::to_string(&scope).unwrap(), json);
        assert_eq!(serde_json::from_str::<Scope>(json).unwrap(), scope);
    }

    proptest! {
        #[test]
        fn every_scope_comes_back(
            text in "[a-z0-9-]{1,10}(\\([a-z]{1,5}\\))?:[!#-\\[\\]-~]{1,20}:([a-z]{1,3}[0-9],[a-z]{4,6}(,\\*)?)?"
        ) {
            prop_assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }

        #[test]
        fn an_accepted_text_means_the_same_once_written_out(text in "[a-z(]{0,5}[):]?.{0,5}:.{0,5}") {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope));
            }
        }
    }
}
