//! One session: everything is measured on one machine, at one time, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Outcome;
use crate::api;
use crate::bare;
use crate::compare::{Contestant, Effort, compare};
use crate::kinds::{FIGURES, HUGE, get, push};
use crate::memory;
use crate::process::raise_open_files;
use crate::registry::{Fixtures, Material};
use crate::report::{Comparison, Facts, Line, Mark, MemoryLine, Report};
use crate::servers::{self, Server, Store};
use crate::statistics::median;
use crate::warm;

/// Bytes of a GiB.
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// Haven's CPU per GiB is held to so many times that of nginx or the bare receiver.
const HUGE_MULTIPLE: f64 = 1.3;
/// More than the pushes of one run write, in bytes.
const PUSHED_MOST: u64 = 512 * 1024 * 1024;
/// Idle memory allowed, in bytes.
const IDLE_LIMIT: u64 = 40_000_000;
/// Memory allowed with 500 transfers at once, in bytes.
const BUSY_LIMIT: u64 = 250_000_000;
/// Time allowed from start to the first answer.
const READY_LIMIT: Duration = Duration::from_millis(300);

/// What to measure, with what, and where to write it.
pub struct Settings {
    /// Shorter and fewer runs.
    pub quick: bool,
    /// Names of what is measured; everything when empty.
    pub only: Vec<String>,
    /// The haven to measure.
    pub binary: PathBuf,
    /// Folder of docker-registry and nginx.
    pub peers: PathBuf,
    /// Where servers keep their data.
    pub folder: PathBuf,
    /// Where the figures go as JSON.
    pub json: Option<PathBuf>,
    /// The file whose table is replaced.
    pub readme: Option<PathBuf>,
}

impl Settings {
    /// Whether this is to be measured.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// How much is measured.
    pub fn effort(&self) -> Effort {
        let (rounds, time) = if self.quick { (5, 500) } else { (7, 1500) };
        Effort { rounds, time: Duration::from_millis(time), connections: 8 }
    }

    /// Transfers of 256 MiB are few, so that each connection has one.
    fn huge_effort(&self) -> Effort {
        let rounds = if self.quick { 3 } else { 5 };
        Effort { rounds, time: Duration::from_secs(60), connections: 4 }
    }

    fn transfer_time(&self) -> Duration {
        Duration::from_secs(if self.quick { 15 } else { 45 })
    }
}

/// Every name that `--only` takes.
pub fn names() -> Vec<&'static str> {
    FIGURES
        .iter()
        .map(|figure| figure.name)
        .chain(["huge", "ready", "memory"])
        .chain(api::NAMES)
        .collect()
}

/// Fails on a name that nothing has.
pub fn check_names(only: &[String]) -> Outcome<()> {
    match only.iter().find(|name| !names().contains(&name.as_str())) {
        Some(unknown) => {
            Err(format!("{unknown} is not measured; there are: {}", names().join(", ")))
        }
        None => Ok(()),
    }
}

/// A folder that is removed with everything in it at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new folder under `parent`.
    pub fn new(parent: &Path) -> Outcome<Scratch> {
        let folder = parent.join(std::process::id().to_string());
        fs::create_dir_all(&folder)
            .and_then(|()| folder.canonicalize())
            .map(Scratch)
            .map_err(|error| format!("make {}: {error}", folder.display()))
    }

    /// A folder inside.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("remove {}: {error}", self.0.display());
        }
    }
}

/// Measures what `settings` ask for, prints and writes it. False when a figure is not reached.
pub fn run(settings: &Settings) -> Outcome<bool> {
    raise_open_files()?;
    let scratch = Scratch::new(&settings.folder)?;
    let mut report = Report::new(Facts::gather(&settings.folder));
    measure_registry(settings, &scratch, &mut report)?;
    if settings.wants("memory") {
        measure_memory(settings, &scratch, &mut report)?;
    }
    api::measure(settings, &scratch, &mut report)?;
    report.publish(settings.json.as_deref(), settings.readme.as_deref())?;
    Ok(report.reached())
}

