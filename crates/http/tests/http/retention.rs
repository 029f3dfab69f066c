//! Retention policies, as Harbor's clients use them.

use domain::{
    projects::Role,
    testing::{add_project, add_user, eventually, join},
    work,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::server::{Server, both, sqlite};

const RETENTIONS: &str = "/api/v2.0/retentions";
const HAVEN: &str = "/api/haven/v1/retentions";

fn rule(template: &str, number: i64, tags: &str) -> Value {
    json!({
        "disabled": false,
        "action": "retain",
        "template": template,
        "params": {template: number},
        "scope_selectors": {"repository": [
            {"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"},
        ]},
        "tag_selectors": [{
            "kind": "doublestar", "decoration": "matches", "pattern": tags,
            "extras": "{\"untagged\":false}",
        }],
    })
}

fn policy(project: i64, rules: &[Value], cron: &str) -> Value {
    json!({
        "algorithm": "or",
        "rules": rules,
        "trigger": {"kind": "Schedule", "settings": {"cron": cron}, "references": {}},
        "scope": {"level": "project", "ref": project},
    })
}

async fn push(server: &Server, tag: &str) {
    let config = oci::Digest::of(oci::Algorithm::Sha256, b"{}");
    let blob = format!("/v2/p/app/blobs/uploads/?digest={config}");
    assert_eq!(server.ask("admin", "POST", &blob, "{}").await.status, 201);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let content = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2,
        },
        "layers": [],
        "annotations": {"tag": tag},
    });
    let path = format!("/v2/p/app/manifests/{tag}");
    assert_eq!(server.ask("admin", "PUT", &path, &content.to_string()).await.status, 201);
}

