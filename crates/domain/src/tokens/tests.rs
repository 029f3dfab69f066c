#![allow(clippy::unwrap_used)]

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use db::args;
use kit::{Clock, Kind};
use oci::Scope;
use serde_json::{Value, json};

use super::{issue, issue_refresh, keys, rotate, verify, verify_refresh};
use crate::{
    Context,
    access::{self, Caller},
    configurations,
    projects::Role,
    settings::Key,
    testing::{START, add_project, add_user, admin, both, join, postgres, sqlite},
    users,
};

const SCOPE: &str = "repository:library/x:pull";

async fn token(context: &Context, caller: &Caller, scopes: &str) -> String {
    issue(context, caller, &Scope::parse_list(scopes).unwrap()).await.unwrap().token
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A token that says something else, signed with a key.
fn forged(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

async fn refusal(context: &Context, token: &str) -> Kind {
    verify(context, token).await.expect_err("is refused").kind
}

#[tokio::test]
async fn a_token_speaks_for_its_user() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let token = token(&context, &alice, SCOPE).await;
        for _ in 0..2 {
            let caller = verify(&context, &token).await.unwrap();
            assert_eq!(caller.principal(), alice.principal());
            assert_eq!(&**caller.name().unwrap(), "alice");
            assert!(caller.has_token());
        }
        let claims = part(&token, 1);
        assert_eq!(part(&token, 0)["alg"], "ES256");
        assert_eq!(claims["iss"], "harbor-token-issuer");
        assert_eq!(claims["aud"], "harbor-registry");
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["iat"], START.seconds());
        assert_eq!(claims["nbf"], START.seconds());
        assert_eq!(claims["exp"], START.seconds() + 30 * 60);
        assert_eq!(claims["access"][0]["actions"], json!(["pull"]));
        assert!(token.len() < 600, "{}", token.len());
    }
}

#[tokio::test]
async fn a_token_has_what_its_caller_may_have() {
    let context = sqlite().open().await;
    add_project(&context, "closed", false).await;
    let alice = add_user(&context, "alice").await;
    join(&context, "closed", &alice, Role::Maintainer).await;
    let granted = async |caller: &Caller, scopes: &str| {
        let issued = issue(&context, caller, &Scope::parse_list(scopes).unwrap()).await.unwrap();
        let granted: Vec<String> = issued.granted.iter().map(Scope::to_string).collect();
        granted.join(" ")
    };
    let nobody = Caller::anonymous();
    let sysadmin = admin(&context).await;
    let all = "repository:closed/x:pull,push,delete";
    assert_eq!(granted(&alice, "repository:closed/x:pull").await, all);
    assert_eq!(granted(&alice, "repository:closed/x:push repository:closed/x:pull").await, all);
    assert_eq!(granted(&sysadmin, "repository:closed/x:*").await, all);
    assert_eq!(granted(&sysadmin, "repository:nothing/x:pull").await, "");
    assert_eq!(granted(&sysadmin, "repository:NotAName:pull").await, "");
    assert_eq!(granted(&nobody, "repository:closed/x:pull").await, "");
    assert_eq!(granted(&nobody, SCOPE).await, SCOPE);
    assert_eq!(granted(&nobody, "registry:catalog:*").await, "");
    assert_eq!(granted(&alice, "registry:catalog:*").await, "registry:catalog:*");
    assert_eq!(granted(&alice, "registry:other:*").await, "");
    assert_eq!(granted(&alice, "artifact-repository:closed/x:pull").await, "");
    let two = format!("{SCOPE} repository:closed/y:pull");
    let both = format!("{SCOPE} repository:closed/y:pull,push,delete");
    assert_eq!(granted(&alice, &two).await, both);
}

