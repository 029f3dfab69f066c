//! The search box: names, tags and digests of all projects, as far as somebody sees them.

use domain::{
    projects::{MemberRef, Role},
    testing::{add_member, add_project, add_tags, add_user, join},
};
use serde_json::Value;

use crate::{
    artifacts::push_image,
    server::{Server, both},
};

const FIND: &str = "/api/haven/v1/search";

async fn find(server: &Server, who: &str, q: &str) -> Value {
    let q: String = url::form_urlencoded::byte_serialize(q.as_bytes()).collect();
    let answer = server.get(who, &format!("{FIND}?q={q}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Names of what was found, in its order.
fn names(found: &Value, kind: &str, field: &str) -> Vec<String> {
    let items = found[kind].as_array().unwrap().iter();
    items.map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// The repositories whose artifacts are found, by name.
async fn holders(server: &Server, who: &str, q: &str) -> String {
    let mut names = names(&find(server, who, q).await, "artifacts", "repository_name");
    names.sort_unstable();
    names.join(" ")
}

#[tokio::test]
async fn tags_and_digests_are_found_where_they_may_be_seen() {
    for server in both().await {
        add_project(&server.domain, "closed", false).await;
        add_project(&server.domain, "shared", false).await;
        add_project(&server.domain, "open", true).await;
        let everywhere = ["closed/app", "shared/team-a/app", "shared/team-b/app", "open/app"];
        let mut digest = String::new();
        for repository in everywhere {
            digest = push_image(&server, repository, "2.4.1-rc", "the same").await.to_string();
        }
        push_image(&server, "open/app", "2.4.1", "another").await;
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "shared", &alice, Role::Guest).await;
        let bob = add_user(&server.domain, "bob").await;
        let who = MemberRef::User(bob.user_id().unwrap());
        let role = Role::Developer.id();
        add_member(&server.domain, "shared", who, role, Some(&["team-a/**"])).await.unwrap();

        let all = "closed/app open/app shared/team-a/app shared/team-b/app";
        let of_alice = "open/app shared/team-a/app shared/team-b/app";
        let digits = &digest["sha256:".len()..];
        for q in ["2.4.1-", "2.4.1-rc", &digest, &digest[..13], digits, &digits[..6]] {
            assert_eq!(holders(&server, "admin", q).await, all, "{q}");
            assert_eq!(holders(&server, "alice", q).await, of_alice, "{q}");
            assert_eq!(holders(&server, "bob", q).await, "open/app shared/team-a/app", "{q}");
            assert_eq!(holders(&server, "", q).await, "open/app", "{q}");
        }
        let by_digest = format!("closed/app@{digest}");
        for (q, found) in [
            ("r.example:8443/closed/app:2.4.1-rc", "closed/app"),
            (by_digest.as_str(), "closed/app"),
            ("localhost/shared/team-b/app:2.", "shared/team-b/app"),
            ("team-b/app:2.4", "shared/team-b/app"),
            ("closed/app:", "closed/app"),
            ("closed/app:3", ""),
            ("4.1-rc", ""),
            ("sha256:000000000000", ""),
        ] {
            assert_eq!(holders(&server, "admin", q).await, found, "{q}");
        }
        for q in ["closed/app:2.4.1-rc", &by_digest, "closed"] {
            let found = find(&server, "alice", q).await;
            for kind in ["projects", "repositories", "artifacts", "users"] {
                assert_eq!(found[kind].as_array().unwrap().len(), 0, "{q}, {kind}");
            }
        }

        let found = find(&server, "alice", "2.4.1").await;
        let tags = names(&found, "artifacts", "tag");
        assert_eq!(tags, ["2.4.1", "2.4.1-rc", "2.4.1-rc", "2.4.1-rc"]);
        let first = &found["artifacts"][0];
        assert_eq!(
            (&first["type"], &first["repository_name"]),
            (&"IMAGE".into(), &"open/app".into())
        );
        assert!(first["push_time"].is_string() && first["digest"].is_string());
    }
}

#[tokio::test]
async fn names_and_users_are_found_beside_them() {
    for server in both().await {
        add_project(&server.domain, "team", false).await;
        for repository in ["team/x/app", "team/app", "team/app-tools"] {
            push_image(&server, repository, "1", repository).await;
        }
        add_user(&server.domain, "appleton").await;
        let found = find(&server, "admin", "team/app").await;
        let repositories = names(&found, "repositories", "repository_name");
        assert_eq!(repositories[0], "team/app");
        assert_eq!(repositories.len(), 2);
        assert_eq!(found["repositories"][0]["artifact_count"], 1);
        assert_eq!(names(&find(&server, "admin", "TEA").await, "projects", "name"), ["team"]);
        assert_eq!(
            names(&find(&server, "admin", "apple").await, "users", "username"),
            ["appleton"]
        );
        assert_eq!(find(&server, "appleton", "apple").await["users"], serde_json::json!([]));
        assert_eq!(find(&server, "", "admin").await["users"], serde_json::json!([]));
        for nothing in ["", "  ", "%", "_", "\\", "a'b", ":", "@", "/", "::@//", "\u{202e}", "库"]
        {
            let found = find(&server, "admin", nothing).await;
            assert_eq!(found["artifacts"], serde_json::json!([]), "{nothing:?}");
            assert_eq!(found["projects"], serde_json::json!([]), "{nothing:?}");
        }
        let long = format!("{FIND}?q={}", "x".repeat(1025));
        assert_eq!(server.get("admin", &long).await.code(), (400, "BAD_REQUEST".to_owned()));
        let nul = server.get("admin", &format!("{FIND}?q=a%00b")).await;
        assert_eq!(nul.code(), (400, "BAD_REQUEST".to_owned()));
        let unreadable = server.get("admin", &format!("{FIND}?q=%FF%FE")).await;
        assert_eq!(unreadable.status, 200, "{}", unreadable.body);
    }
}

#[tokio::test]
async fn what_is_seen_is_found_behind_thousands_that_are_not() {
    for server in both().await {
        add_project(&server.domain, "closed", false).await;
        add_project(&server.domain, "own", false).await;
        push_image(&server, "closed/app", "first", "many").await;
        push_image(&server, "own/app", "tz-mine", "one").await;
        let path = "/api/v2.0/projects/closed/repositories/app/artifacts/first";
        let id = server.get("admin", path).await.json()["id"].as_i64().unwrap();
        add_tags(&server.domain, id, 2500).await;
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "own", &alice, Role::Guest).await;
        assert_eq!(holders(&server, "alice", "t").await, "own/app");
        assert_eq!(holders(&server, "alice", "t1").await, "");
        assert_eq!(find(&server, "admin", "t1").await["artifacts"].as_array().unwrap().len(), 8);
    }
}
