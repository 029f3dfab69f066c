//! Rules that make tags immutable.

use domain::{
    projects::Role,
    testing::{add_project, add_user, join},
};
use oci::{Algorithm, Digest};
use serde_json::{Value, json};

use crate::server::{Server, both, sqlite};

const RULES: &str = "/api/v2.0/projects/p/immutabletagrules";

fn rule(repositories: &str, tags: &str) -> Value {
    json!({
        "priority": 0,
        "action": "immutable",
        "template": "immutable_template",
        "scope_selectors": {"repository": [
            {"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories},
        ]},
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
    })
}

async fn push(server: &Server, repository: &str, tag: &str, note: &str) -> (u16, Value) {
    let config = Digest::of(Algorithm::Sha256, b"{}");
    let blob = format!("/v2/{repository}/blobs/uploads/?digest={config}");
    assert_eq!(server.ask("admin", "POST", &blob, "{}").await.status, 201);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let content = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2,
        },
        "layers": [],
        "annotations": {"note": note},
    });
    let path = format!("/v2/{repository}/manifests/{tag}");
    let answer = server.ask("admin", "PUT", &path, &content.to_string()).await;
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status.as_u16(), body)
}

#[tokio::test]
async fn rules_as_harbors_clients_use_them() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let made = server.ask("admin", "POST", RULES, &rule("rel*", "v2.*").to_string()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let location = made.header("location").to_owned();
        let id: i64 = location.strip_prefix(&format!("{RULES}/")).unwrap().parse().unwrap();
        let same = server.ask("admin", "POST", RULES, &rule("rel*", "v2.*").to_string()).await;
        let said = "immutable rule already exists";
        assert_eq!(same.error(), (409, "CONFLICT".into(), said.into()));

        let listed = server.get("admin", RULES).await;
        assert_eq!(listed.header("x-total-count"), "1");
        let mut expected = rule("rel*", "v2.*");
        expected["id"] = json!(id);
        expected["disabled"] = json!(false);
        assert_eq!(listed.json(), json!([expected]));

        assert_eq!(push(&server, "p/rel/x", "v2.0", "a").await.0, 201);
        assert_eq!(push(&server, "p/release", "v2.0", "a").await.0, 201);
        assert_eq!(push(&server, "p/rel/x", "v2.0", "b").await.0, 201, "a star ends at a slash");
        let (status, refused) = push(&server, "p/release", "v2.0", "b").await;
        assert_eq!((status, &refused["errors"][0]["code"]), (412, &json!("PRECONDITION")));
        assert_eq!(
            refused["errors"][0]["message"],
            "Failed to process request due to 'release:v2.0' configured as immutable."
        );

        let tags = "/api/v2.0/projects/p/repositories/release/artifacts/v2.0/tags";
        let shown =
            async |path: &str| server.get("admin", path).await.json()[0]["immutable"].clone();
        assert_eq!(shown(&format!("{tags}?with_immutable_status=true")).await, true);
        assert_eq!(shown(tags).await, false, "it is told when it is asked for");
        let kept = server.ask("admin", "DELETE", &format!("{tags}/v2.0"), "").await;
        let said = "the tag v2.0 configured as immutable, cannot be deleted";
        assert_eq!(kept.error(), (412, "PRECONDITION".into(), said.into()));
        let absent = server.ask("admin", "DELETE", &format!("{tags}/v2.1"), "").await;
        assert_eq!(absent.code().0, 404);

        let mut off = expected.clone();
        off["disabled"] = json!(true);
        let mismatch = server.ask("admin", "PUT", &format!("{RULES}/0"), &off.to_string()).await;
        assert_eq!(mismatch.code(), (400, "BAD_REQUEST".into()));
        let changed = server.ask("admin", "PUT", &location, &off.to_string()).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert_eq!(push(&server, "p/release", "v2.0", "b").await.0, 201);
        let off = server.get("admin", &format!("{RULES}?q=disabled%3Dtrue")).await;
        assert_eq!(off.header("x-total-count"), "1");

        assert_eq!(server.ask("admin", "DELETE", &location, "").await.status, 200);
        assert_eq!(server.ask("admin", "DELETE", &location, "").await.code().0, 404);
        assert_eq!(server.get("admin", RULES).await.body, "[]");
    }
}

#[tokio::test]
async fn regular_expressions_and_versions_are_kinds_too() {
    let server = sqlite().await;
    add_project(&server.domain, "p", false).await;
    for (kind, pattern) in [("regex", "v[0-9]+"), ("semver", ">=2")] {
        let mut new = rule("**", pattern);
        new["tag_selectors"][0]["kind"] = json!(kind);
        let made = server.ask("admin", "POST", RULES, &new.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    for (tag, second) in [("v1", 412), ("2.1", 412), ("1.2", 201), ("v1-rc", 201)] {
        assert_eq!(push(&server, "p/x", tag, "a").await.0, 201, "{tag}");
        assert_eq!(push(&server, "p/x", tag, "b").await.0, second, "{tag}");
    }
}

#[tokio::test]
async fn who_may_not_and_what_is_wrong_is_refused() {
    let server = sqlite().await;
    add_project(&server.domain, "p", true).await;
    let developer = add_user(&server.domain, "dev").await;
    join(&server.domain, "p", &developer, Role::Developer).await;
    let maintainer = add_user(&server.domain, "maintainer").await;
    join(&server.domain, "p", &maintainer, Role::Maintainer).await;
    let fine = rule("**", "v*").to_string();
    let one = format!("{RULES}/1");
    for (who, status) in [("", 401), ("dev", 403)] {
        assert_eq!(server.get(who, RULES).await.status, status);
        assert_eq!(server.ask(who, "POST", RULES, "not even JSON").await.status, status);
        assert_eq!(server.ask(who, "PUT", &one, &fine).await.status, status);
        assert_eq!(server.ask(who, "DELETE", &one, "").await.status, status);
    }
    assert_eq!(server.ask("maintainer", "POST", RULES, &fine).await.status, 201);

    let wrong = |path: &str, value: Value| {
        let mut rule = rule("**", "x*");
        *rule.pointer_mut(path).unwrap() = value;
        rule.to_string()
    };
    for bad in [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        wrong("/action", json!("retain")),
        wrong("/template", json!("always")),
        wrong("/tag_selectors", json!([])),
        wrong("/tag_selectors", json!("**")),
        wrong("/tag_selectors/0/kind", json!("label")),
        wrong("/tag_selectors/0/decoration", json!("repoMatches")),
        wrong("/tag_selectors/0/pattern", json!("{a,b".repeat(40))),
        wrong("/tag_selectors/0/pattern", json!("{a,b}".repeat(60))),
        wrong("/tag_selectors/0/pattern", json!("a\u{0}")),
        wrong("/scope_selectors", json!({})),
        wrong("/scope_selectors", json!({"project": []})),
        wrong("/scope_selectors/repository/0/pattern", json!("\\")),
    ] {
        let refused = server.ask("admin", "POST", RULES, &bad).await;
        assert_eq!(refused.code(), (400, "BAD_REQUEST".into()), "{bad}");
    }
    let missing = server.ask("admin", "POST", "/api/v2.0/projects/none/immutabletagrules", &fine);
    assert_eq!(missing.await.code().0, 404);
    assert_eq!(server.ask("admin", "PUT", &format!("{RULES}/x"), &fine).await.code().0, 422);
}
