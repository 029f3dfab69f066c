//! The real binary from outside: its commands, its configuration, its start and its end.

#![allow(clippy::unwrap_used)]

mod configuration;
mod fixture;
mod observing;
mod serving;
mod starting;
mod stopping;
