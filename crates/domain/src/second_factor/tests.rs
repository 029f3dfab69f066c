#![allow(clippy::unwrap_used)]

use std::time::Duration;

use db::args;
use kit::{Clock, Kind, Subject};

use super::{check, confirm, disable, enrol, renew_recovery_codes, status, totp::Totp};
use crate::{
    Context,
    access::{self, Caller},
    testing::{START, add_user, admin, both},
    users::{self, AllowedAccount, User},
};

/// A phone with a secret in it.
pub(crate) struct Phone(Totp);

impl Phone {
    fn with(secret: &str) -> Self {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: String =
            secret.chars().map(|c| format!("{:05b}", ALPHABET.find(c).unwrap())).collect();
        let bytes = bits
            .as_bytes()
            .chunks_exact(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap());
        Self(Totp::of(&bytes.collect::<Vec<_>>()))
    }

    fn code(&self, context: &Context) -> String {
        self.0.code(context.clock.now().seconds() / 30)
    }
}

async fn account(context: &Context, caller: &Caller) -> AllowedAccount {
    access::own_account(context, caller).await.unwrap()
}

async fn user(context: &Context, caller: &Caller) -> std::sync::Arc<User> {
    users::find(context, caller.user_id().unwrap()).await.unwrap().unwrap()
}

/// Turns a user's second factor on, and gives its phone and its recovery codes.
pub(crate) async fn turn_on(context: &Context, caller: &Caller) -> (Phone, Vec<String>) {
    let allowed = account(context, caller).await;
    let phone = Phone::with(enrol(context, &allowed).await.unwrap().reveal());
    let codes = confirm(context, &allowed, &phone.code(context)).await.unwrap();
    (phone, codes.iter().map(|code| code.reveal().to_owned()).collect())
}

async fn passes(context: &Context, caller: &Caller, code: &str) -> bool {
    let user = user(context, caller).await;
    match check(context, &user, Some(code)).await {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind, Kind::Unauthenticated, "{error}");
            assert_eq!(error.subject, Subject::SecondFactor);
            false
        }
    }
}

#[tokio::test]
async fn it_is_on_once_the_phone_has_proved_itself() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let allowed = account(&context, &alice).await;
        let nothing = confirm(&context, &allowed, "123456").await.unwrap_err();
        assert_eq!(nothing.kind, Kind::Precondition);
        let first = Phone::with(enrol(&context, &allowed).await.unwrap().reveal());
        let second = Phone::with(enrol(&context, &allowed).await.unwrap().reveal());
        for wrong in ["", "000000x", &first.code(&context)] {
            let refused = confirm(&context, &allowed, wrong).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid);
        }
        assert!(!user(&context, &alice).await.second_factor);
        let codes = confirm(&context, &allowed, &second.code(&context)).await.unwrap();
        assert_eq!(codes.len(), 10);
        assert!(user(&context, &alice).await.second_factor);
        let now = status(&context, &allowed).await.unwrap();
        assert_eq!((now.since, now.recovery_codes), (Some(START), 10));
        let again = enrol(&context, &allowed).await.unwrap_err();
        assert_eq!(again.kind, Kind::Conflict);

        let stored = "SELECT secret FROM second_factors";
        let stored: String =
            context.db.one(stored, args![]).await.unwrap().unwrap().get(0).unwrap();
        assert!(stored.starts_with("v1."), "it is sealed");
        let row = context.db.one("SELECT hash FROM recovery_codes LIMIT 1", args![]).await;
        let hash: String = row.unwrap().unwrap().get(0).unwrap();
        assert!(codes.iter().all(|code| !hash.contains(code.reveal())));
    }
}

