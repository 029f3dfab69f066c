//! Making a user.

use db::{Tx, args};
use kit::{Error, Kind, Result, Subject, Time};

use super::{ADMIN, password, rules, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System, Who},
};

/// A user to be made. Not `Debug`: it holds a password.
#[derive(Clone)]
pub struct NewUser {
    /// The name to log in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The name in real life.
    pub realname: String,
    /// Anything to note.
    pub comment: String,
    /// The password.
    pub password: String,
}

impl NewUser {
    /// Whether Harbor's rules hold.
    fn check(&self) -> Result<()> {
        rules::check_name(&self.username)?;
        rules::check_email(&self.email)?;
        rules::check_texts(&self.realname, &self.comment)?;
        password::valid_password(&self.password)
    }
}

/// Makes a user and gives its number.
///
/// # Errors
/// Invalid where Harbor's rules do not hold; Conflict when the name or the e-mail address
/// is taken.
pub async fn create(context: &Context, allowed: &Allowed<System>, new: NewUser) -> Result<i64> {
    allowed.require(Right::new(Resource::User, Action::Create))?;
    let entry = Entry::new(Event::CreateUser, new.username.as_str());
    let made = store(context, allowed.by(), new, entry.clone()).await;
    audit::outcome(context, allowed.by(), entry, made).await
}

async fn store(context: &Context, by: &Who, new: NewUser, entry: Entry) -> Result<i64> {
    new.check()?;
    let hash = password::hash(&context.passwords, &new.password).await?;
    let audit = audit::by(context, by).await?;
    let args = args![new.username, new.email, new.realname, new.comment, hash, audit.now()];
    let made = context
        .db
        .write(move |tx| {
            let (args, audit, entry) = (args.clone(), audit.clone(), entry.clone());
            Box::pin(async move {
                let row = tx.one(sql::INSERT, args).await?;
                let id = row.ok_or_else(|| Error::internal("a new user has no id"))?.get(0)?;
                audit.record(tx, entry).await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| match error.kind {
        Kind::Conflict => Error::conflict("a user with this name or e-mail address exists already")
            .about(Subject::User),
        _ => error,
    })
}

/// What no two users have alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// The name.
    Name,
    /// The e-mail address.
    Email,
}

/// Whether a new user could not have a name or an address, because another has it.
///
/// # Errors
/// None but the database's.
pub async fn is_taken(context: &Context, what: Unique, value: &str) -> Result<bool> {
    // Nobody's holds NUL, which the database refuses to be asked for.
    if value.contains('\0') {
        return Ok(false);
    }
    let statement = match what {
        Unique::Name => sql::NAME_TAKEN,
        Unique::Email => sql::ADDRESS_TAKEN,
    };
    Ok(context.db.one(statement, args![value]).await?.is_some())
}

/// Makes the user `admin`, if there is none. True if it was made. The caller holds a lock.
pub(crate) async fn first(tx: &mut Tx, password_hash: &str, now: Time) -> Result<bool> {
    let args = args![ADMIN, "admin", "system admin", password_hash, now];
    Ok(tx.execute(sql::INSERT_FIRST, args).await? == 1)
}
