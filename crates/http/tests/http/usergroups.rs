//! Groups of users.

use domain::testing::add_user;
use serde_json::{Value, json};

use crate::server::{Server, both, sqlite};

const GROUPS: &str = "/api/v2.0/usergroups";

fn oidc(name: &str) -> String {
    json!({"group_name": name, "group_type": 3}).to_string()
}

fn ldap(name: &str, dn: &str) -> String {
    json!({"group_name": name, "group_type": 1, "ldap_group_dn": dn}).to_string()
}

async fn make(server: &Server, body: &str) -> String {
    let answer = server.ask("admin", "POST", GROUPS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let location = answer.header("location").to_owned();
    assert!(location.starts_with("/api/v2.0/usergroups/"), "{location}");
    location
}

#[tokio::test]
async fn groups_are_made_shown_renamed_and_deleted() {
    for server in both().await {
        let location = make(&server, &oidc("dev")).await;
        let shown = server.get("admin", &location).await.json();
        let id: i64 = location.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(shown, json!({"id": id, "group_name": "dev", "group_type": 3}));
        make(&server, &ldap("dev", "cn=dev,dc=example")).await;

        for taken in [oidc("dev"), ldap("dev", "cn=x"), ldap("x", "CN=dev, DC=example")] {
            let answer = server.ask("admin", "POST", GROUPS, &taken).await;
            assert_eq!(answer.code(), (409, "CONFLICT".into()), "{taken}");
        }
        let renamed = server.ask("admin", "PUT", &location, &oidc("devs")).await;
        assert_eq!(renamed.status, 200, "{}", renamed.body);
        let other = make(&server, &oidc("ops")).await;
        let taken = server.ask("admin", "PUT", &other, &oidc("devs")).await;
        assert_eq!(taken.code(), (409, "CONFLICT".into()));

        let names = async |query: &str| {
            let answer = server.get("admin", &format!("{GROUPS}?{query}")).await;
            let names: Vec<Value> =
                answer.json().as_array().unwrap().iter().map(|g| g["group_name"].clone()).collect();
            assert_eq!(answer.header("x-total-count"), names.len().to_string());
            names
        };
        assert_eq!(names("").await, ["dev", "devs", "ops"]);
        assert_eq!(names("group_name=EV").await, ["dev", "devs"]);
        assert_eq!(names("ldap_group_dn=cn%3DDEV%2Cdc%3Dexample").await, ["dev"]);
        assert_eq!(names("group_name=%25").await, Vec::<Value>::new());
        let paged = server.get("admin", &format!("{GROUPS}?page=2&page_size=2")).await;
        assert_eq!(paged.header("x-total-count"), "3");
        assert_eq!(paged.json().as_array().unwrap().len(), 1);

        add_user(&server.domain, "alice").await;
        let found = server.get("alice", &format!("{GROUPS}/search?groupname=ev")).await.json();
        assert_eq!(found[0]["group_name"], "dev");
        assert_eq!(found[0]["group_type"], 1);
        assert!(found[0]["ldap_group_dn"].is_null(), "where it is in the directory is not told");

        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 200);
        for method in ["GET", "PUT", "DELETE"] {
            let gone = server.ask("admin", method, &location, &oidc("x")).await;
            assert_eq!(gone.code(), (404, "NOT_FOUND".into()), "{method}");
        }
    }
}

#[tokio::test]
async fn what_is_no_group_is_refused() {
    let server = sqlite().await;
    for bad in [
        "{}".to_owned(),
        "[]".to_owned(),
        "x".to_owned(),
        oidc(""),
        oidc(" a"),
        oidc("a\u{202e}b"),
        oidc("a\0b"),
        oidc(&"x".repeat(256)),
        json!({"group_name": "a", "group_type": 4}).to_string(),
        json!({"group_name": "a", "group_type": "3"}).to_string(),
        json!({"group_name": "a", "group_type": null}).to_string(),
        json!({"group_name": 1, "group_type": 3}).to_string(),
        ldap("a", ""),
        ldap("a", "no dn"),
        ldap("a", &format!("cn={}", "x".repeat(600))),
    ] {
        let answer = server.ask("admin", "POST", GROUPS, &bad).await;
        assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{bad}");
    }
    for id in ["0", "-1", "999999999999"] {
        let answer = server.get("admin", &format!("{GROUPS}/{id}")).await;
        assert_eq!(answer.code(), (404, "NOT_FOUND".into()), "{id}");
    }
    for id in ["x", "99999999999999999999", "1%27"] {
        let answer = server.get("admin", &format!("{GROUPS}/{id}")).await;
        assert_eq!(answer.code(), (422, "UNPROCESSABLE_ENTITY".into()), "{id}");
    }
    assert_eq!(server.get("admin", &format!("{GROUPS}/search")).await.status, 422);
    assert_eq!(server.get("admin", GROUPS).await.json(), json!([]));
}

#[tokio::test]
async fn groups_are_the_administrators() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let location = make(&server, &oidc("dev")).await;
    for (method, path, body) in [
        ("GET", GROUPS.to_owned(), String::new()),
        ("POST", GROUPS.to_owned(), oidc("x")),
        ("GET", location.clone(), String::new()),
        ("PUT", location.clone(), oidc("x")),
        ("DELETE", location.clone(), String::new()),
        ("DELETE", format!("{GROUPS}/999"), String::new()),
    ] {
        for (who, code) in [("", (401, "UNAUTHORIZED")), ("alice", (403, "FORBIDDEN"))] {
            let answer = server.ask(who, method, &path, &body).await;
            assert_eq!(answer.code(), (code.0, code.1.to_owned()), "{who} {method} {path}");
        }
    }
    assert_eq!(server.get("", &format!("{GROUPS}/search?groupname=d")).await.status, 401);
}
