//! Artifacts by what people have at hand: a tag, a digest or the beginning of one, or what
//! they would pull.
//!
//! However many artifacts there are, an index finds what begins as the text does, and only so
//! many entries of it are looked at. Where that does not reach what somebody sees, the newest
//! repositories that they do see are asked, each by its own index.

use db::{Row, Sql, args};
use kit::{Error, Page, Result, Selection, Time, query::Pattern};

use super::{
    list::{RepositoryDetails, seen},
    search_sql as sql,
};
use crate::{Context, access::Sight};

/// The most bytes of a text that is looked for: a reference with the longest host, name and
/// digest is shorter.
const LONGEST: usize = 1024;

/// From how many digits on a text is taken for the beginning of a digest.
const FEWEST_DIGITS: usize = 6;

/// How many tags or digests with the beginning are looked at.
const LOOKED_AT: i64 = 2000;

/// How many repositories are asked for it one by one.
const ASKED: i64 = 10_000;

/// What a text that somebody looks for may mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// The name of a repository, or a part of a name.
    name: String,
    /// Whether tag and digest are meant in repositories of the name only.
    within: bool,
    /// How a tag begins.
    tag: Option<String>,
    /// How digests begin, with their algorithms.
    digests: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Sighted {
    /// Repositories by their name, the one of just this name first.
    pub repositories: Vec<RepositoryDetails>,
    /// Artifacts by tag or digest.
    pub artifacts: Vec<Found>,
}

/// An artifact that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The tag that was looked for, or else the newest that it has.
    pub tag: Option<String>,
    /// The digest of its manifest.
    pub digest: String,
    /// What it is, such as `IMAGE`.
    pub kind: String,
    /// When it was last pushed.
    pub pushed_at: Time,
    /// Its repository's full name.
    pub repository_name: String,
    project_id: i64,
    public: bool,
}

impl Sought {
    /// Reads what somebody typed: a part of a name, a tag, a digest, or what one would pull,
    /// `host/project/repository:tag` or `…@digest`.
    ///
    /// # Errors
    /// Invalid when it is too long to mean anything.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("q may have at most {LONGEST} bytes")));
        }
        let text = text.trim();
        if let Some((name, digest)) = text.split_once('@') {
            let name = split_tag(name).map_or(name, |(name, _)| name).to_owned();
            return Ok(Self { name, within: true, tag: None, digests: digests(digest) });
        }
        let digests = digests(text);
        if digests.is_empty()
            && let Some((name, tag)) = split_tag(text)
        {
            let (name, tag) = (name.to_owned(), Some(tag.to_owned()));
            return Ok(Self { name, within: true, tag, digests });
        }
        let tag = is_tag(text).then(|| text.to_owned());
        Ok(Self { name: text.to_owned(), within: false, tag, digests })
    }

    /// The part of a name that is looked for, without what can only be the host of a registry.
    pub fn name(&self) -> &str {
        match self.name.split_once('/') {
            Some((host, rest)) if is_host(host) => rest,
            _ => &self.name,
        }
    }
}

/// Whether the first part of a reference says where a registry is. A project's name may hold a
/// dot, so what is only dotted may be one.
fn is_host(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':'])
}

/// A name and the tag behind it; none where the colon is a port's.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let (name, tag) = text.rsplit_once(':')?;
    (!name.is_empty() && (tag.is_empty() || is_tag(tag))).then_some((name, tag))
}

fn is_tag(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(fits)
}

/// How digests begin that a text may be the beginning of.
fn digests(text: &str) -> Vec<String> {
    let (algorithms, digits) = match text.split_once(':') {
        None => (vec!["sha256", "sha512"], text),
        Some((algorithm @ ("sha256" | "sha512"), digits)) => (vec![algorithm], digits),
        Some(_) => return Vec::new(),
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !(FEWEST_DIGITS..=128).contains(&digits.len()) || !digits.bytes().all(is_digit) {
        return Vec::new();
    }
    algorithms.into_iter().map(|algorithm| format!("{algorithm}:{digits}")).collect()
}

/// The first few repositories and artifacts that somebody sees and a text may mean.
///
/// # Errors
/// Invalid when the text holds what none can; else the database's.
pub async fn search(
    context: &Context,
    sight: &Sight,
    sought: &Sought,
    most: u8,
) -> Result<Sighted> {
    let repositories = repositories(context, sight, sought, most).await?;
    let most = usize::from(most);
    let mut artifacts = Vec::new();
    let ids: Vec<i64> = repositories.iter().map(|repository| repository.id).collect();
    let searching = Searching { context, sight, most };
    let digests = sought.digests.iter().map(|digest| (By::Digest, digest));
    for (by, begins) in digests.chain(sought.tag.iter().map(|tag| (By::Tag, tag))) {
        artifacts.extend(match sought.within {
            true => searching.within(by, begins, &ids).await?,
            false => searching.everywhere(by, begins).await?,
        });
    }
    artifacts.truncate(most);
    Ok(Sighted { repositories, artifacts })
}

/// Repositories by name: the one of just this name, and those whose names contain it.
async fn repositories(
    context: &Context,
    sight: &Sight,
    sought: &Sought,
    most: u8,
) -> Result<Vec<RepositoryDetails>> {
    let mut found: Vec<RepositoryDetails> = Vec::new();
    if sought.name().is_empty() {
        return Ok(found);
    }
    let mut patterns = vec![Pattern::Exact(sought.name.clone())];
    if sought.name() != sought.name {
        patterns.push(Pattern::Exact(sought.name().to_owned()));
    }
    patterns.push(Pattern::Fuzzy(sought.name().to_owned()));
    for pattern in patterns {
        let mut selection = Selection::from(Page { page: 1, page_size: most.into() });
        selection.filter.set("name", pattern);
        for repository in seen(context, sight, &selection, Some(0)).await?.items {
            if !found.iter().any(|known| known.id == repository.id) {
                found.push(repository);
            }
        }
        // Whoever names one and a tag or digest in it means no other.
        if sought.within && !found.is_empty() {
            break;
        }
    }
    found.truncate(most.into());
    Ok(found)
}

/// What an artifact is found by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Tag,
    Digest,
}

