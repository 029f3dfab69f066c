//! A registry with a million artifacts: its lists, pushes into it, and what is deleted again.

use std::path::Path;

use crate::Outcome;
use crate::kinds::Kind;
use crate::load::{Bound, Run, drive};
use crate::registry::{Fixtures, Material};
use crate::report::{ApiLine, Report};
use crate::servers::{self, Server};
use crate::session::Settings;

use super::{ONE, Place, ask, cleaning, file_of, fill, people::Caller};
use fill::artifacts::Content;

/// How many artifacts there are.
const ARTIFACTS: u64 = 1_000_000;
/// How many clients ask at once, as for Harbor's own report of its speed.
const CROWD: usize = 300;

/// The 99th percentile allowed, in microseconds: of a page of artifacts with their parts, of
/// `/v2` lists, and of other lists.
const ARTIFACTS_P99: f64 = 15_000.0;
const REGISTRY_P99: f64 = 5_000.0;
const LIST_P99: f64 = 10_000.0;
/// The 95th percentile allowed with a crowd, on SQLite and on PostgreSQL.
const CROWD_P95: (f64, f64) = (300_000.0, 600_000.0);
/// How much longer a push may take than into an empty registry.
const PUSH_SHARE: f64 = 1.5;

/// Everything that a page of the portal shows of artifacts.
const PARTS: &str = "with_tag=true&with_label=true&with_accessory=true&with_scan_overview=true";

/// Measures pushes into an empty Haven, fills it, and measures its lists and pushes again, and
/// how long it takes to delete much of it.
pub fn measure(
    settings: &Settings,
    place: &Place,
    folder: &Path,
    report: &mut Report,
) -> Outcome<()> {
    let store = place.store();
    let start = || servers::haven(&settings.binary, folder, &store, &[]);
    let server = start()?;
    let fixtures = Material::new().push_to(&server.registry()?)?;
    let empty = match settings.wants("lists") {
        true => put_manifests(settings, &server, &fixtures)?,
        false => Run::default(),
    };
    server.stop();

    eprintln!("{ARTIFACTS} artifacts on {} …", place.name);
    let content = fill::artifacts::fill(place.database(&file_of(folder)), ARTIFACTS)?;
    let server = start()?;
    if settings.wants("lists") {
        measure_lists(settings, place, &server, &content, report)?;
        let full = put_manifests(settings, &server, &fixtures)?;
        let title = format!("PUT manifest, {} µs CPU when empty", empty.cpu_per_request().round());
        let limit = empty.cpu_per_request() * PUSH_SHARE;
        report.add_api(ApiLine::cpu(title, place.name, &full, limit));
    }
    if settings.wants("retention") {
        cleaning::measure(place, &server, &fixtures.small_family, &content, report)?;
    }
    server.stop();
    Ok(())
}

fn measure_lists(
    settings: &Settings,
    place: &Place,
    server: &Server,
    content: &Content,
    report: &mut Report,
) -> Outcome<()> {
    for (what, path, limit) in asked(content) {
        let caller = Caller::admin();
        let run = ask(settings, server, &caller, &path, ONE)?;
        report.add_api(ApiLine::p99(what, place.name, &run, limit));
    }
    let limit = if place.postgres.is_some() { CROWD_P95.1 } else { CROWD_P95.0 };
    let path = format!("{}?{PARTS}&page=1&page_size=10", artifacts_of(content));
    let run = ask(settings, server, &Caller::admin(), &path, CROWD)?;
    let title = format!("{CROWD} clients: artifacts, 10 a page");
    report.add_api(ApiLine::p95(title, place.name, &run, limit));
    Ok(())
}

/// What is asked for, and the 99th percentile that it is held to.
fn asked(content: &Content) -> Vec<(String, String, f64)> {
    let Content { project, repository, roots_in_largest, .. } = content;
    let artifacts = artifacts_of(content);
    let mut asked = Vec::new();
    for size in [10, 100] {
        let pages = roots_in_largest / size;
        for page in [1, pages / 2, pages] {
            asked.push((
                format!(
                    "artifacts of a repository with {}, page {page} of {size} each",
                    content.in_largest
                ),
                format!("{artifacts}?{PARTS}&page={page}&page_size={size}"),
                ARTIFACTS_P99,
            ));
        }
    }
    let v2 = [
        ("tags/list, first", format!("/v2/{project}/{repository}/tags/list?n=100")),
        ("tags/list, in the middle", format!("/v2/{project}/{repository}/tags/list?n=100&last=v5")),
        ("catalog, first", "/v2/_catalog?n=100".to_owned()),
        ("catalog, in the middle", "/v2/_catalog?n=100&last=data-00500/app-000500".to_owned()),
    ];
    asked.extend(v2.map(|(what, path)| (what.to_owned(), path, REGISTRY_P99)));
    let repositories = content.repositories / 100;
    let lists = [
        ("GET /repositories, page 1".to_owned(), "/api/v2.0/repositories?page_size=100".to_owned()),
        (
            format!("GET /repositories, page {repositories}"),
            format!("/api/v2.0/repositories?page_size=100&page={repositories}"),
        ),
        (
            "repositories of a project".to_owned(),
            format!("/api/v2.0/projects/{project}/repositories?page_size=100"),
        ),
        ("GET /projects of 1000".to_owned(), "/api/v2.0/projects?page_size=100".to_owned()),
        (
            "artifacts of a project, the latest of each repository".to_owned(),
            format!(
                "/api/v2.0/projects/{project}/artifacts?latest_in_repository=true&page_size=100\
                 &q=media_type%3Dapplication%2Fvnd.oci.image.config.v1%2Bjson"
            ),
        ),
    ];
    asked.extend(lists.map(|(what, path)| (what, path, LIST_P99)));
    asked
}

fn artifacts_of(content: &Content) -> String {
    let Content { project, repository, .. } = content;
    format!("/api/v2.0/projects/{project}/repositories/{repository}/artifacts")
}

/// Pushes new manifests over blobs that are there.
fn put_manifests(settings: &Settings, server: &Server, fixtures: &Fixtures) -> Outcome<Run> {
    let registry = server.registry()?;
    let effort = settings.effort();
    let work = || Kind::PutManifest.work(&registry, fixtures);
    let drive = |time, most| {
        let bound = Bound { time, least: 1, most };
        drive(server.address, server.pid(), effort.connections, bound, &work)
    };
    drive(effort.time / 4, 500)?;
    drive(effort.time * 2, 8_000)
}
