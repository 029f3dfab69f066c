//! Tokens that no honest provider issues, from one of the test's own.

use std::{sync::Arc, time::Duration};

use identity::{
    Failure, Result, Trust,
    http::Reach,
    oidc::{Claims, Client, Issuer, verify_token},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use kit::Clock;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A provider that signs whatever it is given.
struct Signer {
    key: EncodingKey,
    issuer: Arc<Issuer>,
    clock: Clock,
}

impl Signer {
    async fn start() -> Self {
        let pair = KeyPair::generate().unwrap();
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        public.common.key_id = Some("one".to_owned());
        let mut strange = serde_json::to_value(&public).unwrap();
        strange["kty"] = json!("NEW");
        strange["kid"] = json!("strange");
        let mut sealing = serde_json::to_value(&public).unwrap();
        sealing["use"] = json!("enc");
        sealing["kid"] = json!("sealing");
        let keys = json!({"keys": [strange, sealing, public]}).to_string();

        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let about = json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut question = [0; 4096];
                let count = stream.read(&mut question).await.unwrap();
                let about_keys = question[..count].starts_with(b"GET /keys");
                let body = if about_keys { &keys } else { &about };
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
                let answer = format!("{head} {length}\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let clock = Clock::manual(Clock::System.now());
        let issuer = Issuer::new(&url, &Trust::System, Reach::Anywhere, clock.clone()).unwrap();
        Self { key, issuer: Arc::new(issuer), clock }
    }

    /// Claims that are as they should be.
    fn claims(&self) -> Value {
        let now = self.clock.now().seconds();
        json!({"iss": self.issuer.url(), "sub": "alice", "aud": "haven", "iat": now, "exp": now + 60})
    }

    fn sign(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("one".to_owned());
        change(&mut header);
        encode(&header, claims, &self.key).unwrap()
    }

    async fn verify(&self, token: &str) -> Result<Claims> {
        verify_token(&self.issuer, "haven", token).await
    }

    async fn verify_as_client(&self, claims: &Value) -> Result<Claims> {
        let client = Client {
            issuer: self.issuer.clone(),
            id: "haven".to_owned(),
            secret: "x".into(),
            scope: String::new(),
            redirect_uri: String::new(),
            extra: Vec::new(),
        };
        client.verify(&self.sign(claims, |_| {})).await
    }
}

#[tokio::test]
async fn only_what_is_all_right_is_believed() {
    let signer = Signer::start().await;
    let good = signer.claims();
    assert!(signer.verify(&signer.sign(&good, |_| {})).await.is_ok());
    // Without a name for the key all that can have signed are tried.
    assert!(signer.verify(&signer.sign(&good, |header| header.kid = None)).await.is_ok());
    let now = signer.clock.now().seconds();
    for (claim, value) in [
        ("iss", json!("https://somebody.else")),
        ("iss", Value::Null),
        ("aud", json!("another")),
        ("aud", json!(["another", "third"])),
        ("aud", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(300))),
        ("exp", json!(now - 61)),
        ("exp", Value::Null),
        ("exp", json!("never")),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 3600)),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        let tried = signer.verify(&signer.sign(&claims, |_| {})).await;
        assert!(matches!(tried, Err(Failure::BadToken(_))), "{claims}: {tried:?}");
    }
    // Clocks may differ by a minute.
    for (claim, value) in [("exp", now - 59), ("nbf", now + 59), ("iat", now + 59)] {
        let mut claims = good.clone();
        claims[claim] = json!(value);
        assert!(signer.verify(&signer.sign(&claims, |_| {})).await.is_ok(), "{claims}");
    }
}

#[tokio::test]
async fn only_a_key_of_the_issuer_signs() {
    let signer = Signer::start().await;
    let stranger = Signer::start().await;
    let claims = signer.claims();
    let refused = |tried: Result<Claims>| {
        assert!(matches!(tried, Err(Failure::BadToken(_))), "{tried:?}");
    };
    refused(signer.verify(&stranger.sign(&claims, |_| {})).await);
    refused(signer.verify(&signer.sign(&claims, |header| header.kid = Some("x".into()))).await);
    for kid in ["strange", "sealing"] {
        refused(signer.verify(&signer.sign(&claims, |header| header.kid = Some(kid.into()))).await);
    }
    // The public key as a shared secret, and no signature at all.
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    let forged = encode(&header, &claims, &EncodingKey::from_secret(b"public")).unwrap();
    refused(signer.verify(&forged).await);
    let good = signer.sign(&claims, |_| {});
    let (_, rest) = good.split_once('.').unwrap();
    let (body, _) = rest.split_once('.').unwrap();
    refused(signer.verify(&format!("eyJhbGciOiJub25lIn0.{body}.")).await);
    let needing = signer.sign(&claims, |header| header.crit = Some(vec!["exp".into()]));
    refused(signer.verify(&needing).await);
}

#[tokio::test]
async fn a_token_for_another_client_is_not_ours() {
    let signer = Signer::start().await;
    let with = |claim: &str, value: Value, azp: Value| {
        let mut claims = signer.claims();
        claims[claim] = value;
        claims["azp"] = azp;
        claims
    };
    for good in [
        with("aud", json!("haven"), json!("haven")),
        with("aud", json!(["haven"]), Value::Null),
        with("aud", json!(["haven", "another"]), json!("haven")),
    ] {
        assert!(signer.verify_as_client(&good).await.is_ok(), "{good}");
    }
    for bad in [
        with("aud", json!("haven"), json!("another")),
        with("aud", json!(["haven", "another"]), json!("another")),
        with("aud", json!(["haven", "another"]), Value::Null),
    ] {
        assert!(signer.verify_as_client(&bad).await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn an_issuer_that_users_choose_is_a_public_one() {
    let signer = Signer::start().await;
    let url = signer.issuer.url().to_owned();
    let clock = Clock::manual(signer.clock.now());
    assert!(Issuer::new(&url, &Trust::System, Reach::Public, clock.clone()).is_err());
    let named = Issuer::new("https://localhost:1", &Trust::System, Reach::Public, clock).unwrap();
    let refused = tokio::time::timeout(Duration::from_secs(20), named.ping()).await.unwrap();
    assert!(matches!(refused, Err(Failure::Unreachable(_))), "{refused:?}");
}
