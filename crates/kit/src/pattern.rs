//! Patterns for names that hold slashes, by the rules of Harbor's matcher (doublestar
//! v1.3.4): what a selector of repositories or tags is written in.
//!
//! | written     | matches |
//! |-------------|---------|
//! | `*`         | any characters but `/` |
//! | `**`        | as a whole part between slashes: any number of parts; as the last part at least one. Elsewhere it is `*` |
//! | `?`         | one character but `/` |
//! | `[a-z_]`    | one character of a class; `[^…]` one that is not of it |
//! | `{a,b/c}`   | one of several patterns; they may be nested |
//! | `\c`        | the character itself |
//!
//! A part that begins inside of braces, as in `{**,x}`, is never a `**` of many parts: so
//! it is with Harbor, and existing rules must keep their meaning.

use std::{fmt, str::FromStr};

use crate::{Error, Result};

/// The longest pattern, in bytes.
const LONGEST: usize = 1024;

/// How many patterns without braces a pattern may stand for, and how many characters
/// they may have together.
const MOST_ALTERNATIVES: usize = 256;
const MOST_TOKENS: usize = 16 * 1024;

/// A pattern, ready to match.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    /// The pattern without braces: it matches if one of these does.
    alternatives: Box<[Vec<Part>]>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `**`
    Parts,
    /// Anything else.
    Characters(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// This character.
    Character(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `[…]`: ranges, both ends included, and whether it is one that is not in them.
    Class { ranges: Vec<(char, char)>, not: bool },
    /// A slash that separates.
    Slash,
    /// Here an alternative begins. Matches nothing by itself.
    Brace,
}

impl Pattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let parts: Vec<&str> = name.split('/').collect();
        self.alternatives.iter().any(|alternative| matches_parts(alternative, &parts))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("a pattern has at most {LONGEST} bytes")));
        }
        let mut alternatives = vec![Vec::new()];
        let mut rest = text;
        read(&mut rest, &mut alternatives, 0)?;
        let alternatives = alternatives.into_iter().map(split).collect();
        Ok(Self { text: text.into(), alternatives })
    }
}

/// How deep braces may be nested.
const DEEPEST: usize = 8;

/// Reads a pattern, or within braces one alternative of several, and appends it to each of
/// the patterns before it. Ends at the end or, within braces, at `,` or `}`.
fn read(rest: &mut &str, before: &mut Vec<Vec<Token>>, depth: usize) -> Result<()> {
    while let Some(c) = rest.chars().next() {
        if depth > 0 && matches!(c, ',' | '}') {
            return Ok(());
        }
        *rest = &rest[c.len_utf8()..];
        let token = match c {
            '{' => {
                read_alternatives(rest, before, depth + 1)?;
                continue;
            }
            '\\' => {
                let escaped = rest.chars().next().ok_or_else(|| bad("it ends with a backslash"))?;
                *rest = &rest[escaped.len_utf8()..];
                Token::Character(escaped)
            }
            '[' => read_class(rest)?,
            '*' => Token::Any,
            '?' => Token::One,
            '/' => Token::Slash,
            c => Token::Character(c),
        };
        for tokens in before.iter_mut() {
            tokens.push(token.clone());
        }
        if before.iter().map(Vec::len).sum::<usize>() > MOST_TOKENS {
            return Err(bad("its alternatives are too long"));
        }
    }
    if depth > 0 { Err(bad("a brace is not closed")) } else { Ok(()) }
}

/// Reads what follows an opening brace, up to the closing one.
fn read_alternatives(rest: &mut &str, before: &mut Vec<Vec<Token>>, depth: usize) -> Result<()> {
    if depth > DEEPEST {
        return Err(bad("its braces are nested too deeply"));
    }
    let mut after = Vec::new();
    loop {
        let mut these = before.clone();
        these.iter_mut().for_each(|tokens| tokens.push(Token::Brace));
        read(rest, &mut these, depth)?;
        after.extend(these);
        if after.len() > MOST_ALTERNATIVES {
            return Err(bad("it has too many alternatives"));
        }
        let ended = rest.starts_with('}');
        *rest = &rest[1..];
        if ended {
            *before = after;
            return Ok(());
        }
    }
}

/// Reads what follows an opening bracket, up to the closing one, which is the first that no
/// backslash precedes.
fn read_class(rest: &mut &str) -> Result<Token> {
    let unescaped = |(at, _): &(usize, &str)| !rest[..*at].ends_with('\\');
    let (end, _) =
        rest.match_indices(']').find(unescaped).ok_or_else(|| bad("a bracket is not closed"))?;
    let (class, after) = (&rest[..end], &rest[end + 1..]);
    *rest = after;
    if class.is_empty() {
        return Err(bad("a class of characters is empty"));
    }
    let (not, class) = class.strip_prefix('^').map_or((false, class), |class| (true, class));
    let mut characters = class.chars().peekable();
    let mut ranges = Vec::new();
    while characters.peek().is_some() {
        let low = read_of_class(&mut characters)?;
        let high = match characters.next_if_eq(&'-') {
            Some(_) => read_of_class(&mut characters)?,
            None => low,
        };
        ranges.push((low, high));
    }
    Ok(Token::Class { ranges, not })
}

