//! What each command does, one file per command.

pub mod admin;
pub mod completions;
pub mod config;
pub mod migrate;
pub mod serve;
pub mod verify;
