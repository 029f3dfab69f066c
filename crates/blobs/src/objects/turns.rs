//! One part of an upload at a time.
//!
//! A writer that is dropped may leave a part on its way, and the server takes the last one that
//! comes. Its successor in this process sends its own only when that one has ended.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// The uploads of which a part is on its way, by their ids.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, Arc<Turn<()>>>>);

impl Turns {
    /// Waits until no part of an upload is on its way. The next waits until the guard goes.
    pub(super) async fn take(&self, id: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock();
            // Who waits or sends holds a clone; a turn that only the map knows is over.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(id.to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other_and_nothing_is_kept() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        assert!(turns.take("a").now_or_never().is_none());
        let other = turns.take("b").await;
        drop(first);
        let second = turns.take("a").now_or_never().unwrap();
        drop((second, other));
        drop(turns.take("c").await);
        assert_eq!(turns.0.lock().len(), 1);
    }
}
