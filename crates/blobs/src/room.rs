//! Whether there is room for more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kit::Error;
use parking_lot::Mutex;

use crate::files::Files;

/// Uploads stop when less than this is free, in thousandths of the disk: deletes and the
/// database must still be able to commit.
const LEAST_THOUSANDTHS: u64 = 50;

/// How long a measurement holds.
const FRESH: Duration = Duration::from_secs(1);

/// Where the free space of the disk is learnt from.
#[derive(Clone, Debug, Default)]
pub enum FreeSpace {
    /// From the disk.
    #[default]
    Measured,
    /// From a number that a test turns by hand: the free thousandths of the disk.
    Manual(Arc<AtomicU64>),
}

/// The free space as last measured.
#[derive(Default)]
pub(crate) struct Room {
    source: FreeSpace,
    last: Mutex<Option<(Instant, u64)>>,
}

impl Room {
    pub(crate) fn new(source: FreeSpace) -> Self {
        Self { source, last: Mutex::new(None) }
    }

    /// Refuses if the disk is nearly full. Costs a system call once a second.
    pub(crate) async fn check(&self, files: &Files) -> kit::Result<()> {
        let free = match &self.source {
            FreeSpace::Manual(thousandths) => thousandths.load(Ordering::SeqCst),
            FreeSpace::Measured => self.measured(files).await?,
        };
        if free < LEAST_THOUSANDTHS {
            return Err(Error::unavailable("the blob store has no room left")
                .because(format!("{} % of the disk is free", free / 10)));
        }
        Ok(())
    }

    async fn measured(&self, files: &Files) -> kit::Result<u64> {
        let last = *self.last.lock();
        if let Some((at, free)) = last
            && at.elapsed() < FRESH
        {
            return Ok(free);
        }
        let free = files.free_thousandths().await?;
        *self.last.lock() = Some((Instant::now(), free));
        Ok(free)
    }
}
