//! The token endpoint, its challenges, and what its tokens open.

use crate::repository;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use haven_tests::{Answer, Auth, Client, Image, Role, on_each_setup};
use serde_json::Value;

/// The claims of a token, unverified: that is how a client sees them.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The actions a token holds on a repository, sorted.
fn actions(token: &str, repository: &str) -> Vec<String> {
    let claims = claims(token);
    let entries = claims["access"].as_array().unwrap().iter();
    let mut actions: Vec<String> = entries
        .filter(|entry| entry["name"] == repository)
        .flat_map(|entry| entry["actions"].as_array().unwrap().clone())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    actions.sort();
    actions
}

/// A parameter of the Bearer challenge.
fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let challenges = answer.all("www-authenticate");
    let bearer = challenges.iter().find(|line| line.starts_with("Bearer "));
    let bearer = bearer.unwrap_or_else(|| panic!("no challenge: {}", answer.describe()));
    let (_, rest) = bearer.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[tokio::test]
async fn a_challenge_leads_to_a_token_that_opens() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[10]);
        repository.push("latest", &image).await;
        let nobody = repository.seen_by(&server.anonymous);
        let answer = nobody.manifest("latest").await.refused(401, "UNAUTHORIZED");
        let challenges = answer.all("www-authenticate");
        assert!(challenges[0].starts_with("Bearer "), "Bearer comes first: {challenges:?}");
        let realm = parameter(&answer, "realm").unwrap();
        let service = parameter(&answer, "service").unwrap();
        let scope = parameter(&answer, "scope").unwrap();
        assert_eq!(realm, format!("{}/service/token", server.url));
        assert_eq!(scope, format!("repository:{}:pull", repository.name));
        for word in ["basic", "bearer"] {
            assert!(!realm.contains(word) && !service.contains(word));
        }
        let url = format!("{realm}?service={service}&scope={scope}");
        let token = repository.client.get(&url).await.expect(200).json();
        let bearer = server.anonymous.with(Auth::Bearer(token["token"].as_str().unwrap().into()));
        repository.seen_by(&bearer).assert_holds("latest", &image).await;

        let ping = server.anonymous.get("/v2/").await.refused(401, "UNAUTHORIZED");
        assert_eq!(parameter(&ping, "realm").unwrap(), realm);
        assert_eq!(parameter(&ping, "service").unwrap(), service);
        bearer.get("/v2/").await.expect(200);
        let push = server.anonymous.request("POST", &repository.path("blobs/uploads/"));
        let push = push.send().await.refused(401, "UNAUTHORIZED");
        let scope = parameter(&push, "scope").unwrap();
        assert_eq!(scope, format!("repository:{}:pull,push", repository.name));
    })
    .await;
}

#[tokio::test]
async fn a_token_answer_has_every_field_clients_read() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let scope = format!("repository:{}:pull,push,delete", repository.name);
        let answer = repository.client.ask_token(&[&scope]).await.expect(200);
        assert!(answer.header("content-type").starts_with("application/json"));
        let json = answer.json();
        assert_eq!(json["token"], json["access_token"]);
        assert!(json["expires_in"].as_i64().unwrap() >= 60);
        assert!(json["issued_at"].as_str().unwrap().ends_with('Z'));
        let token = json["token"].as_str().unwrap();
        let claims = claims(token);
        for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"] {
            assert!(!claims[name].is_null(), "no {name} in {claims}");
        }
        assert_eq!(claims["sub"], repository.client.name());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!(lifetime >= json["expires_in"].as_i64().unwrap());
        // A developer asked for more than there is: that is no error.
        assert_eq!(actions(token, &repository.name), ["pull", "push"]);
    })
    .await;
}

