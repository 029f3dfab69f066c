//! What a token lets its user do.

use crate::rights::{Action, Resource, Right};

/// How much of what its user may do a token lets it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// See repositories and pull from them.
    Pull,
    /// Also push to them, tag and label.
    Push,
    /// Everything but managing how the user signs in.
    All,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::All];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::All => "all",
        }
    }

    /// The one with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether a right in a project is among what it lets do.
    pub(crate) fn allows(self, right: Right) -> bool {
        let sees = matches!(right.action, Action::Read | Action::List | Action::Pull)
            && (right.is_in_repository()
                || matches!(right.resource, Resource::Itself | Resource::Label));
        let pushes = right == Right::PUSH
            || right.action == Action::Create
                && matches!(
                    right.resource,
                    Resource::Artifact | Resource::ArtifactLabel | Resource::Tag
                );
        match self {
            Self::Pull => sees,
            Self::Push => sees || pushes,
            Self::All => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_grow() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert_eq!(Scope::from_name("admin"), None);
        let tag = Right::new(Resource::Tag, Action::Create);
        let member = Right::new(Resource::Member, Action::List);
        for (right, allowed) in [
            (Right::PULL, [true, true, true]),
            (Right::new(Resource::Artifact, Action::List), [true, true, true]),
            (Right::PUSH, [false, true, true]),
            (tag, [false, true, true]),
            (Right::DELETE, [false, false, true]),
            (Right::new(Resource::Artifact, Action::Delete), [false, false, true]),
            (member, [false, false, true]),
            (Right::new(Resource::Robot, Action::Create), [false, false, true]),
        ] {
            assert_eq!(Scope::ALL.map(|scope| scope.allows(right)), allowed, "{right}");
        }
    }
}
