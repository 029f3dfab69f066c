//! How far a right reaches within a project: to all repositories, or to some by pattern.

use std::sync::Arc;

use kit::{Error, Pattern, Result, Subject};

/// How many patterns a list has at most.
const MOST: usize = 100;

/// Patterns of repositories, as they are called within their project: `team-a/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns(Arc<[Pattern]>);

impl Patterns {
    /// Reads patterns as somebody wrote them.
    ///
    /// # Errors
    /// Invalid when one is not well formed, or when there are none or more than 100.
    pub fn parse(patterns: &[String]) -> Result<Self> {
        if patterns.is_empty() || patterns.len() > MOST {
            let message = format!("a list of patterns has 1 to {MOST} of them");
            return Err(Error::invalid(message).about(Subject::Repository));
        }
        let parse = |pattern: &String| match pattern.as_str() {
            "" => Err(Error::invalid("a pattern must not be empty")),
            pattern => pattern.parse(),
        };
        let parsed: Result<Vec<Pattern>> = patterns.iter().map(parse).collect();
        parsed.map(|parsed| Self(parsed.into())).map_err(|error| error.about(Subject::Repository))
    }

    /// The patterns as they were written.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|pattern| pattern.as_str().to_owned()).collect()
    }

    /// Whether one of them matches a repository, named without its project.
    pub fn match_repository(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }

    /// The list as it is stored: JSON.
    pub(crate) fn to_stored(&self) -> Result<String> {
        serde_json::to_string(&self.texts()).map_err(Error::internal)
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// Internal when it is damaged: who is narrowed by something unknown has no rights.
    pub(crate) fn from_stored(text: &str) -> Result<Self> {
        let texts: Vec<String> = serde_json::from_str(text).map_err(Error::internal)?;
        Self::parse(&texts).map_err(Error::internal)
    }
}

/// How far a right reaches within a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To all of it.
    Everything,
    /// To repositories that one of these lists matches. The project's own affairs are not
    /// narrowed.
    Repositories(Vec<Patterns>),
}

impl Reach {
    /// To what some patterns match, or to everything if there are none.
    pub(crate) fn of(patterns: Option<&Patterns>) -> Self {
        patterns.map_or(Self::Everything, |patterns| Self::Repositories(vec![patterns.clone()]))
    }

    /// As far as this one or another.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Repositories(mut own), Self::Repositories(others)) => {
                own.extend(others);
                Self::Repositories(own)
            }
            _ => Self::Everything,
        }
    }

    /// Whether it is everything.
    pub fn is_everything(&self) -> bool {
        *self == Self::Everything
    }

    /// Whether it reaches a repository, named without its project.
    pub fn covers(&self, repository: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Repositories(lists) => {
                lists.iter().any(|patterns| patterns.match_repository(repository))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn patterns(texts: &[&str]) -> Result<Patterns> {
        Patterns::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_reach_is_as_far_as_its_farthest() {
        let a = Reach::of(Some(&patterns(&["a/**"]).unwrap()));
        let b = Reach::of(Some(&patterns(&["b", "c*"]).unwrap()));
        assert!(a.covers("a/x") && !a.covers("b") && !a.is_everything());
        let both = a.clone().or(b);
        assert!(both.covers("a/x") && both.covers("b") && both.covers("cd") && !both.covers("d"));
        assert!(a.or(Reach::of(None)).covers("d"));
    }

    #[test]
    fn lists_are_bounded_and_come_back_as_they_were_written() {
        let list = patterns(&["a/{b,c}", "\\*\"é"]).unwrap();
        assert_eq!(Patterns::from_stored(&list.to_stored().unwrap()).unwrap(), list);
        for bad in [vec![], vec![""], vec!["["], vec!["a"; 101]] {
            assert!(patterns(&bad).is_err(), "{bad:?}");
        }
        assert!(Patterns::from_stored("[]").is_err());
    }
}
