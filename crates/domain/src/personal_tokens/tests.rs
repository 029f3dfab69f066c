#![allow(clippy::unwrap_used)]

use std::time::Duration;

use db::args;
use kit::{Clock, Kind, Secret};
use oci::RepositoryName;

use super::{
    NewToken, Scope, cli_secret, ensure_cli_secret, list, make, recall_cli, revoke, revoke_all,
    set_cli_secret, verify, verify_cli,
};
use crate::{
    Context,
    access::{self, Action, Caller, Resource, Right},
    projects::{ProjectRef, Role},
    testing::{START, add_project, add_user, admin, both, eventually, join, postgres},
    users::{self, AllowedAccount},
};

fn new(name: &str, scope: Scope, projects: Option<Vec<i64>>) -> NewToken {
    NewToken { name: name.to_owned(), scope, projects, expires_at: None }
}

async fn account(context: &Context, caller: &Caller) -> AllowedAccount {
    access::own_account(context, caller).await.unwrap()
}

/// Makes a token, and gives the caller that shows it, and the token.
async fn with_token(context: &Context, owner: &Caller, new: NewToken) -> (Caller, i64, Secret) {
    let (id, secret) = make(context, &account(context, owner).await, new).await.unwrap();
    let name = owner.name().unwrap();
    let (token, user) = verify(context, Some(name), secret.reveal()).await.unwrap().unwrap();
    assert_eq!(token.id, id);
    (Caller::by_personal_token(&user, id), id, secret)
}

async fn opens(context: &Context, name: &str, secret: &Secret) -> bool {
    match verify(context, Some(name), secret.reveal()).await {
        Ok(found) => found.is_some(),
        Err(error) => {
            assert_eq!(error.kind, Kind::Unauthenticated);
            false
        }
    }
}

async fn may(context: &Context, caller: &Caller, name: &str, right: Right) -> bool {
    let name: RepositoryName = name.parse().unwrap();
    access::on_repository(context, caller, &name, right).await.is_ok()
}

#[tokio::test]
async fn a_token_stands_for_its_user_until_it_ends() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        add_user(&context, "bob").await;
        let ends = Some(START.after(Duration::from_secs(3600)));
        let new = NewToken { expires_at: ends, ..new("ci", Scope::All, None) };
        let (caller, id, secret) = with_token(&context, &alice, new).await;
        assert_eq!(caller.principal(), alice.principal());
        assert!(secret.reveal().starts_with("hvp_"));
        let row = context.db.one("SELECT hash FROM personal_tokens", args![]).await.unwrap();
        assert!(!row.unwrap().get::<String>(0).unwrap().contains(secret.reveal()));
        assert!(!opens(&context, "bob", &secret).await, "of another name");
        assert!(opens(&context, "alice", &secret).await);
        assert!(access::known(&context, &caller).await.is_ok());

        clock.advance(Duration::from_secs(3600));
        assert!(!opens(&context, "alice", &secret).await, "it has expired");
        assert!(access::known(&context, &caller).await.is_err());

        let (caller, _, other) = with_token(&context, &alice, forever("b")).await;
        let allowed = account(&context, &alice).await;
        assert_eq!(list(&context, &allowed).await.unwrap().len(), 2);
        revoke(&context, &allowed, id).await.unwrap();
        let missing = revoke(&context, &allowed, id).await.unwrap_err();
        assert_eq!(missing.kind, Kind::NotFound);
        assert!(opens(&context, "alice", &other).await);
        revoke_all(&context, alice.user_id().unwrap()).await.unwrap();
        assert!(!opens(&context, "alice", &other).await);
        assert!(access::known(&context, &caller).await.is_err());
    }
}

fn forever(name: &str) -> NewToken {
    new(name, Scope::All, None)
}

