//! One connection to the file: its settings, and statements on it.
//!
//! Everything here blocks and runs on threads of its own, never on an async task.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use kit::Error;
use rusqlite::{
    CachedStatement, OpenFlags, ffi,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    Args, Engine, Row, Sql, Type, Value,
    error::{Failure, misuse},
    row::Columns,
};

/// Prepared statements kept for each connection; the house has about as many.
const STATEMENTS: usize = 256;

/// How long to wait for another process that has the file locked, such as a backup.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Connection {
    sqlite: rusqlite::Connection,
}

impl Connection {
    /// Opens the file for reading and writing, and makes it if it is not there, for its
    /// owner's eyes only: it holds password hashes and sealed keys.
    pub(crate) fn writer(path: &Path) -> Result<Self, Failure> {
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|cause| {
                Error::unavailable("the database file cannot be opened").because(cause)
            })?;
        let connection = Self::open(path)?;
        let mode: String =
            connection.sqlite.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let message =
                "the database file lies on a file system that SQLite cannot use (no shared memory)";
            return Err(Error::unavailable(message).into());
        }
        // Checkpoints have a thread of their own. The log is cut back to 64 MiB after a burst.
        // A push of a manifest goes down some thirty trees: in a large database their upper
        // pages, which the writer should not fetch anew each time, take some MiB.
        connection.script(
            "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; \
             PRAGMA cache_size = -16384;",
        )?;
        Ok(connection)
    }

    /// Opens the file for reading only; the writer's connection is there already.
    pub(crate) fn reader(path: &Path) -> Result<Self, Failure> {
        let connection = Self::open(path)?;
        connection.script("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0;")?;
        Ok(connection)
    }

    fn open(path: &Path) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sqlite = rusqlite::Connection::open_with_flags(path, flags)?;
        sqlite.busy_timeout(PATIENCE)?;
        sqlite.set_prepared_statement_cache_capacity(STATEMENTS);
        let connection = Self { sqlite };
        // A page cache of 2 MiB; the kernel keeps the rest of the file.
        connection.script(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = -2048; PRAGMA trusted_schema = OFF;",
        )?;
        Ok(connection)
    }

    /// Runs statements without values, one after the other.
    pub(crate) fn script(&self, script: &str) -> Result<(), Failure> {
        Ok(self.sqlite.execute_batch(script)?)
    }

    /// Runs one statement without values that is run often.
    pub(crate) fn command(&self, command: &'static str) -> Result<(), Failure> {
        self.sqlite.prepare_cached(command)?.raw_execute()?;
        Ok(())
    }

    /// Forces to the disk what was written to the file, by this connection or another.
    ///
    /// SQLite asks the same of its file at the end of a checkpoint, and has no statement for it.
    pub(crate) fn force(&self) -> Result<(), Failure> {
        let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
        // SAFETY: the connection is open for as long as it is borrowed. The pointer that is asked
        // for belongs to it and is as long-lived; its methods are there once it is open, and this
        // one takes the file and flags.
        let code = unsafe {
            let asked = ffi::sqlite3_file_control(
                self.sqlite.handle(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast(),
            );
            let sync = file.as_ref().and_then(|file| file.pMethods.as_ref()?.xSync);
            match sync {
                Some(sync) if asked == ffi::SQLITE_OK => sync(file, ffi::SQLITE_SYNC_NORMAL),
                _ => ffi::SQLITE_MISUSE,
            }
        };
        if code == ffi::SQLITE_OK {
            return Ok(());
        }
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into())
    }

    /// Whether no transaction is open, be it that none was begun or that SQLite rolled it
    /// back by itself, as it does when the disk is full.
    pub(crate) fn is_idle(&self) -> bool {
        self.sqlite.is_autocommit()
    }

    /// At most `limit` rows of a result.
    pub(crate) fn query(&self, sql: Sql, args: Args, limit: usize) -> Result<Vec<Row>, Failure> {
        let mut statement = self.bind(sql, args)?;
        let columns = statement.column_count();
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while found.len() < limit
            && let Some(row) = rows.next()?
        {
            let values = (0..columns)
                .map(|column| value_of(row.get_ref(column)?))
                .collect::<Result<_, Failure>>()?;
            found.push(Row(Columns::Sqlite(values)));
        }
        Ok(found)
    }

    /// Runs a statement and tells how many rows it touched.
    pub(crate) fn execute(&self, sql: Sql, args: Args) -> Result<u64, Failure> {
        let mut statement = self.bind(sql, args)?;
        Ok(statement.raw_execute()? as u64)
    }

    /// Prepares a statement without running it.
    pub(crate) fn check(&self, sql: &str) -> Result<(), Failure> {
        self.sqlite.prepare(sql)?;
        Ok(())
    }

    /// SQLite takes `$1` for a name and numbers its parameters as they come, so each is
    /// looked up by its name.
    fn bind(&self, sql: Sql, mut args: Args) -> Result<CachedStatement<'_>, Failure> {
        args.refuse_nul()?;
        sql.fill(&mut args);
        let mut statement = self.sqlite.prepare_cached(&sql.into_text(Engine::Sqlite))?;
        let mut highest = 0;
        for parameter in 1..=statement.parameter_count() {
            let name = statement.parameter_name(parameter).unwrap_or_default();
            let number: usize = name
                .strip_prefix('$')
                .and_then(|number| number.parse().ok())
                .ok_or_else(|| misuse("the parameters of a statement are $1, $2, …"))?;
            let value = args
                .0
                .get(number.wrapping_sub(1))
                .ok_or_else(|| misuse(format!("no value for ${number}")))?;
            statement.raw_bind_parameter(parameter, ToSqlOutput::Borrowed(parameter_of(value)))?;
            highest = highest.max(number);
        }
        if highest != args.len() {
            return Err(misuse(format!("{} values for {highest} parameters", args.len())).into());
        }
        Ok(statement)
    }
}

fn parameter_of(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Null(_) => ValueRef::Null,
        Value::Int(number) => ValueRef::Integer(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Bool(truth) => ValueRef::Integer((*truth).into()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        Value::Real(number) => ValueRef::Real(*number),
    }
}

fn value_of(found: ValueRef<'_>) -> Result<Value, Failure> {
    Ok(match found {
        // SQLite's NULL has no type, and none is needed to read it.
        ValueRef::Null => Value::Null(Type::Int),
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => {
            Value::Text(String::from_utf8(text.to_vec()).map_err(Error::internal)?)
        }
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_forced_to_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let writer = Connection::writer(&folder.path().join("haven.db")).expect("a database");
        writer.script("CREATE TABLE facts (id INTEGER)").expect("a table");
        writer.force().expect("a forced file");
        writer.script("INSERT INTO facts VALUES (1)").expect("the file is as usable as before");
    }
}
