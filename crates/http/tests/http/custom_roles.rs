//! Custom roles, and members for some repositories only.

use domain::testing::{add_group, add_project, add_user, sign_in};
use serde_json::{Value, json};

use crate::server::{Server, both, sqlite};

const ROLES: &str = "/api/haven/v1/roles";
const MEMBERS: &str = "/api/haven/v1/projects/p/members";

fn role(name: &str, permissions: &[(&str, &str)]) -> String {
    let permissions: Vec<Value> = permissions
        .iter()
        .map(|(resource, action)| json!({"resource": resource, "action": action}))
        .collect();
    json!({"name": name, "description": "what for", "permissions": permissions}).to_string()
}

async fn make_role(server: &Server, name: &str, permissions: &[(&str, &str)]) -> (String, i64) {
    let answer = server.ask("admin", "POST", ROLES, &role(name, permissions)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let location = answer.header("location").to_owned();
    let id = location.rsplit('/').next().unwrap().parse().unwrap();
    (location, id)
}

#[tokio::test]
async fn a_role_is_made_given_changed_and_deleted() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        add_user(&server.domain, "alice").await;
        let rights = [(".", "read"), ("repository", "list")];
        let (location, id) = make_role(&server, "watcher", &rights).await;
        let shown = server.get("alice", &location).await.json();
        assert_eq!(shown["name"], "watcher");
        assert_eq!(shown["permissions"][0], json!({"resource": ".", "action": "read"}));
        assert_eq!(server.get("alice", ROLES).await.header("x-total-count"), "1");

        let members = "/api/v2.0/projects/p/members";
        let new = json!({"role_id": id, "member_user": {"username": "alice"}}).to_string();
        let member = server.ask("admin", "POST", members, &new).await;
        assert_eq!(member.status, 201, "{}", member.body);
        let member = member.header("location").to_owned();
        let shown = server.get("admin", &member).await.json();
        assert_eq!((&shown["role_id"], &shown["role_name"]), (&json!(id), &json!("watcher")));
        let repositories = "/api/v2.0/projects/p/repositories";
        assert_eq!(server.get("alice", repositories).await.status, 200);
        assert_eq!(server.get("alice", members).await.status, 403);

        let changed = role("watcher", &[(".", "read"), ("member", "list")]);
        assert_eq!(server.ask("admin", "PUT", &location, &changed).await.status, 200);
        assert_eq!(server.get("alice", repositories).await.status, 403, "at once");
        assert_eq!(server.get("alice", members).await.status, 200, "at once");

        let needed = server.ask("admin", "DELETE", &location, "").await;
        assert_eq!(needed.code(), (412, "PRECONDITION".into()));
        assert_eq!(server.ask("admin", "DELETE", &member, "").await.status, 200);
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 200);
        for method in ["GET", "PUT", "DELETE"] {
            assert_eq!(server.ask("admin", method, &location, &changed).await.status, 404);
        }
        assert_eq!(server.ask("admin", "POST", members, &new).await.status, 400);
    }
}

#[tokio::test]
async fn what_is_no_role_is_refused() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    make_role(&server, "taken", &[("repository", "pull")]).await;
    let fine = role("fine", &[("repository", "pull")]);
    for (bad, status) in [
        (role("taken", &[("repository", "pull")]), 409),
        (role("", &[("repository", "pull")]), 400),
        (role("Guest", &[("repository", "pull")]), 400),
        (role("a", &[]), 400),
        (role("a", &[("", "read")]), 400),
        (role("a", &[("nonsense", "pull")]), 400),
        (role("a", &[("repository", "' OR 1=1")]), 400),
        (role("a", &[("user", "create")]), 400),
        (role(&"x".repeat(65), &[("repository", "pull")]), 400),
        (json!({"name": "a", "permissions": "all"}).to_string(), 400),
        ("[]".to_owned(), 400),
        (String::new(), 400),
    ] {
        let answer = server.ask("admin", "POST", ROLES, &bad).await;
        assert_eq!(answer.status, status, "{bad}: {}", answer.body);
    }
    for (method, path) in
        [("POST", ROLES), ("PUT", "/api/haven/v1/roles/101"), ("DELETE", "/api/haven/v1/roles/999")]
    {
        assert_eq!(server.ask("alice", method, path, &fine).await.status, 403, "{method}");
        assert_eq!(server.ask("", method, path, &fine).await.status, 401, "{method}");
    }
    assert_eq!(server.get("", ROLES).await.status, 401);
    assert_eq!(server.get("admin", "/api/haven/v1/roles/x").await.status, 422);
}