#[tokio::test]
async fn a_code_is_good_once() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let (phone, _) = turn_on(&context, &alice).await;
        let confirmed_with = phone.code(&context);
        assert!(!passes(&context, &alice, &confirmed_with).await, "it was used to confirm");
        clock.advance(Duration::from_secs(30));
        let code = phone.code(&context);
        assert!(passes(&context, &alice, &code).await);
        assert!(!passes(&context, &alice, &code).await);
        clock.advance(Duration::from_secs(30));
        assert!(!passes(&context, &alice, &code).await, "nor in the next step");
        // Of many at once, one.
        let code = phone.code(&context);
        let user = user(&context, &alice).await;
        let many = (0..10).map(|_| check(&context, &user, Some(&code)));
        let right = futures_util::future::join_all(many).await;
        assert_eq!(right.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    }
}

#[tokio::test]
async fn recovery_codes_stand_in_once_each() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let bob = add_user(&context, "bob").await;
        let (_, codes) = turn_on(&context, &alice).await;
        turn_on(&context, &bob).await;
        assert!(!passes(&context, &bob, &codes[0]).await, "another's");
        let typed = codes[0].replace('-', " ").to_lowercase();
        assert!(passes(&context, &alice, &typed).await);
        assert!(!passes(&context, &alice, &codes[0]).await);
        assert!(passes(&context, &alice, &codes[1]).await);
        let allowed = account(&context, &alice).await;
        assert_eq!(status(&context, &allowed).await.unwrap().recovery_codes, 8);
        let new = renew_recovery_codes(&context, &allowed, &codes[2]).await.unwrap();
        assert!(!passes(&context, &alice, &codes[3]).await);
        assert!(passes(&context, &alice, new[0].reveal()).await);
        for odd in ["", "-", "\0", "'; --", &"x".repeat(10_000), "ＡＢＣＤ"] {
            assert!(!passes(&context, &alice, odd).await);
        }
    }
}

#[tokio::test]
async fn wrong_codes_wait_longer_and_longer_but_recovery_codes_do_not() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let (phone, codes) = turn_on(&context, &alice).await;
        clock.advance(Duration::from_secs(300));
        let wrong = if phone.code(&context) == "000000" { "111111" } else { "000000" };
        for _ in 0..5 {
            assert!(!passes(&context, &alice, wrong).await);
        }
        let user = user(&context, &alice).await;
        let refused = check(&context, &user, Some(&phone.code(&context))).await.unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(30)));
        assert!(passes(&context, &alice, &codes[0]).await);
        clock.advance(Duration::from_secs(30));
        assert!(!passes(&context, &alice, wrong).await);
        let refused = check(&context, &user, Some(wrong)).await.unwrap_err();
        assert_eq!(refused.retry_after, Some(Duration::from_secs(60)));
        clock.advance(Duration::from_secs(60));
        assert!(passes(&context, &alice, &phone.code(&context)).await);
    }
}

#[tokio::test]
async fn it_is_turned_off_with_a_code_or_by_an_administrator() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let (phone, _) = turn_on(&context, &alice).await;
        clock.advance(Duration::from_secs(30));
        let allowed = account(&context, &alice).await;
        let refused = disable(&context, &allowed, "").await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
        disable(&context, &allowed, &phone.code(&context)).await.unwrap();
        assert!(!user(&context, &alice).await.second_factor);
        let allowed = account(&context, &alice).await;
        let off = disable(&context, &allowed, "").await.unwrap_err();
        assert_eq!(off.kind, Kind::Precondition);

        turn_on(&context, &alice).await;
        let by = admin(&context).await;
        let allowed = access::on_account(&context, &by, alice.user_id().unwrap()).await.unwrap();
        disable(&context, &allowed, "").await.unwrap();
        assert!(!user(&context, &alice).await.second_factor);
        let told = "SELECT username, description FROM audit_log \
                    WHERE operation = 'update' AND resource_type = 'user' ORDER BY id";
        let rows = context.db.all(told, args![]).await.unwrap();
        let told: Vec<(String, String)> =
            rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (&**a, &**b)).collect();
        let (on, off) =
            ("enable the second factor of user: alice", "disable the second factor of user: alice");
        assert_eq!(told, [("alice", on), ("alice", off), ("alice", on), ("admin", off)]);
    }
}