#[tokio::test]
async fn tokens_live_from_their_beginning_to_their_end() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let caller = admin(&context).await;
        let old = token(&context, &caller, SCOPE).await;
        verify(&context, &old).await.unwrap();
        // A replica whose clock is behind by less than the leeway.
        let behind = Clock::manual(START.before(Duration::from_secs(59)));
        verify(&place.open_with(behind).await, &old).await.unwrap();
        let far_behind = Clock::manual(START.before(Duration::from_secs(61)));
        assert_eq!(refusal(&place.open_with(far_behind).await, &old).await, Kind::Unauthenticated);

        clock.advance(Duration::from_secs(30 * 60 + 59));
        verify(&context, &old).await.unwrap();
        clock.advance(Duration::from_secs(1));
        assert_eq!(refusal(&context, &old).await, Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn what_was_not_issued_here_is_refused() {
    let context = sqlite().open().await;
    let caller = admin(&context).await;
    let good = token(&context, &caller, SCOPE).await;
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let ring = keys::ring(&context).await.unwrap();
    let ours = &ring.signing().pair;
    let theirs = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();

    // What is signed with our key is as good as what we issue: so the forgeries below
    // fail for what they say, not for how they are made.
    verify(&context, &forged(ours, &header, &claims)).await.unwrap();

    let with = |value: &Value, name: &str, other: Value| {
        let mut changed = value.clone();
        changed[name] = other;
        changed
    };
    let without = |value: &Value, name: &str| {
        let mut changed = value.clone();
        changed.as_object_mut().unwrap().remove(name);
        changed
    };
    let cases = [
        ("signed by another", forged(&theirs, &header, &claims)),
        ("other issuer", forged(ours, &header, &with(&claims, "iss", json!("another")))),
        ("no issuer", forged(ours, &header, &without(&claims, "iss"))),
        ("other audience", forged(ours, &header, &with(&claims, "aud", json!("another")))),
        ("no audience", forged(ours, &header, &without(&claims, "aud"))),
        ("no end", forged(ours, &header, &without(&claims, "exp"))),
        ("ended long ago", forged(ours, &header, &with(&claims, "exp", json!(1)))),
        ("not yet", forged(ours, &header, &with(&claims, "nbf", json!(START.seconds() + 999)))),
        ("other algorithm", forged(ours, &with(&header, "alg", json!("ES384")), &claims)),
        ("symmetric", forged(ours, &with(&header, "alg", json!("HS256")), &claims)),
        ("alg none, signed", forged(ours, &with(&header, "alg", json!("none")), &claims)),
        ("unknown key", forged(ours, &with(&header, "kid", json!("another")), &claims)),
        ("no key", forged(ours, &without(&header, "kid"), &claims)),
        ("no signature", good.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("two parts", good.rsplit_once('.').unwrap().0.to_owned()),
        ("other claims, same signature", {
            let other = with(&claims, "uid", json!(2)).to_string();
            let parts: Vec<&str> = good.split('.').collect();
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(other), parts[2])
        }),
        ("alg none", {
            let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
            format!("{none}.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()))
        }),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("not base64", "ä.ö.ü".to_owned()),
        ("huge", "x".repeat(100_000)),
    ];
    for (what, token) in cases {
        assert_eq!(refusal(&context, &token).await, Kind::Unauthenticated, "{what}");
    }
}

#[tokio::test]
async fn keys_rotate_without_voiding_tokens() {
    let place = postgres().await;
    let clock = Clock::manual(START);
    let here = place.open_with(clock.clone()).await;
    let there = place.open_with(clock.clone()).await;
    let caller = admin(&here).await;
    let old = token(&here, &caller, SCOPE).await;
    verify(&there, &old).await.unwrap();

    rotate(&here).await.unwrap();
    let new = token(&here, &caller, SCOPE).await;
    assert_ne!(part(&old, 0)["kid"], part(&new, 0)["kid"]);
    // The other replica has not seen the key yet; it looks.
    clock.advance(Duration::from_secs(1));
    verify(&there, &new).await.unwrap();
    verify(&there, &old).await.unwrap();
    verify(&here, &old).await.unwrap();

    // By the next rotation after its tokens have expired, the old key is gone.
    clock.advance(Duration::from_secs(40 * 60));
    rotate(&there).await.unwrap();
    let rows = here.db.all("SELECT id FROM signing_keys", args![]).await.unwrap();
    assert_eq!(rows.len(), 2);
    let newest = token(&there, &caller, SCOPE).await;
    verify(&here, &newest).await.unwrap();
}

#[tokio::test]
async fn an_unknown_key_has_the_table_read_once_a_second() {
    let clock = Clock::manual(START);
    let context = sqlite().open_with(clock.clone()).await;
    let caller = admin(&context).await;
    let good = token(&context, &caller, SCOPE).await;
    let header = json!({"typ": "JWT", "alg": "ES256", "kid": "another"});
    let ring = keys::ring(&context).await.unwrap();
    let bad = forged(&ring.signing().pair, &header, &part(&good, 1));
    context.db.close().await;
    // Read a moment ago: the unknown key is refused without a look.
    assert_eq!(refusal(&context, &bad).await, Kind::Unauthenticated);
    clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(&context, &bad).await, Kind::Unavailable);
}

#[tokio::test]
async fn a_refresh_token_hangs_on_user_and_password() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        add_user(&context, "alice").await;
        let alice = users::find_by_name(&context, "alice").await.unwrap().unwrap();
        let refresh = issue_refresh(&context, &alice).unwrap();
        assert_eq!(verify_refresh(&context, &refresh).await.unwrap().id, alice.id);
        clock.advance(Duration::from_secs(89 * 24 * 3600));
        verify_refresh(&context, &refresh).await.unwrap();

        let access_token = token(&context, &Caller::user(&alice), SCOPE).await;
        let mut damaged = refresh.clone();
        damaged.pop();
        for bad in [access_token.as_str(), damaged.as_str(), "", "v1.", &"x".repeat(100_000)] {
            let refused = verify_refresh(&context, bad).await.err().unwrap();
            assert_eq!(refused.kind, Kind::Unauthenticated);
        }

        users::reset_password(&context, "alice", "Another12345").await.unwrap();
        let refused = verify_refresh(&context, &refresh).await.err().unwrap();
        assert_eq!(refused.kind, Kind::Unauthenticated);

        let alice = users::find_by_name(&context, "alice").await.unwrap().unwrap();
        let refresh = issue_refresh(&context, &alice).unwrap();
        clock.advance(Duration::from_secs(90 * 24 * 3600));
        assert!(verify_refresh(&context, &refresh).await.is_err());
    }
}

