//! Malformed names, tags, digests and queries, and paths that try to climb out.

use crate::{Scene, assert_refusal};
use haven_tests::{content, on_each_setup};

/// What no repository may be called.
const NAMES: &[&str] = &[
    "UPPER",
    "a//b",
    "-a",
    "a-",
    ".a",
    "a.",
    "a..b",
    "a___b",
    "_a",
    "a_",
    "a%20b",
    "ä",
    "%C3%A4",
    "a/",
    "/a",
    "a+b",
    "a:b",
    "a@b",
    "a%00b",
    "..",
    "%2e%2e",
    "%2E%2E%2Fetc",
    "..%2f..%2fetc%2fpasswd",
    "a/../../etc",
    "..;/etc",
    "%5c..%5c",
    "%252e%252e",
    "a%0d%0aSet-Cookie:x=1",
];

/// What no tag may be.
const TAGS: &[&str] = &[
    ".latest",
    "-latest",
    "a%20b",
    "a%00b",
    "a%2Fb",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "ä",
    "%ff%fe",
    "a:b",
    "a@b",
    "a+b",
    "a%0a",
];

/// What no digest is.
const DIGESTS: &[&str] = &[
    "sha256:",
    "sha256",
    ":",
    "sha256:zz",
    "sha256:../../../../etc/passwd",
    "sha256:..%2f..%2fetc%2fpasswd",
    "sha384:00",
    "sha512:00",
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    "sha256:%00",
    "SHA256:00",
    "sha256::00",
    "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85%35%35",
    "..%2f",
    "%2e%2e",
];

async fn assert_refused(scene: &Scene<'_>, method: &str, target: &str) {
    let lines = ["Content-Length: 0"];
    let answer = scene.ask(method, target, &lines, b"").await;
    let answer = answer.unwrap_or_else(|| panic!("no answer to {method} {target}"));
    assert_refusal(&format!("{method} {target}"), &answer);
    assert!(!answer.text().contains("root:"), "{target}");
    assert!(answer.header("set-cookie").is_none(), "{target}");
}

