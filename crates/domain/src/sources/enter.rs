//! How somebody of a source becomes a user, and stays the same one.
//!
//! A link of source and subject says who is who; names do not. Whoever is new becomes a user
//! under their name if nobody has it. A user without a password and without a link was left
//! when a process ended between the two, or came from another installation: it belongs to
//! the first source that vouches for its name.

use std::sync::Arc;

use db::{Tx, args};
use kit::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

use super::{Source, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    groups::{self, External, GroupKind},
    personal_tokens,
    rights::Who,
    sessions,
    users::{self, Outsider, User},
};

/// In which groups somebody is, as a source tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Groups {
    /// It does not tell.
    Unknown,
    /// Of a directory: distinguished names and names.
    Ldap(Vec<(String, String)>),
    /// Of a proxy.
    Http(Vec<String>),
    /// Of a provider.
    Oidc(Vec<String>),
}

/// Somebody for whom a source vouches.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Newcomer {
    /// What the source calls them and nobody else, ever.
    pub(super) subject: String,
    pub(super) username: String,
    pub(super) realname: String,
    pub(super) email: Option<String>,
    pub(super) comment: String,
    pub(super) groups: Groups,
    pub(super) admin: bool,
}

/// Tokens that a provider gave, as far as they are kept.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Given {
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: Option<String>,
}

/// The user that somebody is, or becomes; none when they are new and their name is another's.
///
/// # Errors
/// Invalid when nobody may have the name.
pub(super) async fn enter(
    context: &Context,
    source: &Source,
    newcomer: Newcomer,
) -> Result<Option<Arc<User>>> {
    let says = newcomer.says();
    let by = Who::system();
    let known = user_of(context, source, &newcomer.subject).await?;
    let user = match known {
        Some(id) => users::onboard(context, &by, Some(id), &says).await?,
        None => match take_in(context, source, &newcomer, &says).await? {
            Some(user) => user,
            None => {
                let (source, name) = (&source.name, &newcomer.username);
                tracing::warn!(source, name, "the name is another user's: nobody was let in");
                return Ok(None);
            }
        },
    };
    store_groups(context, user.id, newcomer.groups).await?;
    Ok(Some(user))
}

/// The same, keeping what a provider gave.
pub(super) async fn enter_with(
    context: &Context,
    source: &Source,
    newcomer: Newcomer,
    given: Given,
) -> Result<Option<Arc<User>>> {
    let subject = newcomer.subject.clone();
    let Some(user) = enter(context, source, newcomer).await? else { return Ok(None) };
    let seal = |token: Option<String>, purpose: String| {
        token.map(|token| context.seal.seal(token.as_bytes(), &purpose))
    };
    let refresh_token = seal(given.refresh_token, refresh_token_of(user.id));
    let id_token = seal(given.id_token, id_token_of(user.id));
    let args = args![source.id, subject, refresh_token, id_token, context.clock.now()];
    context
        .db
        .write(move |tx| {
            let args = args.clone();
            Box::pin(async move { tx.execute(sql::SET_TOKENS, args).await.map(drop) })
        })
        .await?;
    personal_tokens::ensure_cli_secret(context, &user).await?;
    Ok(Some(user))
}

/// Makes somebody a user who was not one, or finds the one that waits for them.
async fn take_in(
    context: &Context,
    source: &Source,
    newcomer: &Newcomer,
    says: &Outsider,
) -> Result<Option<Arc<User>>> {
    let made = match users::onboard(context, &Who::system(), None, says).await {
        Err(error) if error.is(Kind::Conflict) => {
            users::find_by_name(context, &says.username).await?.map(Arc::new)
        }
        made => Some(made?),
    };
    let Some(user) = made.filter(|user| !user.has_password()) else { return Ok(None) };
    let (id, now) = (user.id, context.clock.now());
    let link = args![source.id, source.how.kind(), &newcomer.subject, id, now];
    let subject = newcomer.subject.clone();
    let source_id = source.id;
    let linked = context
        .db
        .write(move |tx| {
            let (link, subject) = (link.clone(), subject.clone());
            Box::pin(async move { link_to(tx, id, (source_id, &subject), link).await })
        })
        .await?;
    if !linked {
        return Ok(None);
    }
    users::onboard(context, &Who::system(), Some(id), says).await.map(Some)
}

