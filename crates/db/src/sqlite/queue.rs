//! What waits for a thread of the database.

use std::collections::VecDeque;

use kit::Error;
use parking_lot::{Condvar, Mutex};

use crate::error::closed;

/// The most that may wait. Beyond that the disk is too slow for what is asked, and
/// callers are better told to come back.
const LONGEST: usize = 4096;

/// A queue between tasks, which never wait to put something in, and threads, which do to
/// take something out.
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    news: Condvar,
}

struct Waiting<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting { jobs: VecDeque::new(), closed: false }),
            news: Condvar::new(),
        }
    }

    /// Puts a job at the end.
    pub(crate) fn push(&self, job: T) -> kit::Result<()> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(closed());
        }
        if waiting.jobs.len() >= LONGEST {
            return Err(Error::unavailable("the database is busy"));
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    /// The next job, as soon as there is one; none when the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<T> {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            self.news.wait(&mut waiting);
        }
    }

    /// The next job, if there is one by now.
    pub(crate) fn next_now(&self) -> Option<T> {
        self.waiting.lock().jobs.pop_front()
    }

    /// Lets nothing further in. What waits is still done.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.news.notify_all();
    }
}