#[tokio::test]
async fn rules_are_kept() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let allowed = account(&context, &alice).await;
        let (name, long) = ("a\nb".to_owned(), "x".repeat(256));
        let past = NewToken { expires_at: Some(START), ..forever("a") };
        for bad in [
            forever(""),
            forever(&name),
            forever("nul\0"),
            forever(&long),
            past,
            new("a", Scope::Pull, Some(vec![])),
            new("a", Scope::Pull, Some((0..101).collect())),
        ] {
            let refused = make(&context, &allowed, bad).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid);
        }
        make(&context, &allowed, forever("密钥")).await.unwrap();
        let taken = make(&context, &allowed, forever("密钥")).await.unwrap_err();
        assert_eq!(taken.kind, Kind::Conflict);
        for n in 1..100 {
            make(&context, &allowed, forever(&n.to_string())).await.unwrap();
        }
        let many = make(&context, &allowed, forever("more")).await.unwrap_err();
        assert_eq!(many.kind, Kind::Precondition);
        // Nobody makes one for somebody else.
        let by = admin(&context).await;
        let foreign = access::on_account(&context, &by, alice.user_id().unwrap()).await.unwrap();
        let refused = make(&context, &foreign, forever("x")).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
    }
}

#[tokio::test]
async fn its_scope_cuts_what_its_user_may_do() {
    for place in both().await {
        let context = place.open().await;
        let (a, b) =
            (add_project(&context, "a", false).await, add_project(&context, "b", false).await);
        let alice = add_user(&context, "alice").await;
        for project in ["a", "b"] {
            join(&context, project, &alice, Role::ProjectAdmin).await;
        }
        let pull = with_token(&context, &alice, new("pull", Scope::Pull, None)).await.0;
        let push = with_token(&context, &alice, new("push", Scope::Push, None)).await.0;
        let all = with_token(&context, &alice, forever("all")).await.0;
        let one = with_token(&context, &alice, new("one", Scope::All, Some(vec![a]))).await.0;
        for (caller, expected) in [
            (&alice, [true, true, true]),
            (&pull, [true, false, false]),
            (&push, [true, true, false]),
            (&all, [true, true, true]),
            (&one, [true, true, true]),
        ] {
            let rights = [Right::PULL, Right::PUSH, Right::DELETE];
            for (right, expected) in rights.into_iter().zip(expected) {
                assert_eq!(may(&context, caller, "a/x", right).await, expected, "{right}");
            }
        }
        assert!(!may(&context, &one, "b/x", Right::PULL).await);
        assert!(may(&context, &one, "library/x", Right::PULL).await, "what everybody may");
        let members = Right::new(Resource::Member, Action::List);
        for (caller, expected) in [(&alice, true), (&pull, false), (&all, true), (&one, true)] {
            let found = access::on_project(&context, caller, ProjectRef::Id(a), members).await;
            assert_eq!(found.is_ok(), expected);
        }
        assert!(access::on_project(&context, &one, ProjectRef::Id(b), members).await.is_err());
        // None of them manages how its user signs in.
        for caller in [&pull, &push, &all, &one] {
            let refused = access::own_account(&context, caller).await.err().unwrap();
            assert_eq!(refused.kind, Kind::Forbidden);
        }
        // What it had lost, its user has lost: the rights of the moment are cut.
        assert!(access::user(&context, &pull).await.is_err(), "as a user it does nothing");
        assert!(access::user(&context, &all).await.is_ok());
        assert!(access::known(&context, &pull).await.is_ok());
        assert!(access::creator(&context, &alice).await.is_ok());
        assert!(access::creator(&context, &all).await.is_ok());
        for narrow in [&pull, &one] {
            assert!(access::creator(&context, narrow).await.is_err());
            let empty = format!("{:?}", crate::audit::Readable::projects(Vec::new()));
            let logs = access::on_logs(&context, narrow).await.unwrap();
            assert_eq!(format!("{logs:?}"), empty);
        }
    }
}

#[tokio::test]
async fn a_sysadmins_token_is_cut_as_well() {
    for place in both().await {
        let context = place.open().await;
        let a = add_project(&context, "a", false).await;
        let by = admin(&context).await;
        let list_users = Right::new(Resource::User, Action::List);
        let pull = with_token(&context, &by, new("pull", Scope::Pull, None)).await.0;
        let one = with_token(&context, &by, new("one", Scope::All, Some(vec![a]))).await.0;
        let all = with_token(&context, &by, forever("all")).await.0;
        for (caller, expected) in [(&by, true), (&all, true), (&pull, false), (&one, false)] {
            assert_eq!(access::on_system(&context, caller, list_users).await.is_ok(), expected);
        }
        assert!(may(&context, &pull, "a/x", Right::PULL).await);
        assert!(!may(&context, &pull, "a/x", Right::PUSH).await);
        assert!(may(&context, &one, "a/x", Right::DELETE).await);
        assert!(!may(&context, &one, "library/x", Right::PUSH).await);
        // A project that is not there looks as one that is forbidden.
        let name: RepositoryName = "nothing/x".parse().unwrap();
        let refused = access::on_repository(&context, &one, &name, Right::PULL).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
        let give = Right::new(Resource::Member, Action::Create);
        assert!(access::on_project(&context, &pull, ProjectRef::Id(a), give).await.is_err());
    }
}