/// What is asked of one Haven that holds a blob of each size.
fn measure_registry(settings: &Settings, scratch: &Scratch, report: &mut Report) -> Outcome<()> {
    let here = FIGURES.iter().map(|figure| figure.name).chain(["huge", "ready"]);
    if !here.into_iter().any(|name| settings.wants(name)) {
        return Ok(());
    }
    let material = Material::new();
    let haven_folder = scratch.join("haven");
    let start = || servers::haven(&settings.binary, &haven_folder, &Store::Files, &[]);
    let haven = start()?;
    let fixtures =
        material.push_to(&haven.registry()?).map_err(|error| format!("haven: {error}"))?;

    measure_requests(settings, scratch, &material, (&haven, &fixtures), report)?;
    if settings.wants("huge") {
        measure_huge(settings, scratch, &material, (&haven, &fixtures), report)?;
    }
    haven.stop();
    if settings.wants("ready") {
        report.ready = Some((measure_ready(&start)?, READY_LIMIT));
    }
    Ok(())
}

fn measure_requests(
    settings: &Settings,
    scratch: &Scratch,
    material: &Material,
    (haven, haven_fixtures): (&Server, &Fixtures),
    report: &mut Report,
) -> Outcome<()> {
    let figures: Vec<_> = FIGURES.iter().filter(|figure| settings.wants(figure.name)).collect();
    if figures.is_empty() {
        return Ok(());
    }
    let peer = servers::docker_registry(&settings.peers, &scratch.join("docker-registry"))?;
    let peer_fixtures =
        material.push_to(&peer.registry()?).map_err(|error| format!("{}: {error}", peer.name))?;
    let receiver = servers::bare(&scratch.join("bare-pushes"))?;
    for figure in figures {
        eprintln!("{} …", figure.title);
        let mut contestants = vec![
            Contestant::registry(&peer, |registry| figure.kind.work(registry, &peer_fixtures))?,
            Contestant::registry(haven, |registry| figure.kind.work(registry, haven_fixtures))?,
        ];
        if let Some(family) = figure.kind.pushed(haven_fixtures) {
            contestants
                .push(Contestant { server: &receiver, work: Box::new(|| bare::push(family)) });
        }
        // What was pushed stays until the end: some file systems make new files slowly while
        // others were removed just before.
        let results = compare(contestants, settings.effort(), figure.most, &|| {
            if figure.kind.pushed(haven_fixtures).is_some() {
                warm::pages(&scratch.join(""), PUSHED_MOST)?;
            }
            Ok(())
        })?;
        if let [peer, haven, floor @ ..] = &results[..] {
            let line = Line {
                figure: *figure,
                haven: haven.clone(),
                peer: peer.clone(),
                floor: floor.first().cloned(),
            };
            eprintln!("  {}", line.brief());
            report.lines.push(line);
        }
    }
    Ok(())
}

fn measure_huge(
    settings: &Settings,
    scratch: &Scratch,
    material: &Material,
    (haven, fixtures): (&Server, &Fixtures),
    report: &mut Report,
) -> Outcome<()> {
    eprintln!("GET blob 256 MiB …");
    let plain_folder = scratch.join("nginx");
    let plain = servers::nginx(&settings.peers, &plain_folder, false)?;
    let sendfile_folder = scratch.join("nginx-sendfile");
    let sendfile = servers::nginx(&settings.peers, &sendfile_folder, true)?;
    for folder in [&plain_folder, &sendfile_folder] {
        let bytes = material.huge().unique().parts().concat();
        fs::write(folder.join("root/blob"), bytes)
            .map_err(|error| format!("write a file for nginx: {error}"))?;
    }
    let path = format!("/v2/library/bench/blobs/{}", fixtures.huge);
    let contestants = vec![
        Contestant::registry(haven, |registry| get(registry, &path, HUGE))?,
        Contestant::registry(&plain, |registry| get(registry, "/blob", HUGE))?,
        Contestant::registry(&sendfile, |registry| get(registry, "/blob", HUGE))?,
    ];
    let results = compare(contestants, settings.huge_effort(), 16, &|| Ok(()))?;
    let marks = [Mark::Limit(HUGE_MULTIPLE), Mark::Aim(HUGE_MULTIPLE)];
    for (peer, mark) in results[1..].iter().zip(marks) {
        report.add_huge(Comparison::new(
            "GET blob 256 MiB",
            &results[0],
            peer,
            HUGE as f64 / GIB,
            mark,
        ));
    }
    plain.stop();
    sendfile.stop();
    clear(&plain_folder)?;
    clear(&sendfile_folder)?;

    eprintln!("push 256 MiB …");
    let bare_folder = scratch.join("bare");
    let receiver = servers::bare(&bare_folder)?;
    let contestants = vec![
        Contestant::registry(haven, |registry| push(registry, material.huge()))?,
        Contestant { server: &receiver, work: Box::new(|| bare::push(material.huge())) },
    ];
    let received = bare_folder.join("data");
    let results = compare(contestants, settings.huge_effort(), 4, &|| {
        empty(&received)?;
        warm::pages(&scratch.join(""), 3 * PUSHED_MOST)
    })?;
    let mark = Mark::Limit(HUGE_MULTIPLE);
    report.add_huge(Comparison::new(
        "push 256 MiB",
        &results[0],
        &results[1],
        HUGE as f64 / GIB,
        mark,
    ));
    receiver.stop();
    clear(&bare_folder)
}

