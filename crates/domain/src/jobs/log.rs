//! The logs of tasks.

use db::{Db, Tx, args};
use kit::Result;

use super::{Kind, sql};

/// The longest part of a log that is one row, in bytes.
const LONGEST_PART: usize = 64 * 1024;

/// How many parts of a log are shown, the last of them.
const SHOWN: i64 = 128;

/// Adds to the log of a task.
pub(super) async fn append(tx: &mut Tx, task_id: i64, mut text: &str) -> Result<()> {
    while !text.is_empty() {
        let (part, rest) = text.split_at(text.floor_char_boundary(LONGEST_PART));
        tx.execute(sql::ADD_TO_LOG, args![task_id, part]).await?;
        text = rest;
    }
    Ok(())
}

/// The log of the first task of an execution of a kind; none when there is no such task.
///
/// # Errors
/// Those of the database.
pub(crate) async fn log_of_execution(db: &Db, kind: Kind, id: i64) -> Result<Option<String>> {
    match db.one(sql::FIRST_TASK, args![id, kind.name()]).await? {
        Some(row) => log(db, row.get(0)?).await.map(Some),
        None => Ok(None),
    }
}

/// The log of a task; of a very long one its end.
///
/// # Errors
/// Those of the database.
pub(crate) async fn log(db: &Db, task_id: i64) -> Result<String> {
    let mut parts: Vec<String> = Vec::new();
    for row in db.all(sql::LOG, args![task_id, SHOWN]).await? {
        parts.push(row.get(0)?);
    }
    parts.reverse();
    Ok(parts.concat())
}
