//! Retention of a large repository, and its deletion, while pushes go on.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::fill::artifacts::Content;
use super::meanwhile::{Pushes, once};
use super::{Place, people};
use crate::Outcome;
use crate::content::Family;
use crate::http1::Connection;
use crate::report::{ApiLine, Report};
use crate::servers::Server;

/// The longest that may be taken to tell what a run would delete, in microseconds.
const DRY_RUN: f64 = 5_000_000.0;
/// How many artifacts the policy keeps; a rule may keep 15,000 at most.
const KEPT: u64 = 10_000;
/// The longest that the rest of the repository may take to be deleted.
const DELETION: f64 = 60_000_000.0;
/// How much longer the slowest hundredth of pushes may take meanwhile.
const PUSHES_RISE: f64 = 50_000.0;
/// How often it is asked whether a run has ended.
const PATIENCE: Duration = Duration::from_millis(50);
const BUFFER: usize = 64 * 1024;

/// Measures runs of retention over the largest repository, the second of which deletes most of
/// it, and then the deletion of what it kept.
pub fn measure(
    place: &Place,
    server: &Server,
    family: &Family,
    content: &Content,
    report: &mut Report,
) -> Outcome<()> {
    let Content { in_largest, project, repository, .. } = content;
    let mut connection = Connection::open(server.address, BUFFER)?;
    let policy = make_policy(server, &mut connection, content)?;
    let pushes = Pushes::to(server, family)?;
    let before = pushes.alone.latency(0.99);
    let mut add = |what: String, took, pushed, limit| {
        report.add_api(ApiLine::p99(what.clone(), place.name, &once(took), limit));
        let title = format!("push 4 KiB meanwhile ({what}), p99 {:.1} ms before", before / 1000.0);
        report.add_api(ApiLine::p99(title, place.name, &pushed, before + PUSHES_RISE));
    };
    let ((), took, pushed) = pushes.while_done(|| run(server, policy, true, content))?;
    add(format!("retention of {in_largest} artifacts, dry run"), took, pushed, DRY_RUN);
    let ((), took, pushed) = pushes.while_done(|| run(server, policy, false, content))?;
    add(format!("retention of {in_largest} artifacts, all but {KEPT} go"), took, pushed, DELETION);
    let path = format!("/api/v2.0/projects/{project}/repositories/{repository}");
    let ((), took, pushed) =
        pushes.while_done(|| people::delete(server, &mut connection, &path))?;
    add(format!("these {KEPT} go with their repository"), took, pushed, DELETION);
    Ok(())
}

/// Gives the project a policy that keeps some artifacts of the repository; gives its number.
fn make_policy(server: &Server, connection: &mut Connection, content: &Content) -> Outcome<i64> {
    let path = format!("/api/v2.0/projects/{}", content.project);
    let project = people::get(server, connection, &path)?["project_id"].clone();
    let selector = |decoration: &str, pattern: &str| {
        json!({
            "kind": "doublestar", "decoration": decoration, "pattern": pattern,
            "extras": "{\"untagged\":true}",
        })
    };
    let asked = json!({
        "algorithm": "or",
        "scope": {"level": "project", "ref": project},
        "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
        "rules": [{
            "action": "retain",
            "template": "latestPushedK",
            "params": {"latestPushedK": KEPT},
            "tag_selectors": [selector("matches", "**")],
            "scope_selectors": {"repository": [selector("repoMatches", content.repository)]},
        }],
    });
    people::post(server, connection, "/api/v2.0/retentions", &asked)?;
    let metadata = people::get(server, connection, &path)?["metadata"]["retention_id"].clone();
    let id = metadata.as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| format!("the policy of {} is {metadata}", content.project))
}

/// Runs a policy to its end, and sees that it kept what it should.
fn run(server: &Server, policy: i64, dry_run: bool, content: &Content) -> Outcome<()> {
    let mut connection = Connection::open(server.address, BUFFER)?;
    let runs = format!("/api/v2.0/retentions/{policy}/executions");
    people::post(server, &mut connection, &runs, &json!({"dry_run": dry_run}))?;
    let newest = loop {
        let found =
            people::get(server, &mut connection, &format!("{runs}?page_size=1"))?[0].clone();
        match found["status"].as_str() {
            Some("Success") => break found,
            Some("Pending" | "Running") | None => thread::sleep(PATIENCE),
            Some(_) => return Err(format!("the run failed: {found}")),
        }
    };
    let tasks: Value =
        people::get(server, &mut connection, &format!("{runs}/{}/tasks", newest["id"]))?;
    let numbers = (tasks[0]["total"].as_u64(), tasks[0]["retained"].as_u64());
    match numbers == (Some(content.roots_in_largest), Some(KEPT)) {
        true => Ok(()),
        false => Err(format!("of {} were kept {KEPT}: {tasks}", content.roots_in_largest)),
    }
}
