//! What only Haven has: custom roles, and rights that reach some repositories.

use crate::{
    matrix::in_projects,
    scene::{Scene, assert_answered, assert_refused},
    table::Right,
};
use haven_tests::{Client, Image, Role, api::Project, content::unique, on_each_setup};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A custom role with these rights, by its number.
async fn role(admin: &Client, rights: &[Right]) -> i64 {
    let permissions: Vec<Value> = rights
        .iter()
        .map(|right| match right.resource {
            "(self)" => json!({"resource": ".", "action": right.action}),
            resource => json!({"resource": resource, "action": right.action}),
        })
        .collect();
    let role = json!({"name": unique("role"), "permissions": permissions});
    let made = admin.request("POST", "/api/haven/v1/roles").json(&role).send().await;
    let location = made.expect(201).location();
    location.rsplit('/').next().unwrap().parse().unwrap()
}

/// Makes a user a member by a role's number, for some repositories or for all.
async fn join(project: &Project, user: &Client, role_id: i64, repositories: Option<&[&str]>) {
    let path = format!("/api/haven/v1/projects/{}/members", project.name);
    let member = json!({
        "role_id": role_id,
        "member_user": {"username": user.name()},
        "repositories": repositories,
    });
    project.admin.request("POST", &path).json(&member).send().await.expect(201);
}

#[tokio::test]
async fn a_custom_role_is_what_it_was_made_of() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let operations = in_projects();
        let rights: BTreeSet<Right> = operations.iter().map(|(_, right, _)| *right).collect();
        // One user for all of it: its role in the project is another each time.
        let user = server.admin.user().await;
        let members = format!("/api/v2.0/projects/{}/members", scene.private.name);
        join(&scene.private, &user, Role::LimitedGuest as i64, None).await;
        let found = server.admin.get(&format!("{members}?entityname={}", user.name())).await;
        let member = format!("{members}/{}", found.json()[0]["id"]);
        for right in &rights {
            let id = role(&server.admin, &[*right]).await;
            let change = json!({"role_id": id});
            let changed = server.admin.request("PUT", &member).json(&change).send().await;
            changed.expect(200);
            for (operation, needed, _) in &operations {
                let answer = scene.ask(&user, operation, &scene.private.name).await;
                // Nobody gives more than it has, nor takes over what may more.
                if needed == right && answer.text().contains("more restrictive") {
                    assert_eq!(right.resource, "robot", "{}", answer.describe());
                } else if needed == right {
                    assert_answered(&format!("a role of {right}"), operation, &answer);
                } else {
                    assert_refused(&format!("a role of {right}"), operation, &answer);
                }
            }
        }
    })
    .await;
}

/// The names in a list.
async fn names(client: &Client, path: &str, field: &str) -> BTreeSet<String> {
    let answer = client.get(path).await.expect(200);
    if let Some(total) = answer.maybe("x-total-count") {
        assert_eq!(total, answer.json().as_array().unwrap().len().to_string(), "{path}");
    }
    let json = answer.json();
    let list = if json.is_array() { &json } else { &json["repository"] };
    let list = list.as_array().unwrap_or_else(|| panic!("{}", answer.describe()));
    list.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_narrowed_right_reaches_its_repositories_and_no_other() {
    on_each_setup(async |server| {
        let admin = &server.admin;
        let project = admin.project(false).await;
        let image = Image::random(&[10]);
        for name in ["team-a/x", "team-a/y/z", "team-b/x", "other"] {
            project.repository(admin, name).push("latest", &image).await;
        }
        let member = admin.user().await;
        join(&project, &member, Role::Maintainer as i64, Some(&["team-a/**"])).await;
        let rights = [("repository", "list"), ("repository", "push"), ("repository", "read")];
        let robot = admin.robot(Some(&project.name), &rights).await;
        let path = format!("/api/haven/v1/robots/{}/repositories", robot.id);
        let reach = json!({"namespace": project.name, "repositories": ["team-a/**"]});
        admin.request("PUT", &path).json(&reach).send().await.expect(200);

        let full = |name: &str| format!("{}/{name}", project.name);
        let own: BTreeSet<String> = ["team-a/x", "team-a/y/z"].map(full).into();
        for (who, client) in [("a member", &member), ("a robot", &robot.client)] {
            let base = format!("/api/v2.0/projects/{}/repositories", project.name);
            assert_eq!(names(client, &base, "name").await, own, "{who}, the project's");
            let all = "/api/v2.0/repositories?page_size=100";
            assert_eq!(names(client, all, "name").await, own, "{who}, all");
            let search = format!("/api/v2.0/search?q={}", project.name);
            assert_eq!(names(client, &search, "repository_name").await, own, "{who}, search");
            let catalog = client.get("/v2/_catalog").await.expect(200).json();
            assert_eq!(catalog["repositories"], json!(own), "{who}, the catalog");

            let (here, there) =
                (project.repository(client, "team-a/x"), project.repository(client, "team-b/x"));
            here.assert_holds("latest", &image).await;
            here.put("again", &image.manifest).await.expect(201);
            there.manifest("latest").await.refused(403, "DENIED");
            there.blob(&image.config.digest).await.refused(403, "DENIED");
            there.put("again", &image.manifest).await.refused(403, "DENIED");
            let begun = client.request("POST", &there.path("blobs/uploads/")).send().await;
            begun.refused(403, "DENIED");
            // A mount reads from where it takes.
            let mount =
                format!("blobs/uploads/?mount={}&from={}", image.config.digest, full("team-b/x"));
            let mounted =
                client.request("POST", &project.repository(client, "team-a/new").path(&mount));
            assert_ne!(mounted.send().await.status, 201, "{who} mounts what it may not read");
            client.get(&format!("{base}/team-a%252Fx")).await.expect(200);
            client.get(&format!("{base}/team-b%252Fx")).await.expect(403);
            client.get(&format!("{base}/nothing")).await.expect(403);

            // Tokens as well, and what they are used for later.
            let scopes =
                ["team-a/x", "team-b/x"].map(|name| format!("repository:{}:pull,push", full(name)));
            let token = client.with_token(&[&scopes[0], &scopes[1]]).await;
            here.seen_by(&token).assert_holds("latest", &image).await;
            let refused = there.seen_by(&token).manifest("latest").await.status;
            assert!([401, 403].contains(&refused), "{who} by a token: {refused}");
        }
        let base = format!("/api/v2.0/projects/{}/repositories", project.name);
        member.get(&format!("{base}/team-a%252Fx/artifacts")).await.expect(200);
        member.get(&format!("{base}/team-b%252Fx/artifacts")).await.expect(403);
        member.get(&format!("{base}/team-b%252Fx/artifacts/latest")).await.expect(403);
        let other = project.repository(&member, "team-b/x");
        let path = other.path(&format!("manifests/{}", image.manifest.digest));
        member.delete(&path).await.refused(403, "DENIED");
    })
    .await;
}
