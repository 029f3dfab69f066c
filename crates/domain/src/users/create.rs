//! Making a user.

use db::{Tx, args};
use kit::{Error, Kind, Result, Subject, Time};

use super::{ADMIN, password, sql};
use crate::{
    Context,
    rights::{Action, Allowed, Resource, Right, System},
};

/// The longest of each text about a user, in characters.
const LONGEST: usize = 255;

/// What a name must not contain: Harbor's list, and the colon, which ends the name in
/// Basic authentication.
const ILLEGAL: [char; 8] = [',', '"', '\'', '~', '#', '%', '$', ':'];

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
        let invalid = |message: &'static str| Err(Error::invalid(message).about(Subject::User));
        if !(1..=LONGEST).contains(&self.username.chars().count()) {
            return invalid("the user name must have 1 to 255 characters");
        }
        if self.username.contains(|c: char| ILLEGAL.contains(&c) || c.is_control()) {
            return invalid("the user name contains illegal characters");
        }
        if self.username.trim() != self.username {
            return invalid("the user name must not begin or end with a space");
        }
        if !is_email(&self.email) {
            return invalid("the e-mail address is not valid");
        }
        if self.realname.chars().count() > LONGEST || self.comment.chars().count() > LONGEST {
            return invalid("the real name and the comment have at most 255 characters each");
        }
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
    new.check()?;
    let hash = password::hash(&context.passwords, &new.password).await?;
    let now = context.clock.now();
    let args = args![new.username, new.email, new.realname, new.comment, hash, now];
    let made = context
        .db
        .write(move |tx| {
            let args = args.clone();
            Box::pin(async move {
                let row = tx.one(sql::INSERT, args).await?;
                row.ok_or_else(|| Error::internal("a new user has no id"))?.get(0)
            })
        })
        .await;
    made.map_err(|error| match error.kind {
        Kind::Conflict => Error::conflict("a user with this name or e-mail address exists already")
            .about(Subject::User),
        _ => error,
    })
}

/// Makes the user `admin`, if there is none. True if it was made. The caller holds a lock.
pub(crate) async fn first(tx: &mut Tx, password_hash: &str, now: Time) -> Result<bool> {
    let args = args![ADMIN, "admin", "system admin", password_hash, now];
    Ok(tx.execute(sql::INSERT_FIRST, args).await? == 1)
}

/// Whether a text has the form of an e-mail address: something, an at sign, and a
/// domain. Whether mail arrives there, only mail can tell.
fn is_email(text: &str) -> bool {
    let fine = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[\\]@".contains(c);
    text.len() <= LONGEST
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.chars().all(fine)
                && domain.split('.').all(|label| !label.is_empty() && label.chars().all(fine))
        })
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn knows_the_form_of_an_address() {
        for good in ["a@b", "first.last+tag@mail.example.org", "o'hara@example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b..c", "a@b\n", "a,b@c"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
