//! Sets of rights.

use super::{Action, Resource, Right};

const BITS: usize = Resource::COUNT * Action::COUNT;
const WORDS: usize = BITS.div_ceil(64);

/// A set of rights: what a role, a robot or a custom role is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights([u64; WORDS]);

impl Rights {
    /// No right.
    pub const NONE: Self = Self([0; WORDS]);

    /// These and one more.
    #[must_use]
    pub const fn with(mut self, right: Right) -> Self {
        let bit = bit(right);
        self.0[bit / 64] |= 1 << (bit % 64);
        self
    }

    /// Whether a right is among them.
    pub const fn has(&self, right: Right) -> bool {
        let bit = bit(right);
        self.0[bit / 64] & 1 << (bit % 64) != 0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// These and others.
    #[must_use]
    pub fn union(mut self, others: &Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(own, other)| *own |= other);
        self
    }

    /// Whether all of these are among others.
    pub fn are_within(&self, others: &Self) -> bool {
        self.0.iter().zip(others.0).all(|(own, other)| own & !other == 0)
    }

    /// The rights, by resource and action.
    pub fn iter(&self) -> impl Iterator<Item = Right> {
        let all = Resource::ALL.into_iter().flat_map(|resource| {
            Action::ALL.into_iter().map(move |action| Right::new(resource, action))
        });
        let own = *self;
        all.filter(move |right| own.has(*right))
    }

    /// The set as it is stored: its rights in words, with spaces between them and around
    /// them, so that a statement finds ` repository:list ` in it.
    pub(crate) fn to_stored(self) -> String {
        let mut text = String::from(" ");
        for right in self.iter() {
            text.push_str(&right.to_string());
            text.push(' ');
        }
        text
    }

    /// Reads what was stored. Words that are not known grant nothing.
    pub(crate) fn from_stored(text: &str) -> Self {
        text.split_ascii_whitespace()
            .filter_map(|word| Right::from_words(word.split_once(':')?))
            .fold(Self::NONE, Self::with)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<T: IntoIterator<Item = Right>>(rights: T) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

const fn bit(right: Right) -> usize {
    right.resource as usize * Action::COUNT + right.action as usize
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_it() {
        let every: Rights = Rights::NONE;
        assert_eq!(every.iter().count(), 0);
        let mut seen = Rights::NONE;
        for resource in Resource::ALL {
            for action in Action::ALL {
                let right = Right::new(resource, action);
                assert!(!seen.has(right));
                seen = seen.with(right);
                assert!(seen.has(right));
                assert_eq!(Right::from_words((resource.as_str(), action.as_str())), Some(right));
            }
        }
        assert_eq!(seen.iter().count(), BITS);
        assert_eq!(Rights::from_stored(&seen.to_stored()), seen);
        let one = Rights::NONE.with(Right::PULL);
        assert!(one.are_within(&seen) && !seen.are_within(&one) && one.are_within(&one));
        assert_eq!(one.union(&seen), seen);
        assert_eq!(one.to_stored(), " repository:pull ");
        assert_eq!(Rights::from_stored(" nonsense:x repository repository:pull "), one);
    }
}
