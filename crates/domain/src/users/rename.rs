//! Another name for the user `admin`.

use db::args;
use kit::{Error, Kind, Result};

use super::{ADMIN, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Principal, Resource, Right, System},
};

/// The name that Harbor gives, so that somebody from elsewhere can be called `admin`.
const OTHER_NAME: &str = "admin@harbor.local";

/// Gives the user `admin` its other name, by which it logs in from then on. Only that user
/// itself may.
///
/// # Errors
/// Forbidden for others; Conflict when somebody has the name.
pub async fn rename_admin(context: &Context, allowed: &Allowed<System>) -> Result<()> {
    allowed.require(Right::new(Resource::User, Action::Update))?;
    if allowed.by().principal() != Principal::User(ADMIN) {
        return Err(Error::new(Kind::Forbidden, "forbidden"));
    }
    let now = context.clock.now();
    let (caches, audit) = (context.caches.clone(), audit::by(context, allowed.by()).await?);
    context
        .db
        .write(move |tx| {
            let (caches, audit) = (caches.clone(), audit.clone());
            Box::pin(async move {
                tx.execute(sql::RENAME, args![ADMIN, OTHER_NAME, now]).await?;
                caches.users.changes(tx, &ADMIN);
                audit.record(tx, Entry::new(Event::UpdateUser, OTHER_NAME)).await
            })
        })
        .await
}
