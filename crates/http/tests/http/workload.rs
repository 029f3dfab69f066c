//! Workload identity over HTTP: a token of an issuer that a robot trusts, in each place where
//! a robot shows who it is.

use domain::{
    access,
    robots::{self, NewTrust},
    testing::{add_project, add_robot, admin, outside::Signer},
};
use serde_json::{Value, json};

use crate::server::{Server, basic, both_now};

/// A robot that trusts an issuer's tokens for its repository.
async fn trusting(server: &Server, name: &str, issuer: &str) -> String {
    let context = &server.domain;
    let may = [("repository", "pull"), ("repository", "push"), ("project", "read")];
    let (name, secret) = add_robot(context, name, &may).await;
    let robot = robots::verify(context, &name, secret.reveal()).await.unwrap().unwrap();
    let held = access::hold(context, &admin(context).await, robot.id).await.unwrap();
    let new = NewTrust {
        issuer: issuer.to_owned(),
        audience: "registry".to_owned(),
        claims: [("repository".to_owned(), "team/*".to_owned())].into(),
    };
    robots::add_trust(context, &held, new).await.unwrap();
    name
}

fn claims(server: &Server, signer: &Signer) -> Value {
    let now = server.domain.clock.now().seconds();
    json!({
        "iss": signer.url, "sub": "job", "aud": "registry", "iat": now, "exp": now + 60,
        "repository": "team/app",
    })
}

async fn declare(server: &Server, signer: &Signer) {
    let source = json!({
        "name": "ci", "type": "issuer",
        "settings": {"url": signer.url, "certificate_authorities": signer.authority},
    });
    let path = "/api/haven/v1/identity-sources";
    let answer = server.ask("admin", "POST", path, &source.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

const TOKEN: &str = "/service/token?service=harbor-registry&scope=repository:p/x:pull,push";

#[tokio::test]
async fn a_job_is_a_robot_wherever_one_shows_who_it_is() {
    let signer = Signer::start().await;
    for server in both_now().await {
        add_project(&server.domain, "p", false).await;
        let name = trusting(&server, "ci", &signer.url).await;
        let token = signer.sign(&claims(&server, &signer));
        // Its issuer is inside, and nobody who may do so said that it may be asked.
        let refused = server.get_as(&basic(&name, &token), TOKEN).await;
        assert!(matches!(refused.status.as_u16(), 401 | 503), "{}", refused.body);
        declare(&server, &signer).await;
        server.domain.clock.advance(std::time::Duration::from_secs(11));
        for user in [name.as_str(), "jwt", ""] {
            let issued = server.get_as(&basic(user, &token), TOKEN).await;
            assert_eq!(issued.status, 200, "{user}: {}", issued.body);
            let bearer = format!("Bearer {}", issued.json()["token"].as_str().unwrap());
            assert_eq!(server.get_as(&bearer, "/v2/p/x/tags/list").await.status, 404);
        }
        for shown in [basic(&name, &token), format!("Bearer {token}")] {
            assert_eq!(server.get_as(&shown, "/v2/").await.status, 200);
            assert_eq!(server.get_as(&shown, "/v2/p/x/tags/list").await.status, 404);
            assert_eq!(server.get_as(&shown, "/api/v2.0/projects/p").await.status, 200);
            assert_eq!(server.get_as(&shown, "/api/v2.0/users").await.status, 403);
        }
    }
}

#[tokio::test]
async fn a_token_that_proves_nothing_opens_nothing() {
    let signer = Signer::start().await;
    for server in both_now().await {
        add_project(&server.domain, "p", false).await;
        trusting(&server, "ci", &signer.url).await;
        declare(&server, &signer).await;
        let good = claims(&server, &signer);
        let now = server.domain.clock.now().seconds();
        let mut wrong: Vec<String> = [
            ("iss", json!("https://localhost:1")),
            ("aud", json!("another")),
            ("aud", json!([])),
            ("exp", json!(now - 3600)),
            ("exp", Value::Null),
            ("nbf", json!(now + 3600)),
            ("iat", json!(now + 3600)),
            ("sub", json!("")),
            ("repository", json!("other/app")),
            ("repository", json!({"of": "team/app"})),
            ("repository", Value::Null),
        ]
        .into_iter()
        .map(|(claim, value)| {
            let mut claims = good.clone();
            claims[claim] = value;
            signer.sign(&claims)
        })
        .collect();
        let token = signer.sign(&good);
        let (_, rest) = token.split_once('.').unwrap();
        let (body, _) = rest.split_once('.').unwrap();
        wrong.push(format!("eyJhbGciOiJub25lIn0.{body}."));
        wrong.push(format!("eyJhbGciOiJub25lIn0.{body}.AAAA"));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        wrong.push(format!("{signed}.{other}{}", &signature[1..]));
        wrong.push(signer.sign_with(&good, |header| header.kid = Some("another".to_owned())));
        for token in &wrong {
            for shown in [basic("robot$ci", token), format!("Bearer {token}")] {
                assert_eq!(server.get_as(&shown, "/v2/").await.status, 401, "{token}");
                assert_eq!(server.get_as(&shown, "/api/v2.0/projects/p").await.status, 401);
            }
            let shown = basic("robot$ci", token);
            assert_eq!(server.get_as(&shown, TOKEN).await.status, 401);
        }
        // It buys no other, and names no robot that does not trust it.
        assert_eq!(server.get_as(&format!("Bearer {token}"), TOKEN).await.status, 401);
        assert_eq!(server.get_as(&basic("robot$other", &token), TOKEN).await.status, 401);
        assert_eq!(server.get_as(&basic("robot$ci", &token), TOKEN).await.status, 200);
        let cd = trusting(&server, "cd", &signer.url).await;
        assert_eq!(server.get_as(&basic("jwt", &token), TOKEN).await.status, 401);
        assert_eq!(server.get_as(&basic(&cd, &token), TOKEN).await.status, 200);
        signer.rotate();
        server.domain.clock.advance(std::time::Duration::from_secs(11));
        let new = signer.sign(&good);
        assert_eq!(server.get_as(&basic(&cd, &new), TOKEN).await.status, 200);
        assert_eq!(server.get_as(&basic(&cd, &token), TOKEN).await.status, 401);
    }
}
