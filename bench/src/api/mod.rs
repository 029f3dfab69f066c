//! What people and pipelines ask beside images: tokens, lists, logins. Measured on Haven alone,
//! on SQLite and on PostgreSQL, against fixed limits.

mod cleaning;
mod collection;
mod fill;
mod lists;
mod meanwhile;
mod people;
mod storm;

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::load::{Bound, Run, drive};
use crate::registry::Registry;
use crate::report::{ApiLine, Report};
use crate::servers::{self, Server, Store};
use crate::session::{Scratch, Settings};

use people::{Caller, People};

/// What is measured here, by the names that `--only` takes.
pub const NAMES: [&str; 7] = ["token", "projects", "audit", "storm", "lists", "retention", "gc"];

/// The most CPU for a token from the second time on, in microseconds.
const TOKEN_CPU: f64 = 150.0;
/// The 99th percentile allowed for a page of projects, in microseconds.
const PROJECTS_P99: f64 = 5_000.0;
/// The same for a page of the audit log, on SQLite and on PostgreSQL.
const AUDIT_P99: (f64, f64) = (50_000.0, 20_000.0);

/// Lists are asked for by one client after the other: what is held to a limit is how long an
/// answer takes, not how long it waits behind others for the same core.
const ONE: usize = 1;

/// A database that is measured.
struct Place {
    name: &'static str,
    /// Its address, for PostgreSQL.
    postgres: Option<String>,
}

impl Place {
    /// The database, if it lies in this file or elsewhere.
    fn database<'a>(&'a self, file: &'a Path) -> fill::Database<'a> {
        fill::Database::of(self.postgres.as_deref(), file)
    }

    /// Measures with a database that is new, and goes afterwards.
    fn with_new_database(&self, measure: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
        let Some(url) = &self.postgres else { return measure() };
        fill::make_database(url)?;
        let measured = measure();
        fill::drop_database(url)?;
        measured
    }

    /// Where a Haven here keeps its data.
    fn store(&self) -> Store {
        let url = self.postgres.iter().map(|url| ("HAVEN_DATABASE_URL".to_owned(), url.clone()));
        Store::Named(url.collect())
    }
}

/// The file of the database of a Haven with its data in a folder.
fn file_of(folder: &Path) -> PathBuf {
    folder.join("data/haven.db")
}

/// Measures what `settings` ask for on both databases.
pub fn measure(settings: &Settings, scratch: &Scratch, report: &mut Report) -> Outcome<()> {
    if !NAMES.iter().any(|name| settings.wants(name)) {
        return Ok(());
    }
    let mut places = vec![Place { name: "SQLite", postgres: None }];
    match std::env::var("HAVEN_TEST_POSTGRES_URL") {
        Ok(url) => {
            places.push(Place { name: "PostgreSQL", postgres: Some(fill::database_beside(&url)?) })
        }
        Err(_) => report
            .notes
            .push("PostgreSQL was not measured: HAVEN_TEST_POSTGRES_URL is not set.".to_owned()),
    }
    for place in places {
        let folder = scratch.join(&format!("api-{}", place.name));
        if ["token", "projects", "audit", "storm"].iter().any(|name| settings.wants(name)) {
            place.with_new_database(|| measure_on(settings, &place, &folder, report))?;
        }
        if settings.wants("lists") || settings.wants("retention") {
            let folder = scratch.join(&format!("lists-{}", place.name));
            place.with_new_database(|| lists::measure(settings, &place, &folder, report))?;
        }
        if settings.wants("gc") {
            let folder = scratch.join(&format!("gc-{}", place.name));
            collection::measure(settings, &place, &folder, report)?;
        }
    }
    Ok(())
}

/// A Haven to be made with much in it.
pub struct Data {
    /// How many artifacts.
    pub size: u64,
    /// The haven that is to serve them.
    pub binary: PathBuf,
    /// The folder that holds its data folder.
    pub folder: PathBuf,
    /// The address of its database, unless that lies in the folder.
    pub postgres: Option<String>,
}

/// Makes a Haven with much in it, and says how to serve it.
pub fn make_data(data: &Data) -> Outcome<bool> {
    let place = Place { name: "", postgres: data.postgres.clone() };
    servers::haven(&data.binary, &data.folder, &place.store(), &[])?.stop();
    let file = file_of(&data.folder);
    let content = fill::artifacts::fill(place.database(&file), data.size)?;
    let folder = data.folder.join("data");
    println!("{} artifacts in {} repositories", content.artifacts, content.repositories);
    println!("{} of them in {}/{}", content.in_largest, content.project, content.repository);
    println!("HAVEN_DATA_DIR={} {} serve", folder.display(), data.binary.display());
    println!("administrator: {}, password: {}", servers::ADMIN, servers::PASSWORD);
    Ok(true)
}

