//! Directories, as administrators look into them.

use std::sync::Arc;

use identity::{
    Failure,
    ldap::{self, Settings},
};
use kit::{Error, Kind, Result, Secret};

use super::{
    Source, asked,
    enter::{self, Newcomer},
    harbor,
    how::{How, Ldap},
    password::{is_name, within},
};
use crate::{
    Context,
    rights::{Action, Allowed, Resource, Right, System},
    settings::{self, Key},
};

/// How many people are imported at once.
const MOST_IMPORTED: usize = 1000;

pub use identity::ldap::{Group, Person};

/// How a directory is to be tried: what is none, or empty, is as in the settings.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// Where it is.
    pub url: String,
    /// Who searches.
    pub search_dn: String,
    /// The password of who searches.
    pub search_password: Secret,
    /// Below which entry people are searched.
    pub base_dn: String,
    /// What holds for people.
    pub filter: String,
    /// The attribute that is the name to sign in with.
    pub uid: String,
    /// How far below its base people are searched.
    pub scope: i64,
    /// How long an exchange may take, in seconds.
    pub timeout: Option<u64>,
    /// Whether its certificate has to be a good one.
    pub verify_certificate: bool,
}

/// Somebody who could not be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedImport {
    /// The name that was asked for.
    pub name: String,
    /// Why, in Harbor's words.
    pub why: String,
}

/// Tries a directory: that of the settings, or as it may become. Gives why it does not work,
/// if it does not.
///
/// # Errors
/// None but the database's.
pub async fn ping_directory(
    context: &Context,
    allowed: &Allowed<System>,
    probe: Option<Probe>,
) -> Result<Option<String>> {
    allowed.require(Right::new(Resource::Configuration, Action::Read))?;
    let (stored, stored_password) = harbor::directory(&*settings::current(context).await?);
    let (directory, password) = match probe {
        None => (stored, stored_password),
        Some(probe) => {
            // The password that is stored goes where it is stored for, and nowhere else.
            let same = probe.url.trim() == stored.url.trim();
            let password = match probe.search_password.reveal() {
                "" if same => stored_password,
                _ => probe.search_password.clone(),
            };
            (probe.directory(stored), password)
        }
    };
    if directory.url.trim().is_empty() {
        return Ok(Some("the LDAP URL is empty".to_owned()));
    }
    if !directory.search_dn.trim().is_empty() && password.reveal().is_empty() {
        return Ok(Some("the search password is empty".to_owned()));
    }
    let settings = directory.settings(&password);
    let limit = How::Ldap(directory).limit();
    let asked = tokio::time::timeout(limit, ldap::ping(&settings)).await;
    let answer = asked.unwrap_or(Err(Failure::TimedOut));
    Ok(answer.err().map(|failure| failure.to_string()))
}

impl Probe {
    fn directory(self, stored: Ldap) -> Ldap {
        Ldap {
            url: self.url,
            verify_certificate: self.verify_certificate,
            timeout: self.timeout.unwrap_or(stored.timeout),
            search_dn: self.search_dn,
            base_dn: self.base_dn,
            filter: self.filter,
            uid: if self.uid.is_empty() { stored.uid.clone() } else { self.uid },
            scope: self.scope,
            ..Ldap::default()
        }
    }
}

/// People of the directories by the name to sign in with; all of them by an empty one.
///
/// # Errors
/// Invalid when there is no directory, or how it is asked is wrong; Unavailable when one
/// cannot be asked.
pub async fn find_people(
    context: &Context,
    allowed: &Allowed<System>,
    name: &str,
) -> Result<Vec<Person>> {
    allowed.require(Right::new(Resource::LdapUser, Action::List))?;
    let name = Some(name.trim()).filter(|name| !name.is_empty());
    let mut found: Vec<Person> = Vec::new();
    for (source, settings) in known_directories(context).await? {
        let people = within(context, &source, ldap::find_people(&settings, name)).await?;
        for person in people {
            if !found.iter().any(|known| known.username == person.username) {
                found.push(person);
            }
        }
    }
    Ok(found)
}

/// Groups of the directories: by a part of their name, or one by its distinguished name.
///
/// # Errors
/// As [`find_people`].
pub async fn find_groups(
    context: &Context,
    allowed: &Allowed<System>,
    name: &str,
    dn: &str,
) -> Result<Vec<Group>> {
    allowed.require(Right::new(Resource::LdapUser, Action::List))?;
    let mut found = Vec::new();
    for (source, settings) in known_directories(context).await? {
        let asking = async {
            match (name, dn) {
                ("", "") => Ok(Vec::new()),
                ("", dn) => Ok(ldap::find_group(&settings, dn).await?.into_iter().collect()),
                (name, _) => ldap::find_groups(&settings, name).await,
            }
        };
        found.extend(within(context, &source, asking).await?);
    }
    Ok(found)
}

