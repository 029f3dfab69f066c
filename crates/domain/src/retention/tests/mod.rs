#![allow(clippy::unwrap_used)]

mod evaluate;
mod run_tests;
