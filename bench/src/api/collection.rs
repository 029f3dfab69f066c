//! Garbage collection while pushes go on.

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::meanwhile::{Pushes, once};
use super::{Place, file_of, fill, people};
use crate::Outcome;
use crate::http1::Connection;
use crate::load::Run;
use crate::process;
use crate::registry::Material;
use crate::report::{ApiLine, MemoryLine, Report};
use crate::servers::{self, Server};
use crate::session::Settings;
use fill::garbage;

/// The longest that a collection may take, in microseconds.
const COLLECTION: f64 = 60_000_000.0;
/// How much longer the slowest hundredth of pushes may take meanwhile, in microseconds.
const PUSHES_RISE: f64 = 50_000.0;
/// Memory allowed meanwhile, in bytes.
const MEMORY: u64 = 250_000_000;
/// How often it is asked whether the collection has ended.
const PATIENCE: Duration = Duration::from_millis(100);

/// What one collection gave.
struct Collected {
    took: Duration,
    before: Run,
    meanwhile: Run,
    memory: u64,
}

impl Collected {
    fn rise(&self) -> f64 {
        self.meanwhile.latency(0.99) - self.before.latency(0.99)
    }
}

/// Measures collections, each in a Haven of its own, and reports the time and the pushes in the
/// middle, and the most memory.
pub fn measure(
    settings: &Settings,
    place: &Place,
    folder: &Path,
    report: &mut Report,
) -> Outcome<()> {
    let rounds = if settings.quick { 1 } else { 3 };
    let mut collected = Vec::new();
    for round in 0..rounds {
        let folder = folder.join(round.to_string());
        place.with_new_database(|| {
            collected.push(collect(settings, place, &folder)?);
            Ok(())
        })?;
    }
    let what = format!(
        "{} blobs of {} beside {} artifacts are collected",
        garbage::BLOBS - garbage::ARTIFACTS,
        garbage::BLOBS,
        garbage::ARTIFACTS
    );
    let memory = collected.iter().map(|one| one.memory).max().unwrap_or_default();
    report.add_memory(MemoryLine::meanwhile(what.clone(), place.name, memory, MEMORY));
    collected.sort_by_key(|one| one.took);
    let took = once(collected[rounds / 2].took);
    report.add_api(ApiLine::p99(what, place.name, &took, COLLECTION));
    collected.sort_by(|one, other| one.rise().total_cmp(&other.rise()));
    let pushes = &collected[rounds / 2];
    let before = pushes.before.latency(0.99);
    let title = format!("push 4 KiB meanwhile, p99 {:.1} ms before", before / 1000.0);
    report.add_api(ApiLine::p99(title, place.name, &pushes.meanwhile, before + PUSHES_RISE));
    Ok(())
}

fn collect(settings: &Settings, place: &Place, folder: &Path) -> Outcome<Collected> {
    let store = place.store();
    let start = || servers::haven(&settings.binary, folder, &store, &[]);
    start()?.stop();
    fill::garbage::fill(place.database(&file_of(folder)), &folder.join("data/storage"))?;
    let server = start()?;
    let family = Material::new().push_to(&server.registry()?)?.small_family;
    let pushes = Pushes::to(&server, &family)?;
    process::forget_peak(server.pid())?;
    let ((), took, meanwhile) = pushes.while_done(|| one_collection(&server))?;
    let memory = process::resident(server.pid())?.peak;
    Ok(Collected { took, before: pushes.alone, meanwhile, memory })
}

/// Begins a collection by hand and waits for its end.
fn one_collection(server: &Server) -> Outcome<()> {
    let mut connection = Connection::open(server.address, 64 * 1024)?;
    let asked = json!({"schedule": {"type": "Manual"}, "parameters": {"workers": 1}});
    people::post(server, &mut connection, "/api/v2.0/system/gc/schedule", &asked)?;
    loop {
        let newest = people::get(server, &mut connection, "/api/v2.0/system/gc?page_size=1")?;
        match newest[0]["job_status"].as_str() {
            Some("Success") => break,
            Some("Pending" | "Running") | None => thread::sleep(PATIENCE),
            Some(_) => return Err(format!("the collection failed: {newest}")),
        }
    }
    let told: Value = people::get(server, &mut connection, "/api/v2.0/system/gc?page_size=1")?;
    let parameters: Value =
        serde_json::from_str(told[0]["job_parameters"].as_str().unwrap_or_default())
            .map_err(|error| format!("{told}: {error}"))?;
    let gone = parameters["purged_blobs"].as_u64().unwrap_or_default();
    match gone >= garbage::BLOBS - garbage::ARTIFACTS {
        true => Ok(()),
        false => Err(format!("{gone} blobs were collected: {told}")),
    }
}
