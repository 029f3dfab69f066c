//! Robots over HTTP, and what can be given to them.

use axum::{body::Body, http::Request};
use domain::{
    projects::Role,
    testing::{add_project, add_user, join, robot_of},
};
use serde_json::{Value, json};

use crate::server::{Server, basic, both, sqlite};

const ROBOTS: &str = "/api/v2.0/robots";

/// The body for a robot of a project.
fn of_project(project: &str, name: &str, rights: &[&str]) -> Value {
    let access: Vec<Value> = rights
        .iter()
        .map(|right| {
            let (resource, action) = right.split_once(':').unwrap();
            json!({"resource": resource, "action": action})
        })
        .collect();
    json!({"name": name, "level": "project", "duration": -1, "description": "for CI",
        "permissions": [{"kind": "project", "namespace": project, "access": access}]})
}

async fn make(server: &Server, who: &str, body: &Value) -> Value {
    let answer = server.ask(who, "POST", ROBOTS, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{body}: {}", answer.body);
    let made = answer.json();
    assert_eq!(answer.header("location"), format!("{ROBOTS}/{}", made["id"]));
    made
}

/// A server with the project `p`, which alice administers and bob is a guest of.
async fn fill(server: &Server) {
    add_project(&server.domain, "p", false).await;
    let alice = add_user(&server.domain, "alice").await;
    let bob = add_user(&server.domain, "bob").await;
    add_user(&server.domain, "carol").await;
    join(&server.domain, "p", &alice, Role::ProjectAdmin).await;
    join(&server.domain, "p", &bob, Role::Guest).await;
}

#[tokio::test]
async fn a_robot_is_made_shown_changed_and_deleted() {
    for server in both().await {
        fill(&server).await;
        let made = make(&server, "alice", &of_project("p", "ci", &["repository:push"])).await;
        assert_eq!((&made["name"], &made["expires_at"]), (&json!("robot$p+ci"), &json!(-1)));
        assert!(made["secret"].as_str().unwrap().len() >= 20);
        let one = format!("{ROBOTS}/{}", made["id"]);

        let shown = server.get("bob", &one).await.json();
        assert_eq!(shown["name"], "robot$p+ci");
        assert_eq!((&shown["level"], &shown["duration"]), (&json!("project"), &json!(-1)));
        assert_eq!((&shown["editable"], &shown["disable"]), (&json!(true), &json!(false)));
        let access = json!([{"resource": "repository", "action": "push", "effect": "allow"}]);
        let permissions = json!([{"kind": "project", "namespace": "p", "access": access}]);
        assert_eq!(shown["permissions"], permissions);
        assert_eq!(shown["creator_type"], "local");
        assert!(shown.get("secret").is_none());

        // What is shown can be sent back, as clients do.
        let mut change = shown.clone();
        change["description"] = json!("changed");
        change["disable"] = json!(true);
        change["duration"] = json!(30);
        change["permissions"][0]["access"] = json!([{"resource": "tag", "action": "list"}]);
        let answer = server.ask("alice", "PUT", &one, &change.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let shown = server.get("alice", &one).await.json();
        assert_eq!((&shown["description"], &shown["disable"]), (&json!("changed"), &json!(true)));
        assert!(shown["expires_at"].as_i64().unwrap() > 0);
        assert_eq!(shown["permissions"][0]["access"][0]["resource"], "tag");

        for (name, value) in [("name", "robot$p+other"), ("level", "system")] {
            let mut other = shown.clone();
            other[name] = json!(value);
            let answer = server.ask("admin", "PUT", &one, &other.to_string()).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{name}: {}", answer.body);
        }
        let fresh = server.ask("alice", "PATCH", &one, r#"{"secret":""}"#).await.json();
        assert_ne!(fresh["secret"], made["secret"]);
        let chosen = server.ask("alice", "PATCH", &one, r#"{"secret":"Chosen12345"}"#).await;
        assert_eq!((chosen.status.as_u16(), chosen.body.as_str()), (200, "{}"));

        assert_eq!(server.ask("alice", "DELETE", &one, "").await.status, 200);
        assert_eq!(server.get("alice", &one).await.code().0, 403);
        assert_eq!(server.get("admin", &one).await.code(), (404, "NOT_FOUND".into()));
    }
}

#[tokio::test]
async fn lists_are_of_the_system_or_of_a_project() {
    for server in both().await {
        fill(&server).await;
        let id = server.get("admin", "/api/v2.0/projects/p").await.json()["project_id"].clone();
        make(&server, "alice", &of_project("p", "b", &["repository:pull"])).await;
        make(&server, "admin", &of_project("p", "a", &["repository:pull"])).await;
        let system = json!({"name": "s", "level": "system", "duration": 1, "secret": "Chosen12345",
        "permissions": [
            {"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]},
            {"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]},
        ]});
        assert_eq!(make(&server, "admin", &system).await["secret"], "Chosen12345");
        let names = async |who: &str, query: String| {
            let answer = server.get(who, &format!("{ROBOTS}{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {}", answer.body);
            let items = answer.json();
            let names = items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap());
            (names.collect::<Vec<_>>().join(" "), answer.header("x-total-count").to_owned())
        };
        assert_eq!(names("admin", String::new()).await, ("robot$s".into(), "1".into()));
        assert_eq!(names("admin", "?q=Level%3Dsystem".into()).await.0, "robot$s");
        let both = ("robot$p+a robot$p+b".to_owned(), "2".to_owned());
        for who in ["admin", "alice", "bob"] {
            let query = format!("?q=Level=project,ProjectID={id}");
            assert_eq!(names(who, query).await, both, "{who}");
            // As Harbor's portal writes it.
            let query = format!("?q=Level%253Dproject%252CProjectID%253D{id}");
            assert_eq!(names(who, query).await, both, "{who}");
        }
        let query = format!("?q=level=project,project_id={id},name=~A&sort=-name");
        assert_eq!(names("bob", query).await.0, "robot$p+a");
        let query = format!("?q=level=project,project_id={id}&page_size=1&page=2");
        assert_eq!(names("bob", query).await, ("robot$p+b".into(), "2".into()));

        let project = format!("{ROBOTS}?q=Level%3Dproject,ProjectID%3D{id}");
        assert_eq!(server.get("carol", &project).await.code().0, 403);
        assert_eq!(server.get("", &project).await.code().0, 401);
        assert_eq!(server.get("bob", ROBOTS).await.code().0, 403);
        assert_eq!(server.get("", ROBOTS).await.code().0, 401);
        assert_eq!(
            server
                .get("admin", &format!("{ROBOTS}?q=Level%3Dproject,ProjectID%3D999"))
                .await
                .code()
                .0,
            404
        );
        for bad in [
            "Level%3Dproject",
            "Level%3Dproject,ProjectID%3Dx",
            "Level%3Dproject,ProjectID%3D%7B1%202%7D",
            "Level%3Dworld",
            "Level%3D~s",
            "creation_time%3Dx",
        ] {
            let answer = server.get("admin", &format!("{ROBOTS}?q={bad}")).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{bad}");
        }
    }
}

#[tokio::test]
async fn what_no_robot_can_be_is_refused() {
    for server in both().await {
        fill(&server).await;
        let good = of_project("p", "ci", &["repository:pull"]);
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        let access = |resource: &str, action: &str| {
            with(
                "permissions",
                json!([{"kind": "project", "namespace": "p",
                    "access": [{"resource": resource, "action": action}]}]),
            )
        };
        let two = json!([good["permissions"][0], good["permissions"][0]]);
        for body in [
            json!({}),
            json!([]),
            with("name", json!("CI")),
            with("name", json!("a+b")),
            with("name", json!("")),
            with("name", json!("a".repeat(256))),
            with("name", json!(7)),
            with("level", json!("world")),
            with("level", json!(null)),
            with("duration", json!(-2)),
            with("duration", json!(1_i64 << 40)),
            with("duration", json!("x")),
            with("description", json!("a".repeat(2000))),
            with("description", json!("a\u{0}b")),
            with("secret", json!("weak")),
            with("permissions", json!([])),
            with("permissions", json!(null)),
            with("permissions", two),
            with("permissions", json!([{"kind": "project", "namespace": "p", "access": []}])),
            with(
                "permissions",
                json!([{"kind": "system", "namespace": "p", "access": [{"resource": "repository", "action": "pull"}]}]),
            ),
            access("repository", "fly"),
            access("nothing", "pull"),
            access("robot", "update"),
            access("'; DROP TABLE robots; --", "pull"),
        ] {
            let answer = server.ask("alice", "POST", ROBOTS, &body.to_string()).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{body}: {}", answer.body);
        }
        for namespace in ["nothing", "library", "*", "1"] {
            let body = of_project(namespace, "ci", &["repository:pull"]).to_string();
            assert_eq!(server.ask("alice", "POST", ROBOTS, &body).await.code().0, 403);
        }
        // No name, and not even a text that a database takes.
        let nul = of_project("a\u{0}", "ci", &["repository:pull"]).to_string();
        assert!(server.ask("alice", "POST", ROBOTS, &nul).await.code().0 < 500);
        let good = good.to_string();
        assert_eq!(server.ask("bob", "POST", ROBOTS, &good).await.code().0, 403);
        assert_eq!(server.ask("", "POST", ROBOTS, "{").await.code().0, 401);
        let system = with("level", json!("system")).to_string();
        assert_eq!(server.ask("alice", "POST", ROBOTS, &system).await.code().0, 403);
        make(&server, "alice", &serde_json::from_str(&good).unwrap()).await;
        let again = server.ask("alice", "POST", ROBOTS, &good).await;
        assert_eq!(again.code(), (409, "CONFLICT".into()));
        for path in ["/0", "/-1", "/999999"] {
            assert_eq!(server.get("admin", &format!("{ROBOTS}{path}")).await.code().0, 404);
            assert_eq!(server.get("alice", &format!("{ROBOTS}{path}")).await.code().0, 403);
        }
        for path in ["/x", "/99999999999999999999"] {
            assert_eq!(server.get("admin", &format!("{ROBOTS}{path}")).await.code().0, 422);
        }
    }
}

#[tokio::test]
async fn issuers_are_trusted_and_robots_narrowed() {
    for server in both().await {
        fill(&server).await;
        let made = make(&server, "alice", &of_project("p", "ci", &["repository:pull"])).await;
        let robot = format!("/api/haven/v1/robots/{}", made["id"]);
        let trusts = format!("{robot}/trusts");
        let new = json!({"issuer": "https://ci.example.org", "audience": "haven",
            "claims": {"repository": "org/*"}});
        let answer = server.ask("alice", "POST", &trusts, &new.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let location = answer.header("location").to_owned();
        assert!(location.starts_with(&trusts), "{location}");
        let found = server.get("bob", &trusts).await.json();
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["claims"], new["claims"]);
        for bad in [
            json!({}),
            json!({"issuer": "http://ci.example.org", "audience": "a", "claims": {"a": "b"}}),
            json!({"issuer": "https://ci.example.org", "audience": "a", "claims": {}}),
            json!({"issuer": "https://ci.example.org", "audience": "a", "claims": {"a": 1}}),
            json!({"issuer": "https://ci.example.org", "audience": "a", "claims": {"a": "["}}),
        ] {
            let answer = server.ask("alice", "POST", &trusts, &bad.to_string()).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{bad}");
        }
        for (who, status) in [("bob", 403), ("carol", 403), ("", 401)] {
            let body = new.to_string();
            assert_eq!(server.ask(who, "POST", &trusts, &body).await.code().0, status);
            assert_eq!(server.ask(who, "DELETE", &location, "").await.code().0, status);
        }
        assert_eq!(server.ask("alice", "DELETE", &location, "").await.status, 200);
        assert_eq!(server.ask("alice", "DELETE", &location, "").await.code().0, 404);

        let log = "/api/v2.0/projects/p/auditlog-exts?q=resource_type%3Drobot";
        let told = server.get("alice", log).await.json();
        let told: Vec<_> = (told.as_array().unwrap().iter())
            .map(|entry| entry["operation_description"].as_str().unwrap())
            .collect();
        let trusts = "update robot: robot$p+ci, trusts https://ci.example.org";
        assert_eq!(told[1..], [trusts, "create robot: robot$p+ci"]);

        let reach = format!("{robot}/repositories");
        let all = json!([{"namespace": "p", "repositories": null}]);
        assert_eq!(server.get("bob", &reach).await.json(), all);
        let narrow = json!({"namespace": "p", "repositories": ["team-a/**"]});
        let answer = server.ask("alice", "PUT", &reach, &narrow.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(server.get("bob", &reach).await.json(), json!([narrow]));
        for (bad, status) in [
            (json!({"namespace": "p", "repositories": []}), 400),
            (json!({"namespace": "p", "repositories": ["["]}), 400),
            (json!({"namespace": "q", "repositories": ["a"]}), 404),
            (json!({}), 404),
        ] {
            let answer = server.ask("alice", "PUT", &reach, &bad.to_string()).await;
            assert_eq!(answer.code().0, status, "{bad}");
        }
        assert_eq!(server.ask("bob", "PUT", &reach, &narrow.to_string()).await.code().0, 403);
        let wide = json!({"namespace": "p", "repositories": null}).to_string();
        assert_eq!(server.ask("alice", "PUT", &reach, &wide).await.status, 200);
        assert_eq!(server.get("bob", &reach).await.json(), all);
    }
}

#[tokio::test]
async fn administrators_are_told_what_can_be_given() {
    let server = sqlite().await;
    fill(&server).await;
    let path = "/api/v2.0/permissions";
    let all = server.get("admin", path).await.json();
    // As many as Harbor has.
    assert_eq!(all["system"].as_array().unwrap().len(), 70);
    assert_eq!(all["project"].as_array().unwrap().len(), 70);
    assert!(
        all["project"]
            .as_array()
            .unwrap()
            .contains(&json!({"resource": "robot", "action": "create"}))
    );
    let some = server.get("alice", path).await.json();
    assert!(some.get("system").is_none());
    assert_eq!(some["project"], all["project"]);
    assert_eq!(server.get("bob", path).await.code().0, 403);
    assert_eq!(server.get("", path).await.code().0, 401);
}

#[tokio::test]
async fn a_robot_gives_no_more_than_it_has_and_does_not_change_itself() {
    for server in both().await {
        fill(&server).await;
        let rights = ["robot:create", "robot:read", "robot:delete", "repository:pull"];
        let (maker, secret) = robot_of(&server.domain, Some("p"), "maker", &rights).await;
        let login = basic("robot$p+maker", secret.reveal());
        let ask = async |method: &str, path: &str, body: &Value| {
            let request = Request::builder().method(method).uri(path);
            let request = request.header("authorization", &login);
            server.send(request.body(Body::from(body.to_string())).unwrap()).await
        };
        let less = of_project("p", "less", &["repository:pull"]);
        let made = ask("POST", ROBOTS, &less).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let shown = server.get("alice", made.header("location")).await.json();
        assert_eq!(shown["creator_type"], "robot");
        assert_eq!(shown["creator_ref"], maker.robot_id().unwrap());
        let more = of_project("p", "more", &["repository:push"]);
        assert_eq!(ask("POST", ROBOTS, &more).await.code(), (403, "DENIED".into()));
        let elsewhere = of_project("library", "x", &["repository:pull"]);
        assert_eq!(ask("POST", ROBOTS, &elsewhere).await.code().0, 403);

        let own = format!("{ROBOTS}/{}", maker.robot_id().unwrap());
        let shown = ask("GET", &own, &json!(null)).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        let shown = shown.json();
        let haven = own.replace("v2.0", "haven/v1");
        let trust = json!({"issuer": "https://a", "audience": "a", "claims": {"a": "b"}});
        let reach = json!({"namespace": "p", "repositories": null});
        for (method, path, body) in [
            ("PUT", own.clone(), &shown),
            ("PATCH", own.clone(), &json!({})),
            ("POST", format!("{haven}/trusts"), &trust),
            ("PUT", format!("{haven}/repositories"), &reach),
        ] {
            assert_eq!(ask(method, &path, body).await.code().0, 403, "{method} {path}");
        }
        assert_eq!(server.get("alice", &own).await.json(), shown);
        // What was deleted is nobody with its next request.
        assert_eq!(ask("DELETE", &own, &json!(null)).await.status, 200);
        assert_eq!(ask("GET", &own, &json!(null)).await.status, 401);
    }
}
