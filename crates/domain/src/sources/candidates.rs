//! Whom directories know, for those who are about to choose somebody: to import them, to make
//! a group of theirs known here, or to make either a member of a project.
//!
//! Who may look into directories finds people by a part of their name. Who may only add
//! members finds no more than adding would tell: whoever has exactly this name.

use std::{collections::HashMap, sync::Arc};

use db::{Sql, args};
use identity::ldap::{self, Settings};
use kit::{Page, Result};

use super::{
    Group, Person, Source,
    directory::{all_directories, directories, known_directories},
    password::{is_name, within},
    sql,
};
use crate::{
    Context,
    groups::{self, GroupKind},
    projects,
    rights::{Action, Allowed, Resource, Right, System},
    users,
};

/// How many people or groups of directories are found at the most.
const MOST: usize = 50;

/// How many candidates of each origin are found at the most.
const MOST_CANDIDATES: usize = 10;

/// Somebody or something of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// What the directory says.
    pub what: T,
    /// Which directory says it, by its name here.
    pub source: String,
    /// The number of the user or the group that it is here already.
    pub id: Option<i64>,
}

/// The first that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First<T> {
    /// By name.
    pub found: Vec<Found<T>>,
    /// Whether there are more.
    pub more: bool,
}

/// Who or what is to become a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Users.
    User,
    /// Groups.
    Group,
}

/// Somebody, or a group, that may become a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The user's or the group's name.
    pub name: String,
    /// The name in real life, where a directory was asked.
    pub realname: Option<String>,
    /// Its number, if it is known here.
    pub id: Option<i64>,
    /// Where a group is known.
    pub kind: Option<GroupKind>,
    /// The distinguished name of a directory's group.
    pub dn: Option<String>,
    /// The directory that was asked.
    pub source: Option<String>,
}

/// Who or what may become a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Who is known here first, then whom only a directory knows.
    pub found: Vec<Candidate>,
    /// The directories that are asked, by name.
    pub directories: Vec<String>,
    /// Whether one of them did not answer.
    pub unanswered: bool,
}

/// People of the directories, of whom a text is a part of a name or of the e-mail address; the
/// first of all by an empty one. Tells who is a user already.
///
/// # Errors
/// Invalid when there is no directory, or how it is asked is wrong; Unavailable when one
/// cannot be asked.
pub async fn search_people(
    context: &Context,
    allowed: &Allowed<System>,
    text: &str,
) -> Result<First<Person>> {
    allowed.require(Right::new(Resource::LdapUser, Action::List))?;
    let mut found = Vec::new();
    for (source, settings) in known_directories(context).await? {
        let people = people(context, &source, &settings, text.trim(), MOST + 1).await?;
        found.extend(known(context, &source, people).await?);
    }
    Ok(first(found, |person: &Person| person.username.to_lowercase()))
}

/// Groups of the directories by a part of their name, or one by its distinguished name. Tells
/// which are known here.
///
/// # Errors
/// As [`search_people`].
pub async fn search_groups(
    context: &Context,
    allowed: &Allowed<System>,
    text: &str,
) -> Result<First<Group>> {
    allowed.require(Right::new(Resource::LdapUser, Action::List))?;
    let mut found = Vec::new();
    for (source, settings) in known_directories(context).await? {
        let groups = groups_called(context, &source, &settings, text.trim()).await?;
        found.extend(known_groups(context, &source, groups).await?);
    }
    let mut first = first(found, |group: &Group| ldap::normal_dn(&group.dn));
    first.found.sort_by_cached_key(|one| one.what.name.to_lowercase());
    Ok(first)
}

/// Users or groups that may become members of a project: those here whose name contains a
/// text, and whom directories know. Who may look into these finds by a part of a name; others
/// find whoever has exactly this user name, or the group with this distinguished name.
///
/// # Errors
/// None but the database's: a directory that fails is told of.
pub async fn candidates(
    context: &Context,
    allowed: &projects::Allowed,
    looks: Option<&Allowed<System>>,
    sought: Sought,
    text: &str,
) -> Result<Candidates> {
    allowed.require(Right::new(Resource::Member, Action::Create))?;
    if let Some(looks) = looks {
        looks.require(Right::new(Resource::LdapUser, Action::List))?;
    }
    let (text, by_part) = (text.trim(), looks.is_some());
    match sought {
        Sought::User => candidate_users(context, by_part, text).await,
        Sought::Group => candidate_groups(context, by_part, text).await,
    }
}

async fn candidate_users(context: &Context, by_part: bool, text: &str) -> Result<Candidates> {
    let asked = directories(context).await?;
    let mut all = named(&asked);
    if text.is_empty() {
        return Ok(all);
    }
    for user in users::search(context, text, few()).await?.items {
        let (name, id) = (user.username.to_string(), Some(user.id));
        all.found.push(Candidate { name, id, ..Candidate::default() });
    }
    for (source, settings) in &asked {
        let people = match by_part {
            true => people(context, source, settings, text, MOST_CANDIDATES).await,
            false if !is_name(text) => continue,
            false => called(context, source, settings, text).await,
        };
        let Ok(people) = people else {
            all.unanswered = true;
            continue;
        };
        for Found { what, source, id } in known(context, source, people).await? {
            // Who is known under the name is told of already, or has it before the directory.
            let key = what.username.to_lowercase();
            if let Some(known) = all.found.iter_mut().find(|one| one.name.to_lowercase() == key) {
                if known.id == id {
                    known.realname = Some(what.realname);
                }
                continue;
            }
            all.found.push(Candidate {
                name: what.username,
                realname: Some(what.realname),
                id,
                source: Some(source),
                ..Candidate::default()
            });
        }
    }
    Ok(all)
}

