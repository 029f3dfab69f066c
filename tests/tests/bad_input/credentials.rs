//! Tokens that nobody issued, or for something else.

use crate::Scene;
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use haven_tests::{Auth, on_each_setup};
use serde_json::{Value, json};

/// A token taken apart.
struct Token {
    header: Value,
    claims: Value,
    signature: String,
}

impl Token {
    fn parse(text: &str) -> Token {
        let parts: Vec<&str> = text.split('.').collect();
        let json = |part: &str| {
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        Token { header: json(parts[0]), claims: json(parts[1]), signature: parts[2].to_owned() }
    }

    fn content(&self) -> String {
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }

    /// With the signature it had, which no longer fits what was changed.
    fn kept(&self) -> String {
        format!("{}.{}", self.content(), self.signature)
    }

    fn unsigned(&self) -> String {
        format!("{}.", self.content())
    }

    /// Signed well, with a key that the server has never seen.
    fn by_another_key(&self) -> String {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let signature = key.sign(&random, self.content().as_bytes()).unwrap();
        format!("{}.{}", self.content(), BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn by_secret(&self, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, self.content().as_bytes());
        format!("{}.{}", self.content(), BASE64_URL_SAFE_NO_PAD.encode(tag))
    }
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let repository = &scene.repository;
        let scope = format!("repository:{}:pull", repository.name);
        let answer = repository.client.ask_token(&[&scope]).await.expect(200).json();
        let real = answer["token"].as_str().unwrap().to_owned();
        let opens = async |token: &str| {
            let bearer = server.anonymous.with(Auth::Bearer(token.to_owned()));
            repository.seen_by(&bearer).manifest("latest").await
        };
        opens(&real).await.expect(200);
        let changed = |change: &dyn Fn(&mut Token)| {
            let mut token = Token::parse(&real);
            change(&mut token);
            token
        };
        let claim = |name: &'static str, value: Value| {
            changed(&|token| token.claims[name] = value.clone())
        };
        let none = |name: &'static str| changed(&|token| token.header["alg"] = json!(name));
        let now = Token::parse(&real).claims["iat"].as_i64().unwrap();
        let forged = [
            ("alg none", none("none").unsigned()),
            ("alg None", none("None").unsigned()),
            ("alg none with the signature", none("none").kept()),
            ("no signature", changed(&|_| ()).unsigned()),
            ("another key", changed(&|_| ()).by_another_key()),
            ("HS256 without a secret", none("HS256").by_secret(b"")),
            ("HS256 with the key's name", none("HS256").by_secret(
                Token::parse(&real).header["kid"].as_str().unwrap_or("kid").as_bytes(),
            )),
            ("an unknown key", changed(&|token| token.header["kid"] = json!("unknown")).kept()),
            ("a key from the web", changed(&|token| {
                token.header["jku"] = json!("http://127.0.0.1:1/keys");
            }).by_another_key()),
            ("another subject", claim("sub", json!("admin")).kept()),
            ("more rights", claim("access", json!([{
                "type": "repository", "name": repository.name, "actions": ["pull", "push", "delete"],
            }])).kept()),
            ("another audience", claim("aud", json!("somebody-else")).by_another_key()),
            ("expired", claim("exp", json!(now - 3600)).by_another_key()),
            ("not yet valid", claim("nbf", json!(now + 3600)).by_another_key()),
            ("another audience, old signature", claim("aud", json!("somebody-else")).kept()),
            ("a longer life", claim("exp", json!(now + 1_000_000)).kept()),
            ("cut short", real[..real.len() - 4].to_owned()),
            ("one letter more", format!("{real}A")),
            ("very long", "a".repeat(20_000)),
        ];
        for (what, token) in forged {
            println!("{what}");
            let answer = opens(&token).await;
            assert!([401, 431].contains(&answer.status), "{what}: {}", answer.describe());
        }
        // A token of another server of the same name.
        let other = haven_tests::Server::start(&haven_tests::Settings::appliance()).await;
        let foreign = other.admin.ask_token(&[&scope]).await.expect(200).json();
        opens(foreign["token"].as_str().unwrap()).await.refused(401, "UNAUTHORIZED");
        opens(&real).await.expect(200);
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn malformed_authorization_is_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let path = scene.repository.path("manifests/latest");
        for value in [
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic YWRtaW4=",
            "Basic Og==",
            "Bearer",
            "Digest username=\"admin\"",
            "basic:admin",
            "Basic YWRtaW4AOng=",
            "Negotiate abc",
            "Basic ////",
        ] {
            let request = server.anonymous.request("GET", &path).header("authorization", value);
            let answer = request.send().await;
            answer.refused(401, "UNAUTHORIZED");
        }
        // Some clouds' passwords are thousands of bytes long.
        let long = server.anonymous.login("admin", &"p".repeat(4000));
        long.get("/v2/").await.refused(401, "UNAUTHORIZED");
        scene.assert_unharmed().await;
    })
    .await;
}