fn read_of_class(characters: &mut impl Iterator<Item = char>) -> Result<char> {
    match characters.next() {
        Some('\\') => characters.next().ok_or_else(|| bad("a class ends with a backslash")),
        Some('-') | None => Err(bad("a hyphen in a class must stand between two characters")),
        Some(c) => Ok(c),
    }
}

fn bad(why: &str) -> Error {
    Error::invalid(format!("the pattern is not well formed: {why}"))
}

/// Cuts a pattern without braces into what stands between the slashes.
fn split(tokens: Vec<Token>) -> Vec<Part> {
    let part = |tokens: &[Token]| {
        if matches!(tokens, [Token::Any, Token::Any]) {
            return Part::Parts;
        }
        let kept = tokens.iter().filter(|token| **token != Token::Brace);
        Part::Characters(kept.cloned().collect())
    };
    tokens.split(|token| *token == Token::Slash).map(part).collect()
}

/// Whether parts of a pattern match parts of a name: `reached[i]` says whether the parts of
/// the pattern seen so far match the first `i` of the name.
fn matches_parts(pattern: &[Part], name: &[&str]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for (position, part) in pattern.iter().enumerate() {
        let is_last = position + 1 == pattern.len();
        match part {
            Part::Parts => {
                let first = reached.iter().position(|reached| *reached);
                let Some(first) = first else { return false };
                // As the last part it stands for at least one.
                reached[first] &= !is_last;
                reached[first + 1..].fill(true);
            }
            Part::Characters(tokens) => {
                for at in (0..name.len()).rev() {
                    reached[at + 1] = reached[at] && matches_part(tokens, name[at]);
                }
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}

/// Whether a pattern without slashes matches the whole of a name without slashes. After a
/// `*` it is tried from each character on; the last `*` is the only one to go back to.
fn matches_part(pattern: &[Token], name: &str) -> bool {
    let (mut at, mut rest) = (0, name.chars());
    let mut star = None;
    loop {
        let matched = match (pattern.get(at), rest.clone().next()) {
            (Some(Token::Any), _) => {
                star = Some((at, rest.clone()));
                at += 1;
                continue;
            }
            (None, None) => return true,
            (Some(token), Some(c)) => matches_character(token, c),
            _ => false,
        };
        if matched {
            at += 1;
            rest.next();
            continue;
        }
        let Some((back, from)) = &mut star else { return false };
        if from.next().is_none() {
            return false;
        }
        (at, rest) = (*back + 1, from.clone());
    }
}

fn matches_character(token: &Token, c: char) -> bool {
    match token {
        Token::Character(own) => *own == c,
        Token::One => true,
        Token::Class { ranges, not } => {
            ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *not
        }
        Token::Any | Token::Slash | Token::Brace => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// Pattern, name, and whether it matches: the rules one by one.
    const RULES: &[(&str, &str, bool)] = &[
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "abc", true),
        ("*", "a/b", false),
        ("/*", "/", true),
        ("/*", "/debug/", false),
        ("*c", "abc", true),
        ("*/", "a/", true),
        ("a*", "a", true),
        ("a*", "ab/c", false),
        ("a*/b", "abc/b", true),
        ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*", "axbxcxdxe", true),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false),
        ("*x", "xxx", true),
        ("a?b", "a☺b", true),
        ("a?b", "a/b", false),
        ("a???b", "a☺b", false),
        ("ab[b-d]", "abc", true),
        ("ab[e-g]", "abc", false),
        ("ab[^b-d]", "abc", false),
        ("ab[^e-g]", "abc", true),
        ("[a-ζ]*", "α", true),
        ("*[a-ζ]", "A", false),
        ("[^]", "x", true),
        ("[\\]a]", "]", true),
        ("[x\\-]", "-", true),
        ("[x\\-]", "z", false),
        ("a\\*b", "ab", false),
        ("a\\*b", "a*b", true),
        ("a/\\**", "a/b/c", false),
        ("**", "", true),
        ("**", "a/b/c", true),
        ("a/**", "a", false),
        ("a/**", "a/", true),
        ("a/**", "a/b", true),
        ("a/**", "a/b/c", true),
        ("a/**", "b/c", false),
        ("**/c", "c", true),
        ("**/c", "a/b/c", true),
        ("**/c", "a/b", false),
        ("**/c", "a/abc", false),
        ("a/**/b", "a/b", true),
        ("a/**/d", "a/b/c/d", true),
        ("a/**/**", "a/b", true),
        ("**/a/**/b", "x/a/y/z/b", true),
        ("abc**", "abcd", true),
        ("abc**", "abc/b", false),
        ("a//b/c", "a/b/c", false),
        ("a/b/c", "a/b//c", false),
        ("a/", "a", false),
        ("ab{c,d}", "abc", true),
        ("ab{c,d,*}", "abcde", true),
        ("a{,bc}", "a", true),
        ("a{,bc}", "abc", true),
        ("a/{b/c,c/b}", "a/c/b", true),
        ("{a/{b,c},abc}", "a/c", true),
        ("{a/{b,c},abc}", "abc", true),
        ("{a/{b,c},abc}", "a/b/c", false),
        ("{a/ab*}", "a/abc", true),
        ("{a/**,b}", "a/x/y", true),
        ("{a/**,b}/c", "a/x/y/c", true),
        ("{a,b}.{c,d}", "b.c", true),
        ("a,b}", "a,b}", true),
        ("**/【*", "abc/【test】.txt", true),
        // What begins inside of braces is one part, as with Harbor.
        ("{**,x}", "a", true),
        ("{**,x}", "a/b", false),
        ("a/{**,x}", "a/b/c", false),
    ];

    const NOT_WELL_FORMED: &[&str] = &[
        "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "ab{c,d}[", "\\", "a{b",
        "a{b,{c}", "[]", "{a,b\\}",
    ];

    #[test]
    fn the_rules() {
        for (pattern, name, expected) in RULES {
            let parsed: Pattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(name), *expected, "{pattern:?} {name:?}");
            assert_eq!(parsed.as_str(), *pattern);
        }
        for pattern in NOT_WELL_FORMED {
            assert!(pattern.parse::<Pattern>().is_err(), "{pattern:?}");
        }
    }

    #[test]
    fn what_would_take_long_is_refused_or_quick() {
        assert!("{a,b}".repeat(9).parse::<Pattern>().is_err());
        assert!("a".repeat(1025).parse::<Pattern>().is_err());
        assert!(format!("{}x{}", "{".repeat(9), "}".repeat(9)).parse::<Pattern>().is_err());
        let stars: Pattern = "*a".repeat(500).parse().unwrap();
        assert!(!stars.matches(&"a".repeat(255)));
        let parts: Pattern = "**/a/".repeat(100).parse().unwrap();
        assert!(!parts.matches(&"a/".repeat(99)));
    }

    /// What the rules say, tried one after the other without any thought of time. Of the
    /// pattern it is given what has neither braces nor classes.
    fn naive(pattern: &str, name: &str) -> bool {
        fn part(pattern: &[char], name: &[char]) -> bool {
            match pattern.split_first() {
                None => name.is_empty(),
                Some(('*', rest)) => (0..=name.len()).any(|n| part(rest, &name[n..])),
                Some(('?', rest)) => !name.is_empty() && part(rest, &name[1..]),
                Some((c, rest)) => name.first() == Some(c) && part(rest, &name[1..]),
            }
        }
        fn parts(pattern: &[Vec<char>], name: &[Vec<char>]) -> bool {
            match pattern.split_first() {
                None => name.is_empty(),
                Some((first, [])) if first == &['*', '*'] => !name.is_empty(),
                Some((first, rest)) if first == &['*', '*'] => {
                    (0..=name.len()).any(|n| parts(rest, &name[n..]))
                }
                Some((first, rest)) => {
                    !name.is_empty() && part(first, &name[0]) && parts(rest, &name[1..])
                }
            }
        }
        let split = |text: &str| -> Vec<Vec<char>> {
            text.split('/').map(|part| part.chars().collect()).collect()
        };
        parts(&split(pattern), &split(name))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn as_the_naive_matcher_says(pattern in "[ab*?/]{0,8}", name in "[ab/]{0,8}") {
            let parsed: Pattern = pattern.parse().unwrap();
            prop_assert_eq!(parsed.matches(&name), naive(&pattern, &name));
        }

        #[test]
        fn braces_are_one_of_several(
            // No star beside a brace: together with an empty alternative it would be `**`.
            before in "([ab*/]{0,2}[ab/])?",
            these in prop::collection::vec("[ab?]{0,3}", 1..4),
            after in "([ab/][ab*/]{0,2})?",
            name in "[ab/]{0,6}",
        ) {
            let pattern: Pattern = format!("{before}{{{}}}{after}", these.join(",")).parse().unwrap();
            let expected = these.iter().any(|one| naive(&format!("{before}{one}{after}"), &name));
            prop_assert_eq!(pattern.matches(&name), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(pattern in "[ab*?\\[\\]{},/\\\\^-]{0,40}", name in "[ab/-]{0,20}") {
            if let Ok(pattern) = pattern.parse::<Pattern>() {
                let _ = pattern.matches(&name);
            }
        }

        #[test]
        fn a_name_matches_itself(name in "[a-z0-9._-]{1,10}(/[a-z0-9._-]{1,10}){0,4}") {
            prop_assert!(name.parse::<Pattern>().unwrap().matches(&name));
            prop_assert!("**".parse::<Pattern>().unwrap().matches(&name));
            let longer: Pattern = [&name, "x"].concat().parse().unwrap();
            prop_assert!(!longer.matches(&name));
        }
    }
}
