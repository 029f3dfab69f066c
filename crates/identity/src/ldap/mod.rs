//! A directory, as LDAP servers and Active Directory have it: who has a name and a password,
//! and in which groups somebody is.
//!
//! The protocol is spoken by what is in this folder: what a client needs of it is small, and
//! here no answer, however large, deep or odd, does more than end the conversation. Values
//! that people type are never part of a filter's text.

mod ber;
mod connection;
mod filter;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod groups;
mod message;
mod settings;

use kit::Secret;

use connection::Connection;
use filter::Filter;
pub use groups::{Group, find_group, find_groups, looks_like_a_dn, normal as normal_dn};
pub use message::Scope;
use message::{Entry, Search};
pub use settings::{Grouping, Membership, Settings};

use crate::{Failure, Result};

/// The most people that a search gives.
const MOST_PEOPLE: u32 = 1000;

/// The longest name of somebody that is asked for, in bytes.
const LONGEST_NAME: usize = 1024;

/// The longest password that is tried, in bytes.
const LONGEST_PASSWORD: usize = 4096;

/// Somebody, as a directory knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The distinguished name.
    pub dn: String,
    /// The name to sign in with, as the directory writes it.
    pub username: String,
    /// The name in real life; the name to sign in with where there is none.
    pub realname: String,
    /// The e-mail address, if there is one.
    pub email: Option<String>,
}

/// Somebody who proved to be it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// In which groups, nested ones included if the settings want them.
    pub groups: Vec<Group>,
    /// Whether one of these is the administrators'.
    pub admin: bool,
}

/// Whether an address of a directory can be read.
///
/// # Errors
/// Misconfigured.
pub fn check_url(url: &str) -> Result<()> {
    settings::place(url, false).map(drop)
}

/// Whether a filter can be read; an empty one can.
///
/// # Errors
/// BadFilter.
pub fn check_filter(filter: &str) -> Result<()> {
    Filter::parse(filter).map(drop)
}

/// Tries whether the directory is there and lets us search.
///
/// # Errors
/// BadSearchCredentials, and all that is about the connection.
pub async fn ping(settings: &Settings) -> Result<()> {
    settings.check()?;
    bound(settings).await?.close().await;
    Ok(())
}

/// Somebody by a name and a password. The name is looked up first, and then the directory is
/// asked whether the password is that entry's.
///
/// # Errors
/// BadCredentials when nobody has the name or the password is another; SeveralFound when the
/// name is that of several.
pub async fn authenticate(settings: &Settings, name: &str, password: &Secret) -> Result<Member> {
    let name = name.trim();
    let password = password.reveal();
    let sane = |text: &str, longest| !text.is_empty() && text.len() <= longest;
    if !sane(name, LONGEST_NAME) || !sane(password, LONGEST_PASSWORD) || name.contains('\0') {
        return Err(Failure::BadCredentials);
    }
    let mut connection = bound(settings).await?;
    let named = called(settings, Some(name));
    let mut found = people(&mut connection, settings, named, 2).await?;
    let (person, entry) = match (found.pop(), found.pop()) {
        (Some(found), None) => found,
        (None, _) => return Err(Failure::BadCredentials),
        (Some(_), Some(_)) => return Err(Failure::SeveralFound),
    };
    connection.bind(&person.dn, password).await?;
    let (groups, admin) = match &settings.grouping {
        None => (Vec::new(), false),
        Some(grouping) => {
            // Who searches may see more than who signs in.
            rebind(&mut connection, settings).await?;
            let groups = groups::of(&mut connection, settings, grouping, &person, &entry).await?;
            let admin = grouping.is_admin(&groups);
            (groups.into_iter().filter(|group| group.counts).collect(), admin)
        }
    };
    connection.close().await;
    Ok(Member { person, groups, admin })
}

/// People by the name to sign in with, exactly that; everybody without one, up to 1,000.
///
/// # Errors
/// All that is about the connection and the settings.
pub async fn find_people(settings: &Settings, name: Option<&str>) -> Result<Vec<Person>> {
    if name.is_some_and(|name| name.len() > LONGEST_NAME || name.contains('\0')) {
        return Ok(Vec::new());
    }
    people_alone(settings, called(settings, name), MOST_PEOPLE).await
}