/// Makes people of the directories users, and tells of whom it could not.
///
/// # Errors
/// Invalid when there is no directory by which people sign in, or too many are named.
pub async fn import(
    context: &Context,
    allowed: &Allowed<System>,
    names: &[String],
) -> Result<Vec<FailedImport>> {
    allowed.require(Right::new(Resource::LdapUser, Action::Create))?;
    if names.len() > MOST_IMPORTED {
        return Err(Error::invalid(format!("at most {MOST_IMPORTED} users are imported at once")));
    }
    let directories = directories(context).await?;
    if directories.is_empty() {
        return Err(no_directory());
    }
    let mut failed = Vec::new();
    for name in names {
        let why = match import_one(context, &directories, name.trim()).await {
            Ok(true) => continue,
            Ok(false) if name.trim().is_empty() => "empty_uid".to_owned(),
            Ok(false) => "unknown_user".to_owned(),
            Err(error) if error.is(Kind::Conflict) || error.is(Kind::Invalid) => {
                tracing::info!(%error, "a user of a directory was not imported");
                format!("failed to import user: {name}")
            }
            Err(error) if error.is(Kind::Unavailable) => "failed_search_user".to_owned(),
            Err(error) => return Err(error),
        };
        failed.push(FailedImport { name: name.clone(), why });
    }
    Ok(failed)
}

async fn import_one(
    context: &Context,
    directories: &[(Arc<Source>, Settings)],
    name: &str,
) -> Result<bool> {
    if !is_name(name) {
        return Ok(false);
    }
    Ok(look_up(context, directories, name).await?.is_some())
}

/// The number of the user that somebody of a source is or becomes, by name: for whoever makes
/// somebody a member who has not signed in yet. None where no source knows the name.
///
/// # Errors
/// Unavailable when a source cannot be asked; Conflict when the name is another's.
pub async fn known_person(context: &Context, name: &str) -> Result<Option<i64>> {
    let name = name.trim();
    if !is_name(name) {
        return Ok(None);
    }
    if let Some(id) = look_up(context, &directories(context).await?, name).await? {
        return Ok(Some(id));
    }
    for source in asked(context).await? {
        if let How::AuthProxy(proxy) = &source.how
            && proxy.skip_search
        {
            let newcomer = Newcomer::unseen(name);
            let user = enter::enter(context, &source, newcomer).await?;
            return Ok(user.map(|user| user.id));
        }
    }
    Ok(None)
}

/// Asks directories for somebody by name, and gives the number of the user.
async fn look_up(
    context: &Context,
    directories: &[(Arc<Source>, Settings)],
    name: &str,
) -> Result<Option<i64>> {
    for (source, settings) in directories {
        let How::Ldap(directory) = &source.how else { continue };
        let found = within(context, source, ldap::look_up(settings, name)).await?;
        let Some(member) = found else { continue };
        let newcomer = Newcomer::of_directory(directory, member);
        let taken = || Error::conflict("the user name is another user's");
        let user = enter::enter(context, source, newcomer).await?.ok_or_else(taken)?;
        return Ok(Some(user.id));
    }
    Ok(None)
}

/// A group of the directories by its distinguished name; none where there is no directory
/// that could be asked.
///
/// # Errors
/// Invalid in Harbor's words when it is no distinguished name or there is no such group;
/// Unavailable when a directory cannot be asked.
pub async fn known_group(context: &Context, dn: &str) -> Result<Option<Group>> {
    let wrong = || Error::invalid(format!("invalid DN syntax. DN: {dn}"));
    if dn.contains('\0') || dn.trim().is_empty() {
        return Err(wrong());
    }
    let directories = all_directories(context).await?;
    if directories.is_empty() {
        return Ok(None);
    }
    for (source, settings) in directories {
        match within(context, &source, ldap::find_group(&settings, dn)).await {
            Ok(Some(group)) => return Ok(Some(group)),
            Ok(None) => {}
            Err(Failure::BadDn) => return Err(wrong()),
            Err(failure) => return Err(failure.into()),
        }
    }
    Err(Error::invalid(format!("LDAP Group DN is not found: DN:{dn}")))
}

/// The directories by which people sign in.
pub(super) async fn directories(context: &Context) -> Result<Vec<(Arc<Source>, Settings)>> {
    let of = |source: Arc<Source>| match &source.how {
        How::Ldap(directory) => {
            let settings = directory.settings(&source.secret);
            Some((source, settings))
        }
        _ => None,
    };
    Ok(asked(context).await?.into_iter().filter_map(of).collect())
}

/// The directories that can be looked into, of which there has to be one.
pub(super) async fn known_directories(context: &Context) -> Result<Vec<(Arc<Source>, Settings)>> {
    let found = all_directories(context).await?;
    if found.is_empty() { Err(no_directory()) } else { Ok(found) }
}

/// The directories that can be looked into: those by which people sign in, and the one of the
/// settings, whether or not they do by it yet. Groups are found there whether or not they
/// count.
pub(super) async fn all_directories(context: &Context) -> Result<Vec<(Arc<Source>, Settings)>> {
    let mut found = directories(context).await?;
    let configuration = settings::current(context).await?;
    let has_url = !configuration.text(Key::LdapUrl).trim().is_empty();
    if has_url && configuration.text(Key::AuthMode) != "ldap_auth" {
        let (directory, secret) = harbor::directory(&configuration);
        let settings = directory.settings(&secret);
        let how = How::Ldap(directory);
        let source = Source::new(super::OF_SETTINGS, "LDAP".to_owned(), how, secret);
        found.insert(0, (source.into(), settings));
    }
    for (source, settings) in &mut found {
        if let How::Ldap(directory) = &source.how {
            settings.grouping = Some(directory.grouping());
        }
    }
    Ok(found)
}

fn no_directory() -> Error {
    Error::invalid("there is no LDAP server in the configurations")
}
