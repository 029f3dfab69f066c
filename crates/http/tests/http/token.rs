//! The token service, and tokens on the registry.

use axum::{body::Body, http::Request};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    projects::Role,
    testing::{PASSWORD, add_project, add_robot, add_user, join},
};
use haven_http::Peer;
use serde_json::{Value, json};

use crate::server::{Answer, Server, basic, both, sqlite};

const TOKEN: &str = "/service/token?service=harbor-registry";

async fn post(server: &Server, form: &str) -> Answer {
    let request = Request::post("/service/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    server.send(request.unwrap()).await
}

fn access(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["access"].clone()
}

async fn token(server: &Server, who: &str, scope: &str) -> String {
    let answer = server.get(who, &format!("{TOKEN}&scope={scope}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_password_becomes_a_token() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let alice = add_user(&server.domain, "alice").await;
        join(&server.domain, "p", &alice, Role::Developer).await;
        let answer =
            server.get("alice", &format!("{TOKEN}&scope=repository:p/x:pull&account=alice")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let json = answer.json();
        assert_eq!(json["token"], json["access_token"]);
        assert_eq!(json["expires_in"], 1800);
        assert_eq!(json["issued_at"], "2027-01-15T08:00:00.000Z");
        assert!(json.get("refresh_token").is_none());
        let granted = access(json["token"].as_str().unwrap());
        assert_eq!(granted[0]["name"], "p/x");
        assert_eq!(granted[0]["actions"], json!(["pull", "push"]));

        let bearer = format!("Bearer {}", json["token"].as_str().unwrap());
        assert_eq!(server.get_as(&bearer, "/v2/").await.status, 200);
        assert_eq!(server.get_as(&bearer, "/v2/p/x/manifests/y").await.status, 404);
    }
}

#[tokio::test]
async fn scopes_may_come_many_at_a_time() {
    let server = sqlite().await;
    let answer = server
        .get(
            "admin",
            &format!(
                "{TOKEN}&scope=repository:library/a:pull%20repository:library/b:push\
                 &scope=repository:library/c:pull&scope=registry:catalog:*&scope=&scope=x:y:z"
            ),
        )
        .await;
    let granted = access(answer.json()["token"].as_str().unwrap());
    let names: Vec<_> = granted.as_array().unwrap().iter().map(|a| a["name"].clone()).collect();
    assert_eq!(names, ["library/a", "library/b", "library/c", "catalog", "y"]);
    assert_eq!(granted[4]["actions"], json!([]));
    let bearer = format!("Bearer {}", answer.json()["token"].as_str().unwrap());
    assert_eq!(server.get_as(&bearer, "/v2/_catalog").await.status, 200);
    assert_eq!(server.get_as(&bearer, "/v2/library/c/manifests/y").await.status, 404);
}

#[tokio::test]
async fn nobody_gets_a_token_for_what_is_public() {
    let server = sqlite().await;
    add_project(&server.domain, "closed", false).await;
    let public = token(&server, "", "repository:library/x:pull,push").await;
    assert_eq!(access(&public)[0]["actions"], json!(["pull"]));
    let closed = token(&server, "", "repository:closed/x:pull").await;
    let nothing = token(&server, "", "repository:nothing/x:pull").await;
    assert_eq!(access(&closed)[0]["actions"], json!([]));
    assert_eq!(access(&nothing)[0]["actions"], json!([]));
    assert_eq!(access(&closed)[0].get("pid"), None, "a token does not tell what exists");

    let bearer = format!("Bearer {public}");
    assert_eq!(server.get_as(&bearer, "/v2/library/x/tags/list").await.status, 404);
    let refused = server.get_as(&bearer, "/v2/closed/x/tags/list").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["errors"][0]["code"], "UNAUTHORIZED");
}

#[tokio::test]
async fn who_is_not_believed_gets_nothing() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let scope = format!("{TOKEN}&scope=repository:library/x:pull");
    for wrong in [
        basic("alice", "Wrong12345"),
        basic("nobody", PASSWORD),
        basic("alice", ""),
        "Basic x".to_owned(),
        "Bearer x".to_owned(),
        "x".to_owned(),
    ] {
        for path in [TOKEN, &scope, "/service/token"] {
            let answer = server.get_as(&wrong, path).await;
            assert_eq!(answer.code(), (401, "UNAUTHORIZED".into()), "{wrong} {path}");
            assert_eq!(answer.header("www-authenticate"), r#"Basic realm="harbor""#);
        }
    }
    let answer = server.get("", TOKEN).await;
    assert_eq!(answer.code(), (401, "UNAUTHORIZED".into()));

    // A token buys no other token.
    let bearer = format!("Bearer {}", token(&server, "admin", "repository:library/x:pull").await);
    assert_eq!(server.get_as(&bearer, &scope).await.status, 401);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = sqlite().await;
    let names = async |path: &str, named: &str| {
        let (status, code, message) = server.get("admin", path).await.error();
        assert_eq!((status, code.as_str()), (400, "BAD_REQUEST"), "{path}");
        assert!(message.contains(named), "{path}: {message}");
    };
    names("/service/token?service=other", "other").await;
    names("/service/token", "service").await;
    for scope in
        ["repository", "repository:x", ":::", "repository::pull", "r%00:x:pull", "a:b:c%0a"]
    {
        names(&format!("{TOKEN}&scope={scope}"), "scope").await;
    }
    names(&format!("{TOKEN}&scope={}", "x".repeat(4000)), "scope").await;
    let many = "&scope=repository:library/x:pull".repeat(101);
    names(&format!("{TOKEN}{many}"), "scopes").await;
    let answer = server.ask("admin", "PUT", TOKEN, "").await;
    assert_eq!(answer.code(), (405, "METHOD_NOT_ALLOWED".into()));
}

#[tokio::test]
async fn oauth2_gives_tokens_and_refreshes_them() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let password = format!(
            "grant_type=password&service=harbor-registry&client_id=test&username=alice\
             &password={PASSWORD}&access_type=offline&scope=repository%3Alibrary%2Fx%3Apull%2Cpush"
        );
        let answer = post(&server, &password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        assert_eq!(json["scope"], "repository:library/x:pull");
        assert_eq!(json["expires_in"], 1800);
        let bearer = format!("Bearer {}", json["access_token"].as_str().unwrap());
        assert_eq!(server.get_as(&bearer, "/v2/library/x/manifests/y").await.status, 404);

        let refresh = json["refresh_token"].as_str().unwrap();
        let form = format!(
            "grant_type=refresh_token&service=harbor-registry&client_id=test\
             &refresh_token={refresh}&scope=repository:library/y:pull"
        );
        let answer = post(&server, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["refresh_token"], refresh);
        assert_eq!(answer.json()["scope"], "repository:library/y:pull");

        domain::users::reset_password(&server.domain, "alice", "Another12345").await.unwrap();
        let answer = post(&server, &form).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"], "invalid_grant");
        assert_eq!(post(&server, &password).await.status, 401);

        // Docker's way: GET with a password and offline_token.
        let offline = format!("{TOKEN}&offline_token=true&scope=repository:library/x:pull");
        let answer = server.get("admin", &offline).await.json();
        assert!(answer["refresh_token"].is_string());
        let answer = server.get("", &offline).await.json();
        assert!(answer.get("refresh_token").is_none(), "nobody has nothing to refresh");
    }
}

#[tokio::test]
async fn a_robot_signs_in_wherever_a_user_does() {
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let may = [("repository", "pull"), ("repository", "list")];
        let (name, secret) = add_robot(&server.domain, "ci", &may).await;
        let robot = basic(&name, secret.reveal());
        let scope = format!("{TOKEN}&offline_token=true&scope=repository:p/x:pull,push");
        let answer = server.get_as(&robot, &scope).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        assert!(json.get("refresh_token").is_none(), "a robot has its secret");
        assert_eq!(access(json["token"].as_str().unwrap())[0]["actions"], json!(["pull"]));
        let bearer = format!("Bearer {}", json["token"].as_str().unwrap());
        for shown in [bearer.as_str(), robot.as_str()] {
            assert_eq!(server.get_as(shown, "/v2/").await.status, 200);
            assert_eq!(server.get_as(shown, "/v2/p/x/manifests/y").await.status, 404);
        }
        let path = "/api/v2.0/projects/p/repositories";
        assert_eq!(server.get_as(&robot, path).await.status, 200);

        let secret = secret.reveal();
        let form = format!(
            "grant_type=password&service=harbor-registry&username=robot%24ci&password={secret}\
             &access_type=offline&scope=repository:p/x:pull"
        );
        let answer = post(&server, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.json().get("refresh_token").is_none());
        assert_eq!(post(&server, &form.replace(secret, "Wrong12345")).await.status, 401);
        let wrong = basic(&name, "Wrong12345");
        assert_eq!(server.get_as(&wrong, TOKEN).await.status, 401);
        assert_eq!(server.get_as(&wrong, "/v2/").await.status, 401);
        assert_eq!(server.get_as(&wrong, path).await.status, 401);
    }
}

