#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};

use std::time::Duration;

use db::args;
use kit::{Clock, Kind, Secret, Subject};

use super::{Attempt, Way, by_bearer, by_password, confirm, in_portal};
use crate::{
    Context,
    access::{self, Caller, Principal},
    personal_tokens::{self, NewToken, Scope},
    second_factor,
    testing::{PASSWORD, START, add_robot, add_user, both, sqlite},
    tokens, users,
};

/// The failures that were audited: who was tried, from where.
async fn failures(context: &Context) -> Vec<(String, String)> {
    let select = "SELECT username, address FROM audit_log WHERE operation = 'login' \
                  AND succeeded = FALSE ORDER BY id";
    let rows = context.db.all(select, args![]).await.unwrap();
    rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect()
}

async fn add_token(context: &Context, owner: &Caller) -> Secret {
    let allowed = access::own_account(context, owner).await.unwrap();
    let new =
        NewToken { name: "ci".to_owned(), scope: Scope::All, projects: None, expires_at: None };
    personal_tokens::make(context, &allowed, new).await.unwrap().1
}

fn from(last: u8, way: Way) -> Attempt {
    Attempt { address: IpAddr::from(Ipv4Addr::new(192, 0, 2, last)), way }
}

#[tokio::test]
async fn robots_and_users_sign_in_alike() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let (name, secret) = add_robot(&context, "ci", &[("repository", "pull")]).await;
        let portal = from(1, Way::Portal);
        let refused = by_password(&context, &name, secret.reveal(), &portal).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthenticated, "the portal is for people");
        for way in [Way::Registry, Way::Api, Way::Portal] {
            let attempt = from(1, way);
            let caller = by_password(&context, "alice", PASSWORD, &attempt).await.unwrap();
            assert_eq!(caller.principal(), alice.principal());
            assert_eq!(caller.who().address(), Some(attempt.address));
            let wrong: [(&str, &str); 4] = [
                ("alice", "Harbor12346"),
                ("nobody", PASSWORD),
                (&name, PASSWORD),
                ("robot$nobody", secret.reveal()),
            ];
            for (name, secret) in wrong {
                let refused = by_password(&context, name, secret, &attempt).await.unwrap_err();
                assert_eq!(refused.kind, Kind::Unauthenticated, "{name}");
                assert_eq!(refused.message, "invalid user name or password", "{name}");
            }
        }
        let robot = by_password(&context, &name, secret.reveal(), &from(1, Way::Registry)).await;
        let robot: Caller = robot.unwrap();
        assert!(matches!(robot.principal(), Principal::Robot(_)));
        assert_eq!(&**robot.name().unwrap(), name);
    }
}

#[tokio::test]
async fn who_guesses_waits_and_nobody_else_does() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let token = add_token(&context, &alice).await;
        let (robot, robot_secret) = add_robot(&context, "ci", &[("repository", "pull")]).await;
        let (home, away) = (from(1, Way::Registry), from(2, Way::Registry));
        by_password(&context, "alice", PASSWORD, &home).await.unwrap();
        for n in 0..6 {
            let wrong = format!("Wrong12345{n}");
            let refused = by_password(&context, "alice", &wrong, &away).await.unwrap_err();
            let expected = if n < 5 { Kind::Unauthenticated } else { Kind::TooMany };
            assert_eq!(refused.kind, expected, "{n}");
        }
        // The right password waits as well, or the delay would be none.
        let refused = by_password(&context, "alice", PASSWORD, &away).await.unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
        let portal = Attempt { way: Way::Portal, ..away.clone() };
        assert!(in_portal(&context, "alice", PASSWORD, None, &portal).await.is_err());

        // Elsewhere, with a token, and as a robot nothing is held up.
        by_password(&context, "alice", PASSWORD, &home).await.unwrap();
        by_password(&context, "alice", PASSWORD, &from(3, Way::Api)).await.unwrap();
        by_password(&context, "alice", token.reveal(), &away).await.unwrap();
        by_password(&context, &robot, robot_secret.reveal(), &away).await.unwrap();
        assert!(by_bearer(&context, token.reveal(), &away).await.unwrap().is_some());

        clock.advance(Duration::from_secs(1));
        by_password(&context, "alice", PASSWORD, &away).await.unwrap();
        let told = failures(&context).await;
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told.iter().all(|told| *told == ("alice".into(), "192.0.2.2".into())));
    }
}

#[tokio::test]
async fn who_shares_an_address_with_a_guesser_goes_on() {
    let context = sqlite().open().await;
    add_user(&context, "alice").await;
    let shared = from(1, Way::Api);
    by_password(&context, "alice", PASSWORD, &shared).await.unwrap();
    for n in 0..20 {
        let wrong = format!("Wrong12345{n}");
        assert!(by_password(&context, "alice", &wrong, &shared).await.is_err());
    }
    by_password(&context, "alice", PASSWORD, &shared).await.unwrap();
    let told = failures(&context).await.len();
    assert_eq!(told, 5, "what had to wait is not written down each time");
}

#[tokio::test]
async fn many_wrong_ones_at_once_are_not_all_tried() {
    // Time stands still: on a slow machine a delay would be over before the last of them.
    let context = sqlite().open_with(Clock::manual(START)).await;
    add_user(&context, "alice").await;
    let attempt = from(1, Way::Registry);
    let wrong: Vec<String> = (0..60).map(|n| format!("Wrong12345{n}")).collect();
    let tries = wrong.iter().map(|wrong| by_password(&context, "alice", wrong, &attempt));
    let outcomes = futures_util::future::join_all(tries).await;
    let tried = outcomes
        .iter()
        .filter(|outcome| outcome.as_ref().is_err_and(|error| error.is(Kind::Unauthenticated)))
        .count();
    // Those that were being hashed when the last free one failed.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!((5..=5 + cores).contains(&tried), "{tried}");
}

