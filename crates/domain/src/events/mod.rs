//! What happened: for whoever acts on it later, such as counters, webhooks and replication.
//!
//! Owns the tables `events` and `event_readers`. Promises:
//! - An event is written in the transaction of the deed it tells of ([`record`]): there is
//!   neither without the other. Pulls alone are gathered in memory and written every second
//!   and at a graceful stop.
//! - Every subscriber is given every event, in one order ([`order`] says which), in which
//!   those of one repository stand as they happened. It is given them in a transaction, in
//!   which its place among them moves on; so what it writes there is written once, and what
//!   it does elsewhere is done at least once. One replica at a time gives to a subscriber.
//! - Events that all subscribers had are removed.
//!
//! Every room below records; `work` lists the subscribers.

mod event;
mod order;
mod pulls;
mod read;
mod record;
mod sql;
#[cfg(test)]
mod tests;

pub use event::Event;
pub(crate) use order::{forget, order};
pub use pulls::write_pulls;
pub(crate) use pulls::{Pulls, pulled};
pub(crate) use read::{Subscriber, deliver, is_behind, subscribe};
pub(crate) use record::{Happened, record, record_all};
