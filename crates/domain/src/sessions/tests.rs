#![allow(clippy::unwrap_used)]

use std::time::Duration;

use db::args;
use kit::{Clock, Kind};

use super::{SessionId, begin, end, end_one, end_others, find, list, sql, sweep};
use crate::{
    Context,
    access::{self, Caller},
    audit, configurations,
    rights::Who,
    settings::Key,
    testing::{START, add_user, admin, both, eventually, postgres, sqlite},
    users,
};

async fn start(context: &Context, caller: &Caller) -> SessionId {
    let user = access::user(context, caller).await.unwrap();
    begin(context, &user, caller.who(), "Browser/1.0", None).await.unwrap()
}

async fn lives(context: &Context, id: &SessionId) -> bool {
    find(context, id, false).await.unwrap().is_some()
}

async fn set(context: &Context, key: Key, value: &str) {
    let right = access::Right::new(access::Resource::Configuration, access::Action::Update);
    let allowed = access::on_system(context, &admin(context).await, right).await.unwrap();
    configurations::update(context, &allowed, vec![(key, value.to_owned())]).await.unwrap();
}

async fn audited(context: &Context, operation: &str) -> Vec<(String, String, bool)> {
    let select = "SELECT username, description, succeeded FROM audit_log \
                  WHERE resource_type = 'user' AND operation = $1 ORDER BY id";
    let rows = context.db.all(select, args![operation]).await.unwrap();
    let read =
        |row: &db::Row| (row.get(0).unwrap(), row.get(1).unwrap(), row.get::<bool>(2).unwrap());
    rows.iter().map(read).collect()
}

#[tokio::test]
async fn a_session_stands_for_its_user_until_it_ends() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let id = start(&context, &alice).await;
        let (session, user) = find(&context, &id, true).await.unwrap().unwrap();
        assert_eq!(Some(user.id), alice.user_id());
        assert_eq!(session.agent, "Browser/1.0");
        assert!(session.is(&id));
        let stored = context.db.all("SELECT hash FROM sessions", args![]).await.unwrap();
        assert_ne!(stored[0].get::<String>(0).unwrap(), id.reveal());

        assert!(end(&context, &id, alice.who()).await.unwrap());
        assert!(!lives(&context, &id).await);
        assert!(!end(&context, &id, alice.who()).await.unwrap());
        let told = |deed: &str| vec![("alice".to_owned(), deed.to_owned(), true)];
        assert_eq!(audited(&context, "login").await, told("login"));
        assert_eq!(audited(&context, "logout").await, told("logout"));
    }
}

#[tokio::test]
async fn a_sign_in_ends_the_session_that_the_client_had() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let (first, other) = (start(&context, &alice).await, start(&context, &alice).await);
        let user = access::user(&context, &alice).await.unwrap();
        let second = begin(&context, &user, alice.who(), "", Some(&first)).await.unwrap();
        assert_ne!(first.reveal(), second.reveal());
        assert!(!lives(&context, &first).await);
        assert!(lives(&context, &second).await && lives(&context, &other).await);
    }
}

#[tokio::test]
async fn what_was_made_up_is_no_session() {
    let context = sqlite().open().await;
    let other = sqlite().open().await;
    let foreign = start(&other, &admin(&other).await).await;
    for cookie in ["", "x", "\0", "%00", "' OR 1=1 --", &"A".repeat(64), foreign.reveal()] {
        let id = SessionId::read(cookie).unwrap();
        assert!(!lives(&context, &id).await, "{cookie}");
        assert!(!end(&context, &id, &Who::anonymous()).await.unwrap());
    }
    // It is known for it without the database.
    context.db.close().await;
    assert!(!lives(&context, &foreign).await);
}

#[tokio::test]
async fn it_lives_on_while_it_is_used() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let (used, idle) = (start(&context, &alice).await, start(&context, &alice).await);
        for _ in 0..6 {
            clock.advance(Duration::from_secs(20 * 60));
            let alive = find(&context, &used, true).await.unwrap();
            assert!(alive.is_some());
        }
        assert!(!lives(&context, &idle).await, "it was not used for an hour");
        // To look without renewing does not keep it alive.
        clock.advance(Duration::from_secs(59 * 60));
        assert!(lives(&context, &used).await);
        clock.advance(Duration::from_secs(60));
        assert!(!lives(&context, &used).await);
    }
}

#[tokio::test]
async fn to_use_one_writes_about_once_a_minute() {
    let clock = Clock::manual(START);
    let context = sqlite().open_with(clock.clone()).await;
    let id = start(&context, &admin(&context).await).await;
    let used_at = async || {
        let row = context.db.one("SELECT used_at FROM sessions", args![]).await.unwrap().unwrap();
        row.get::<i64>(0).unwrap() - START.0
    };
    for _ in 0..59 {
        clock.advance(Duration::from_secs(1));
        assert!(find(&context, &id, true).await.unwrap().is_some());
        assert_eq!(used_at().await, 0);
    }
    clock.advance(Duration::from_secs(1));
    let many = (0..20).map(|_| find(&context, &id, true));
    for found in futures_util::future::join_all(many).await {
        assert!(found.unwrap().is_some());
    }
    assert_eq!(used_at().await, 60_000_000);
}

