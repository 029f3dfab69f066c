//! Who may read and write, and what a refusal may tell.

use haven_tests::{Answer, Blob, Client, Image, Repository, Role, content, on_each_setup};

async fn push_blob(repository: &Repository) -> Answer {
    let request = repository.client.request("POST", &repository.path("blobs/uploads/"));
    request.send().await
}

#[tokio::test]
async fn roles_open_what_they_should_and_nothing_else() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let admin = project.repository(&server.admin, "app");
        let image = Image::random(&[100]);
        admin.push("latest", &image).await;
        for (role, may_push, may_delete) in [
            (Role::ProjectAdmin, true, true),
            (Role::Maintainer, true, true),
            (Role::Developer, true, false),
            (Role::Guest, false, false),
            (Role::LimitedGuest, false, false),
        ] {
            let user = project.member(role).await;
            let repository = admin.seen_by(&user);
            repository.assert_holds("latest", &image).await;
            assert!(repository.tags().await.contains(&"latest".to_owned()));
            let begun = push_blob(&repository).await;
            let put = repository.put("other", &image.manifest).await;
            if may_push {
                begun.expect(202);
                put.expect(201);
            } else {
                begun.refused(403, "DENIED");
                put.refused(403, "DENIED");
            }
            let path = repository.path("manifests/other");
            admin.put("other", &image.manifest).await.expect(201);
            let deleted = user.delete(&path).await;
            if may_delete {
                deleted.expect(202);
            } else {
                deleted.refused(403, "DENIED");
            }
        }
    })
    .await;
}

/// The words of a refusal, without the name that was asked for.
fn words(answer: &Answer, repository: &Repository) -> String {
    answer.text().replace(&repository.name, "NAME")
}

