//! The server over real sockets, with an application made for the purpose.

#![allow(clippy::unwrap_used)]

mod clients;
mod files;
mod fixture;
mod limits;
mod stopping;
mod tls;