#[tokio::test]
async fn the_setting_counts_at_once() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let id = start(&context, &admin(&context).await).await;
        clock.advance(Duration::from_secs(10 * 60));
        assert!(lives(&context, &id).await);
        set(&context, Key::SessionTimeout, "5").await;
        assert!(!lives(&context, &id).await);
        set(&context, Key::SessionTimeout, "120").await;
        assert!(lives(&context, &id).await);
    }
}

#[tokio::test]
async fn it_ends_with_the_password_and_with_the_user() {
    for place in both().await {
        let context = place.open().await;
        let (alice, bob) = (add_user(&context, "alice").await, add_user(&context, "bob").await);
        let (a, b) = (start(&context, &alice).await, start(&context, &bob).await);
        assert!(lives(&context, &a).await && lives(&context, &b).await);
        users::reset_password(&context, "alice", "Another12345").await.unwrap();
        assert!(!lives(&context, &a).await);
        assert!(lives(&context, &b).await);
        let id = bob.user_id().unwrap();
        let caches = context.caches.clone();
        context
            .db
            .write(move |tx| {
                let caches = caches.clone();
                Box::pin(async move {
                    tx.execute("UPDATE users SET deleted = TRUE WHERE id = $1", args![id]).await?;
                    caches.users.changes(tx, &id);
                    Ok(())
                })
            })
            .await
            .unwrap();
        assert!(!lives(&context, &b).await);
    }
}

#[tokio::test]
async fn people_see_and_end_their_own_and_administrators_all() {
    for place in both().await {
        let context = place.open().await;
        let (alice, bob) = (add_user(&context, "alice").await, add_user(&context, "bob").await);
        let own: Vec<SessionId> =
            [start(&context, &alice).await, start(&context, &alice).await].into();
        let bobs = start(&context, &bob).await;
        let allowed = access::own_account(&context, &alice).await.unwrap();
        let listed = list(&context, &allowed).await.unwrap();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().any(|session| session.is(&own[0])));

        let (session, _) = find(&context, &bobs, false).await.unwrap().unwrap();
        let refused = end_one(&context, &allowed, session.id).await.unwrap_err();
        assert_eq!(refused.kind, Kind::NotFound);
        let bob_id = bob.user_id().unwrap();
        let refused = access::on_account(&context, &alice, bob_id).await.err().unwrap();
        assert_eq!(refused.kind, Kind::Forbidden);
        let unknown = access::on_account(&context, &alice, 999).await.err().unwrap();
        assert_eq!((unknown.kind, unknown.message), (refused.kind, refused.message));

        let by_admin = access::on_account(&context, &admin(&context).await, bob_id).await.unwrap();
        end_one(&context, &by_admin, session.id).await.unwrap();
        assert!(!lives(&context, &bobs).await);

        assert_eq!(end_others(&context, &allowed, Some(&own[1])).await.unwrap(), 1);
        assert!(!lives(&context, &own[0]).await && lives(&context, &own[1]).await);
        let told = audited(&context, "logout").await;
        assert_eq!(told[0].0, "admin");
        assert_eq!(told[0].1, "end a session of user: bob");
        assert_eq!(told[1].1, "end all sessions of user: alice");
    }
}

#[tokio::test]
async fn a_user_has_a_hundred_at_most() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        let first = start(&context, &alice).await;
        clock.advance(Duration::from_secs(1));
        let second = start(&context, &alice).await;
        for _ in 0..99 {
            clock.advance(Duration::from_secs(1));
            start(&context, &alice).await;
        }
        assert!(!lives(&context, &first).await && lives(&context, &second).await);
        let allowed = access::own_account(&context, &alice).await.unwrap();
        assert_eq!(list(&context, &allowed).await.unwrap().len(), 100);
    }
}

#[tokio::test]
async fn old_ones_are_swept() {
    for place in both().await {
        let clock = Clock::manual(START);
        let context = place.open_with(clock.clone()).await;
        let alice = add_user(&context, "alice").await;
        start(&context, &alice).await;
        start(&context, &alice).await;
        clock.advance(Duration::from_secs(23 * 3600));
        let young = start(&context, &alice).await;
        assert_eq!(sweep(&context).await.unwrap(), 0);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(sweep(&context).await.unwrap(), 2);
        assert_eq!(context.db.all("SELECT id FROM sessions", args![]).await.unwrap().len(), 1);
        find(&context, &young, true).await.unwrap();
        assert!(!sql::SWEEP.is_empty());
    }
}

#[tokio::test]
async fn another_replica_knows_within_a_second() {
    let place = postgres().await;
    let (here, there) = (place.open().await, place.open().await);
    let alice = add_user(&here, "alice").await;
    let id = start(&here, &alice).await;
    assert!(lives(&there, &id).await, "what is new shows at once");
    let ended = std::time::Instant::now();
    end(&here, &id, alice.who()).await.unwrap();
    eventually(async || !lives(&there, &id).await).await;
    assert!(ended.elapsed() < Duration::from_secs(1), "{:?}", ended.elapsed());
    audit::keep(&here).await.unwrap();
}