#[tokio::test]
async fn another_installation_takes_no_tokens_of_ours() {
    let (here, there) = (sqlite().open().await, sqlite().open().await);
    let caller = admin(&here).await;
    let token = token(&here, &caller, SCOPE).await;
    assert_eq!(refusal(&there, &token).await, Kind::Unauthenticated);
    let user = access::user(&here, &caller).await.unwrap();
    let refresh = issue_refresh(&here, &user).unwrap();
    assert!(verify_refresh(&there, &refresh).await.is_err());
}

#[tokio::test]
async fn the_setting_of_their_life_counts_at_once() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let caller = admin(&context).await;
        let old = token(&context, &caller, SCOPE).await;
        assert_eq!(part(&old, 1)["exp"], START.seconds() + 30 * 60);
        let right = access::Right::new(access::Resource::Configuration, access::Action::Update);
        let allowed = access::on_system(&context, &caller, right).await.unwrap();
        let wanted = vec![(Key::TokenExpiration, "120".to_owned())];
        configurations::update(&context, &allowed, wanted).await.unwrap();
        let long = token(&context, &caller, SCOPE).await;
        assert_eq!(part(&long, 1)["exp"], START.seconds() + 120 * 60);
        // The key that signed it verifies as long as it lives.
        rotate(&context).await.unwrap();
        clock.advance(Duration::from_secs(119 * 60));
        rotate(&context).await.unwrap();
        verify(&context, &long).await.unwrap();
        let other = place.open_with(clock.clone()).await;
        verify(&other, &long).await.unwrap();
        assert_eq!(refusal(&context, &old).await, Kind::Unauthenticated);
    }
}
