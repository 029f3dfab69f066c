//! Beginning a session: what a sign-in ends in.

use std::sync::Arc;

use db::{Tx, args};
use kit::Result;

use super::{MOST, SessionId, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    context::Caches,
    rights::Who,
    users::User,
};

/// The longest name of a program that is kept, in characters.
const LONGEST_AGENT: usize = 255;

/// Begins a session for a user that has proved who it is, in the program `agent`. It is
/// always a new one: what the client had before ends, so that nobody can have given it.
///
/// # Errors
/// None but the database's.
pub async fn begin(
    context: &Context,
    user: &User,
    by: &Who,
    agent: &str,
    before: Option<&SessionId>,
) -> Result<SessionId> {
    let id = context.session_key.make();
    let address = by.address().map_or_else(String::new, |address| address.to_string());
    let agent: String = agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect();
    let (user_id, now) = (user.id, context.clock.now());
    let row = args![id.hash(), user_id, user.password_version(), address, agent, now];
    let before = before.map(SessionId::hash);
    let audit = audit::by(context, by).await?;
    let entry = Entry::new(Event::LoginUser, &*user.username);
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let (row, before) = (row.clone(), before.clone());
            let (audit, entry, caches) = (audit.clone(), entry.clone(), caches.clone());
            Box::pin(async move {
                tx.execute(sql::INSERT, row).await?;
                if let Some(before) = before {
                    forget(tx, &caches, sql::DELETE, args![before]).await?;
                }
                forget(tx, &caches, sql::DELETE_OLDEST, args![user_id, MOST]).await?;
                audit.record(tx, entry).await
            })
        })
        .await?;
    Ok(id)
}

/// Deletes sessions by a statement that gives their hashes, tells everybody, and says how many
/// there were.
pub(super) async fn forget(
    tx: &mut Tx,
    caches: &Arc<Caches>,
    statement: &'static str,
    args: db::Args,
) -> Result<usize> {
    let rows = tx.all(statement, args).await?;
    for row in &rows {
        caches.sessions.changes(tx, &row.get::<String>(0)?);
    }
    Ok(rows.len())
}
