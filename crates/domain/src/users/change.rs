//! Changing what is known of a user, and who may do everything.

use db::args;
use kit::{Error, Kind, Result, Subject};

use super::{Account, Sysadmins, find, lock, lock_sysadmins, rules, sql, unknown};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right},
};

/// What users may say of themselves.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The e-mail address.
    pub email: String,
    /// The name in real life.
    pub realname: String,
    /// Anything to note.
    pub comment: String,
}

impl Profile {
    fn check(&self) -> Result<()> {
        let invalid = |message: &'static str| Err(Error::invalid(message).about(Subject::User));
        if self.email.is_empty() {
            return invalid("email can't be empty");
        }
        if self.realname.is_empty() {
            return invalid("the real name must have 1 to 255 characters");
        }
        rules::check_email(&self.email)?;
        rules::check_texts(&self.realname, &self.comment)
    }
}

/// Changes what is known of a user who has a password here. Of anybody else the source knows.
///
/// # Errors
/// Forbidden for somebody from elsewhere; Invalid where Harbor's rules do not hold; NotFound;
/// Conflict when the e-mail address is taken.
pub async fn update_profile(
    context: &Context,
    allowed: &Allowed<Account>,
    profile: Profile,
) -> Result<()> {
    allowed.require(Right::new(Resource::User, Action::Update))?;
    let id = allowed.thing().id;
    let user = find(context, id).await?.ok_or_else(|| unknown(id))?;
    let entry = Entry::new(Event::UpdateUser, &*user.username);
    let changed = match (user.has_password(), profile.check()) {
        (false, _) => Err(fixed(id)),
        (true, Err(error)) => Err(error),
        (true, Ok(())) => store(context, allowed, profile, entry.clone()).await,
    };
    audit::outcome(context, allowed.by(), entry, changed).await
}

/// Somebody from elsewhere is changed elsewhere.
pub(super) fn fixed(id: i64) -> Error {
    Error::new(Kind::Forbidden, format!("User with ID {id} can't be updated"))
}

async fn store(
    context: &Context,
    allowed: &Allowed<Account>,
    profile: Profile,
    entry: Entry,
) -> Result<()> {
    let id = allowed.thing().id;
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    let Profile { email, realname, comment } = profile;
    let row = args![id, email, realname, comment, audit.now()];
    let changed = context
        .db
        .write(move |tx| {
            let (audit, caches, entry) = (audit.clone(), caches.clone(), entry.clone());
            let row = row.clone();
            Box::pin(async move {
                if tx.execute(sql::SET_PROFILE, row).await? == 0 {
                    return Err(unknown(id));
                }
                caches.users.changes(tx, &id);
                audit.record(tx, entry).await
            })
        })
        .await;
    changed.map_err(|error| match error.kind {
        Kind::Conflict => {
            Error::conflict("a user with this e-mail address exists already").about(Subject::User)
        }
        _ => error,
    })
}

/// Says whether a user may do everything. It counts with the next request.
///
/// # Errors
/// NotFound; Forbidden when nobody who can sign in here would be left.
pub async fn set_sysadmin(
    context: &Context,
    allowed: &Allowed<Sysadmins>,
    id: i64,
    sysadmin: bool,
) -> Result<()> {
    allowed.require(Right::new(Resource::User, Action::Update))?;
    let user = find(context, id).await?.ok_or_else(|| unknown(id))?;
    let told = format!("set sysadmin flag of user with name: {} to {sysadmin}", user.username);
    let entry = Entry::new(Event::UpdateUser, &*user.username).described(told);
    let changed = store_sysadmin(context, allowed, id, sysadmin, entry.clone()).await;
    audit::outcome(context, allowed.by(), entry, changed).await
}

async fn store_sysadmin(
    context: &Context,
    allowed: &Allowed<Sysadmins>,
    id: i64,
    sysadmin: bool,
    entry: Entry,
) -> Result<()> {
    let (audit, caches) = (audit::by(context, allowed.by()).await?, context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (audit, caches, entry) = (audit.clone(), caches.clone(), entry.clone());
            Box::pin(async move {
                let sysadmins = lock_sysadmins(tx).await?;
                let user = lock(tx, id).await?.ok_or_else(|| unknown(id))?;
                if user.sysadmin == sysadmin {
                    return Ok(());
                }
                if !sysadmin && sysadmins == [id] {
                    let message = "the last system administrator must stay one";
                    return Err(Error::new(Kind::Forbidden, message));
                }
                tx.execute(sql::SET_SYSADMIN, args![id, sysadmin, audit.now()]).await?;
                caches.users.changes(tx, &id);
                audit.record(tx, entry).await
            })
        })
        .await
}
