//! The reading threads.

use kit::Result;
use tokio::sync::oneshot;
use tracing::Span;

use super::{queue::Queue, writer};
use crate::{
    Args, Row, Sql,
    error::{Failure, misuse},
    sql::without_locking,
    tx::{Deed, Link, Tx},
};

/// What a reader is asked for.
pub(super) enum Read {
    /// The rows of one statement.
    Query { sql: Sql, args: Args, limit: usize, answer: oneshot::Sender<Result<Vec<Row>>> },
    /// A deed that reads one snapshot.
    Deed(Box<dyn Deed>),
    /// Whether a statement can be prepared.
    Check { sql: String, answer: oneshot::Sender<Result<()>> },
}

/// Reads until the queue is closed.
pub(super) fn run(mut tx: Tx, reads: &Queue<(Read, Span)>) {
    while let Some((read, span)) = reads.next() {
        let _entered = span.enter();
        answer(&mut tx, read);
    }
}

fn answer(tx: &mut Tx, read: Read) {
    let Link::Sqlite(connection) = &tx.connection else {
        return;
    };
    match read {
        // Who has hung up needs no answer.
        Read::Query { answer, .. } if answer.is_closed() => {}
        Read::Query { sql, args, limit, answer } => {
            let _ =
                answer.send(connection.query(sql, args, limit).map_err(|failure| failure.error));
        }
        Read::Check { sql, answer } => {
            let _ = answer
                .send(connection.check(without_locking(&sql)).map_err(|failure| failure.error));
        }
        Read::Deed(mut deed) => {
            let end = snapshot(tx, &mut *deed).map_err(|failure| failure.error);
            deed.finish(end);
        }
    }
}

fn snapshot(tx: &mut Tx, deed: &mut dyn Deed) -> Result<(), Failure> {
    writer::command(tx, "BEGIN")?;
    let end = writer::attempt(tx, deed);
    // A transaction that only reads ends the same way whatever came of it.
    writer::command(tx, "ROLLBACK")?;
    if end.is_ok() && !tx.changes.is_empty() {
        return Err(misuse("a change announced by a deed that only reads").into());
    }
    end
}