#[tokio::test]
async fn a_policy_lives_and_runs() {
    for server in both().await {
        let project = add_project(&server.domain, "p", false).await;
        for tag in ["v1", "v2", "old"] {
            push(&server, tag).await;
        }
        let rules = [rule("latestPushedK", 1, "v*")];
        let sent = policy(project, &rules, "0 0 0 * * *");
        let made = server.ask("admin", "POST", RETENTIONS, &sent.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let location = made.header("location").to_owned();
        let id: i64 = location.strip_prefix(&format!("{RETENTIONS}/")).unwrap().parse().unwrap();
        let second = server.ask("admin", "POST", RETENTIONS, &sent.to_string()).await;
        let said = format!("project {project} already has retention policy {id}");
        assert_eq!(second.error(), (400, "BAD_REQUEST".into(), said));
        let schedules = server.get("admin", "/api/haven/v1/schedules").await;
        assert_eq!(schedules.header("x-total-count"), "1");
        let schedule = &schedules.json()[0];
        assert_eq!(
            (&schedule["vendor_type"], &schedule["vendor_id"]),
            (&json!("RETENTION"), &json!(id))
        );
        assert_eq!(
            (&schedule["project_name"], &schedule["cron"]),
            (&json!("p"), &json!("0 0 0 * * *"))
        );
        assert!(schedule["next_time"].as_str().unwrap() > "2026", "{schedule}");
        let shown = server.get("admin", "/api/v2.0/projects/p").await.json();
        assert_eq!(shown["metadata"]["retention_id"], id.to_string());
        // A project can be sent back as it was shown; no other policy is given to it so.
        let change = async |body: Value| {
            server.ask("admin", "PUT", "/api/v2.0/projects/p", &body.to_string()).await
        };
        let sent_back = change(shown.clone()).await;
        assert_eq!(sent_back.status, 200, "{}", sent_back.body);
        let other = change(json!({"metadata": {"retention_id": (id + 1).to_string()}})).await;
        assert_eq!(other.code(), (400, "BAD_REQUEST".into()));
        let again = server.get("admin", "/api/v2.0/projects/p").await.json();
        assert_eq!(again["metadata"], shown["metadata"]);

        let shown = server.get("admin", &location).await.json();
        assert_eq!((&shown["id"], &shown["algorithm"]), (&json!(id), &json!("or")));
        assert_eq!(shown["scope"], json!({"level": "project", "ref": project}));
        assert_eq!(shown["trigger"]["settings"]["cron"], "0 0 0 * * *");
        assert!(shown["trigger"]["settings"]["next_scheduled_time"].is_string());
        assert_eq!(shown["rules"][0]["params"], json!({"latestPushedK": 1}));
        assert_eq!(shown["rules"][0]["tag_selectors"], rules[0]["tag_selectors"]);
        // What was shown can be sent back.
        let sent_back = server.ask("admin", "PUT", &location, &shown.to_string()).await;
        assert_eq!(sent_back.status, 200, "{}", sent_back.body);

        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(work::serve(server.domain.clone(), 2, stopping));
        let executions = format!("{location}/executions");
        // What is no object begins no run, and no run that deletes.
        for body in ["", "null", "[]", "[true]", "[{\"dry_run\":true}]", "{\"dry_run\":[]}"] {
            let refused = server.ask("admin", "POST", &executions, body).await;
            assert_eq!(refused.code(), (400, "BAD_REQUEST".into()), "{body}");
        }
        assert_eq!(server.get("admin", &executions).await.header("x-total-count"), "0");
        for (dry_run, left) in [(true, 3), (false, 1)] {
            let body = json!({"dry_run": dry_run}).to_string();
            let begun = server.ask("admin", "POST", &executions, &body).await;
            assert_eq!(begun.status, 201, "{}", begun.body);
            let execution = begun.header("location").to_owned();
            eventually(async || {
                server.get("admin", &executions).await.json()[0]["status"] == "Success"
            })
            .await;
            let listed = server.get("admin", &executions).await;
            let run = listed.json()[0].clone();
            assert_eq!((&run["policy_id"], &run["dry_run"]), (&json!(id), &json!(dry_run)));
            assert_eq!(run["trigger"], "MANUAL");
            let tasks = server.get("admin", &format!("{execution}/tasks")).await;
            assert_eq!(tasks.header("x-total-count"), "1");
            let task = tasks.json()[0].clone();
            let told = (&task["repository"], &task["total"], &task["retained"]);
            assert_eq!(told, (&json!("app"), &json!(3), &json!(1)));
            assert_eq!((&task["status"], &task["status_code"]), (&json!("Success"), &json!(3)));
            let log = server.get("admin", &format!("{execution}/tasks/{}", task["id"])).await;
            assert_eq!(log.header("content-type"), "text/plain; charset=utf-8");
            assert!(log.body.contains("Retention") && log.body.contains("| DEL "), "{}", log.body);
            let tags = server.get("admin", "/v2/p/app/tags/list").await.json();
            assert_eq!(tags["tags"].as_array().unwrap().len(), left, "{tags}");

            let why =
                format!("{}/tasks/{}/artifacts", execution.replace(RETENTIONS, HAVEN), task["id"]);
            let found = server.get("admin", &format!("{why}?outcome=delete")).await;
            assert_eq!(found.header("x-total-count"), "2");
            let old = found.json();
            let old =
                old.as_array().unwrap().iter().find(|found| found["tags"][0] == "old").unwrap();
            assert_eq!((&old["outcome"], &old["kept_by"]), (&json!("delete"), &json!([])));
            let kept = server.get("admin", &format!("{why}?outcome=retain")).await.json();
            let because = json!([{"rule": 0, "keeps": "the most recently pushed 1 artifacts"}]);
            assert_eq!(kept[0]["kept_by"], because);
            let run = execution.replace(RETENTIONS, HAVEN);
            let shown = server.get("admin", &run).await.json();
            assert_eq!(shown["run"]["outcomes"], json!({"delete": 2, "retain": 1}));
            assert_eq!(shown["run"]["tasks"]["success"], 1);
            assert_eq!(shown["run"]["operator"], "admin");
            assert_eq!(shown["rules"][0]["params"]["latestPushedK"], 1);
            let listed = server.get("admin", &executions.replace(RETENTIONS, HAVEN)).await.json();
            assert_eq!(listed[0], shown["run"]);
            let asked = format!("{run}/artifacts?outcome=delete,error&text=OLD&page_size=5");
            let found = server.get("admin", &asked).await;
            assert_eq!(found.header("x-total-count"), "1");
            let of = json!([found.json()[0]["repository"], found.json()[0]["task_id"]]);
            assert_eq!(of, json!(["app", task["id"]]));
            let elsewhere = format!("{run}/artifacts?task=999999");
            assert_eq!(server.get("admin", &elsewhere).await.code().0, 404);
            let long = format!("{run}/artifacts?text={}", "x".repeat(257));
            assert_eq!(server.get("admin", &long).await.code().0, 400);
            let wrong = server.get("admin", &format!("{why}?outcome=perhaps")).await;
            assert_eq!(wrong.code().0, 400);
            let stopped = server.ask("admin", "PATCH", &execution, r#"{"action":"stop"}"#).await;
            assert_eq!(stopped.status, 200, "what has ended stays as it is");
            let wrong = server.ask("admin", "PATCH", &execution, r#"{"action":"go"}"#).await;
            let said = "action should be 'stop'";
            assert_eq!(wrong.error(), (400, "BAD_REQUEST".into(), said.into()));
        }

        // As Terraform's provider deletes one.
        let empty = policy(project, &[], "").to_string();
        assert_eq!(server.ask("admin", "PUT", &location, &empty).await.status, 200);
        assert_eq!(server.get("admin", &location).await.json()["rules"], json!([]));
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 200);
        assert_eq!(server.get("admin", &location).await.code(), (404, "NOT_FOUND".into()));
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.code().0, 400);
        let shown = server.get("admin", "/api/v2.0/projects/p").await.json();
        assert_eq!(shown["metadata"]["retention_id"], Value::Null);
    }
}

#[tokio::test]
async fn the_metadata_are_harbors_and_ours_are_more() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    assert_eq!(server.get("", &format!("{RETENTIONS}/metadatas")).await.code().0, 401);
    let harbors = server.get("alice", &format!("{RETENTIONS}/metadatas")).await.json();
    let number = |unit: &str| json!([{"type": "int", "unit": unit, "required": true}]);
    let template = |name: &str, text: &str, params: Value| {
        json!({
            "rule_template": name, "display_text": text, "action": "retain", "params": params,
        })
    };
    assert_eq!(
        harbors,
        json!({
            "templates": [
                template("latestPushedK", "the most recently pushed # artifacts", number("COUNT")),
                template("latestPulledN", "the most recently pulled # artifacts", number("COUNT")),
                template("nDaysSinceLastPush", "pushed within the last # days", number("DAYS")),
                template("nDaysSinceLastPull", "pulled within the last # days", number("DAYS")),
                template("always", "always", json!([])),
            ],
            "scope_selectors": [{
                "display_text": "Repositories", "kind": "doublestar",
                "decorations": ["repoMatches", "repoExcludes"],
            }],
            "tag_selectors": [{
                "display_text": "Tags", "kind": "doublestar",
                "decorations": ["matches", "excludes"],
            }],
        })
    );
    let ours = server.get("alice", &format!("{HAVEN}/metadatas")).await.json();
    assert_eq!(ours["templates"].as_array().unwrap().len(), 7);
    assert_eq!(ours["tag_selectors"][2]["kind"], "semver");
}

