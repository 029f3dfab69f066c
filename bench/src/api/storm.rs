//! A login storm: everybody comes at once with a password that was never checked before, while
//! somebody else pulls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::http1::{Connection, Method};
use crate::load::Run;
use crate::process;
use crate::registry::{MANIFEST, Material, Registry, expect};
use crate::report::ApiLine;
use crate::servers::Server;

use super::people::{Caller, People};

/// How many come at once.
const CLIENTS: usize = 200;
/// How many connections ask for the manifest meanwhile.
const PULLERS: usize = 2;
/// The 99th percentile allowed for them, in microseconds.
const MANIFEST_P99: f64 = 20_000.0;
const BUFFER: usize = 16 * 1024;
const STACK: usize = 128 * 1024;
/// How long somebody who was told to come back waits.
const AGAIN: Duration = Duration::from_millis(500);
/// How long the storm may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Lets the storm loose.
pub fn measure(database: &'static str, server: &Server, people: &People) -> Outcome<ApiLine> {
    eprintln!("login storm on {database} …");
    let registry = server.registry()?;
    let tag = Material::push_manifest(&registry)?;
    let path = format!("/v2/{}/manifests/{tag}", registry.repository);
    let request = registry.request("GET", &path, MANIFEST);
    let (over, refused) = (AtomicBool::new(false), AtomicU64::new(0));
    let before = process::cpu(server.pid())?;
    let started = Instant::now();
    let mut latencies = thread::scope(|scope| -> Outcome<Vec<Duration>> {
        let pull = || pull_until(server, &request, &over);
        let pullers: Vec<_> = (0..PULLERS).map(|_| scope.spawn(pull)).collect();
        let clients = people.strangers.iter().take(CLIENTS).map(|caller| {
            let log_in = || log_in(server, caller, &refused);
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, log_in)
        });
        let clients: Vec<_> = clients.collect();
        let mut outcome = Ok(());
        for client in clients {
            let client = client.map_err(|error| format!("start a client: {error}"))?;
            let ended = client.join().unwrap_or_else(|_| Err("a client panicked".to_owned()));
            outcome = outcome.and(ended);
        }
        over.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        for puller in pullers {
            latencies.extend(
                puller.join().unwrap_or_else(|_| Err("a puller's thread panicked".to_owned()))?,
            );
        }
        outcome.map(|()| latencies)
    })?;
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    let cpu = process::cpu(server.pid())?.saturating_sub(before);
    let run = Run { requests: latencies.len() as u64, elapsed, cpu, latencies };
    let title = format!(
        "GET manifest while {CLIENTS} log in for the first time ({:.1} s, {} told to come back)",
        elapsed.as_secs_f64(),
        refused.into_inner(),
    );
    Ok(ApiLine::p99(title, database, &run, MANIFEST_P99))
}

/// Asks for a manifest until the storm is over; gives how long each answer took.
fn pull_until(server: &Server, request: &str, over: &AtomicBool) -> Outcome<Vec<Duration>> {
    let mut connection = Connection::open(server.address, BUFFER)?;
    let mut latencies = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        let answer = connection.exchange(&[request.as_bytes()], Method::Other)?;
        expect(&answer, 200, "GET the manifest")?;
        latencies.push(sent.elapsed());
        // A client does something with what it got; the storm is to have its share of the cores.
        thread::sleep(Duration::from_millis(1));
    }
    Ok(latencies)
}

/// Gets a token by name and password, coming back when told so.
fn log_in(server: &Server, caller: &Caller, refused: &AtomicU64) -> Outcome<()> {
    let path = "/service/token?service=harbor-registry&scope=repository:library/bench:pull";
    let request = Registry::open(server.address).request("GET", path, &caller.authorization());
    let started = Instant::now();
    loop {
        let mut connection = Connection::open(server.address, BUFFER)?;
        let answer = connection.exchange(&[request.as_bytes()], Method::Other)?;
        if answer.status != 429 || started.elapsed() > LONGEST {
            return expect(&answer, 200, &caller.name);
        }
        refused.fetch_add(1, Ordering::Relaxed);
        thread::sleep(AGAIN);
    }
}