async fn candidate_groups(context: &Context, by_part: bool, text: &str) -> Result<Candidates> {
    let asked = all_directories(context).await?;
    let mut all = named(&asked);
    if text.is_empty() {
        return Ok(all);
    }
    for group in groups::search(context, text, few()).await?.items {
        let (id, kind) = (Some(group.id), Some(group.kind));
        all.found.push(Candidate { name: group.name, id, kind, ..Candidate::default() });
    }
    for (source, settings) in &asked {
        if !by_part && !ldap::looks_like_a_dn(text) {
            continue;
        }
        let Ok(found) = groups_called(context, source, settings, text).await else {
            all.unanswered = true;
            continue;
        };
        for Found { what, source, id } in known_groups(context, source, found).await? {
            if id.is_some() && all.found.iter().any(|known| known.id == id) {
                continue;
            }
            all.found.push(Candidate {
                name: what.name,
                id,
                kind: Some(GroupKind::Ldap),
                dn: Some(what.dn),
                source: Some(source),
                ..Candidate::default()
            });
        }
    }
    Ok(all)
}

/// No candidates yet, and which directories are asked for them.
fn named(directories: &[(Arc<Source>, Settings)]) -> Candidates {
    let names = directories.iter().map(|(source, _)| source.name.clone());
    Candidates { directories: names.collect(), ..Candidates::default() }
}

fn few() -> Page {
    Page { page: 1, page_size: MOST_CANDIDATES as u64 }
}

/// People of a directory by a part of their name; who cannot be a user is none of them.
async fn people(
    context: &Context,
    source: &Source,
    settings: &Settings,
    text: &str,
    most: usize,
) -> Result<Vec<Person>> {
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    let asking = ldap::search_people(settings, text, most);
    let mut people = within(context, source, asking).await?;
    people.retain(|person| is_name(&person.username));
    Ok(people)
}

/// People of a directory who have exactly this name to sign in with.
async fn called(
    context: &Context,
    source: &Source,
    settings: &Settings,
    name: &str,
) -> Result<Vec<Person>> {
    Ok(within(context, source, ldap::find_people(settings, Some(name))).await?)
}

/// Groups of a directory by a part of their name, or one by its distinguished name.
async fn groups_called(
    context: &Context,
    source: &Source,
    settings: &Settings,
    text: &str,
) -> Result<Vec<Group>> {
    let asking = async {
        match ldap::looks_like_a_dn(text) {
            true => Ok(ldap::find_group(settings, text).await?.into_iter().collect()),
            false => ldap::find_groups(settings, text).await,
        }
    };
    let mut groups = within(context, source, asking).await?;
    groups.retain(|group| ldap::looks_like_a_dn(&group.dn));
    Ok(groups)
}

/// Tells which people of a source are users.
async fn known(
    context: &Context,
    source: &Source,
    people: Vec<Person>,
) -> Result<Vec<Found<Person>>> {
    let mut args = args![source.id];
    args.extend(people.iter().map(|person| person.username.to_lowercase()));
    let listed = Sql::list(sql::USERS_OF_BEFORE, people.len(), sql::USERS_OF_AFTER);
    let rows = context.db.all(listed, args).await?;
    let read = |row: &db::Row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?));
    let ids = rows.iter().map(read).collect::<Result<HashMap<_, _>>>()?;
    let told = |person: Person| Found {
        id: ids.get(&person.username.to_lowercase()).copied(),
        what: person,
        source: source.name.clone(),
    };
    Ok(people.into_iter().map(told).collect())
}

/// Tells which groups of a source are known here.
async fn known_groups(
    context: &Context,
    source: &Source,
    groups: Vec<Group>,
) -> Result<Vec<Found<Group>>> {
    let dns: Vec<&str> = groups.iter().map(|group| group.dn.as_str()).collect();
    let ids = groups::known_dns(context, &dns).await?;
    let told = |(group, id)| Found { what: group, source: source.name.clone(), id };
    Ok(groups.into_iter().zip(ids).map(told).collect())
}

/// The first by what tells them apart, each once: as who is known here, else of the source
/// that is asked first.
fn first<T>(mut found: Vec<Found<T>>, key: impl Fn(&T) -> String) -> First<T> {
    found.sort_by_cached_key(|one| (key(&one.what), one.id.is_none()));
    found.dedup_by(|later, kept| key(&later.what) == key(&kept.what));
    let more = found.len() > MOST;
    found.truncate(MOST);
    First { found, more }
}
