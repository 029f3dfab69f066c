//! Every role against every operation that is served, and nobody, and a stranger.

use domain::{
    access::{Action, PROJECT_RULES, Resource, Right},
    projects::Role,
    testing::{add_project, add_user, join},
};

use crate::server::{Server, sqlite};

/// Operations on a project `{p}`: what they need, and a body with which they change
/// nothing that matters here.
fn operations() -> Vec<(&'static str, &'static str, &'static str, Right)> {
    use Action::{Create, Delete, List, Read, Update};
    use Resource::{Artifact, Itself, Member, Repository};
    let right = Right::new;
    vec![
        ("HEAD", "/api/v2.0/projects?project_name={p}", "", right(Itself, Read)),
        ("GET", "/api/v2.0/projects/{p}", "", right(Itself, Read)),
        ("PUT", "/api/v2.0/projects/{p}", "{}", right(Itself, Update)),
        ("GET", "/api/v2.0/projects/{p}/members", "", right(Member, List)),
        ("POST", "/api/v2.0/projects/{p}/members", "{}", right(Member, Create)),
        ("GET", "/api/v2.0/projects/{p}/members/999", "", right(Member, Read)),
        ("PUT", "/api/v2.0/projects/{p}/members/999", r#"{"role_id":1}"#, right(Member, Update)),
        ("DELETE", "/api/v2.0/projects/{p}/members/999", "", right(Member, Delete)),
        ("GET", "/api/v2.0/projects/{p}/repositories", "", right(Repository, List)),
        ("GET", "/api/v2.0/projects/{p}/repositories/x", "", right(Repository, Read)),
        ("GET", "/api/v2.0/projects/{p}/repositories/x/artifacts", "", right(Artifact, List)),
        ("GET", "/api/v2.0/projects/{p}/repositories/x/artifacts/y", "", right(Artifact, Read)),
        ("GET", "/v2/{p}/x/tags/list", "", Right::PULL),
        ("GET", "/v2/{p}/x/manifests/latest", "", Right::PULL),
        ("HEAD", "/v2/{p}/x/manifests/latest", "", Right::PULL),
        ("GET", "/v2/{p}/x/blobs/{digest}", "", Right::PULL),
        ("GET", "/v2/{p}/x/referrers/{digest}", "", Right::PULL),
        ("POST", "/v2/{p}/x/blobs/uploads/", "", Right::PUSH),
        ("PATCH", "/v2/{p}/x/blobs/uploads/y", "", Right::PUSH),
        ("PUT", "/v2/{p}/x/manifests/latest", "{}", Right::PUSH),
        ("DELETE", "/v2/{p}/x/manifests/{digest}", "", Right::DELETE),
        ("DELETE", "/v2/{p}/x/blobs/{digest}", "", Right::DELETE),
        // Last: who may deletes it.
        ("DELETE", "/api/v2.0/projects/{p}", "", right(Itself, Delete)),
    ]
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn ask(server: &Server, who: &str, project: &str, operation: usize) -> (u16, String) {
    let (method, path, body, _) = operations()[operation];
    let path = path.replace("{p}", project).replace("{digest}", DIGEST);
    let answer = server.ask(who, method, &path, body).await;
    (answer.status.as_u16(), answer.body.replace(project, "{p}"))
}

/// What a refusal must be, and that it is the same for a project that is not there.
async fn assert_refused(server: &Server, who: &str, project: &str, operation: usize) {
    let name = operations()[operation].1;
    let refused = ask(server, who, project, operation).await;
    assert_eq!(refused.0, if who.is_empty() { 401 } else { 403 }, "{who} {name}: {}", refused.1);
    assert_eq!(refused, ask(server, who, "nothing", operation).await, "{who} {name}");
}

async fn assert_passes(server: &Server, who: &str, project: &str, operation: usize) {
    let (status, body) = ask(server, who, project, operation).await;
    let (method, path, ..) = operations()[operation];
    let passes = status < 500 && status != 401 && status != 403;
    assert!(passes, "{who} {method} {path} in {project}: {status} {body}");
}

#[tokio::test]
async fn every_role_against_every_operation() {
    let server = sqlite().await;
    add_user(&server.domain, "stranger").await;
    for role in Role::ALL {
        let user = add_user(&server.domain, role.name()).await;
        for public in [false, true] {
            let project = format!("{}{public}", role.name().to_lowercase());
            add_project(&server.domain, &project, public).await;
            join(&server.domain, &project, &user, role).await;
            for (operation, (.., right)) in operations().into_iter().enumerate() {
                let rule = PROJECT_RULES.iter().find(|rule| rule.right == right).unwrap();
                let everybody = public && rule.public();
                // Without any header the registry's protocol refuses what is public too:
                // clients get a token first.
                let registry = operations()[operation].1.starts_with("/v2");
                for (who, may) in [
                    (role.name(), rule.has(role) || everybody),
                    ("stranger", everybody),
                    ("", everybody && !registry),
                ] {
                    if !may {
                        assert_refused(&server, who, &project, operation).await;
                    }
                }
                if rule.has(role) || everybody {
                    assert_passes(&server, role.name(), &project, operation).await;
                }
            }
            if role != Role::ProjectAdmin {
                let last = operations().len() - 1;
                for operation in 0..=last {
                    assert_passes(&server, "admin", &project, operation).await;
                }
            }
        }
    }
}

/// Operations that are not on a project.
#[tokio::test]
async fn the_system_against_everybody() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    // method, path, body, for whom: everybody (2), who is known (1), sysadmin (0).
    for (method, path, body, whom) in [
        ("GET", "/api/v2.0/ping", "", 2),
        ("GET", "/api/v2.0/health", "", 2),
        ("GET", "/api/v2.0/systeminfo", "", 2),
        ("GET", "/api/v2.0/projects", "", 2),
        ("GET", "/api/v2.0/repositories", "", 2),
        ("POST", "/api/v2.0/projects", "{}", 1),
        ("GET", "/api/v2.0/users/current", "", 1),
        ("GET", "/api/v2.0/users/search?username=a", "", 1),
        ("GET", "/v2/", "", 1),
        ("GET", "/v2/_catalog", "", 1),
        ("GET", "/api/v2.0/users", "", 0),
        ("POST", "/api/v2.0/users", "{}", 0),
        ("GET", "/api/v2.0/users/1", "", 0),
    ] {
        let status = async |who| server.ask(who, method, path, body).await.status.as_u16();
        let (nobody, alice, admin) =
            (status("").await, status("alice").await, status("admin").await);
        let passes = |status: u16| status < 500 && status != 401 && status != 403;
        assert!(passes(admin), "{method} {path}: {admin}");
        assert!(if whom >= 1 { passes(alice) } else { alice == 403 }, "{method} {path}: {alice}");
        assert!(
            if whom == 2 { passes(nobody) } else { nobody == 401 },
            "{method} {path}: {nobody}"
        );
    }
}