struct Searching<'a> {
    context: &'a Context,
    sight: &'a Sight,
    most: usize,
}

impl Searching<'_> {
    /// Artifacts of some repositories, which are seen.
    async fn within(&self, by: By, begins: &str, ids: &[i64]) -> Result<Vec<Found>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (before, after) = match by {
            By::Tag => (sql::NAMED_TAGS_BEFORE, sql::NAMED_TAGS_AFTER),
            By::Digest => (sql::NAMED_DIGESTS_BEFORE, sql::NAMED_DIGESTS_AFTER),
        };
        let most = i64::try_from(self.most).map_err(Error::internal)?;
        let mut args = args![begins, end(begins), LOOKED_AT, most];
        args.extend(ids.iter().copied());
        let rows = self.context.db.all(Sql::list(before, ids.len(), after), args).await?;
        rows.iter().map(read).collect()
    }

    /// Artifacts of all repositories.
    async fn everywhere(&self, by: By, begins: &str) -> Result<Vec<Found>> {
        let (statement, more, of_seen) = match by {
            By::Tag => (sql::BY_TAGS, sql::HAS_MORE_TAGS, sql::BY_TAGS_OF_SEEN),
            By::Digest => (sql::BY_DIGESTS, sql::HAS_MORE_DIGESTS, sql::BY_DIGESTS_OF_SEEN),
        };
        let found = self.ask(statement, begins, LOOKED_AT).await?;
        let view = self.sight.view();
        let may_hide = !view.is_everything() || !self.sight.is_whole();
        if found.len() >= self.most || !may_hide {
            return Ok(found);
        }
        let args = args![begins, end(begins), LOOKED_AT];
        if self.context.db.one(more, args).await?.is_none() {
            return Ok(found);
        }
        let mut found = self.ask(of_seen, begins, ASKED).await?;
        found.sort_by(|one, other| (&one.tag, &other.pushed_at).cmp(&(&other.tag, &one.pushed_at)));
        Ok(found)
    }

    /// Asks for what is seen. A database knows projects and not patterns of repositories, so
    /// for those who see only some there have to be more to choose from.
    async fn ask(&self, statement: &'static str, begins: &str, looked: i64) -> Result<Vec<Found>> {
        let (view, is_whole) = (self.sight.view(), self.sight.is_whole());
        let most = i64::try_from(self.most).map_err(Error::internal)?;
        let args = args![
            begins,
            end(begins),
            looked,
            view.is_everything(),
            view.user_id(),
            view.robot_id(),
            if is_whole { most } else { LOOKED_AT }
        ];
        let rows = self.context.db.all(statement, args).await?;
        let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        found.retain(|one| is_whole || self.sees(one));
        found.truncate(self.most);
        Ok(found)
    }

    fn sees(&self, found: &Found) -> bool {
        let rest = found.repository_name.split_once('/').map_or("", |(_, rest)| rest);
        self.sight.covers(found.project_id, found.public, rest)
    }
}

/// Behind everything that begins so: tags and digests are of ASCII without controls.
fn end(begins: &str) -> String {
    format!("{begins}\u{7f}")
}

fn read(row: &Row) -> Result<Found> {
    Ok(Found {
        tag: row.get(0)?,
        digest: row.get(1)?,
        kind: row.get(2)?,
        pushed_at: row.get(3)?,
        repository_name: row.get(4)?,
        project_id: row.get(5)?,
        public: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_typed_means_what_people_mean_by_it() {
        let parse = |text: &str| Sought::parse(text).unwrap();
        let tag = |tag: &str| Some(tag.to_owned());

        let plain = parse(" 1.4-rc ");
        assert_eq!(
            (plain.name(), plain.within, plain.tag.clone()),
            ("1.4-rc", false, tag("1.4-rc"))
        );
        let path = parse("team/web");
        assert_eq!((path.name(), path.within, path.tag.clone()), ("team/web", false, None));
        for pulled in ["r.example:8443/team/web:1.4", "localhost/team/web:1.4", "team/web:1.4"] {
            let pulled = parse(pulled);
            assert_eq!((pulled.name(), pulled.within), ("team/web", true));
            assert_eq!(pulled.tag, tag("1.4"));
        }
        let port = parse("r.example:8443/team/web");
        assert_eq!((port.name(), port.within, port.tag.clone()), ("team/web", false, None));
        assert_eq!(parse("web:").tag, tag(""));

        let short = parse("0123ab");
        assert_eq!(short.digests, ["sha256:0123ab", "sha512:0123ab"]);
        assert_eq!(short.tag, tag("0123ab"));
        let known = parse("sha256:0123ab");
        assert_eq!((known.digests, known.tag), (vec!["sha256:0123ab".to_owned()], None));
        let pulled = parse("r.example/team/web:1@sha512:0123ab");
        assert_eq!((pulled.name(), pulled.within), ("team/web", true));
        assert_eq!(pulled.digests, ["sha512:0123ab"]);
        for no_digest in ["sha256:0123", "01234", "0123AB", "sha256:xyzxyz", "md5:0123ab", ""] {
            assert_eq!(parse(no_digest).digests, Vec::<String>::new(), "{no_digest}");
        }
        assert!(Sought::parse(&"x".repeat(LONGEST + 1)).is_err());
    }
}
