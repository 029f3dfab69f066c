//! The application, asked as clients ask it, on both engines.

#![allow(clippy::unwrap_used, missing_docs)]

mod artifacts;
mod configurations;
mod lists;
mod members;
mod openapi;
mod projects;
mod roles;
mod server;
mod sessions;
mod system;
mod token;
mod users;
