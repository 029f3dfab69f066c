//! What users and administrators do with users that there are.

use domain::testing::{PASSWORD, add_project, add_user, join};
use serde_json::{Value, json};

use crate::server::{Server, basic, both, sqlite};

const USERS: &str = "/api/v2.0/users";

async fn id_of(server: &Server, name: &str) -> i64 {
    let found = server.get("admin", &format!("{USERS}?q=username%3D{name}")).await.json();
    found[0]["user_id"].as_i64().unwrap()
}

fn profile(email: &str) -> String {
    json!({"email": email, "realname": "Some Body", "comment": "a comment"}).to_string()
}

fn passwords(old: &str, new: &str) -> String {
    json!({"old_password": old, "new_password": new}).to_string()
}

#[tokio::test]
async fn a_user_is_changed_and_deleted() {
    for server in both().await {
        let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
        add_user(&server.domain, "bob").await;
        let path = format!("{USERS}/{alice}");
        let changed = server.ask("alice", "PUT", &path, &profile("new@example.org")).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let shown = server.get("alice", &path).await.json();
        assert_eq!(shown["email"], "new@example.org");
        assert_eq!(shown["realname"], "Some Body");
        assert_eq!(shown["comment"], "a comment");
        let taken = server.ask("alice", "PUT", &path, &profile("bob@example.org")).await;
        assert_eq!(taken.code(), (409, "CONFLICT".into()));
        for bad in ["{}", "[]", "", r#"{"email":1}"#, r#"{"email":"a@b"}"#, &profile("nowhere")] {
            let answer = server.ask("alice", "PUT", &path, bad).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{bad}");
        }
        for (query, found) in [("username=LIC", 1), ("email=NEW%40", 1), ("email=x%27", 0)] {
            let answer = server.get("admin", &format!("{USERS}?{query}")).await;
            assert_eq!(answer.header("x-total-count"), found.to_string(), "{query}");
        }

        // What is somebody else's is refused the same whether or not it is there.
        for (method, body) in [("GET", ""), ("PUT", "{}"), ("DELETE", "")] {
            let there = server.ask("bob", method, &path, body).await;
            let missing = server.ask("bob", method, &format!("{USERS}/999"), body).await;
            assert_eq!(there.code(), (403, "FORBIDDEN".into()), "{method}");
            assert_eq!(there.body, missing.body, "{method}");
            assert_eq!(server.ask("", method, &path, body).await.status, 401, "{method}");
        }
        assert_eq!(server.ask("alice", "DELETE", &path, "").await.status, 403, "oneself");
        for id in [1, 0, -1, 999] {
            let status = server.ask("admin", "DELETE", &format!("{USERS}/{id}"), "").await.status;
            assert_eq!(status, if id == 1 { 403 } else { 404 }, "{id}");
        }
        assert_eq!(server.ask("admin", "DELETE", &path, "").await.status, 200);
        assert_eq!(server.get("alice", &format!("{USERS}/current")).await.status, 401);
        assert_eq!(server.get("admin", &path).await.status, 404);
        assert_eq!(server.ask("admin", "DELETE", &path, "").await.status, 404);
        let again = json!({"username": "alice", "email": "new@example.org", "password": PASSWORD});
        let made = server.ask("admin", "POST", USERS, &again.to_string()).await;
        assert_eq!(made.status, 201, "name and address are free: {}", made.body);
    }
}

