//! The processes that do jobs: each holds a lease, and who lets it pass is dead to the others.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use db::{Db, Tx, args};
use kit::{Clock, Result, Time};

use super::{
    end::{Ended, Hold, end},
    sql,
};

/// How long a lease lasts. It is renewed three times as often.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// How many tasks of one dead replica are given to others in one transaction.
const AT_ONCE: i64 = 100;

/// This process, as the others see it.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    /// Drawn anew at each start, and when its lease was lost.
    pub(crate) id: String,
    host: String,
    workers: i64,
}

/// What the others are told by a heartbeat, and what is learned with it.
#[derive(Debug)]
pub(crate) enum Beat {
    /// The lease is good for a while. The tasks of this replica, and which of them are to
    /// stop.
    Alive(HashMap<i64, Held>),
    /// The lease was over, and somebody noticed: nothing that runs here may go on.
    Lost,
}

/// A task that this replica holds, by the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) execution_id: i64,
    pub(crate) epoch: i64,
    pub(crate) stops: bool,
}

impl Replica {
    /// A process with a number of workers.
    pub(crate) fn new(workers: i64) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let id = kit::unique_id().simple().to_string();
        Self { id, host: host.trim().to_owned(), workers }
    }

    /// How many tasks it does at a time.
    pub(crate) fn workers(&self) -> i64 {
        self.workers
    }

    /// Begins to be there.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn enter(&self, db: &Db, clock: &Clock) -> Result<()> {
        let (replica, clock) = (self.clone(), clock.clone());
        db.write(move |tx| {
            let (replica, clock) = (replica.clone(), clock.clone());
            Box::pin(async move {
                let now = super::now(tx, &clock).await?;
                let Replica { id, host, workers } = replica;
                let pid = std::process::id();
                tx.execute(sql::ENTER, args![id, host, pid, workers, now, now.after(LEASE)])
                    .await
                    .map(drop)
            })
        })
        .await
    }

    /// Renews the lease.
    ///
    /// # Errors
    /// Those of the database; then the lease is good for as long as it was.
    pub(crate) async fn beat(&self, db: &Db, clock: &Clock) -> Result<Beat> {
        let (id, clock) = (self.id.clone(), clock.clone());
        db.write(move |tx| {
            let (id, clock) = (id.clone(), clock.clone());
            Box::pin(async move {
                let now = super::now(tx, &clock).await?;
                if tx.execute(sql::BEAT, args![&id, now, now.after(LEASE)]).await? == 0 {
                    return Ok(Beat::Lost);
                }
                let mut held = HashMap::new();
                for row in tx.all(sql::HELD, args![&id]).await? {
                    let (execution_id, epoch) = (row.get(1)?, row.get(2)?);
                    held.insert(row.get(0)?, Held { execution_id, epoch, stops: row.get(3)? });
                }
                Ok(Beat::Alive(held))
            })
        })
        .await
    }

    /// Goes, with nothing in hand.
    ///
    /// # Errors
    /// Those of the database; then the others notice when the lease is over.
    pub(crate) async fn leave(&self, db: &Db) -> Result<()> {
        let id = self.id.clone();
        db.write(move |tx| {
            let id = id.clone();
            Box::pin(async move { tx.execute(sql::LEAVE, args![id]).await.map(drop) })
        })
        .await
    }
}

/// What this process has seen of the leases of others: one that is not renewed for as long as
/// it lasts is over, even if a clock that was set back says otherwise.
#[derive(Debug, Default)]
pub(crate) struct Watch(HashMap<String, (Time, Instant)>);

impl Watch {
    /// Looks at all leases, and says which are over.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn dead(&mut self, db: &Db, now: Time) -> Result<Vec<(String, Time)>> {
        let mut leases = HashMap::new();
        for row in db.all(sql::LEASES, args![]).await? {
            leases.insert(row.get::<String>(0)?, row.get::<Time>(1)?);
        }
        self.0.retain(|id, (until, _)| leases.get(id) == Some(until));
        let mut dead = Vec::new();
        for (id, until) in leases {
            let (_, since) = self.0.entry(id.clone()).or_insert((until, Instant::now()));
            if until < now || since.elapsed() > LEASE {
                dead.push((id, until));
            }
        }
        Ok(dead)
    }
}

/// Buries a replica whose lease, as it was seen, is over. One that was renewed meanwhile is
/// left alone.
///
/// # Errors
/// Those of the database; what was not done is done the next time.
pub(crate) async fn bury(db: &Db, id: &str, until: Time) -> Result<()> {
    let id = id.to_owned();
    db.write(move |tx| {
        let id = id.clone();
        Box::pin(async move { tx.execute(sql::BURY, args![id, until]).await.map(drop) })
    })
    .await
}

/// Gives the tasks of replicas that are no more to others; how many there were.
///
/// # Errors
/// Those of the database; what was not done is done the next time.
pub(crate) async fn inherit(db: &Db, clock: &Clock) -> Result<usize> {
    let mut inherited = 0;
    loop {
        let orphans = db.all(sql::ORPHANS, args![AT_ONCE]).await?;
        for row in &orphans {
            let hold = Hold { task_id: row.get(0)?, execution_id: row.get(1)?, epoch: row.get(2)? };
            let clock = clock.clone();
            db.write(move |tx: &mut Tx| {
                let clock = clock.clone();
                Box::pin(async move {
                    let now = super::now(tx, &clock).await?;
                    end(tx, hold, now, &Ended::Lost).await
                })
            })
            .await?;
        }
        inherited += orphans.len();
        if orphans.len() < AT_ONCE as usize {
            return Ok(inherited);
        }
    }
}
