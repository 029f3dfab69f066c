//! What a database says went wrong, in the words of the house.
//!
//! | cause | kind |
//! |---|---|
//! | a unique or primary key is taken | Conflict |
//! | a foreign key: what is referred to is not there, or what is deleted is still needed | Precondition |
//! | the database cannot be reached, is starting, full, read-only or too busy | Unavailable, with a time to come back |
//! | a deadlock or a serialisation failure that trying again did not cure | Unavailable, with a time to come back |
//! | anything else | Internal |

use std::{borrow::Cow, fmt};

use kit::{Error, Kind};

/// A failed statement: the error, and what may be done about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) cure: Cure,
}

/// What may be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cure {
    /// Nothing: the statement itself is refused.
    None,
    /// The transaction lost against another one and can be run again.
    Again,
    /// The connection is gone. What was not committed can be run again on another.
    Reconnect,
    /// Nobody answers. The connection is given up, and asking again would wait as long.
    HangUp,
}

impl Failure {
    fn new(error: Error, cure: Cure) -> Self {
        Self { error, cure }
    }

    /// Whether running the transaction again, after a pause, may help.
    pub(crate) fn is_curable(&self) -> bool {
        matches!(self.cure, Cure::Again | Cure::Reconnect)
    }

    /// The same, when trying again is not worth it.
    pub(crate) fn for_good(self) -> Self {
        Self { cure: Cure::None, ..self }
    }

    /// There is no connection, whatever the reason: a server that is going down closes
    /// one in the middle of the greeting, which the driver takes for nonsense.
    pub(crate) fn while_connecting(cause: sqlx::Error) -> Self {
        let failure = Self::from(cause);
        if failure.error.is(Kind::Unavailable) {
            return failure;
        }
        let mut error = Error::unavailable("the database cannot be reached");
        error.source = failure.error.source;
        Self::new(error, Cure::Reconnect)
    }

    /// The database did not answer in time.
    pub(crate) fn timed_out() -> Self {
        Self::new(Error::unavailable("the database does not answer"), Cure::HangUp)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error, Cure::None)
    }
}

impl From<rusqlite::Error> for Failure {
    /// Result codes: <https://www.sqlite.org/rescode.html>.
    fn from(cause: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        let (primary, extended) = match &cause {
            rusqlite::Error::SqliteFailure(failure, _) => (failure.code, failure.extended_code),
            _ => return Self::new(Error::internal(cause), Cure::None),
        };
        match (primary, extended) {
            (
                ErrorCode::ConstraintViolation,
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID,
            ) => Self::new(taken(cause), Cure::None),
            (ErrorCode::ConstraintViolation, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
                Self::new(still_referred_to(cause), Cure::None)
            }
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
                Self::new(busy(cause), Cure::Again)
            }
            (ErrorCode::DiskFull, _) => {
                Self::new(away("the database's disk is full", cause), Cure::None)
            }
            (ErrorCode::ReadOnly, _) => {
                Self::new(away("the database is read-only", cause), Cure::None)
            }
            (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen, _) => {
                Self::new(away("the database's disk fails", cause), Cure::None)
            }
            _ => Self::new(Error::internal(cause), Cure::None),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(cause: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &cause {
            E::Database(told) => {
                let told = Told {
                    state: told.code().map(Cow::into_owned).unwrap_or_default(),
                    message: told.message().to_owned(),
                };
                Self::told_by_postgres(told)
            }
            E::Io(_) | E::Tls(_) | E::WorkerCrashed | E::PoolClosed | E::PoolTimedOut => {
                Self::new(away("the database cannot be reached", cause), Cure::Reconnect)
            }
            // What no longer makes sense to the driver is best hung up on.
            E::Protocol(_) => Self::new(Error::internal(cause), Cure::Reconnect),
            _ => Self::new(Error::internal(cause), Cure::None),
        }
    }
}

impl Failure {
    /// Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn told_by_postgres(cause: Told) -> Self {
        match cause.state.clone().as_str() {
            "23505" => Self::new(taken(cause), Cure::None),
            "23503" | "23001" => Self::new(still_referred_to(cause), Cure::None),
            // Serialisation failure, deadlock, lock not available.
            "40001" | "40P01" | "55P03" => Self::new(busy(cause), Cure::Again),
            "25006" => Self::new(away("the database is read-only", cause), Cure::Reconnect),
            "53100" => Self::new(away("the database's disk is full", cause), Cure::None),
            "53300" => {
                Self::new(away("the database has no connection left", cause), Cure::Reconnect)
            }
            // Query cancelled by a time limit of the server.
            "57014" => Self::new(away("the database takes too long", cause), Cure::None),
            // Shutting down, crashed, starting up; idle too long within a transaction.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => {
                Self::new(away("the database is restarting", cause), Cure::Reconnect)
            }
            // A login that worked may stop working while its password is changed.
            "28000" | "28P01" => {
                Self::new(away("the database refuses the login", cause), Cure::Reconnect)
            }
            "3D000" => Self::new(away("the database does not exist", cause), Cure::Reconnect),
            // A statement and its values that do not fit: our mistake, not the network's.
            "08P01" => Self::new(Error::internal(cause), Cure::None),
            state => match state.get(..2).unwrap_or_default() {
                "08" => Self::new(away("the database cannot be reached", cause), Cure::Reconnect),
                "53" | "58" => Self::new(away("the database lacks resources", cause), Cure::None),
                _ => Self::new(Error::internal(cause), Cure::None),
            },
        }
    }
}

/// What PostgreSQL says, without the detail, which quotes values.
#[derive(Debug)]
struct Told {
    state: String,
    message: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.state)
    }
}

impl std::error::Error for Told {}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn taken(cause: impl Into<Cause>) -> Error {
    Error::conflict("it exists already").because(cause)
}

fn still_referred_to(cause: impl Into<Cause>) -> Error {
    Error::new(
        Kind::Precondition,
        "it refers to something that is not there, or is still referred to",
    )
    .because(cause)
}

fn busy(cause: impl Into<Cause>) -> Error {
    Error::unavailable("the database is busy").because(cause)
}

fn away(message: &'static str, cause: impl Into<Cause>) -> Error {
    Error::unavailable(message).because(cause)
}

/// A panic in a deed, as an error.
pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Error {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::internal(format!("panic within a transaction: {said}"))
}

/// The answer that never came, because the database was closed meanwhile.
pub(crate) fn closed() -> Error {
    Error::unavailable("the database is closed")
}

/// A misuse of this crate, for the log.
pub(crate) fn misuse(what: impl fmt::Display) -> Error {
    Error::internal(format!("misuse of the database: {what}"))
}