#[tokio::test]
async fn oauth2_names_what_is_missing() {
    let server = sqlite().await;
    for (form, status, error, named) in [
        ("", 400, "invalid_request", "service"),
        ("service=other&grant_type=password", 400, "invalid_request", "other"),
        ("service=harbor-registry", 400, "invalid_request", "grant_type"),
        ("service=harbor-registry&grant_type=x", 400, "unsupported_grant_type", "grant_type"),
        ("service=harbor-registry&grant_type=password", 400, "invalid_request", "username"),
        (
            "service=harbor-registry&grant_type=password&username=a",
            400,
            "invalid_request",
            "password",
        ),
        (
            "service=harbor-registry&grant_type=refresh_token",
            400,
            "invalid_request",
            "refresh_token",
        ),
        (
            "service=harbor-registry&grant_type=refresh_token&refresh_token=x",
            401,
            "invalid_grant",
            "refresh",
        ),
        (
            "service=harbor-registry&grant_type=password&username=a&password=b",
            401,
            "invalid_grant",
            "password",
        ),
    ] {
        let answer = post(&server, form).await;
        assert_eq!(answer.status, status, "{form}");
        assert_eq!(answer.json()["error"], error, "{form}");
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains(named), "{form}: {description}");
        assert_eq!(answer.error().2, description);
    }
}