/// The median time of five starts on a data folder that holds everything pushed so far.
fn measure_ready(start: &dyn Fn() -> Outcome<Server>) -> Outcome<Duration> {
    eprintln!("start to ready …");
    let mut times = Vec::new();
    for _ in 0..5 {
        let server = start()?;
        times.push(server.ready_after.as_secs_f64());
        server.stop();
    }
    Ok(Duration::from_secs_f64(median(&times)))
}

fn measure_memory(settings: &Settings, scratch: &Scratch, report: &mut Report) -> Outcome<()> {
    let mut stores = vec![("local files", Store::Files)];
    match s3_store() {
        Some(store) => stores.push(("S3", store)),
        None => {
            report.notes.push("S3 was not measured: HAVEN_TEST_S3_ENDPOINT is not set.".to_owned())
        }
    }
    for (place, store) in stores {
        let folder = scratch.join("memory");
        let start = || servers::haven(&settings.binary, &folder, &store, &[]);
        eprintln!("memory on {place} …");
        let server = start()?;
        let idle = memory::idle(&server)?;
        report.add_memory(MemoryLine::idle(place, idle, IDLE_LIMIT));
        let peak = memory::downloads(&server, settings.transfer_time())?;
        report.add_memory(MemoryLine::busy(place, "downloads", peak, BUSY_LIMIT));
        server.stop();
        let server = start()?;
        let peak = memory::uploads(&server, &folder, settings.transfer_time())?;
        report.add_memory(MemoryLine::busy(place, "uploads", peak, BUSY_LIMIT));
        server.stop();
        clear(&folder)?;
    }
    Ok(())
}

/// A store in the bucket that the tests' services provide.
fn s3_store() -> Option<Store> {
    let variable = |name: &str| std::env::var(format!("HAVEN_TEST_S3_{name}")).ok();
    let prefix = format!("bench-{}", std::process::id());
    let settings = [
        ("HAVEN_STORAGE_URL", format!("s3://{}/{prefix}", variable("BUCKET")?)),
        ("HAVEN_STORAGE_S3_ENDPOINT", variable("ENDPOINT")?),
        ("HAVEN_STORAGE_S3_REGION", variable("REGION")?),
        ("HAVEN_STORAGE_S3_ACCESS_KEY", variable("ACCESS_KEY")?),
        ("HAVEN_STORAGE_S3_SECRET_KEY", variable("SECRET_KEY")?),
        ("HAVEN_STORAGE_S3_PATH_STYLE", "true".to_owned()),
        ("HAVEN_STORAGE_S3_REDIRECT", "false".to_owned()),
    ];
    Some(Store::Named(settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

fn clear(folder: &Path) -> Outcome<()> {
    fs::remove_dir_all(folder).map_err(|error| format!("remove {}: {error}", folder.display()))
}

fn empty(folder: &Path) -> Outcome<()> {
    clear(folder)?;
    fs::create_dir_all(folder).map_err(|error| format!("make {}: {error}", folder.display()))
}
