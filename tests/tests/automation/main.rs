//! Programs of other people that run Haven as they run Harbor: a library of its API and an
//! infrastructure that is written down.
#![allow(clippy::unwrap_used)]

mod conversation;
mod harborapi;
mod terraform;
