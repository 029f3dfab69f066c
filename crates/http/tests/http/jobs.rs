//! Purges of the audit log, schedules and the dashboard of jobs, over HTTP.

use serde_json::{Value, json};

use crate::server::{Server, both};

const SCHEDULE: &str = "/api/v2.0/system/purgeaudit/schedule";

fn purge(schedule: &Value, dry_run: bool) -> String {
    json!({
        "schedule": schedule,
        "parameters": {
            "audit_retention_hour": 24,
            "include_event_types": "create_artifact,delete_artifact",
            "dry_run": dry_run,
        },
    })
    .to_string()
}

async fn begin(server: &Server) -> String {
    let answer =
        server.ask("admin", "POST", SCHEDULE, &purge(&json!({"type": "Manual"}), true)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.header("location").to_owned()
}

#[tokio::test]
async fn a_purge_is_begun_shown_and_stopped() {
    for server in both().await {
        let place = begin(&server).await;
        let (above, id) = place.rsplit_once('/').unwrap();
        assert_eq!(above, "/api/v2.0/system/purgeaudit");
        let shown = server.get("admin", &place).await.json();
        let expected = json!({
            "id": id.parse::<i64>().unwrap(),
            "job_name": "PURGE_AUDIT_LOG",
            "job_kind": "MANUAL",
            "job_status": "Running",
            "deleted": false,
            "schedule": {"type": "Manual", "next_scheduled_time": "0001-01-01T00:00:00.000Z"},
            "job_parameters": shown["job_parameters"],
            "creation_time": shown["creation_time"],
            "update_time": shown["update_time"],
        });
        assert_eq!(shown, expected);
        let parameters: Value =
            serde_json::from_str(shown["job_parameters"].as_str().unwrap()).unwrap();
        assert_eq!(parameters["audit_retention_hour"], 24);
        assert_eq!(parameters["dry_run"], true);
        let list = server.get("admin", "/api/v2.0/system/purgeaudit?q=status%3DRunning").await;
        assert_eq!((list.header("x-total-count"), &list.json()[0]), ("1", &shown));
        let log = server.get("admin", &format!("{place}/log")).await;
        assert_eq!((log.status.as_u16(), log.header("content-type")), (200, "text/plain"));
        let waiting = server.get("admin", "/api/v2.0/jobservice/queues").await.json();
        let queue = waiting.as_array().unwrap().iter().find(|q| q["job_type"] == "PURGE_AUDIT_LOG");
        assert_eq!(queue.unwrap()["count"], 1);
        for _ in 0..2 {
            assert_eq!(server.ask("admin", "PUT", &place, "").await.status, 200);
            let status = server.get("admin", &place).await.json()["job_status"].clone();
            assert_eq!(status, "Stopped");
        }
        assert_eq!(server.get("admin", "/api/v2.0/system/purgeaudit/4711").await.status, 404);
        assert_eq!(server.get("admin", "/api/v2.0/system/purgeaudit/x").await.status, 422);
        let events = "/api/v2.0/auditlog-exts?q=resource_type%3Dexecution&sort=id";
        let told = server.get("admin", events).await.json();
        let operations: Vec<&str> =
            told.as_array().unwrap().iter().map(|e| e["operation"].as_str().unwrap()).collect();
        assert_eq!(operations, ["create", "stop"]);
    }
}

#[tokio::test]
async fn a_schedule_is_set_shown_and_removed() {
    for server in both().await {
        let none = server.get("admin", SCHEDULE).await;
        assert_eq!((none.status.as_u16(), none.body.as_str()), (200, ""));
        let daily = json!({"type": "Daily", "cron": "0 0 0 * * *"});
        let set = server.ask("admin", "POST", SCHEDULE, &purge(&daily, false)).await;
        assert_eq!(
            (set.status.as_u16(), set.header("location")),
            (201, "/api/v2.0/system/purgeaudit/0")
        );
        let shown = server.get("admin", SCHEDULE).await.json();
        assert_eq!(shown["job_kind"], "0 0 0 * * *");
        assert_eq!(
            (&shown["schedule"]["type"], &shown["schedule"]["cron"]),
            (&json!("Daily"), &json!("0 0 0 * * *"))
        );
        assert!(shown["schedule"]["next_scheduled_time"].as_str().unwrap() > "2026");
        // What is shown can be sent back, with another time.
        let weekly = json!({"type": "Weekly", "cron": "0 0 0 * * 0", "next_scheduled_time": null});
        assert_eq!(server.ask("admin", "PUT", SCHEDULE, &purge(&weekly, true)).await.status, 200);
        let all = server.get("admin", "/api/v2.0/schedules").await;
        assert_eq!(all.header("x-total-count"), "1");
        let all = all.json();
        assert_eq!(all[0]["vendor_type"], "PURGE_AUDIT_LOG");
        assert_eq!((&all[0]["vendor_id"], &all[0]["cron"]), (&json!(-1), &json!("0 0 0 * * 0")));
        let with_projects = server.get("admin", "/api/haven/v1/schedules").await;
        assert_eq!(with_projects.header("x-total-count"), "1");
        let purges = &with_projects.json()[0];
        assert_eq!(
            (&purges["cron"], &purges["project_name"]),
            (&json!("0 0 0 * * 0"), &Value::Null)
        );
        let never = json!({"type": "None"});
        assert_eq!(server.ask("admin", "PUT", SCHEDULE, &purge(&never, true)).await.status, 200);
        assert_eq!(server.get("admin", SCHEDULE).await.body, "");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    for server in both().await {
        let valid = json!({"audit_retention_hour": 1, "include_event_types": "other"});
        let cron = |cron: &str| json!({"schedule": {"type": "Custom", "cron": cron}, "parameters": valid.clone()});
        for (status, sent, expected) in [
            (400, json!({}), "schedule cann't be empty"),
            (400, json!({"schedule": {"type": "Manual"}}), "schedule parameter cann't be empty"),
            (422, json!({"schedule": {"type": "Often"}, "parameters": valid.clone()}), "one of"),
            (422, json!({"schedule": {}, "parameters": valid.clone()}), "one of"),
            (400, cron(""), "empty cron string is invalid"),
            (400, cron("* * * * * *"), "must be 0"),
            (400, cron("0 0 0 31 2 *"), "never fires"),
            (400, cron("0 * * * *"), "expected exactly 6 fields"),
            (400, cron("@every 1s"), "expected exactly 6 fields"),
            (400, cron(&"0 0 0 1 1 * ".repeat(50)), "at most 256"),
            (400, json!("x"), "not as expected"),
            (400, json!([{"type": "Manual"}]), "not as expected"),
            (400, json!({"schedule": ["Manual"], "parameters": valid.clone()}), "not as expected"),
            (
                400,
                json!({"schedule": {"type": "Manual"}, "parameters": {"audit_retention_hour": 1,
                    "include_event_types": "other", "dry_run": "true"}}),
                "dry_run should be true or false",
            ),
        ] {
            for method in ["POST", "PUT"] {
                let answer = server.ask("admin", method, SCHEDULE, &sent.to_string()).await;
                assert_eq!(answer.status, status, "{sent}: {}", answer.body);
                assert!(answer.body.contains(expected), "{sent}: {}", answer.body);
            }
        }
        assert_eq!(server.get("admin", SCHEDULE).await.body, "");
        assert_eq!(server.get("admin", "/api/v2.0/system/purgeaudit").await.body, "[]");
        for (path, body, status) in [
            ("RETENTION", r#"{"action":"explode"}"#, 400),
            ("NOTHING", r#"{"action":"stop"}"#, 404),
            ("all", "{}", 400),
            ("retention", r#"{"action":"Pause"}"#, 200),
        ] {
            let path = format!("/api/v2.0/jobservice/queues/{path}");
            assert_eq!(server.ask("admin", "PUT", &path, body).await.status, status, "{path}");
        }
        let paused = server.get("admin", "/api/v2.0/schedules/all/paused").await;
        assert_eq!(paused.json(), json!({"paused": false}));
        let other = server.get("admin", "/api/v2.0/schedules/RETENTION/paused").await;
        assert_eq!(other.status, 400);
        assert!(other.body.contains("job_type can only be 'all'"), "{}", other.body);
        let all = "/api/v2.0/jobservice/queues/all";
        assert_eq!(server.ask("admin", "PUT", all, r#"{"action":"pause"}"#).await.status, 200);
        let paused = server.get("admin", "/api/v2.0/schedules/all/paused").await;
        assert_eq!(paused.json(), json!({"paused": true}));
        assert_eq!(server.get("admin", "/api/v2.0/jobservice/jobs/x/log").await.status, 404);
        let stop = server.ask("admin", "PUT", "/api/v2.0/jobservice/jobs/all", "").await;
        assert_eq!(stop.status, 200);
        let pools = server.get("admin", "/api/v2.0/jobservice/pools/all/workers").await;
        assert_eq!((pools.status.as_u16(), pools.body.as_str()), (200, "[]"));
    }
}

#[tokio::test]
async fn a_series_has_every_part_and_bounds() {
    for server in both().await {
        let series = "/api/haven/v1/projects/library/activity";
        let asked =
            format!("{series}?from=2026-11-26T10:30:00Z&to=2026-11-26T13:00:00Z&bucket=hour");
        let found = server.get("admin", &asked).await.json();
        let starts: Vec<&str> =
            found.as_array().unwrap().iter().map(|part| part["from"].as_str().unwrap()).collect();
        let hours = ["10", "11", "12"].map(|hour| format!("2026-11-26T{hour}:00:00.000Z"));
        assert_eq!(starts, hours);
        assert_eq!(found[0]["pushes"], 0);
        // Weeks begin on Mondays.
        let week =
            format!("{series}?from=2026-11-26T10:30:00Z&to=2026-11-26T13:00:00Z&bucket=week");
        let week = server.get("admin", &week).await.json();
        assert_eq!(
            (week.as_array().unwrap().len(), &week[0]["from"]),
            (1, &json!("2026-11-23T00:00:00.000Z"))
        );
        for wrong in [
            "from=x",
            "bucket=year",
            "from=2020-01-01T00:00:00Z",
            "to=1990-01-01T00:00:00Z&from=2000-01-01T00:00:00Z",
        ] {
            let answer = server.get("admin", &format!("{series}?{wrong}")).await;
            assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
        }
        assert_eq!(server.get("admin", "/api/haven/v1/activity?bucket=day").await.status, 200);
        assert_eq!(server.get("", "/api/haven/v1/activity").await.status, 401);
    }
}
