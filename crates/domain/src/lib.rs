//! The rooms: what the product knows and does. No HTTP types; all SQL is here.
//!
//! The rooms in the order of who may call whom: a room calls only rooms above it.

mod cache;
mod context;

pub mod users;
pub mod projects;
pub mod access;
pub mod tokens;
pub mod uploads;
pub mod artifacts;

pub use context::{Context, Settings};
