//! Against a real provider.

use std::{sync::Arc, time::Duration};

use identity::{
    Failure, Trust,
    http::Reach,
    oidc::{Begun, Client, Issuers, Names, Person, Tokens, verify_token},
    testing::{Provider, sign_in},
};
use kit::{Clock, Secret, Time};
use url::Url;

const CALLBACK: &str = "http://registry.example.org/c/oidc/callback";

fn clock() -> Clock {
    Clock::manual(Clock::System.now())
}

fn client(provider: &Provider, clock: Clock, id: &str) -> Client {
    let issuers = Issuers::new(clock);
    Client {
        issuer: issuers.issuer(&provider.url, &Trust::System, Reach::Anywhere).unwrap(),
        id: id.to_owned(),
        secret: Provider::client_secret(),
        scope: "openid,profile,email,groups,offline_access".to_owned(),
        redirect_uri: CALLBACK.to_owned(),
        extra: vec![
            ("prompt".to_owned(), "consent".to_owned()),
            ("redirect_uri".to_owned(), "http://evil.example.org".to_owned()),
        ],
    }
}

/// What the browser brings back.
fn brought(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(own, _)| own == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

async fn signed_in(client: &Client, account: &str) -> Tokens {
    let begun = client.begin().await.unwrap();
    let back = sign_in(&begun.url, account).await;
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    assert_eq!(brought(&back, "state"), begun.state.reveal());
    redeem(client, &back, &begun).await.unwrap()
}

async fn redeem(client: &Client, back: &Url, begun: &Begun) -> identity::Result<Tokens> {
    client.redeem(&brought(back, "code"), (&begun.nonce, &begun.verifier)).await
}

fn names() -> Names {
    Names {
        user: "preferred_username".into(),
        groups: "groups".into(),
        group_filter: String::new(),
        admin_group: "admins".into(),
    }
}

#[tokio::test]
async fn somebody_signs_in() {
    let provider = Provider::start();
    for id in ["haven", "haven-post"] {
        let client = client(&provider, clock(), id);
        client.issuer.ping().await.unwrap();
        let tokens = signed_in(&client, "alice").await;
        let person = names().person(&tokens.claims.unwrap()).unwrap();
        let expected = Person {
            issuer: provider.url.clone(),
            subject: "alice".into(),
            username: "alice".into(),
            email: Some("alice@example.org".into()),
            groups: vec!["admins".into(), "dev".into(), "ops".into()],
            has_groups: true,
            admin: true,
        };
        assert_eq!(person, expected);
        let tokens = signed_in(&client, "bob").await;
        let person = names().person(&tokens.claims.unwrap()).unwrap();
        assert_eq!((person.groups, person.admin), (vec!["dev".to_owned()], false));
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_who_asked_for_it() {
    let provider = Provider::start();
    let client = client(&provider, clock(), "haven");
    let refused = |tried: identity::Result<Tokens>| {
        assert!(matches!(tried, Err(Failure::BadToken(_) | Failure::NotTaken)), "{tried:?}");
    };
    let begun = client.begin().await.unwrap();
    let back = sign_in(&begun.url, "alice").await;
    redeem(&client, &back, &begun).await.unwrap();
    refused(redeem(&client, &back, &begun).await);

    let stolen = client.begin().await.unwrap();
    let back = sign_in(&begun.url, "alice").await;
    refused(redeem(&client, &back, &stolen).await);

    // Somebody else's ID token does not pass for the one of this attempt.
    let begun = client.begin().await.unwrap();
    let back = sign_in(&begun.url, "alice").await;
    let replayed = Begun { nonce: stolen.nonce, ..begun };
    refused(redeem(&client, &back, &replayed).await);

    for code in ["", "nonsense", &"x".repeat(100_000)] {
        refused(client.redeem(code, (&"n".into(), &"v".into())).await);
    }
    let wrong = Client { secret: "wrong".into(), ..client.clone() };
    let begun = wrong.begin().await.unwrap();
    let back = sign_in(&begun.url, "alice").await;
    assert!(matches!(redeem(&wrong, &back, &begun).await, Err(Failure::Misconfigured(_))));
    let denied = sign_in(&client.begin().await.unwrap().url, "nobody").await;
    assert_eq!(brought(&denied, "error"), "access_denied");
}

#[tokio::test]
async fn an_account_can_be_asked_about_again() {
    let provider = Provider::start();
    let client = client(&provider, clock(), "haven");
    let tokens = signed_in(&client, "bob").await;
    let refresh = tokens.refresh_token.unwrap();
    let again = client.refresh(&refresh, "bob").await.unwrap();
    assert_eq!(again.claims.unwrap().subject(), Some("bob"));
    let newer = again.refresh_token.unwrap_or(refresh);
    assert!(matches!(client.refresh(&newer, "alice").await, Err(Failure::BadToken(_))));
    let nonsense = Secret::from("nonsense");
    assert_eq!(client.refresh(&nonsense, "bob").await.unwrap_err(), Failure::NotTaken);
}

#[tokio::test]
async fn a_token_is_believed_while_it_is_good() {
    let provider = Provider::start();
    let clock = clock();
    let client = client(&provider, clock.clone(), "haven");
    let token = signed_in(&client, "alice").await.id_token.unwrap();
    let token = token.reveal();
    assert_eq!(client.verify(token).await.unwrap().subject(), Some("alice"));
    assert!(verify_token(&client.issuer, "haven", token).await.is_ok());
    let refused = |tried: identity::Result<_>| {
        assert!(matches!(tried, Err(Failure::BadToken(_))), "{tried:?}");
    };
    refused(verify_token(&client.issuer, "another", token).await);
    refused(verify_token(&client.issuer, "", token).await);
    refused(client.verify(&token[..token.len() - 2]).await);
    refused(client.verify("a.b.c").await);
    refused(client.verify("").await);
    refused(client.verify(&"x".repeat(100_000)).await);
    // Its 600 seconds, and the minute by which clocks may differ.
    clock.advance(Duration::from_secs(630));
    assert!(client.verify(token).await.is_ok());
    clock.advance(Duration::from_secs(60));
    refused(client.verify(token).await);
}

#[tokio::test]
async fn keys_may_change_at_any_time() {
    let mut provider = Provider::start();
    let clock = clock();
    let client = client(&provider, clock.clone(), "haven");
    let old = signed_in(&client, "alice").await.id_token.unwrap();
    assert!(client.verify(old.reveal()).await.is_ok());
    // While it is away, its keys are remembered.
    provider.stop();
    assert!(client.verify(old.reveal()).await.is_ok());
    provider.rotate();
    clock.advance(Duration::from_secs(11));
    let new = signed_in(&client, "alice").await.id_token.unwrap();
    assert!(client.verify(new.reveal()).await.is_ok());
    // The key that signed the old one is gone.
    assert!(matches!(client.verify(old.reveal()).await, Err(Failure::BadToken(_))));
}

#[tokio::test]
async fn a_session_ends_at_the_provider_too() {
    let provider = Provider::start();
    let client = client(&provider, clock(), "haven");
    let token = signed_in(&client, "alice").await.id_token.unwrap();
    let back = "http://registry.example.org/";
    let url = client.logout_url(Some(&token), back).await.unwrap().unwrap();
    assert_eq!(brought(&url, "post_logout_redirect_uri"), back);
    let answer = reqwest::get(url).await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[tokio::test]
async fn a_provider_that_is_away_is_not_asked_again_at_once() {
    let mut provider = Provider::start();
    let clock = clock();
    let client = client(&provider, clock.clone(), "haven");
    provider.stop();
    let away = client.begin().await.unwrap_err();
    assert!(matches!(away, Failure::Unreachable(_)), "{away:?}");
    provider.rotate();
    assert_eq!(client.begin().await.unwrap_err(), away);
    clock.advance(Duration::from_secs(11));
    client.begin().await.unwrap();
}

#[tokio::test]
async fn the_request_is_ours() {
    let provider = Provider::start();
    let client = client(&provider, Clock::manual(Time(0)), "haven");
    let url = client.begin().await.unwrap().url;
    let of = |name: &str| -> Vec<String> {
        let pairs = url.query_pairs().filter(|(own, _)| own == name);
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    assert_eq!(of("redirect_uri"), [CALLBACK]);
    assert_eq!(of("prompt"), ["consent"]);
    assert_eq!(of("code_challenge_method"), ["S256"]);
    assert_eq!(of("scope"), ["openid profile email groups offline_access"]);
    assert!(of("state")[0].len() >= 40 && of("nonce")[0].len() >= 40);
    let again = client.begin().await.unwrap();
    assert_ne!(again.state.reveal(), of("state")[0]);
    let _shared: Arc<_> = client.issuer;
}
