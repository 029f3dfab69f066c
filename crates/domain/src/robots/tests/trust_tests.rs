//! Tokens of issuers that stand for robots.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

#[tokio::test]
async fn tokens_of_a_trusted_issuer_stand_for_a_robot() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let pull = [permission("project", "p", &["repository:pull"])];
        let created = make(&context, Some("p"), "ci", &pull).await;
        let allowed = level(&context, created.id, Action::Update).await;
        let held = hold(&context, created.id).await;
        let issuer = "https://token.actions.example.org";
        let rule = |claims: &[(&str, &str)]| NewTrust {
            issuer: issuer.to_owned(),
            audience: "haven".to_owned(),
            claims: claims.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        let new = rule(&[("repository", "org/*"), ("ref", "refs/heads/{main,release/**}")]);
        let trust = add_trust(&context, &held, new).await.unwrap();
        let stands = async |claims: serde_json::Value, audience: &str, name: Option<&str>| {
            let trusts = trusts_of(&context, issuer).await.unwrap();
            let claims = claims.as_object().unwrap().clone();
            let audiences = [audience.to_owned()];
            let robot = trusted(&context, &trusts, &audiences, &claims, name).await;
            robot.map(|robot| robot.id).map_err(|error| error.kind)
        };
        let good = || json!({"repository": "org/app", "ref": "refs/heads/main", "run": 3});
        let refused = Err(Kind::Unauthenticated);
        assert_eq!(stands(good(), "haven", None).await, Ok(created.id));
        assert_eq!(stands(good(), "haven", Some("robot$p+ci")).await, Ok(created.id));
        assert_eq!(stands(good(), "haven", Some("robot$p+other")).await, refused);
        assert_eq!(stands(good(), "else", None).await, refused);
        for bad in [
            json!({"repository": "org/app"}),
            json!({"repository": "org/app", "ref": "refs/heads/x"}),
            json!({"repository": "evil/org/app", "ref": "refs/heads/main"}),
            json!({"repository": ["x"], "ref": {"refs/heads/main": 1}}),
        ] {
            assert_eq!(stands(bad.clone(), "haven", None).await, refused, "{bad}");
        }
        // Two robots for one token: it must say which.
        let second = make(&context, None, "second", &pull).await;
        let second_held = hold(&context, second.id).await;
        add_trust(&context, &second_held, rule(&[("repository", "**")])).await.unwrap();
        assert_eq!(stands(good(), "haven", None).await, refused);
        assert_eq!(stands(good(), "haven", Some("robot$second")).await, Ok(second.id));

        let read = level(&context, created.id, Action::Read).await;
        assert_eq!(trusts(&context, &read, created.id).await.unwrap().len(), 1);
        remove_trust(&context, &allowed, created.id, trust).await.unwrap();
        let again = remove_trust(&context, &allowed, created.id, trust).await.unwrap_err();
        assert_eq!(again.kind, Kind::NotFound);
        assert_eq!(stands(good(), "haven", Some("robot$p+ci")).await, refused);

        for bad in [
            NewTrust { issuer: "http://a".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: "https://".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: "https://u@h".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: "https://h?x".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: format!("https://{}", "h".repeat(600)), ..rule(&[("a", "b")]) },
            NewTrust { audience: String::new(), ..rule(&[("a", "b")]) },
            NewTrust { claims: BTreeMap::new(), ..rule(&[]) },
            rule(&[("a", "[")]),
            rule(&[("", "x")]),
        ] {
            let refused = add_trust(&context, &held, bad.clone()).await;
            assert_eq!(refused.unwrap_err().kind, Kind::Invalid, "{bad:?}");
        }
    }
}
