//! The logs of tasks.

use db::{Db, Tx, args};
use kit::Result;

use super::sql;

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
