//! Every operation of the API with every kind of wrong value in every place, as the served
//! OpenAPI document tells them: no answer is the server's fault, every refusal is in Harbor's
//! format and changes nothing, and nothing panics.

mod cases;
mod document;
mod values;
mod world;

use cases::{Case, cases};
use document::{Operation, operations};
use futures_util::StreamExt as _;
use haven_tests::{Answer, Server, Settings};
use rand::{SeedableRng as _, rngs::StdRng};
use std::time::Duration;
use world::World;

/// How many cases of one operation are tried as a sysadmin, on SQLite and on PostgreSQL.
const MOST: [usize; 2] = [60, 30];

/// How many are on their way at once.
const AT_ONCE: usize = 8;

/// What must never be told: our own source, the database and its words.
const LEAKS: &[&str] = &["panicked", "rusqlite", "sqlx", ".rs:", "SELECT ", "INSERT ", "SQLSTATE"];

#[tokio::test]
async fn no_operation_of_the_api_fails_by_what_it_is_sent() {
    let seed = std::env::var("HAVEN_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(20_261_126);
    println!("HAVEN_TEST_SEED={seed}");
    for (setup, most) in [Settings::appliance(), Settings::cluster()].iter().zip(MOST) {
        let server = Server::start(setup).await;
        let document = server.anonymous.get("/api/v2.0/openapi.json").await.expect(200).json();
        let mut random = StdRng::seed_from_u64(seed);
        let mut tried = 0;
        let (settings, others): (Vec<_>, Vec<_>) = operations(&document)
            .into_iter()
            .partition(|operation| operation.id == "updateConfigurations");
        // Last what may change how the server behaves.
        let mut world = World::on(&server).await;
        for operation in others.iter().chain(&settings) {
            let (sent, taken) = attempt(&world, operation, &mut random, most).await;
            tried += sent;
            if taken && operation.changes() && operation.id != "updateConfigurations" {
                world = World::on(&server).await;
            }
        }
        println!("{tried} requests");
        assert!(!server.log().contains("panicked"), "panicked: {}", server.log());
        server.anonymous.get("/api/v2.0/ping").await.expect(200);
    }
}

/// Tries an operation as nobody, as an administrator of a project, and as a sysadmin. Gives
/// how often, and whether any of it was taken.
async fn attempt(
    world: &World<'_>,
    operation: &Operation,
    random: &mut StdRng,
    most: usize,
) -> (usize, bool) {
    let (mut tried, mut taken) = (0, false);
    // Whom most is asked of; the others are refused before much of it is looked at.
    for (who, share) in [("nobody", 10), ("member", 3), ("admin", 1)] {
        let chosen = cases(operation, world, random, most / share);
        tried += chosen.len();
        let before = world.digest().await;
        let answers = send_all(world, who, operation, chosen).await;
        let refused: Vec<Case> =
            answers.iter().filter(|(_, status)| *status >= 400).map(|(c, _)| c.clone()).collect();
        taken |= refused.len() < answers.len();
        if !operation.changes() || refused.is_empty() {
            continue;
        }
        if refused.len() == answers.len() {
            assert_same(operation, &before, &world.digest().await);
            continue;
        }
        // Some were taken: what was refused is sent once more, alone.
        let before = world.digest().await;
        let again = send_all(world, who, operation, refused).await;
        if again.iter().all(|(_, status)| *status >= 400) {
            assert_same(operation, &before, &world.digest().await);
        }
    }
    (tried, taken)
}

#[track_caller]
fn assert_same(operation: &Operation, before: &str, after: &str) {
    assert!(
        before == after,
        "{} refused everything and changed something:\n{before}\n{after}",
        operation.id
    );
}

/// Sends cases and looks at the answers; gives each with its status.
async fn send_all(
    world: &World<'_>,
    who: &str,
    operation: &Operation,
    cases: Vec<Case>,
) -> Vec<(Case, u16)> {
    let sends = cases.into_iter().map(async |case| {
        let request = case.request(world.client(who), operation);
        match request.timeout(Duration::from_secs(30)).try_send().await {
            Ok(answer) => {
                assert_harmless(who, operation, &case, &answer);
                (case, answer.status)
            }
            Err(_) if case.is_huge() => (case, 413),
            Err(error) => panic!("{} as {who}, {}: {error:?}", operation.id, case.what),
        }
    });
    futures_util::stream::iter(sends).buffer_unordered(AT_ONCE).collect().await
}

#[track_caller]
fn assert_harmless(who: &str, operation: &Operation, case: &Case, answer: &Answer) {
    let told = || format!("{} as {who}, {}: {}", operation.id, case.what, answer.describe());
    assert!(answer.status < 500, "the server's fault: {}", told());
    assert!(answer.status >= 400 || !case.is_array(), "an array for an object: {}", told());
    let text = answer.text();
    for leak in LEAKS {
        assert!(!text.contains(leak), "tells {leak:?}: {}", told());
    }
    if answer.status >= 400 && operation.method != "HEAD" {
        let kind = answer.maybe("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/json"), "not Harbor's format: {}", told());
        let json: serde_json::Value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| panic!("not Harbor's format: {}", told()));
        let error = &json["errors"][0];
        let is_text = |name: &str| error[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(is_text("code") && is_text("message"), "not Harbor's format: {}", told());
    }
    if who == "nobody" && operation.changes() {
        assert!(answer.status >= 400, "nobody changed something: {}", told());
    }
}