#[tokio::test]
async fn a_member_is_one_for_some_repositories() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await;
        add_group(&server.domain, "dev").await;
        let new = json!({
            "role_id": 2,
            "member_group": {"group_name": "dev", "group_type": 3},
            "repositories": ["team-a/**", "tools"],
        });
        let answer = server.ask("admin", "POST", MEMBERS, &new.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let location = answer.header("location").to_owned();
        let shown = server.get("admin", &location).await.json();
        assert_eq!(shown["repositories"], json!(["team-a/**", "tools"]));
        assert_eq!(shown["entity_type"], "g");
        assert_eq!(shown["entity_name"], "dev");
        let harbors = location.replace("/api/haven/v1", "/api/v2.0");
        let plain = server.get("admin", &harbors).await.json();
        assert!(plain["repositories"].is_null(), "Harbor's model stays Harbor's: {plain}");

        let pull = async |name: &str| {
            server.get("alice", &format!("/v2/p/{name}/tags/list")).await.status.as_u16()
        };
        assert_eq!(pull("team-a/x").await, 403);
        sign_in(&server.domain, &alice, &["dev"]).await;
        assert_eq!((pull("team-a/x").await, pull("tools").await, pull("x").await), (404, 404, 403));

        // Harbor's operation changes the role and leaves the repositories.
        let guest = json!({"role_id": 3}).to_string();
        assert_eq!(server.ask("admin", "PUT", &harbors, &guest).await.status, 200);
        assert_eq!(pull("x").await, 403);
        let all = json!({"role_id": 3, "repositories": null}).to_string();
        assert_eq!(server.ask("admin", "PUT", &location, &all).await.status, 200);
        assert_eq!(pull("x").await, 404, "at once");
        let list = server.get("admin", &format!("{MEMBERS}?entityname=DE")).await;
        assert_eq!(list.header("x-total-count"), "1");
        assert!(list.json()[0]["repositories"].is_null());
        for bad in
            [json!([]), json!([""]), json!(["["]), json!("x"), json!([1]), json!(vec!["a"; 101])]
        {
            let body = json!({"role_id": 3, "repositories": bad}).to_string();
            let answer = server.ask("admin", "PUT", &location, &body).await;
            assert_eq!(answer.code(), (400, "BAD_REQUEST".into()), "{body}");
        }
        sign_in(&server.domain, &alice, &[]).await;
        assert_eq!(pull("tools").await, 403, "at once");
    }
}

#[tokio::test]
async fn groups_are_members_by_number_name_and_dn() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let members = "/api/v2.0/projects/p/members";
        let add = async |group: Value| {
            let body = json!({"role_id": 3, "member_group": group}).to_string();
            let answer = server.ask("admin", "POST", members, &body).await;
            (answer.status.as_u16(), answer.header("location").to_owned())
        };
        let id = add_group(&server.domain, "ops").await;
        assert_eq!(add(json!({"id": id})).await.0, 201);
        assert_eq!(add(json!({"id": id})).await.0, 409);
        assert_eq!(add(json!({"group_name": "ops", "group_type": 3})).await.0, 409);
        assert_eq!(add(json!({"group_name": "new", "group_type": 3})).await.0, 201, "it is made");
        let group = json!({"group_name": "l", "group_type": 1, "ldap_group_dn": "cn=l,dc=x"});
        let made = server.ask("admin", "POST", "/api/v2.0/usergroups", &group.to_string()).await;
        assert_eq!(made.status, 201);
        let (status, location) = add(json!({"ldap_group_dn": "CN=l, dc=x"})).await;
        assert_eq!(status, 201);
        let shown = server.get("admin", &location).await.json();
        assert_eq!((&shown["entity_name"], &shown["entity_type"]), (&json!("l"), &json!("g")));
        for (unknown, status) in [
            (json!({"id": 999}), 404),
            (json!({"ldap_group_dn": "cn=unknown,dc=x"}), 404),
            (json!({"ldap_group_dn": "nonsense"}), 404),
            (json!({"group_name": "unknown", "group_type": 1}), 404),
            (json!({"group_name": "x"}), 400),
            (json!({"group_name": "x", "group_type": 9}), 400),
            (json!({"group_name": "a\u{0}", "group_type": 2}), 400),
            (json!({"group_name": "x".repeat(256), "group_type": 2}), 400),
            (json!({"id": "1"}), 400),
            (json!({}), 400),
        ] {
            let (found, _) = add(unknown.clone()).await;
            assert_eq!(found, status, "{unknown}");
        }
        let list = server.get("admin", members).await;
        assert_eq!(list.header("x-total-count"), "4");
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 200);
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 404);
    }
}

#[tokio::test]
async fn nobody_gives_more_than_it_has() {
    let server = sqlite().await;
    add_project(&server.domain, "p", false).await;
    for name in ["alice", "bob"] {
        add_user(&server.domain, name).await;
    }
    let rights = [(".", "read"), ("member", "create"), ("member", "update"), ("member", "list")];
    let (_, id) = make_role(&server, "inviter", &rights).await;
    let members = "/api/v2.0/projects/p/members";
    let add = async |who: &str, user: &str, role: i64| {
        let body = json!({"role_id": role, "member_user": {"username": user}}).to_string();
        server.ask(who, "POST", members, &body).await
    };
    let own = add("admin", "alice", id).await.header("location").to_owned();
    assert_eq!(add("alice", "bob", 1).await.code(), (403, "DENIED".into()));
    assert_eq!(add("alice", "bob", 3).await.code(), (403, "DENIED".into()));
    let bobs = add("alice", "bob", id).await;
    assert_eq!(bobs.status, 201, "{}", bobs.body);
    let more = json!({"role_id": 1}).to_string();
    assert_eq!(server.ask("alice", "PUT", &own, &more).await.code(), (403, "DENIED".into()));
    let bobs = bobs.header("location").to_owned();
    assert_eq!(server.ask("bob", "PUT", &bobs, &more).await.status, 403);

    // Who is there for some repositories only makes nobody a member for all.
    let narrow = json!({"role_id": id, "repositories": ["a/**"]}).to_string();
    let haven = own.replace("/api/v2.0", "/api/haven/v1");
    assert_eq!(server.ask("admin", "PUT", &haven, &narrow).await.status, 200);
    add_user(&server.domain, "carol").await;
    assert_eq!(add("alice", "carol", id).await.code(), (403, "DENIED".into()));
}
