//! Which database, and how to treat it.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use kit::{Error, metrics::Metrics};
use sqlx::postgres::PgConnectOptions;

/// The kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite: one process, one file.
    Sqlite,
    /// PostgreSQL: any number of replicas.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// How to treat the database.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most connections for requests. PostgreSQL gets two more for the change log;
    /// SQLite reads with at most four threads and writes with one.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is told to come back.
    pub wait_for_connection: Duration,
    /// How long PostgreSQL may take for one statement before its connection is given up.
    pub statement_timeout: Duration,
    /// Whether PostgreSQL keeps prepared statements by name. Switch it off behind a
    /// PgBouncer in transaction mode that does not follow them (before 1.21, or with
    /// `max_prepared_statements` at 0); then every read is a transaction of its own.
    pub named_statements: bool,
    /// Where it is counted how long things take.
    pub metrics: Metrics,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 20,
            wait_for_connection: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            named_statements: true,
            metrics: Metrics::default(),
        }
    }
}

/// Where the database is.
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Place {
    type Err = Error;

    /// `sqlite:/path/to/file` or `postgres://user:password@host:port/database`.
    fn from_str(url: &str) -> kit::Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') {
                return Err(Error::invalid(
                    "a SQLite database URL names a file, as in sqlite:/var/lib/haven/haven.db",
                ));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            // The cause is left out: it may quote the URL, and with it the password.
            let options = PgConnectOptions::from_str(url).map_err(|_| {
                Error::invalid("not a PostgreSQL database URL of the form postgres://user:password@host:port/database")
            })?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        Err(Error::invalid("a database URL begins with sqlite: or postgres://"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn urls_name_a_file_or_a_server() {
        for (url, path) in [
            ("sqlite:/a/b.db", "/a/b.db"),
            ("sqlite:///a/b.db", "/a/b.db"),
            ("sqlite:b.db", "b.db"),
        ] {
            let Place::Sqlite(found) = url.parse().unwrap() else { panic!("{url}") };
            assert_eq!(found, PathBuf::from(path));
        }
        for url in ["postgres://u:p@h/d", "postgresql://u@h:5433/d"] {
            assert!(matches!(url.parse().unwrap(), Place::Postgres(_)), "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused_without_telling_the_password() {
        for url in [
            "",
            "mysql://h/d",
            "sqlite:",
            "sqlite::memory:",
            "sqlite://",
            "postgres://u:secret@h:99999999/d",
            "/a.db",
        ] {
            let Err(error) = url.parse::<Place>() else { panic!("{url} was accepted") };
            assert!(error.is(kit::Kind::Invalid), "{url}");
            assert!(!format!("{error:?}").contains("secret"));
        }
    }
}
