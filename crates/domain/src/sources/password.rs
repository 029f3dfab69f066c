//! Signing in by a name and a password that a source knows.

use std::sync::Arc;

use identity::{Failure, authproxy, ldap};
use kit::{Error, Kind, Result, Secret};

use super::{
    Source, asked,
    enter::{self, Groups, Newcomer},
    how::How,
    memory::Proof,
};
use crate::{
    Context,
    users::{self, User},
};

/// The longest name that is asked for, in characters: no user has a longer one.
const LONGEST_NAME: usize = 255;

/// Before the name, tells that the password is a token for an auth proxy to review.
const TOKEN_REVIEW: &str = "tokenreview$";

/// Somebody by a name and a password that a source vouches for; none if no source does.
/// Sources are asked in their order; about somebody who is known, only those where the user
/// is from. What a source vouched for in the last minutes costs microseconds.
///
/// # Errors
/// Unavailable when nobody vouched and a source that might could not be asked; TooMany when
/// too many wait.
pub async fn authenticate(
    context: &Context,
    name: &str,
    secret: &Secret,
) -> Result<Option<Arc<User>>> {
    if !is_name(name) || secret.reveal().is_empty() {
        return Ok(None);
    }
    let mut sources = asked(context).await?;
    sources.retain(|source| source.how.takes_passwords());
    if sources.is_empty() {
        return Ok(None);
    }
    let memory = &context.sources;
    let fingerprint = context.passwords.fingerprint(name, secret.reveal());
    if let Some(user) = recall(context, &sources, &fingerprint).await? {
        return Ok(Some(user));
    }
    let turn = memory.turn(fingerprint);
    let _turn = turn.lock().await;
    if let Some(user) = recall(context, &sources, &fingerprint).await? {
        return Ok(Some(user));
    }
    let _place = memory.place().await?;
    let (name, reviewed) = match name.strip_prefix(TOKEN_REVIEW) {
        Some(name) => (name, true),
        None => (name, false),
    };
    if let Some(user) = users::find_by_name(context, name).await? {
        if user.has_password() {
            return Ok(None);
        }
        let from = enter::sources_of(context, user.id).await?;
        sources.retain(|source| from.is_empty() || from.contains(&source.id));
    }
    let mut unasked = None;
    for source in &sources {
        match ask(context, source, name, secret, reviewed).await {
            Ok(newcomer) => {
                let Some(user) = enter::enter(context, source, newcomer).await? else { continue };
                let proof = Proof::new(user.id, source, None);
                memory.proofs.insert(fingerprint, proof);
                return Ok(Some(user));
            }
            Err(Failure::BadCredentials | Failure::BadToken(_)) => {}
            Err(failure) => {
                tracing::warn!(source = source.name, %failure, "an identity source did not vouch");
                if !failure.is_about_credentials() {
                    unasked = Some(failure);
                }
            }
        }
    }
    match unasked {
        None => Ok(None),
        Some(failure) => {
            let message = "an identity source cannot be asked at the moment";
            Err(Error::new(Kind::Unavailable, message).because(failure))
        }
    }
}

/// The user for whom a source vouched by this name and password a short while ago.
///
/// # Errors
/// None but the database's.
pub async fn remembered(
    context: &Context,
    name: &str,
    secret: &Secret,
) -> Result<Option<Arc<User>>> {
    let fingerprint = context.passwords.fingerprint(name, secret.reveal());
    if !context.sources.proofs.contains_key(&fingerprint) {
        return Ok(None);
    }
    let user = recall(context, &asked(context).await?, &fingerprint).await?;
    // Whoever has a password here by now shows that one.
    Ok(user.filter(|user| !user.has_password()))
}

/// Whether a text can be the name of somebody at all.
pub(super) fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

/// The user for whom a source vouched a short while ago.
pub(super) async fn recall(
    context: &Context,
    sources: &[Arc<Source>],
    fingerprint: &[u8; 32],
) -> Result<Option<Arc<User>>> {
    let Some(proof) = context.sources.proofs.get(fingerprint) else { return Ok(None) };
    if !proof.holds(sources, context.clock.now()) {
        context.sources.proofs.invalidate(fingerprint);
        return Ok(None);
    }
    users::find(context, proof.user_id).await
}

/// Asks a source whether it vouches for somebody, not longer than it may take.
async fn ask(
    context: &Context,
    source: &Source,
    name: &str,
    secret: &Secret,
    reviewed: bool,
) -> Result<Newcomer, Failure> {
    let asking = async {
        match &source.how {
            How::Ldap(_) if reviewed => Err(Failure::BadCredentials),
            How::Ldap(directory) => {
                let settings = directory.settings(&source.secret);
                let member = ldap::authenticate(&settings, name, secret).await?;
                Ok(Newcomer::of_directory(directory, member))
            }
            How::AuthProxy(proxy) if reviewed => {
                let person = authproxy::review(&proxy.settings(), secret).await?;
                match person.username.eq_ignore_ascii_case(name) {
                    true => Ok(Newcomer::of_proxy(person)),
                    false => Err(Failure::BadCredentials),
                }
            }
            How::AuthProxy(proxy) => {
                let person = authproxy::authenticate(&proxy.settings(), name, secret).await?;
                Ok(Newcomer::of_proxy(person))
            }
            How::Oidc(_) | How::Issuer(_) => Err(Failure::BadCredentials),
        }
    };
    within(context, source, asking).await
}

/// What a source answers, not longer than it may take and not if it was just away.
pub(super) async fn within<T>(
    context: &Context,
    source: &Source,
    asking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    if let Some(failure) = context.sources.away(source) {
        return Err(failure);
    }
    let asked = tokio::time::timeout(source.how.limit(), asking).await;
    let answer = asked.unwrap_or(Err(Failure::TimedOut));
    if let Err(failure) = &answer {
        context.sources.note(source, failure);
    }
    answer
}

impl Newcomer {
    /// Somebody of a directory.
    pub(super) fn of_directory(directory: &super::Ldap, member: ldap::Member) -> Self {
        let ldap::Member { person, groups, admin } = member;
        // Where groups are not asked for, nothing is known about them.
        let groups = directory
            .settings(&Secret::default())
            .grouping
            .map(|_| groups.into_iter().map(|group| (group.dn, group.name)).collect());
        Self {
            // A directory's names are the same whatever the case.
            subject: person.username.to_lowercase(),
            username: person.username,
            realname: person.realname,
            email: person.email,
            comment: "from LDAP".to_owned(),
            groups: groups.map_or(Groups::Unknown, Groups::Ldap),
            admin,
        }
    }

    /// Somebody that a proxy knows. As with Harbor, names are in lower case.
    pub(super) fn of_proxy(person: authproxy::Person) -> Self {
        let username = person.username.to_lowercase();
        Self {
            subject: username.clone(),
            realname: username.clone(),
            email: username.contains('@').then(|| username.clone()),
            username,
            comment: "By Authproxy".to_owned(),
            groups: Groups::Http(person.groups.iter().map(|group| group.to_lowercase()).collect()),
            admin: person.admin,
        }
    }
}
