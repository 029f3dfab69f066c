//! One writer at a time per upload in this process.
//!
//! A client whose connection broke comes back and sends the rest, while the request it
//! lost may still hang here. The newcomer wins: the older writer is told to stop and
//! discards what it had not saved, and only then the newcomer starts.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, watch};

/// The uploads that are being written.
#[derive(Default)]
pub(crate) struct Writers(Mutex<HashMap<String, Arc<Slot>>>);

struct Slot {
    turn: Arc<Turn<()>>,
    newest: watch::Sender<u64>,
}

/// The right to write an upload, until it is dropped or a newer claim comes.
pub(super) struct Claim<'w> {
    writers: &'w Writers,
    id: String,
    slot: Arc<Slot>,
    number: u64,
    newest: watch::Receiver<u64>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Writers {
    /// Claims an upload; waits until the one that wrote it so far has stopped.
    pub(super) async fn claim(&self, id: &str) -> Claim<'_> {
        let (slot, number, newest) = {
            let mut slots = self.0.lock();
            let slot = slots
                .entry(id.to_owned())
                .or_insert_with(|| {
                    Arc::new(Slot { turn: Arc::default(), newest: watch::channel(0).0 })
                })
                .clone();
            let number = *slot.newest.borrow() + 1;
            let newest = slot.newest.subscribe();
            slot.newest.send_replace(number);
            (slot, number, newest)
        };
        let turn = slot.turn.clone();
        let mut claim =
            Claim { writers: self, id: id.to_owned(), slot, number, newest, turn: None };
        claim.turn = Some(turn.lock_owned().await);
        claim
    }
}

impl Claim<'_> {
    /// Returns when a newer claim has come.
    pub(super) async fn superseded(&mut self) {
        let number = self.number;
        // The sender lives in the slot, which lives as long as a claim on it.
        let _ = self.newest.wait_for(|newest| *newest > number).await;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.turn = None;
        let mut slots = self.writers.0.lock();
        // Claims clone the slot under this lock, so two owners are the map and this one.
        if Arc::strong_count(&self.slot) == 2 {
            slots.remove(&self.id);
        }
    }
}