#[tokio::test]
async fn who_may_not_and_what_is_wrong_is_refused() {
    let server = sqlite().await;
    let project = add_project(&server.domain, "p", true).await;
    let other = add_project(&server.domain, "other", true).await;
    let guest = add_user(&server.domain, "guest").await;
    join(&server.domain, "p", &guest, Role::Guest).await;
    let developer = add_user(&server.domain, "dev").await;
    join(&server.domain, "p", &developer, Role::Developer).await;
    let fine = policy(project, &[rule("always", 0, "**")], "").to_string();
    for (who, status) in [("", 401), ("guest", 403)] {
        assert_eq!(server.ask(who, "POST", RETENTIONS, &fine).await.status, status);
        for (method, path) in [
            ("GET", "/1"),
            ("PUT", "/1"),
            ("DELETE", "/1"),
            ("GET", "/1/executions"),
            ("POST", "/1/executions"),
            ("PATCH", "/1/executions/1"),
            ("GET", "/1/executions/1/tasks"),
            ("GET", "/1/executions/1/tasks/1"),
        ] {
            let refused = server.ask(who, method, &format!("{RETENTIONS}{path}"), "{}").await;
            assert_eq!(refused.status, status, "{who} {method} {path}");
        }
    }
    let made = server.ask("dev", "POST", RETENTIONS, &fine).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let one = made.header("location").to_owned();
    let elsewhere = policy(other, &[], "").to_string();
    assert_eq!(server.ask("dev", "POST", RETENTIONS, &elsewhere).await.status, 403);
    assert_eq!(server.ask("dev", "PUT", &one, &elsewhere).await.code().0, 404);
    for (method, path) in [
        ("GET", "/executions/999999/tasks"),
        ("GET", "/executions/999999/tasks/1"),
        ("PATCH", "/executions/999999"),
    ] {
        let body = r#"{"action":"stop"}"#;
        let absent = server.ask("dev", method, &format!("{one}{path}"), body).await;
        assert_eq!(absent.code().0, 404, "{method} {path}");
    }

    let wrong = |path: &str, value: Value| {
        let mut policy = policy(project, &[rule("latestPushedK", 1, "**")], "");
        *policy.pointer_mut(path).unwrap() = value;
        policy.to_string()
    };
    let many: Vec<Value> = (0..16).map(|n| rule("latestPushedK", n, "**")).collect();
    for bad in [
        wrong("/rules", json!(many)),
        wrong("/algorithm", json!("and")),
        wrong("/scope/level", json!("system")),
        wrong("/scope/ref", json!(0)),
        wrong("/scope/ref", json!("1")),
        wrong("/trigger/kind", json!("Event")),
        wrong("/trigger/settings/cron", json!(5)),
        wrong("/trigger/settings/cron", json!("* * * * * *")),
        wrong("/trigger/settings/cron", json!("0 0 0 31 2 *")),
        wrong("/trigger/settings/cron", json!("0 0 0 * *")),
        wrong("/rules/0/action", json!("delete")),
        wrong("/rules/0/template", json!("never")),
        wrong("/rules/0/params", json!({"latestPushedK": "many"})),
        wrong("/rules/0/params", json!({"latestPushedK": 1e300})),
        wrong("/rules/0/tag_selectors", json!([])),
        wrong("/rules/0/tag_selectors/0/kind", json!("signature")),
        wrong("/rules/0/tag_selectors/0/pattern", json!("{a,b}".repeat(100))),
        wrong("/rules/0/tag_selectors/0/pattern", json!("[")),
        wrong("/rules/0/scope_selectors", json!({"project": []})),
        "[]".to_owned(),
        String::new(),
    ] {
        for (method, path) in [("POST", RETENTIONS), ("PUT", one.as_str())] {
            let refused = server.ask("admin", method, path, &bad).await;
            assert_eq!(refused.code(), (400, "BAD_REQUEST".into()), "{method} {bad}");
        }
    }
    let same = [rule("always", 0, "a"), rule("always", 0, "a")];
    let refused = server.ask("admin", "PUT", &one, &policy(project, &same, "").to_string()).await;
    let said = "rule 1 is conflict with rule 0";
    assert_eq!(refused.error(), (409, "CONFLICT".into(), said.into()));
    let absent = policy(999_999, &[], "").to_string();
    let refused = server.ask("admin", "POST", RETENTIONS, &absent).await;
    let said = "invalid Project id 999999";
    assert_eq!(refused.error(), (400, "BAD_REQUEST".into(), said.into()));
    let odd = r#"{"action":"retain","template":"always","params":{},"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"**","extras":"[\"untagged\":True]"}],"scope_selectors":{}}"#;
    let odd: Value = serde_json::from_str(odd).unwrap();
    let taken = server.ask("admin", "PUT", &one, &policy(project, &[odd], "").to_string()).await;
    assert_eq!(taken.status, 200, "extras that cannot be read are left aside: {}", taken.body);
}
