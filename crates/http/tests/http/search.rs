//! Search.

use domain::{
    projects::{MemberRef, Role},
    testing::{add_member, add_project, add_user, join},
};

use crate::server::{Server, both};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn push(server: &Server, repository: &str) {
    let path = format!("/v2/{repository}/blobs/uploads/?digest={DIGEST}");
    assert_eq!(server.ask("admin", "POST", &path, "").await.status, 201, "{repository}");
}

/// The names of the projects and repositories that are found.
async fn found(server: &Server, who: &str, q: &str) -> (String, String) {
    let answer = server.get(who, &format!("/api/v2.0/search?q={q}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    let names = |kind: &str, field: &str| {
        let items = answer[kind].as_array().unwrap().iter();
        let mut names: Vec<_> = items.map(|item| item[field].as_str().unwrap()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    (names("project", "name"), names("repository", "repository_name"))
}

#[tokio::test]
async fn everybody_finds_what_is_theirs_to_see() {
    for server in both().await {
        add_project(&server.domain, "closed", false).await;
        add_project(&server.domain, "shared", false).await;
        add_project(&server.domain, "open", true).await;
        for repository in ["closed/app", "shared/team-a/app", "shared/team-b/app", "open/app"] {
            push(&server, repository).await;
        }
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "shared", &alice, Role::Guest).await;
        let bob = add_user(&server.domain, "bob").await;
        let who = MemberRef::User(bob.user_id().unwrap());
        let role = Role::Developer.id();
        add_member(&server.domain, "shared", who, role, Some(&["team-a/**"])).await.unwrap();

        let all = "closed/app open/app shared/team-a/app shared/team-b/app";
        assert_eq!(found(&server, "admin", "").await.1, all);
        assert_eq!(found(&server, "admin", "APP").await, (String::new(), all.into()));
        assert_eq!(found(&server, "", "app").await.1, "open/app");
        let shared = "open/app shared/team-a/app shared/team-b/app";
        assert_eq!(found(&server, "alice", "app").await.1, shared);
        assert_eq!(found(&server, "bob", "app").await.1, "open/app shared/team-a/app");
        assert_eq!(found(&server, "bob", "share").await.0, "shared");
        assert_eq!(found(&server, "", "share").await, (String::new(), String::new()));
        assert_eq!(found(&server, "admin", "%25").await, (String::new(), String::new()));
        assert_eq!(found(&server, "", "").await.0, "library open");

        let answer = server.get("", "/api/v2.0/search?q=open/app").await.json();
        let repository = &answer["repository"][0];
        assert_eq!(repository["project_name"], "open");
        assert_eq!(repository["project_public"], true);
        assert_eq!(
            (&repository["pull_count"], &repository["artifact_count"]),
            (&0.into(), &0.into())
        );
    }
}