fn measure_on(
    settings: &Settings,
    place: &Place,
    folder: &Path,
    report: &mut Report,
) -> Outcome<()> {
    let store = place.store();
    let start = || servers::haven(&settings.binary, folder, &store, &[]);
    eprintln!("people and projects on {} …", place.name);
    let server = start()?;
    let people = People::make(&server)?;
    if settings.wants("token") {
        measure_tokens(settings, place, &server, &people, report)?;
    }
    if settings.wants("projects") {
        measure_projects(settings, place, &server, report)?;
    }
    if settings.wants("storm") {
        report.add_api(storm::measure(place.name, &server, &people)?);
    }
    server.stop();
    if settings.wants("audit") {
        eprintln!("audit log on {} …", place.name);
        let log = fill::audit::fill(place.database(&file_of(folder)))?;
        let server = start()?;
        measure_audit(settings, place, &server, &log, report)?;
        server.stop();
    }
    Ok(())
}

/// Tokens for a robot and for a user, after a first time each.
fn measure_tokens(
    settings: &Settings,
    place: &Place,
    server: &Server,
    people: &People,
    report: &mut Report,
) -> Outcome<()> {
    let path = "/service/token?service=harbor-registry&scope=repository:library/bench:pull,push";
    for (whose, caller) in [("a robot", &people.robot), ("a user", &people.member)] {
        let run = ask(settings, server, caller, path, settings.effort().connections)?;
        let title = format!("token for {whose}, from the second time on");
        report.add_api(ApiLine::cpu(title, place.name, &run, TOKEN_CPU));
    }
    Ok(())
}

fn measure_projects(
    settings: &Settings,
    place: &Place,
    server: &Server,
    report: &mut Report,
) -> Outcome<()> {
    let admin = Caller::admin();
    for page in [1, people::PROJECTS / 100] {
        let path = format!("/api/v2.0/projects?page={page}&page_size=100");
        let run = ask(settings, server, &admin, &path, ONE)?;
        let title = format!("GET /projects, page {page} of 100 each");
        report.add_api(ApiLine::p99(title, place.name, &run, PROJECTS_P99));
    }
    Ok(())
}

fn measure_audit(
    settings: &Settings,
    place: &Place,
    server: &Server,
    log: &fill::audit::Log,
    report: &mut Report,
) -> Outcome<()> {
    let admin = Caller::admin();
    let limit = if place.postgres.is_some() { AUDIT_P99.1 } else { AUDIT_P99.0 };
    let (project, from, to) = (&log.project, &log.from, &log.to);
    let week = format!("op_time%3D%5B{from}~{to}%5D");
    let of_project = format!("/api/v2.0/projects/{project}/auditlog-exts");
    let asked = [
        ("of a project and a week", format!("{of_project}?q={week}")),
        (
            "of a project, a week and an operation",
            format!("{of_project}?q=operation%3Dcreate,{week}"),
        ),
        ("of a project, page 50", format!("{of_project}?page=50")),
        ("of a week, all projects", format!("/api/v2.0/auditlog-exts?q={week}")),
    ];
    for (what, path) in asked {
        let run = ask(settings, server, &admin, &format!("{path}&page_size=100"), ONE)?;
        let title = format!("audit log of {} rows, {what}", fill::audit::ROWS);
        report.add_api(ApiLine::p99(title, place.name, &run, limit));
    }
    Ok(())
}

/// One request over and over, as one caller, after a warm-up.
fn ask(
    settings: &Settings,
    server: &Server,
    caller: &Caller,
    path: &str,
    connections: usize,
) -> Outcome<Run> {
    let registry = Registry::open(server.address);
    let work = || {
        let request = registry.request("GET", path, &caller.authorization());
        let path = path.to_owned();
        let work: crate::load::Work = Box::new(move |connection| {
            let answer = connection.exchange(&[request.as_bytes()], crate::http1::Method::Other)?;
            crate::registry::expect(&answer, 200, &path)
        });
        work
    };
    let time = settings.effort().time * 2;
    let drive = |time, least| {
        let bound = Bound { time, least, most: u64::MAX };
        drive(server.address, server.pid(), connections, bound, &work)
    };
    drive(time / 4, 1)?;
    drive(time, 24)
}