/// People of whom a text is a part of the name to sign in with, of the name in real life or of
/// the e-mail address; anybody by an empty one. Not more than `most`.
///
/// # Errors
/// As [`find_people`].
pub async fn search_people(settings: &Settings, text: &str, most: u32) -> Result<Vec<Person>> {
    if text.len() > LONGEST_NAME || text.contains('\0') {
        return Ok(Vec::new());
    }
    let named = match text {
        "" => called(settings, None),
        text => {
            let part = |attribute| Filter::contains(attribute, text);
            let names = [settings.uid.trim(), "cn", "displayName", "mail"];
            Filter::Any(names.into_iter().map(part).collect())
        }
    };
    people_alone(settings, named, most).await
}

/// In which groups somebody is now, by name; none if nobody has it any more.
///
/// # Errors
/// As [`find_people`].
pub async fn look_up(settings: &Settings, name: &str) -> Result<Option<Member>> {
    let mut connection = bound(settings).await?;
    let named = called(settings, Some(name));
    let mut found = people(&mut connection, settings, named, 2).await?;
    let (Some((person, entry)), None) = (found.pop(), found.pop()) else { return Ok(None) };
    let (mut groups, mut admin) = (Vec::new(), false);
    if let Some(grouping) = &settings.grouping {
        groups = groups::of(&mut connection, settings, grouping, &person, &entry).await?;
        admin = grouping.is_admin(&groups);
        groups.retain(|group| group.counts);
    }
    connection.close().await;
    Ok(Some(Member { person, groups, admin }))
}

/// A connection on which we may search.
async fn bound(settings: &Settings) -> Result<Connection> {
    let place = settings.place()?;
    let mut connection = Connection::open(&place, &settings.trust, settings.limit()).await?;
    rebind(&mut connection, settings).await?;
    Ok(connection)
}

async fn rebind(connection: &mut Connection, settings: &Settings) -> Result<()> {
    let (dn, password) = (settings.search_dn.trim(), settings.search_password.reveal());
    connection.bind(dn, password).await.map_err(|failure| match failure {
        Failure::BadCredentials => Failure::BadSearchCredentials,
        other => other,
    })
}

/// Who has this name to sign in with, or any.
fn called(settings: &Settings, name: Option<&str>) -> Filter {
    let uid = settings.uid.trim();
    match name {
        Some(name) => Filter::equal(uid, name),
        None => Filter::Present(uid.to_owned()),
    }
}

/// Searches people on a connection of its own.
async fn people_alone(settings: &Settings, named: Filter, most: u32) -> Result<Vec<Person>> {
    let mut connection = bound(settings).await?;
    let found = people(&mut connection, settings, named, most).await?;
    connection.close().await;
    Ok(found.into_iter().map(|(person, _)| person).collect())
}

/// Searches people for whom the settings' filter and another one hold.
async fn people(
    connection: &mut Connection,
    settings: &Settings,
    named: Filter,
    most: u32,
) -> Result<Vec<(Person, Entry)>> {
    let uid = settings.uid.trim();
    let filter = Filter::All(vec![Filter::parse(&settings.filter)?, named]);
    let attributes = settings.person_attributes();
    let search = Search {
        base: settings.base_dn.trim(),
        scope: settings.scope,
        filter: &filter,
        attributes: &attributes,
        most,
        seconds: settings.seconds(),
    };
    let found = connection.search(&search).await?;
    let person = |entry: Entry| Some((person(&entry, uid)?, entry));
    Ok(found.into_iter().filter_map(person).collect())
}

/// Reads a person; none if the entry does not say how it signs in.
fn person(entry: &Entry, uid: &str) -> Option<Person> {
    let username = entry.first(uid)?.to_owned();
    let realname = entry.first("cn").or_else(|| entry.first("uid")).unwrap_or(&username);
    let email = entry.first("mail").or_else(|| entry.first("email"));
    let (realname, email) = (realname.to_owned(), email.map(str::to_owned));
    Some(Person { dn: entry.dn.clone(), username, realname, email })
}
