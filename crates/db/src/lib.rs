//! The database: one SQL text for SQLite and PostgreSQL, behind a facade this thin.
//!
//! [`Db`] reads ([`Db::all`], [`Db::one`], [`Db::read`]) and writes ([`Db::write`]); [`Tx`]
//! is a transaction; [`args!`] makes values and [`Row::get`] reads them. Statements use
//! `$1`, `$2`, … on both engines and are checked when they run; [`Db::check`] prepares one,
//! so that a test can check them all.
//!
//! # Errors
//! A taken unique key is `Conflict`, a violated foreign key `Precondition`, NUL in text
//! `Invalid`, and a database that is away, full, starting, read-only or too busy is
//! `Unavailable` with a time to come back. Anything else is `Internal`. Causes are kept for
//! the log and hold no values and no passwords.
//!
//! # Behind PgBouncer
//! Transaction mode works. With 1.21 or newer leave [`Options::named_statements`] on and
//! `max_prepared_statements` above 0; with an older one switch named statements off. The
//! driver sets `extra_float_digits`, which belongs into `ignore_startup_parameters`.

mod change;
mod error;
mod facade;
mod migrate;
mod options;
mod postgres;
mod row;
mod sql;
mod sqlite;
mod statement;
mod tx;
mod value;

pub use change::{Change, OnChange};
pub use facade::Db;
pub use futures_util::future::BoxFuture;
pub use migrate::{Migrated, Migration, Migrations, migrations};
pub use options::{Engine, Options};
pub use row::{Column, Row};
pub use sql::Sql;
pub use statement::Statement;
pub use tx::Tx;
pub use value::{Args, Bind, Type, Value};