#[tokio::test]
async fn another_replica_knows_of_a_revocation_within_a_second() {
    let place = postgres().await;
    let (here, there) = (place.open().await, place.open().await);
    let alice = add_user(&here, "alice").await;
    let (caller, id, secret) = with_token(&here, &alice, forever("x")).await;
    assert!(opens(&there, "alice", &secret).await);
    assert!(access::known(&there, &caller).await.is_ok());
    let revoked = std::time::Instant::now();
    revoke(&here, &account(&here, &alice).await, id).await.unwrap();
    eventually(async || {
        !opens(&there, "alice", &secret).await && access::known(&there, &caller).await.is_err()
    })
    .await;
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
}

#[tokio::test]
async fn use_is_written_down_now_and_then() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let (_, _, secret) = with_token(&context, &alice, forever("x")).await;
        let used_at = async || {
            let allowed = account(&context, &alice).await;
            list(&context, &allowed).await.unwrap()[0].used_at.unwrap().0 - START.0
        };
        assert_eq!(used_at().await, 0);
        clock.advance(Duration::from_secs(599));
        assert!(opens(&context, "alice", &secret).await);
        assert_eq!(used_at().await, 0);
        clock.advance(Duration::from_secs(1));
        assert!(opens(&context, "alice", &secret).await);
        assert_eq!(used_at().await, 600_000_000);
    }
}

#[tokio::test]
async fn a_cli_secret_hangs_on_its_user_alone() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let id = alice.user_id().unwrap();
        let allowed = account(&context, &alice).await;
        let refused = set_cli_secret(&context, &allowed, &"Secret12345".into()).await;
        assert_eq!(refused.unwrap_err().kind, Kind::Precondition, "it has a password");

        // From elsewhere.
        let caches = context.caches.clone();
        context
            .db
            .write(move |tx| {
                let caches = caches.clone();
                Box::pin(async move {
                    let update = "UPDATE users SET password_hash = NULL WHERE id = $1";
                    tx.execute(update, args![id]).await?;
                    caches.users.changes(tx, &id);
                    Ok(())
                })
            })
            .await
            .unwrap();
        let user = users::find(&context, id).await.unwrap().unwrap();
        assert!(cli_secret(&context, id).await.unwrap().is_none());
        ensure_cli_secret(&context, &user).await.unwrap();
        let first = cli_secret(&context, id).await.unwrap().unwrap().secret.clone();
        ensure_cli_secret(&context, &user).await.unwrap();
        let same = cli_secret(&context, id).await.unwrap().unwrap().secret.clone();
        assert_eq!(first, same);
        let row = context.db.one("SELECT secret FROM cli_secrets", args![]).await.unwrap();
        assert!(row.unwrap().get::<String>(0).unwrap().starts_with("v1."), "it is sealed");

        let secret = first.reveal();
        assert!(recall_cli(&context, "alice", secret).await.unwrap().is_none());
        for (name, secret, expected) in [
            ("alice", secret, true),
            ("alice", "x", false),
            ("bob", secret, false),
            ("a\0", "", false),
        ] {
            let found = verify_cli(&context, name, secret).await.unwrap();
            assert_eq!(found.is_some(), expected, "{name}");
        }
        assert!(recall_cli(&context, "alice", secret).await.unwrap().is_some());

        let allowed = account(&context, &alice).await;
        let weak = set_cli_secret(&context, &allowed, &"weak".into()).await.unwrap_err();
        assert_eq!(weak.kind, Kind::Invalid);
        set_cli_secret(&context, &allowed, &"Secret12345".into()).await.unwrap();
        assert!(recall_cli(&context, "alice", secret).await.unwrap().is_none());
        assert!(verify_cli(&context, "alice", "Secret12345").await.unwrap().is_some());
        revoke_all(&context, id).await.unwrap();
        assert!(recall_cli(&context, "alice", "Secret12345").await.unwrap().is_none());
        assert!(verify_cli(&context, "alice", "Secret12345").await.unwrap().is_none());
    }
}
