//! Giving events to subscribers.

use db::{BoxFuture, Db, Row, Tx, args};
use kit::{Error, Result};

use super::{Event, Happened, order::ORDER, sql};

/// How many events a subscriber is given in one transaction.
const AT_ONCE: i64 = 500;

/// Who is given all events, in this process or in another.
#[derive(Clone, Copy)]
pub(crate) struct Subscriber {
    /// Its name, which its place among the events is kept under.
    pub(crate) name: &'static str,
    /// Takes some events, in the transaction in which its place moves on. What it returns an
    /// error for it is given again.
    pub(crate) take: for<'t> fn(&'t mut Tx, &'t [Happened]) -> BoxFuture<'t, Result<()>>,
}

/// Makes sure that subscribers have their places. One that is new begins with what happens
/// from now on.
///
/// # Errors
/// Those of the database.
pub(crate) async fn subscribe(db: &Db, subscribers: &'static [Subscriber]) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            tx.execute(sql::ADD_READER, args![ORDER]).await?;
            for subscriber in subscribers {
                tx.execute(sql::ADD_SUBSCRIBER, args![subscriber.name, ORDER]).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Whether there are events that have no place yet, and whether a subscriber has not had all
/// that have one: one cheap statement.
///
/// # Errors
/// Those of the database.
pub(crate) async fn is_behind(db: &Db) -> Result<(bool, bool)> {
    let row = db.one(sql::BEHIND, args![ORDER]).await?;
    row.map_or(Ok((false, false)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives a subscriber all that it has not had; how many events. None while another replica
/// does it.
///
/// # Errors
/// Those of the subscriber and of the database; what was given until then stays given.
pub(crate) async fn deliver(db: &Db, subscriber: Subscriber) -> Result<u64> {
    let mut given = 0;
    loop {
        let some =
            db.write(move |tx| Box::pin(async move { deliver_some(tx, subscriber).await })).await?;
        given += some as u64;
        if some < AT_ONCE as usize {
            return Ok(given);
        }
    }
}

async fn deliver_some(tx: &mut Tx, subscriber: Subscriber) -> Result<usize> {
    let Some(row) = tx.one(sql::LOCK_READER, args![subscriber.name]).await? else {
        return Ok(0);
    };
    let rows = tx.all(sql::AFTER, args![row.get::<i64>(0)?, AT_ONCE]).await?;
    let Some(last) = rows.last() else { return Ok(0) };
    let last: i64 = last.get(0)?;
    let happened = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    (subscriber.take)(tx, &happened).await?;
    tx.execute(sql::MOVE_READER, args![subscriber.name, last]).await?;
    Ok(happened.len())
}

/// Reads the columns of [`sql::AFTER`].
fn read(row: &Row) -> Result<Happened> {
    let event = Event::read(&row.get::<String>(5)?).map_err(|error| {
        Error::internal(format!("an event that this version does not know: {error}"))
    })?;
    Ok(Happened {
        event,
        project_id: row.get(1)?,
        repository: row.get(2)?,
        operator: row.get(3)?,
        at: row.get(4)?,
    })
}
