//! Every right over HTTP: each operation that is served is asked for by nobody, by every
//! role, by strangers, by the sysadmin, by robots with exactly the right it needs and with
//! every right but that, in a private and in a public project, and what comes back is
//! compared with Harbor's own table of who may what.
//!
//! `operations.tsv` tells of each operation what it needs and what it answers those who
//! may; `waiting.tsv` lists the rights whose operations are not there yet, and only
//! shrinks. A new operation needs a line in the first.
#![allow(clippy::unwrap_used)]

mod coverage;
mod matrix;
mod narrowed;
mod robots;
mod scene;
mod system;
mod table;
