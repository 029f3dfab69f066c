//! The rooms: what the product knows and does. No HTTP types; all SQL is here.
//!
//! The rooms in the order of who may call whom: a room calls only rooms above it.

mod cache;
mod context;
mod listing;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub mod rights;
pub mod settings;
pub mod audit;
pub mod jobs;
pub mod events;
pub mod users;
pub mod groups;
pub mod configurations;
pub mod roles;
pub mod allowlists;
pub mod projects;
pub mod robots;
pub mod sessions;
pub mod second_factor;
pub mod personal_tokens;
pub mod access;
pub mod sources;
pub mod tokens;
pub mod sign_in;
pub mod repositories;
pub mod labels;
pub mod immutability;
pub mod quotas;
pub mod uploads;
pub mod artifacts;
pub mod retention;
pub mod gc;
pub mod statistics;
pub mod purges;
mod installation;
pub mod verify;
pub mod work;

#[cfg(test)]
mod house;
#[cfg(test)]
mod world;

pub use context::{Context, Settings};
pub use installation::{FirstStart, Health, health};
pub use listing::Listing;
