//! The database on both engines, against a real PostgreSQL.
#![allow(clippy::unwrap_used, missing_docs)]

mod both;
mod fixture;
mod groups;
mod migrating;
mod outages;
mod replicas;
mod schema;