#[tokio::test]
async fn challenges_tell_where_to_go_and_why() {
    let server = sqlite().await;
    add_project(&server.domain, "closed", false).await;
    let challenges = |answer: &Answer| -> Vec<String> {
        let values = answer.headers.get_all("www-authenticate").iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    let realm =
        r#"Bearer realm="http://registry.example.org/service/token",service="harbor-registry""#;
    let answer = server.get("", "/v2/").await;
    assert_eq!(challenges(&answer), [realm]);
    let answer = server.get("", "/v2/library/x/manifests/y").await;
    let pull = format!(r#"{realm},scope="repository:library/x:pull""#);
    assert_eq!(challenges(&answer), [pull.as_str()]);

    let bearer = format!("Bearer {}", token(&server, "admin", "repository:library/x:pull").await);
    let answer = server.get_as(&bearer, "/v2/closed/x/manifests/y").await;
    assert_eq!(answer.status, 401);
    assert!(challenges(&answer)[0].ends_with(r#",error="insufficient_scope""#));
    let answer = server.get_as("Bearer forged", "/v2/closed/x/manifests/y").await;
    assert_eq!(answer.status, 401);
    assert!(challenges(&answer)[0].ends_with(r#",error="invalid_token""#));
    let answer = server.get_as(&basic("admin", "Wrong12345"), "/v2/").await;
    assert_eq!((answer.status.as_u16(), challenges(&answer)), (401, vec![realm.to_owned()]));
}

#[tokio::test]
async fn the_realm_is_where_the_client_is() {
    let server = sqlite().await;
    let realm = |answer: &Answer| {
        let challenge = answer.header("www-authenticate");
        challenge.split('"').nth(1).unwrap().to_owned()
    };
    let through_proxy = |host: Option<&str>| {
        let peer = Peer {
            address: "192.0.2.1:0".parse().unwrap(),
            scheme_https: true,
            host: host.map(str::to_owned),
        };
        let request = Request::get("/v2/").extension(peer).header("host", "inside:8080");
        request.body(Body::empty()).unwrap()
    };
    let answer = server.send(through_proxy(Some("outside.example.org"))).await;
    assert_eq!(realm(&answer), "https://outside.example.org/service/token");
    let answer = server.send(through_proxy(None)).await;
    assert_eq!(realm(&answer), "https://inside:8080/service/token");
    // HTTP/2 has no Host header.
    let request = Request::get("http://authority.example.org/v2/").body(Body::empty()).unwrap();
    let answer = server.send(request).await;
    assert_eq!(realm(&answer), "http://authority.example.org/service/token");

    let place = domain::testing::sqlite();
    let server = Server::reached_by(place, Some("https://registry.example.org/")).await;
    let answer = server.send(through_proxy(Some("outside.example.org"))).await;
    assert_eq!(realm(&answer), "https://registry.example.org/service/token");
}

#[tokio::test]
async fn what_a_client_calls_the_host_cannot_break_the_challenge() {
    let server = sqlite().await;
    let request = Request::get("/v2/").header("host", "a\",realm=\"b").body(Body::empty()).unwrap();
    let answer = server.send(request).await;
    let challenge = answer.header("www-authenticate").to_owned();
    assert_eq!(challenge.matches('"').count(), 4, "{challenge}");
}
