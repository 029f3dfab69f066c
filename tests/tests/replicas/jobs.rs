//! Jobs while the replicas that do them die.

use haven_tests::{Client, Server, Settings, eventually};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use std::time::Duration;

const JOBS: usize = 1000;
const CLIENTS: usize = 4;
const KILLS: usize = 12;

/// How long all of it may take once nobody dies any more.
const PATIENCE: Duration = Duration::from_secs(180);

/// Has the database itself write down whenever a job is touched that has ended or that ends,
/// and whenever more of them run than may.
const WATCH: &str = "
    CREATE TABLE ends (task_id BIGINT, status TEXT);
    CREATE FUNCTION watch() RETURNS trigger AS $$ BEGIN
        IF NEW.status IN ('Success', 'Error', 'Stopped') THEN
            INSERT INTO ends VALUES (NEW.id, NEW.status);
        END IF;
        RETURN NEW;
    END $$ LANGUAGE plpgsql;
    CREATE TRIGGER watch AFTER UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION watch();";

/// Asks for a purge of the audit log that only counts, and gives its number.
async fn begin(admin: &Client) -> String {
    let sent = json!({
        "schedule": {"type": "Manual"},
        "parameters": {
            "audit_retention_hour": 24,
            "include_event_types": "create_artifact,pull_artifact",
            "dry_run": true,
        },
    });
    let path = "/api/v2.0/system/purgeaudit/schedule";
    let answer = admin.request("POST", path).json(&sent).send().await.expect(201);
    let (_, id) = answer.header("location").rsplit_once('/').unwrap();
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_jobs_end_once_each_while_replicas_die() {
    let seed = std::env::var("HAVEN_TEST_SEED")
        .map(|text| text.parse().expect("HAVEN_TEST_SEED is a number"))
        .unwrap_or_else(|_| rand::random());
    println!("HAVEN_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let first = Server::start(&Settings::cluster()).await;
    first.ask_database(WATCH);
    let mut replicas = [first.replica().await, first.replica().await, first.replica().await];
    let begun: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let admin = first.admin.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..JOBS / CLIENTS {
                    ids.push(begin(&admin).await);
                }
                ids
            })
        })
        .collect();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..2000))).await;
        let place = random.random_range(0..replicas.len());
        replicas[place].kill();
        replicas[place].start_again().await;
    }
    let mut ids = Vec::new();
    for begun in begun {
        ids.extend(begun.await.unwrap());
    }
    assert_eq!(ids.len(), JOBS);
    let open = "SELECT COUNT(*) FROM tasks WHERE status IN ('Pending', 'Running')";
    eventually("all jobs have ended", PATIENCE, async || first.ask_database(open) == "0").await;

    let ended = first.ask_database("SELECT COUNT(*), COUNT(DISTINCT task_id) FROM ends");
    assert_eq!(ended, format!("{JOBS}|{JOBS}"));
    let runs = first.ask_database("SELECT SUM(runs), MAX(runs) FROM tasks");
    println!("{JOBS} jobs, {KILLS} kills; runs in total and most of one: {runs}");
    let states = "SELECT DISTINCT e.status, t.status FROM executions AS e \
        JOIN tasks AS t ON t.execution_id = e.id";
    assert_eq!(first.ask_database(states), "Success|Success");
    for id in ids.iter().step_by(97) {
        let path = format!("/api/v2.0/system/purgeaudit/{id}");
        let shown = first.admin.get(&path).await.expect(200).json();
        assert_eq!(shown["job_status"], "Success");
        let log = first.admin.get(&format!("{path}/log")).await.expect(200).text();
        assert!(log.contains("[DRYRUN]Purged 0 rows"), "{log}");
    }
    // Who died is gone from the list of who works, and who came is in it.
    let path = "/api/v2.0/jobservice/pools";
    eventually("the dead are gone", Duration::from_secs(60), async || {
        first.admin.get(path).await.expect(200).json().as_array().unwrap().len() == 4
    })
    .await;
}

#[tokio::test]
async fn what_one_replica_pauses_is_paused_everywhere() {
    let first = Server::start(&Settings::cluster()).await;
    let second = first.replica().await;
    let queue = "/api/v2.0/jobservice/queues/PURGE_AUDIT_LOG";
    let act = async |at: &Client, action: &str| {
        at.request("PUT", queue).json(&json!({"action": action})).send().await.expect(200);
    };
    act(&first.admin, "pause").await;
    let id = begin(&second.admin).await;
    let path = format!("/api/v2.0/system/purgeaudit/{id}");
    let waiting = async || {
        let queues = second.admin.get("/api/v2.0/jobservice/queues").await.expect(200).json();
        let queues = queues.as_array().unwrap().clone();
        let queue = queues.into_iter().find(|queue| queue["job_type"] == "PURGE_AUDIT_LOG");
        queue.unwrap()
    };
    // Both have looked several times by then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let queue = waiting().await;
    assert_eq!((queue["count"].as_i64(), queue["paused"].as_bool()), (Some(1), Some(true)));
    act(&second.admin, "resume").await;
    eventually("the job is done", Duration::from_secs(20), async || {
        first.admin.get(&path).await.expect(200).json()["job_status"] == "Success"
    })
    .await;
}