/// Links somebody to a user, if nobody else is: a user is one person of one source.
async fn link_to(
    tx: &mut Tx,
    user_id: i64,
    (source_id, subject): (i64, &str),
    link: db::Args,
) -> Result<bool> {
    let unknown = || Error::internal(format!("the user {user_id} went away"));
    users::lock(tx, user_id).await?.ok_or_else(unknown)?;
    for row in tx.all(sql::LINKS_OF, args![user_id]).await? {
        if row.get::<i64>(0)? != source_id || row.get::<String>(1)? != subject {
            return Ok(false);
        }
    }
    tx.execute(sql::LINK, link).await?;
    Ok(true)
}

/// Stores in which groups somebody is, if the source tells.
async fn store_groups(context: &Context, user_id: i64, groups: Groups) -> Result<()> {
    let named = |names: Vec<String>| -> Vec<External> {
        names.into_iter().map(|name| External { name, dn: None }).collect()
    };
    let (kind, groups) = match groups {
        Groups::Unknown => return Ok(()),
        Groups::Ldap(groups) => {
            let external = |(dn, name)| External { name, dn: Some(dn) };
            (GroupKind::Ldap, groups.into_iter().map(external).collect())
        }
        Groups::Http(names) => (GroupKind::Http, named(names)),
        Groups::Oidc(names) => (GroupKind::Oidc, named(names)),
    };
    groups::at_sign_in(context, user_id, kind, &groups).await
}

/// Brings a user up to date by what its source tells of it now.
pub(super) async fn refresh(context: &Context, user_id: i64, newcomer: Newcomer) -> Result<()> {
    let says = newcomer.says();
    let known = users::onboard(context, &Who::system(), Some(user_id), &says).await;
    match known {
        Ok(_) => store_groups(context, user_id, newcomer.groups).await,
        Err(error) if error.is(Kind::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is left of somebody whose account is gone at their source: nothing that opens a door.
pub(super) async fn is_gone(context: &Context, source: &Source, user_id: i64) -> Result<()> {
    let Some(user) = users::find(context, user_id).await? else { return Ok(()) };
    sessions::end_all(context, user_id).await?;
    personal_tokens::revoke_all(context, user_id).await?;
    let audit = audit::by(context, &Who::system()).await?;
    let told = format!("the account is gone at the identity source {}", source.name);
    let entry = Entry::new(Event::UpdateUser, &*user.username).described(told);
    context
        .db
        .write(move |tx| {
            let (audit, entry) = (audit.clone(), entry.clone());
            Box::pin(async move { audit.record(tx, entry).await })
        })
        .await
}

/// The number of the user that somebody of a source is.
pub(super) async fn user_of(
    context: &Context,
    source: &Source,
    subject: &str,
) -> Result<Option<i64>> {
    if subject.contains('\0') {
        return Ok(None);
    }
    let row = context.db.one(sql::USER_OF, args![source.id, subject]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// From which sources a user is.
pub(super) async fn sources_of(context: &Context, user_id: i64) -> Result<Vec<i64>> {
    let rows = context.db.all(sql::LINKS_OF, args![user_id]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// What the tokens of a user are bound to.
pub(super) fn refresh_token_of(user_id: i64) -> String {
    format!("refresh token of user {user_id}")
}

/// See [`refresh_token_of`].
pub(super) fn id_token_of(user_id: i64) -> String {
    format!("ID token of user {user_id}")
}

impl Newcomer {
    fn says(&self) -> Outsider {
        Outsider {
            username: self.username.clone(),
            email: self.email.clone(),
            realname: self.realname.clone(),
            comment: self.comment.clone(),
            admin: self.admin,
        }
    }

    /// Somebody of a proxy who was not seen yet.
    pub(super) fn unseen(name: &str) -> Self {
        let username = name.to_lowercase();
        Self {
            subject: username.clone(),
            realname: username.clone(),
            email: username.contains('@').then(|| username.clone()),
            username,
            comment: "By Authproxy".to_owned(),
            groups: Groups::Unknown,
            admin: false,
        }
    }
}