#[tokio::test]
async fn a_refusal_does_not_tell_what_exists() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let image = Image::random(&[100]);
        project.repository(&server.admin, "app").push("latest", &image).await;
        let stranger = server.admin.user().await;
        for (client, status, code) in
            [(stranger, 403, "DENIED"), (server.anonymous.clone(), 401, "UNAUTHORIZED")]
        {
            let there = project.repository(&client, "app");
            let no_repository = project.repository(&client, "nap");
            let no_project = Repository::new(&client, &format!("{}/app", content::unique("gone")));
            for rest in [
                "manifests/latest".to_owned(),
                "manifests/missing".to_owned(),
                "tags/list".to_owned(),
                format!("manifests/{}", image.manifest.digest),
                format!("blobs/{}", image.config.digest),
                format!("blobs/{}", content::sha256(b"missing")),
                format!("referrers/{}", image.manifest.digest),
            ] {
                let ask = async |repository: &Repository| {
                    client.get(&repository.path(&rest)).await.refused(status, code)
                };
                let said = words(&ask(&there).await, &there);
                let said = said.replace("missing", "REFERENCE").replace("latest", "REFERENCE");
                for other in [&no_repository, &no_project] {
                    let other_said = words(&ask(other).await, other);
                    let other_said =
                        other_said.replace("missing", "REFERENCE").replace("latest", "REFERENCE");
                    assert_eq!(other_said, said, "{rest}");
                    client.head(&other.path(&rest)).await.refused(status, "");
                }
                client.head(&there.path(&rest)).await.refused(status, "");
            }
            for repository in [&there, &no_repository, &no_project] {
                push_blob(repository).await.refused(status, code);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_of_another_repository_is_never_revealed() {
    on_each_setup(async |server| {
        let secret = server.admin.project(false).await;
        let blob = Blob::random(1000);
        let hidden = secret.repository(&server.admin, "app");
        hidden.upload(&blob).await;

        let project = server.admin.project(false).await;
        let user = project.member(Role::Developer).await;
        let mine = project.repository(&user, "app");
        mine.blob(&blob.digest).await.refused(404, "BLOB_UNKNOWN");
        mine.head_blob(&blob.digest).await.refused(404, "");
        for query in [
            format!("mount={}&from={}", blob.digest, hidden.name),
            format!("mount={}", blob.digest),
        ] {
            let path = mine.path(&format!("blobs/uploads/?{query}"));
            user.request("POST", &path).send().await.expect(202);
        }
        mine.head_blob(&blob.digest).await.refused(404, "");
        // A manifest that names it does not bring it in either.
        let config = Blob::new("{\"os\": \"linux\"}");
        mine.upload(&config).await;
        let manifest = haven_tests::Manifest::image(
            &config,
            std::slice::from_ref(&blob),
            serde_json::json!({}),
        );
        mine.put("stolen", &manifest).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
        // Who has the bytes may push them, and then they are there.
        mine.upload(&blob).await;
        mine.head_blob(&blob.digest).await.expect(200);

        // A reader of the source may mount.
        secret.add(&user, Role::Guest).await;
        let other = project.repository(&user, "other");
        let query = format!("blobs/uploads/?mount={}&from={}", blob.digest, hidden.name);
        user.request("POST", &other.path(&query)).send().await.expect(201);
        assert!(other.blob(&blob.digest).await.expect(200).body == blob.bytes);
    })
    .await;
}

#[tokio::test]
async fn everybody_reads_a_public_project_and_members_write_it() {
    on_each_setup(async |server| {
        let project = server.admin.project(true).await;
        let admin = project.repository(&server.admin, "app");
        let image = Image::random(&[100]);
        admin.push("latest", &image).await;
        let scope = format!("repository:{}:pull,push", admin.name);
        let anybody = server.anonymous.with_token(&[&scope]).await;
        let stranger = server.admin.user().await;
        for client in [&anybody, &stranger] {
            let repository = admin.seen_by(client);
            repository.assert_holds("latest", &image).await;
            assert_eq!(repository.tags().await, ["latest"]);
        }
        push_blob(&admin.seen_by(&anybody)).await.refused(401, "UNAUTHORIZED");
        push_blob(&admin.seen_by(&stranger)).await.refused(403, "DENIED");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_is_401_everywhere() {
    on_each_setup(async |server| {
        let project = server.admin.project(true).await;
        let admin = project.repository(&server.admin, "app");
        admin.push("latest", &Image::random(&[10])).await;
        let user = project.member(Role::Developer).await;
        for impostor in [
            user.login(user.name(), "Wrong1Password"),
            user.login(user.name(), ""),
            user.login("nobody-of-this-name", "Wrong1Password"),
            user.login("admin", "Wrong1Password"),
        ] {
            let repository = admin.seen_by(&impostor);
            impostor.get("/v2/").await.refused(401, "UNAUTHORIZED");
            repository.manifest("latest").await.refused(401, "UNAUTHORIZED");
            push_blob(&repository).await.refused(401, "UNAUTHORIZED");
            let scope = format!("repository:{}:pull", repository.name);
            impostor.ask_token(&[&scope]).await.expect(401);
            impostor.ask_token(&[]).await.expect(401);
        }
    })
    .await;
}

#[tokio::test]
async fn rights_are_those_of_now_whatever_a_token_says() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let user = project.member(Role::Developer).await;
        let repository = project.repository(&user, "app");
        let image = Image::random(&[10]);
        repository.push("latest", &image).await;
        let scope = format!("repository:{}:pull,push", repository.name);
        let bearer = repository.seen_by(&user.with_token(&[&scope]).await);
        bearer.assert_holds("latest", &image).await;
        project.remove(&user).await;
        let refused = |answer: Answer| {
            assert!([401, 403].contains(&answer.status), "{}", answer.describe());
        };
        refused(bearer.manifest("latest").await);
        refused(bearer.blob(&image.config.digest).await);
        refused(push_blob(&bearer).await);
        repository.manifest("latest").await.refused(403, "DENIED");
        project.add(&user, Role::Guest).await;
        bearer.assert_holds("latest", &image).await;
        refused(push_blob(&bearer).await);
    })
    .await;
}

#[tokio::test]
async fn the_catalog_lists_by_page_what_the_client_may_see() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let image = Image::random(&[10]);
        let mut names = Vec::new();
        for name in ["c", "a", "b", "a/deeper", "a-b"] {
            let repository = project.repository(&server.admin, name);
            repository.push("latest", &image).await;
            names.push(repository.name);
        }
        names.sort();
        assert_eq!(catalog(&server.admin, "").await, [names.clone()]);
        let by_two = catalog(&server.admin, "?n=2").await;
        assert_eq!(by_two, [&names[..2], &names[2..4], &names[4..]]);
        let scope = "registry:catalog:*";
        let bearer = server.admin.with_token(&[scope]).await;
        assert_eq!(catalog(&bearer, "").await, [names]);
        server.anonymous.get("/v2/_catalog").await.refused(401, "UNAUTHORIZED");
        let answer = server.admin.get("/v2/_catalog?n=-1").await;
        answer.refused(400, "PAGINATION_NUMBER_INVALID");
    })
    .await;
}

async fn catalog(client: &Client, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(format!("/v2/_catalog{query}"));
    while let Some(path) = next {
        let answer = client.get(&path).await.expect(200);
        let json = answer.json();
        let names = json["repositories"].as_array().unwrap().iter();
        pages.push(names.map(|name| name.as_str().unwrap().to_owned()).collect());
        next = answer.maybe("link").map(|link| {
            let (url, _) = link.split_once(';').unwrap();
            url.trim_matches(['<', '>']).to_owned()
        });
        assert!(pages.len() < 100, "the pages do not end");
    }
    pages
}

#[tokio::test]
async fn a_push_to_a_project_that_is_not_there_says_so_to_its_administrator() {
    on_each_setup(async |server| {
        let absent = Repository::new(&server.admin, &format!("{}/app", content::unique("gone")));
        let answer = push_blob(&absent).await;
        assert!([401, 403, 404].contains(&answer.status), "{}", answer.describe());
        answer.assert_error_format();
        assert!(answer.text().contains("not found"), "{}", answer.describe());
    })
    .await;
}
