//! Resident memory under many connections at once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::content::{Blob, Family};
use crate::http1::{Connection, Method};
use crate::process::{forget_peak, resident};
use crate::registry::{Registry, expect};
use crate::servers::Server;

/// How many clients at once.
const CLIENTS: usize = 500;
/// Size of what each of them moves, in bytes.
const SIZE: usize = 100_000_000;
/// One read or write of a client, in bytes.
const PIECE: usize = 64 * 1024;
/// Stack of a client's thread, in bytes.
const STACK: usize = 128 * 1024;
/// How long clients that were answered stand still before they read on, at most.
const STANDING: Duration = Duration::from_secs(5);

/// What a server's memory came to under one kind of load.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    /// The highest resident memory, in bytes.
    pub bytes: u64,
    /// How many transfers were under way at once, at the highest.
    pub at_once: u64,
    /// How many transfers came to their end.
    pub finished: u64,
    /// Bytes moved by all clients.
    pub moved: u64,
}

#[derive(Default)]
struct Counts {
    under_way: AtomicU64,
    at_once: AtomicU64,
    finished: AtomicU64,
    moved: AtomicU64,
    /// Downloads only: set when the clients may read on.
    read_on: AtomicBool,
}

impl Counts {
    fn begin(&self) {
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.at_once.fetch_max(now, Ordering::Relaxed);
    }

    fn end(&self, finished: bool) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.finished.fetch_add(u64::from(finished), Ordering::Relaxed);
    }
}

/// 500 downloads of 100 MB at once. All clients read the head of their answer, then stand still
/// until every one has it (or five seconds went by), then read as fast as they can, for at most
/// `time`: what is held for a slow client and for a fast one shows in the same peak.
pub fn downloads(server: &Server, time: Duration) -> Outcome<Peak> {
    let registry = server.registry()?;
    let blob = Family::new(SIZE).unique();
    registry.push(&mut Connection::open(server.address, PIECE)?, &blob)?;
    let path = format!("/v2/{}/blobs/{}", registry.repository, blob.digest);
    let request = registry.request("GET", &path, "");
    measure(server, time, |counts, deadline| download(&registry, &request, counts, deadline))
}

fn download(registry: &Registry, request: &str, counts: &Counts, deadline: Instant) -> Outcome<()> {
    let mut connection = Connection::open(registry.address, PIECE)?;
    connection.send(&[request.as_bytes()])?;
    let answer = connection.receive_head()?;
    expect(&answer, 200, "GET the blob")?;
    counts.begin();
    while !counts.read_on.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
    }
    let mut left = answer.length;
    while left > 0 && Instant::now() < deadline {
        let read = connection.receive_piece(left)?.len() as u64;
        left -= read;
        counts.moved.fetch_add(read, Ordering::Relaxed);
    }
    counts.end(left == 0);
    Ok(())
}

/// 500 uploads of 100 MB at once, every second one of the same blob, for at most `time` and at most
/// as many bytes as the disk of `folder` bears; what is not finished then is cut off.
pub fn uploads(server: &Server, folder: &Path, time: Duration) -> Outcome<Peak> {
    let registry = server.registry()?;
    let budget = disk_budget(folder)?;
    let family = Family::new(SIZE);
    let shared = family.unique();
    let number = AtomicU64::new(0);
    measure(server, time, |counts, deadline| {
        if number.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            upload(&registry, &shared, counts, deadline, budget)
        } else {
            upload(&registry, &family.unique(), counts, deadline, budget)
        }
    })
}

fn upload(
    registry: &Registry,
    blob: &Blob,
    counts: &Counts,
    deadline: Instant,
    budget: u64,
) -> Outcome<()> {
    let mut connection = Connection::open(registry.address, PIECE)?;
    let head = registry.put_blob_head(&mut connection, &blob.digest, blob.size())?;
    connection.send(&[head.as_bytes()])?;
    counts.begin();
    for part in blob.parts() {
        for piece in part.chunks(PIECE) {
            if Instant::now() > deadline || counts.moved.load(Ordering::Relaxed) > budget {
                counts.end(false);
                return Ok(());
            }
            match connection.send(&[piece]) {
                // It waited for its turn until the time was over.
                Err(_) if Instant::now() > deadline => {
                    counts.end(false);
                    return Ok(());
                }
                sent => sent?,
            }
            counts.moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    }
    let answer = match connection.receive_head() {
        Err(_) if Instant::now() > deadline => {
            counts.end(false);
            return Ok(());
        }
        answer => answer?,
    };
    expect(&answer, 201, "PUT the blob")?;
    counts.end(true);
    Ok(())
}

/// How many bytes uploads may bring: an object store may lay them down twice, and an eighth of what
/// users may fill of the disk stays free.
fn disk_budget(folder: &Path) -> Outcome<u64> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| format!("the disk's space: {error}"))?;
    let usable = disk.f_blocks.saturating_sub(disk.f_bfree) + disk.f_bavail;
    let spare = disk.f_bavail.saturating_sub(usable / 8) * disk.f_frsize / 2;
    let needed = (CLIENTS * SIZE / 10) as u64;
    if spare < needed {
        return Err(format!(
            "the disk of {} has no room for uploads: {} GB may be used, {} are needed",
            folder.display(),
            spare / 1_000_000_000,
            needed / 1_000_000_000,
        ));
    }
    Ok(spare)
}

fn measure(
    server: &Server,
    time: Duration,
    client: impl Fn(&Counts, Instant) -> Outcome<()> + Sync,
) -> Outcome<Peak> {
    forget_peak(server.pid())?;
    let counts = Counts::default();
    let started = Instant::now();
    let deadline = started + time;
    thread::scope(|scope| {
        let (counts, client) = (&counts, &client);
        let threads: Vec<_> = (0..CLIENTS)
            .map(|_| {
                thread::Builder::new()
                    .stack_size(STACK)
                    .spawn_scoped(scope, move || client(counts, deadline))
            })
            .collect();
        while counts.at_once.load(Ordering::Relaxed) < CLIENTS as u64
            && started.elapsed() < STANDING
        {
            thread::sleep(Duration::from_millis(20));
        }
        counts.read_on.store(true, Ordering::Relaxed);
        let mut outcome = Ok(());
        for thread in threads {
            let thread = thread.map_err(|error| format!("start a client: {error}"))?;
            let result =
                thread.join().unwrap_or_else(|_| Err("a client's thread panicked".to_owned()));
            if let Err(error) = result {
                outcome = Err(format!("{}: {error}", server.name));
            }
        }
        outcome
    })?;
    Ok(Peak {
        bytes: resident(server.pid())?.peak,
        at_once: counts.at_once.into_inner(),
        finished: counts.finished.into_inner(),
        moved: counts.moved.into_inner(),
    })
}

/// Resident memory after the server has answered once and was left alone for a second, in bytes.
pub fn idle(server: &Server) -> Outcome<u64> {
    let registry = server.registry()?;
    let ping = registry.request("GET", "/v2/", "");
    let answer =
        Connection::open(server.address, PIECE)?.exchange(&[ping.as_bytes()], Method::Other)?;
    expect(&answer, 200, "GET /v2/")?;
    thread::sleep(Duration::from_secs(1));
    Ok(resident(server.pid())?.now)
}
