//! Lines on their way to standard error, written by a thread of its own.
//!
//! A request must neither wait for a slow terminal nor pay a system call for its line:
//! lines gather in memory, and a thread writes them a moment later, many at once. When
//! nobody reads, lines are dropped and counted rather than memory filled.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// How long lines gather before they are written.
const GATHER: Duration = Duration::from_millis(20);

/// How many bytes may wait to be written before lines are dropped.
const MOST_WAITING: usize = 4 * 1024 * 1024;

/// Where lines go. Clones share one thread.
#[derive(Clone)]
pub struct Lines(Arc<Gathered>);

#[derive(Default)]
struct Gathered {
    waiting: Mutex<Waiting>,
    /// There is something to write, or the end has come.
    news: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    ending: bool,
}

/// Writes what still waits when it goes. Held by `main` to the end.
pub struct LinesEnd {
    lines: Lines,
    writer: Option<JoinHandle<()>>,
}

impl Lines {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(mut out: impl Write + Send + 'static) -> io::Result<(Self, LinesEnd)> {
        let lines = Self(Arc::default());
        let gathered = lines.0.clone();
        let writer = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || gathered.write_all_to(&mut out))?;
        Ok((lines.clone(), LinesEnd { lines, writer: Some(writer) }))
    }

    /// Adds a line, which ends with a line feed.
    pub fn push(&self, line: &[u8]) {
        let mut waiting = self.0.waiting.lock();
        if waiting.bytes.len() + line.len() > MOST_WAITING {
            self.0.dropped.fetch_add(1, Relaxed);
            return;
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.0.news.notify_one();
        }
    }

    /// How many lines were dropped because nobody read.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }
}

impl Gathered {
    fn write_all_to(&self, out: &mut impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.bytes.is_empty() && !waiting.ending {
                self.news.wait(&mut waiting);
            }
            if !waiting.ending {
                // More lines will come within a moment: one call writes them all.
                self.news.wait_for(&mut waiting, GATHER);
            }
            std::mem::swap(&mut batch, &mut waiting.bytes);
            let ending = waiting.ending;
            drop(waiting);
            // Nobody can be told that standard error is closed.
            let _ = out.write_all(&batch).and_then(|()| out.flush());
            batch.clear();
            batch.shrink_to(64 * 1024);
            if ending {
                return;
            }
        }
    }
}

impl Drop for LinesEnd {
    fn drop(&mut self) {
        self.lines.0.waiting.lock().ending = true;
        self.lines.0.news.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// One event's way into the lines; the subscriber writes each event at once.
pub struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_by_the_end() {
        let kept = Kept::default();
        let (lines, end) = Lines::start(kept.clone()).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let lines = lines.clone();
                scope.spawn(move || {
                    for number in 0..500 {
                        lines.push(format!("line {writer} {number}\n").as_bytes());
                    }
                });
            }
        });
        drop(end);
        let text = String::from_utf8(kept.0.lock().clone()).unwrap();
        assert_eq!(text.lines().count(), 2000);
        assert!(text.lines().all(|line| line.starts_with("line ")));
        assert_eq!(lines.dropped(), 0);
    }

    /// A terminal that takes nothing until it is told to.
    struct Stuck(mpsc::Receiver<()>, Kept);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_dropped_and_counted_when_nobody_reads() {
        let (go_on, stuck) = mpsc::channel();
        let kept = Kept::default();
        let (lines, end) = Lines::start(Stuck(stuck, kept.clone())).unwrap();
        let line = vec![b'x'; 64 * 1024];
        for _ in 0..200 {
            lines.push(&line);
        }
        let dropped = lines.dropped();
        drop(go_on);
        drop(end);
        assert!(dropped > 0);
        assert_eq!(kept.0.lock().len() as u64, (200 - dropped) * line.len() as u64);
    }
}