#[tokio::test]
async fn a_login_storm_with_the_right_password_waits_for_nothing() {
    let context = sqlite().open().await;
    add_user(&context, "alice").await;
    let attempt = from(1, Way::Registry);
    let logins = (0..100).map(|_| by_password(&context, "alice", PASSWORD, &attempt));
    for login in futures_util::future::join_all(logins).await {
        login.unwrap();
    }
}

#[tokio::test]
async fn who_guesses_in_an_open_session_waits_and_its_owner_signs_in() {
    let context = sqlite().open().await;
    let alice = add_user(&context, "alice").await;
    let allowed = access::own_account(&context, &alice).await.unwrap();
    let attempt = from(1, Way::Portal);
    for n in 0..10 {
        let wrong = format!("Wrong12345{n}");
        let refused = confirm(&context, &allowed, &wrong, &attempt).await.unwrap_err();
        let expected = if n < 5 { Kind::Forbidden } else { Kind::TooMany };
        assert_eq!(refused.kind, expected, "{n}");
    }
    let right = confirm(&context, &allowed, PASSWORD, &attempt).await.unwrap_err();
    assert_eq!(right.kind, Kind::TooMany, "or the delay would be none");
    for way in [Way::Portal, Way::Api] {
        by_password(&context, "alice", PASSWORD, &from(1, way)).await.unwrap();
    }
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_opens_nothing() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let attempt = from(1, Way::Portal);
        let user = users::find_by_name(&context, "alice").await.unwrap().unwrap();
        let refresh = tokens::issue_refresh(&context, &user).unwrap();
        tokens::verify_refresh(&context, &refresh).await.unwrap();
        let token = add_token(&context, &alice).await;
        let allowed = access::own_account(&context, &alice).await.unwrap();
        let wrong = confirm(&context, &allowed, "Wrong12345", &attempt).await.unwrap_err();
        assert_eq!(wrong.kind, Kind::Forbidden);
        confirm(&context, &allowed, PASSWORD, &attempt).await.unwrap();
        let codes = second_factor::tests::turn_on(&context, &alice).await.1;

        for way in [Way::Registry, Way::Api] {
            let refused = by_password(&context, "alice", PASSWORD, &from(1, way)).await;
            let refused = refused.unwrap_err();
            let told = (refused.kind, refused.subject);
            assert_eq!(told, (Kind::Unauthenticated, Subject::SecondFactor));
            let caller = by_password(&context, "alice", token.reveal(), &from(1, way)).await;
            assert_eq!(caller.unwrap().principal(), alice.principal());
        }
        assert!(tokens::verify_refresh(&context, &refresh).await.is_err());
        let before = failures(&context).await.len();
        let half = in_portal(&context, "alice", PASSWORD, None, &attempt).await.unwrap_err();
        assert_eq!((half.kind, half.subject), (Kind::Unauthenticated, Subject::SecondFactor));
        assert_eq!(failures(&context).await.len(), before, "to be asked is no failure");
        let wrong = in_portal(&context, "alice", "Wrong12345", None, &attempt).await.unwrap_err();
        assert_eq!(wrong.subject, Subject::Request, "only who knows the password is asked");
        let wrong = in_portal(&context, "alice", "Wrong12345", Some(&codes[0]), &attempt).await;
        assert!(wrong.is_err());
        in_portal(&context, "alice", PASSWORD, Some(&codes[0]), &attempt).await.unwrap();
        let again = in_portal(&context, "alice", PASSWORD, Some(&codes[0]), &attempt).await;
        assert_eq!(again.unwrap_err().subject, Subject::SecondFactor);
        // No token stands in for the password in the portal.
        let refused = in_portal(&context, "alice", token.reveal(), Some(&codes[1]), &attempt).await;
        assert!(refused.is_err());
        in_portal(&context, "alice", PASSWORD, Some(&codes[1]), &attempt).await.unwrap();

        let allowed = access::own_account(&context, &alice).await.unwrap();
        let secret = Secret::from("Secret12345");
        personal_tokens::set_cli_secret(&context, &allowed, &secret).await.unwrap();
        let caller = by_password(&context, "alice", "Secret12345", &from(1, Way::Registry)).await;
        let caller = caller.unwrap();
        assert!(access::own_account(&context, &caller).await.is_err());
        let portal = in_portal(&context, "alice", "Secret12345", None, &attempt).await;
        assert!(portal.is_err());
    }
}

#[tokio::test]
async fn a_registry_token_ends_with_the_personal_token_that_it_was_got_by() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let token = add_token(&context, &alice).await;
        let attempt = from(1, Way::Registry);
        let caller = by_password(&context, "alice", token.reveal(), &attempt).await.unwrap();
        let scopes = oci::Scope::parse_list("repository:library/x:pull").unwrap();
        let issued = tokens::issue(&context, &caller, &scopes).await.unwrap().token;
        let name = "library/x".parse().unwrap();
        let holder = tokens::verify(&context, &issued).await.unwrap();
        access::on_repository(&context, &holder, &name, access::Right::PULL).await.unwrap();
        let allowed = access::own_account(&context, &alice).await.unwrap();
        let id = personal_tokens::list(&context, &allowed).await.unwrap()[0].id;
        personal_tokens::revoke(&context, &allowed, id).await.unwrap();
        let holder = tokens::verify(&context, &issued).await.unwrap();
        let refused = access::on_repository(&context, &holder, &name, access::Right::PULL).await;
        assert_eq!(refused.unwrap_err().kind, Kind::Unauthenticated);
    }
}