#[tokio::test]
async fn a_password_is_changed() {
    for server in both().await {
        let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
        add_user(&server.domain, "bob").await;
        let path = format!("{USERS}/{alice}/password");
        let change = async |who: &str, body: &str| server.ask(who, "PUT", &path, body).await;
        let wrong = change("alice", &passwords("Wrong12345", "Another12345")).await.error();
        assert_eq!(wrong, (403, "FORBIDDEN".into(), "Current password is incorrect".into()));
        let same = change("alice", &passwords(PASSWORD, PASSWORD)).await.error();
        assert_eq!(same.0, 400);
        assert_eq!(same.2, "New password is identical to old password");
        for bad in [&*passwords(PASSWORD, "weak"), "x", r#"{"new_password":1}"#, ""] {
            assert_eq!(change("alice", bad).await.code(), (400, "BAD_REQUEST".into()), "{bad}");
        }
        assert_eq!(change("bob", &passwords(PASSWORD, "Another12345")).await.status, 403);
        assert_eq!(change("", &passwords(PASSWORD, "Another12345")).await.status, 401);
        let current = format!("{USERS}/current");
        assert_eq!(server.get("alice", &current).await.status, 200);
        assert_eq!(change("alice", &passwords(PASSWORD, "Another12345")).await.status, 200);
        assert_eq!(server.get("alice", &current).await.status, 401);
        let new = basic("alice", "Another12345");
        assert_eq!(server.get_as(&new, &current).await.status, 200);
        assert_eq!(change("admin", &passwords("", PASSWORD)).await.status, 200);
        assert_eq!(server.get("alice", &current).await.status, 200);
        let missing = format!("{USERS}/999/password");
        let answer = server.ask("admin", "PUT", &missing, &passwords("", "Another12345")).await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn administrators_come_and_go() {
    for server in both().await {
        let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
        let path = |id: i64| format!("{USERS}/{id}/sysadmin");
        let set = async |who: &str, id, flag: Value| {
            let body = json!({"sysadmin_flag": flag}).to_string();
            server.ask(who, "PUT", &path(id), &body).await.status.as_u16()
        };
        assert_eq!(set("alice", alice, json!(true)).await, 403);
        assert_eq!(set("", alice, json!(true)).await, 401);
        assert_eq!(set("admin", alice, json!("true")).await, 400);
        assert_eq!(set("admin", 999, json!(true)).await, 404);
        assert_eq!(set("admin", 1, json!(false)).await, 403, "the last one stays");
        assert_eq!(server.get("alice", USERS).await.status, 403);
        assert_eq!(set("admin", alice, json!(true)).await, 200);
        assert_eq!(server.get("alice", USERS).await.status, 200, "at once");
        assert_eq!(set("alice", 1, json!(false)).await, 200);
        assert_eq!(server.get("admin", USERS).await.status, 403, "at once");
        assert_eq!(set("alice", alice, json!(false)).await, 403);
    }
}

#[tokio::test]
async fn who_asks_is_told_what_it_may() {
    for server in both().await {
        let project = add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await;
        let permissions = async |who: &str, query: &str| {
            let path = format!("{USERS}/current/permissions?{query}");
            let answer = server.get(who, &path).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let all = answer.json();
            let text = |p: &Value| {
                format!("{}:{}", p["resource"].as_str().unwrap(), p["action"].as_str().unwrap())
            };
            all.as_array().unwrap().iter().map(text).collect::<Vec<_>>()
        };
        let scope = format!("scope=%2Fproject%2F{project}");
        let relative = format!("{scope}&relative=true");
        let nothing: Vec<String> = Vec::new();
        assert_eq!(permissions("alice", &relative).await, nothing);
        join(&server.domain, "p", &alice, domain::projects::Role::Guest).await;
        let guest = permissions("alice", &relative).await;
        assert_eq!(guest.len(), 20);
        for right in [".:read", "repository:pull", "member:list"] {
            assert!(guest.iter().any(|own| own == right), "{right} in {guest:?}");
        }
        let whole = permissions("alice", &scope).await;
        assert!(whole.contains(&format!("/project/{project}:read")));
        assert!(whole.contains(&format!("/project/{project}/repository:pull")));
        assert_eq!(permissions("admin", &relative).await.len(), 75);
        // In the public project everybody may look and pull.
        let public = permissions("alice", "scope=/project/1&relative=true").await;
        assert_eq!(public.len(), 12);
        assert_eq!(permissions("admin", "scope=/system&relative=true").await.len(), 53);
        assert_eq!(permissions("alice", "scope=/system").await, nothing);
        for odd in ["", "scope=x", "scope=/project/p", "scope=/project/999", "scope=%00", "scope='"]
        {
            assert_eq!(permissions("alice", odd).await, nothing, "{odd}");
        }
        let answer = server.get("alice", &format!("{USERS}/current/permissions?relative=x")).await;
        assert_eq!(answer.status, 422);
        assert_eq!(server.get("", &format!("{USERS}/current/permissions")).await.status, 401);
    }
}

#[tokio::test]
async fn odd_names_are_names_or_refused_and_nothing_else() {
    let server = sqlite().await;
    let make = async |username: &str, email: &str| {
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        server.ask("admin", "POST", USERS, &body.to_string()).await.status.as_u16()
    };
    for (n, hidden) in ["adm\u{200b}in", "\u{202e}nimda", "a\u{ad}dmin", "a\nb", "a\u{7f}b", "a\0b"]
        .iter()
        .enumerate()
    {
        assert_eq!(make(hidden, &format!("h{n}@example.org")).await, 400, "{hidden:?}");
    }
    for (n, name) in [
        "Admin",
        "ADMIN",
        "adm\u{131}n",
        "e\u{301}",
        "\u{e9}",
        "x' OR '1'='1",
        "x; DROP TABLE users",
    ]
    .iter()
    .enumerate()
    {
        let expected = if name.contains('\'') { 400 } else { 201 };
        assert_eq!(make(name, &format!("n{n}@example.org")).await, expected, "{name:?}");
    }
    assert_eq!(make(&"x".repeat(256), "long@example.org").await, 400);
    assert_eq!(make("admin", "admin@example.org").await, 409);
    assert_eq!(make("other", &format!("{}@example.org", "x".repeat(255))).await, 400);
    // Who looks alike is somebody else.
    let look_alike = basic("Admin", PASSWORD);
    assert_eq!(server.get_as(&look_alike, USERS).await.status, 403);
    assert_eq!(id_of(&server, "admin").await, 1);
}