#[tokio::test]
async fn malformed_names_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let long = "a".repeat(300);
        let deep = vec!["a"; 200].join("/");
        let digest = content::sha256(b"");
        let project = scene.repository.name.split('/').next().unwrap();
        for name in NAMES.iter().copied().chain([long.as_str(), &deep]) {
            for base in ["", &format!("{project}/")] {
                // An empty first part is refused by itself.
                let name = format!("/v2/{base}{name}");
                for (method, rest) in [
                    ("GET", "manifests/latest".to_owned()),
                    ("PUT", "manifests/latest".to_owned()),
                    ("GET", format!("blobs/{digest}")),
                    ("POST", "blobs/uploads/".to_owned()),
                    ("GET", "tags/list".to_owned()),
                ] {
                    assert_refused(&scene, method, &format!("{name}/{rest}")).await;
                }
            }
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn malformed_tags_and_digests_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let base = format!("/v2/{}", scene.repository.name);
        let long = "t".repeat(129);
        for tag in TAGS.iter().copied().chain([long.as_str()]) {
            for method in ["GET", "PUT", "DELETE"] {
                assert_refused(&scene, method, &format!("{base}/manifests/{tag}")).await;
            }
        }
        for digest in DIGESTS {
            for method in ["GET", "DELETE"] {
                assert_refused(&scene, method, &format!("{base}/blobs/{digest}")).await;
                assert_refused(&scene, method, &format!("{base}/manifests/{digest}")).await;
            }
            assert_refused(&scene, "GET", &format!("{base}/referrers/{digest}")).await;
            let post = format!("{base}/blobs/uploads/?digest={digest}");
            assert_refused(&scene, "POST", &post).await;
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn malformed_uploads_and_queries_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let base = format!("/v2/{}", scene.repository.name);
        for id in
            ["x", "..", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "%00", "0", &"f".repeat(5000)]
        {
            for method in ["GET", "PATCH", "PUT", "DELETE"] {
                assert_refused(&scene, method, &format!("{base}/blobs/uploads/{id}")).await;
            }
        }
        for query in [
            "tags/list?n=-1",
            "tags/list?n=%ff",
            "tags/list?n=1&n=x",
            "blobs/uploads/?digest-algorithm=md5",
        ] {
            let method = if query.starts_with("tags") { "GET" } else { "POST" };
            assert_refused(&scene, method, &format!("{base}/{query}")).await;
        }
        // Strange, and still something that can be answered.
        for query in
            ["tags/list?last=%ff%00", "tags/list?%ff=%zz&&=", "manifests/latest?ns=../../etc"]
        {
            let answer = scene.ask("GET", &format!("{base}/{query}"), &[], b"").await.unwrap();
            assert!(answer.status < 500, "{query}: {}", answer.head);
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        for path in [
            "/v2/_catalog/x",
            "/v2/latest",
            "/v2/a/b/c",
            "/v2//",
            "/v2/a/manifests/",
            "/v2/a/blobs/",
            "/v2/a/tags/",
            "/v2/a/tags/lists",
            "/v2/a/referrers/",
            "/v2/%",
            "/v2/%zz/a/manifests/b",
            "/v2/../../../etc/passwd",
            "/v2/..%2f..%2fetc%2fpasswd",
            "/../etc/passwd",
            "/v2/a/b/manifests/latest/more",
        ] {
            assert_refused(&scene, "GET", path).await;
        }
        let manifest = format!("/v2/{}/manifests/latest", scene.repository.name);
        for method in ["POST", "PATCH", "BREW", "PROPFIND", "TRACE"] {
            let answer = scene.ask(method, &manifest, &["Content-Length: 0"], b"").await;
            let answer = answer.unwrap();
            assert_refusal(method, &answer);
            assert_eq!(answer.status, 405, "{method}");
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn the_api_refuses_what_it_cannot_read() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let admin = &server.admin;
        for name in ["", "UPPER", "a b", "../x", "a/b", "-a", "a\u{0}b", &"a".repeat(256), "ä"] {
            let body = serde_json::json!({"project_name": name, "metadata": {"public": "false"}});
            let answer = admin.request("POST", "/api/v2.0/projects").json(&body).send().await;
            assert!((400..500).contains(&answer.status), "{name:?}: {}", answer.describe());
            answer.assert_error_format();
        }
        for body in [
            "",
            "{",
            "[]",
            "null",
            "\"text\"",
            "{\"project_name\": 7}",
            "{\"project_name\": null}",
            "\u{0}",
        ] {
            let request = admin.request("POST", "/api/v2.0/projects");
            let answer = request.header("content-type", "application/json").body(body).send().await;
            assert!((400..500).contains(&answer.status), "{body:?}: {}", answer.describe());
            answer.assert_error_format();
        }
        for path in
            ["projects?page_size=1000", "projects?page=x", "projects/..%2f..", "projects/%00"]
        {
            let answer = admin.get(&format!("/api/v2.0/{path}")).await;
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.describe());
            answer.assert_error_format();
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn malformed_scopes_give_no_rights() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        for scope in [
            "x",
            ":",
            "::",
            "repository",
            "repository:",
            "repository::pull",
            "repository:UPPER:pull",
            "a:b:c:d:e",
            "repository:../..:pull",
            "repository:a:",
            "registry:catalog:pull",
            "%00",
            "%ff",
            "repository:a%20b:pull",
        ] {
            let answer = scene.repository.client.ask_token(&[scope]).await;
            assert!(answer.status == 200 || answer.status == 400, "{scope}: {}", answer.describe());
            if answer.status == 200 {
                let token = answer.json()["token"].as_str().unwrap().to_owned();
                let bearer = server.anonymous.with(haven_tests::Auth::Bearer(token));
                scene
                    .repository
                    .seen_by(&bearer)
                    .manifest("latest")
                    .await
                    .refused(401, "UNAUTHORIZED");
            }
        }
        let many: Vec<String> = (0..2000).map(|n| format!("repository:a/{n}:pull")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let answer = scene.repository.client.ask_token(&many).await;
        assert!(answer.status < 500, "{}", answer.describe());
        scene.assert_unharmed().await;
    })
    .await;
}