#[tokio::test]
async fn one_token_holds_several_scopes_however_they_are_written() {
    on_each_setup(async |server| {
        let one = server.admin.project(false).await;
        let two = server.admin.project(false).await;
        let user = one.member(Role::Developer).await;
        two.add(&user, Role::Guest).await;
        let (first, second) = (one.repository(&user, "a"), two.repository(&user, "b"));
        let scopes = [
            format!("repository:{}:pull,push", first.name),
            format!("repository:{}:pull,push", second.name),
        ];
        let separate = user.ask_token(&[&scopes[0], &scopes[1]]).await;
        let joined = user.ask_token(&[&scopes.join("%20")]).await;
        for answer in [separate, joined] {
            let json = answer.expect(200).json();
            let token = json["token"].as_str().unwrap();
            assert_eq!(actions(token, &first.name), ["pull", "push"]);
            assert_eq!(actions(token, &second.name), ["pull"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_opens_only_the_repositories_it_was_asked_for() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let user = project.member(Role::Developer).await;
        let (asked, other) = (project.repository(&user, "a"), project.repository(&user, "b"));
        let image = Image::random(&[10]);
        asked.push("latest", &image).await;
        other.push("latest", &image).await;
        let scope = format!("repository:{}:pull", asked.name);
        let bearer = user.with_token(&[&scope]).await;
        let (asked, other) = (asked.seen_by(&bearer), other.seen_by(&bearer));
        asked.assert_holds("latest", &image).await;
        let pull = other.manifest("latest").await;
        let push = bearer.request("POST", &other.path("blobs/uploads/")).send().await;
        for (answer, actions) in [(pull, "pull"), (push, "pull,push")] {
            let answer = answer.refused(401, "UNAUTHORIZED");
            assert_eq!(parameter(&answer, "error").unwrap(), "insufficient_scope");
            let wanted = format!("repository:{}:{actions}", other.name);
            assert_eq!(parameter(&answer, "scope").unwrap(), wanted);
        }
        let bare = user.with_token(&[]).await;
        bare.get("/v2/").await.expect(200);
        let answer = asked.seen_by(&bare).manifest("latest").await;
        let answer = answer.refused(401, "UNAUTHORIZED");
        assert_eq!(parameter(&answer, "error").unwrap(), "insufficient_scope");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_none_is_named_invalid() {
    on_each_setup(async |server| {
        for token in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            let client = server.anonymous.with(Auth::Bearer(token.into()));
            let answer = client.get("/v2/").await.refused(401, "UNAUTHORIZED");
            assert_eq!(parameter(&answer, "error").as_deref(), Some("invalid_token"), "{token}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_a_token_for_what_is_public_only() {
    on_each_setup(async |server| {
        let public = server.admin.project(true).await;
        let private = server.admin.project(false).await;
        let scopes = [
            format!("repository:{}/app:pull,push", public.name),
            format!("repository:{}/app:pull,push", private.name),
            "repository:no-such-project/app:pull".to_owned(),
        ];
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let json = server.anonymous.ask_token(&scopes).await.expect(200).json();
        let token = json["token"].as_str().unwrap();
        assert_eq!(actions(token, &format!("{}/app", public.name)), ["pull"]);
        assert!(actions(token, &format!("{}/app", private.name)).is_empty());
        assert!(actions(token, "no-such-project/app").is_empty());
        // Without a scope nobody asks for nothing: that is how a login is tried.
        server.anonymous.ask_token(&[]).await.expect(401);
    })
    .await;
}

async fn post_token(client: &Client, pairs: &[(&str, &str)]) -> Answer {
    client.anonymous().request("POST", "/service/token").form(pairs).send().await
}

#[tokio::test]
async fn the_oauth2_way_gives_tokens_and_refreshes_them() {
    on_each_setup(async |server| {
        let repository = repository(server).await;
        let image = Image::random(&[10]);
        repository.push("latest", &image).await;
        let (name, password) = (repository.client.name(), repository.client.password());
        let scope = format!("repository:{}:pull", repository.name);
        let common = [("service", "harbor-registry"), ("client_id", "tests"), ("scope", &scope)];
        let ask = async |more: &[(&str, &str)]| {
            let pairs: Vec<_> = common.iter().chain(more).copied().collect();
            post_token(&repository.client, &pairs).await
        };
        let by_password = [
            ("grant_type", "password"),
            ("username", name),
            ("password", password),
            ("access_type", "offline"),
        ];
        let json = ask(&by_password).await.expect(200).json();
        let refresh = json["refresh_token"].as_str().unwrap().to_owned();
        assert!(json["scope"].is_string());
        let by_refresh = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
        let again = ask(&by_refresh).await.expect(200).json();
        for json in [&json, &again] {
            let token = json["access_token"].as_str().unwrap();
            let bearer = server.anonymous.with(Auth::Bearer(token.into()));
            repository.seen_by(&bearer).assert_holds("latest", &image).await;
            assert!(json["expires_in"].as_i64().unwrap() >= 60);
        }
        let wrong = [("grant_type", "password"), ("username", name), ("password", "Wrong1")];
        ask(&wrong).await.expect(401);
        let forged = [("grant_type", "refresh_token"), ("refresh_token", "made-up")];
        ask(&forged).await.expect(401);
        let unknown = ask(&[("grant_type", "authorization_code")]).await;
        assert_eq!(unknown.status, 400, "{}", unknown.describe());
        let empty = post_token(&repository.client, &[]).await;
        assert_eq!(empty.status, 400, "{}", empty.describe());
    })
    .await;
}

#[tokio::test]
async fn docker_logins_with_an_offline_token_get_one() {
    on_each_setup(async |server| {
        let user = server.admin.user().await;
        let path = "/service/token?service=harbor-registry&offline_token=true&client_id=docker";
        let json = user.get(path).await.expect(200).json();
        let refresh = json["refresh_token"].as_str().unwrap();
        let form = [
            ("grant_type", "refresh_token"),
            ("service", "harbor-registry"),
            ("client_id", "docker"),
            ("refresh_token", refresh),
        ];
        post_token(&user, &form).await.expect(200);
        let other = user.get("/service/token?service=somebody-else").await;
        assert_eq!(other.status, 400, "{}", other.describe());
    })
    .await;
}
