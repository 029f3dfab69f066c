#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use db::args;
use kit::{Kind, Page, Selection};

use super::{
    Outsider, create, find, find_by_name, list, list::LIST, onboard, reset_password, search, sql,
    verify,
};
use crate::{
    Context,
    access::{self, Action, Caller, Resource, Right},
    rights::{Allowed, System, Who},
    testing::{PASSWORD, add_user, admin, both, new_user, selection, sqlite},
};

async fn allowed(context: &Context, action: Action) -> Allowed<System> {
    let right = Right::new(Resource::User, action);
    access::on_system(context, &admin(context).await, right).await.unwrap()
}

#[tokio::test]
async fn a_new_user_can_log_in() {
    for place in both().await {
        let context = place.open().await;
        let id = create(&context, &allowed(&context, Action::Create).await, new_user("alice"))
            .await
            .unwrap();
        assert!(id > 1);
        let user = verify(&context, "alice", PASSWORD).await.unwrap();
        assert_eq!((user.id, &*user.username, user.sysadmin), (id, "alice", false));
        for (name, password) in
            [("alice", "Harbor12346"), ("alice", ""), ("Alice", PASSWORD), ("bob", PASSWORD)]
        {
            let refused = verify(&context, name, password).await.err().unwrap();
            assert_eq!(refused.kind, Kind::Unauthenticated);
            assert_eq!(refused.message, "invalid user name or password");
        }
    }
}

#[tokio::test]
async fn a_name_or_address_is_given_once() {
    for place in both().await {
        let context = place.open().await;
        let allowed = allowed(&context, Action::Create).await;
        create(&context, &allowed, new_user("alice")).await.unwrap();
        let mut same_address = new_user("bob");
        same_address.email = "alice@example.org".to_owned();
        for taken in [new_user("alice"), new_user("admin"), same_address] {
            let refused = create(&context, &allowed, taken).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Conflict);
        }
        assert!(find_by_name(&context, "bob").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn rules_are_kept() {
    let context = sqlite().open().await;
    let allowed = allowed(&context, Action::Create).await;
    let cases: [fn(&mut super::NewUser); 8] = [
        |user| user.username.clear(),
        |user| user.username = "x".repeat(256),
        |user| user.username = "a,b".to_owned(),
        |user| user.username = "a:b".to_owned(),
        |user| user.username = " a".to_owned(),
        |user| user.email = "nowhere".to_owned(),
        |user| user.realname = "x".repeat(256),
        |user| user.password = "password".to_owned(),
    ];
    for (i, spoil) in cases.into_iter().enumerate() {
        let mut user = new_user("alice");
        spoil(&mut user);
        let refused = create(&context, &allowed, user).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid, "case {i}");
    }
}

#[tokio::test]
async fn a_proof_for_something_else_does_not_do() {
    let context = sqlite().open().await;
    let other = allowed(&context, Action::List).await;
    let refused = create(&context, &other, new_user("alice")).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Internal);
}

#[tokio::test]
async fn another_password_voids_the_old_one_at_once() {
    for place in both().await {
        let context = place.open().await;
        // Twice: the second time from memory.
        verify(&context, "admin", PASSWORD).await.unwrap();
        verify(&context, "admin", PASSWORD).await.unwrap();
        reset_password(&context, "admin", "Another12345").await.unwrap();
        assert!(verify(&context, "admin", PASSWORD).await.is_err());
        verify(&context, "admin", "Another12345").await.unwrap();

        let refused = reset_password(&context, "admin", "weak").await.unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid);
        let refused = reset_password(&context, "nobody", PASSWORD).await.unwrap_err();
        assert_eq!(refused.kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn what_another_replica_changed_is_seen_within_a_second() {
    let place = crate::testing::postgres().await;
    let (here, there) = (place.open().await, place.open().await);
    verify(&here, "admin", PASSWORD).await.unwrap();
    reset_password(&there, "admin", "Another12345").await.unwrap();
    let changed = std::time::Instant::now();
    while verify(&here, "admin", PASSWORD).await.is_ok() {
        assert!(changed.elapsed() < std::time::Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_deleted_user_is_nobody() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        verify(&context, "alice", PASSWORD).await.unwrap();
        let id = alice.user_id().unwrap();
        let caches = context.caches.clone();
        context
            .db
            .write(move |tx| {
                let caches = caches.clone();
                Box::pin(async move {
                    let delete = "UPDATE users SET deleted = TRUE WHERE id = $1";
                    tx.execute(delete, args![id]).await?;
                    caches.users.changes(tx, &id);
                    Ok(())
                })
            })
            .await
            .unwrap();
        assert!(find(&context, id).await.unwrap().is_none());
        assert!(verify(&context, "alice", PASSWORD).await.is_err());
        let refused = access::user(&context, &alice).await.err().unwrap();
        assert_eq!(refused.kind, Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    for place in both().await {
        let context = place.open().await;
        for name in ["bob", "a_b", "alice", "Alfred", "a%b"] {
            add_user(&context, name).await;
        }
        let names = |q: &str, page, page_size| {
            let context = &context;
            let selection = Selection { page: Page { page, page_size }, ..selection(q, "") };
            async move {
                let allowed = allowed(context, Action::List).await;
                let found = list(context, &allowed, &selection).await.unwrap();
                let names = found.items.iter().map(|user| user.username.to_string());
                (names.collect::<Vec<_>>().join(" "), found.total)
            }
        };
        assert_eq!(names("", 1, 4).await, ("Alfred a%b a_b admin".to_owned(), 6));
        assert_eq!(names("", 2, 4).await, ("alice bob".to_owned(), 6));
        assert_eq!(names("", 3, 4).await, (String::new(), 6));
        assert_eq!(names("username=~AL", 1, 10).await, ("Alfred alice".to_owned(), 2));
        assert_eq!(names("username=~_", 1, 10).await, ("a_b".to_owned(), 1));
        assert_eq!(names("username=~%", 1, 10).await, ("a%b".to_owned(), 1));
        assert_eq!(names("email=~BOB@", 1, 10).await, ("bob".to_owned(), 1));
        assert_eq!(names("sysadmin_flag=true", 1, 10).await, ("admin".to_owned(), 1));
        // What is not shown cannot be found out by asking for it.
        assert_eq!(names("password_hash=~x,password=~x,salt=x", 1, 10).await.1, 6);
        LIST.try_everything(&context.db, sql::LIST_FROM, args![]).await;
        let found = search(&context, "b", Page::default()).await.unwrap();
        assert_eq!(found.total, 3);
    }
}

#[tokio::test]
async fn many_logins_at_once_all_succeed() {
    let context = sqlite().open().await;
    add_user(&context, "alice").await;
    let logins = (0..100).map(|_| verify(&context, "alice", PASSWORD));
    for login in futures_util::future::join_all(logins).await {
        assert_eq!(&*login.unwrap().username, "alice");
    }
}

fn outsider(username: &str) -> Outsider {
    Outsider {
        username: username.to_owned(),
        email: Some(format!("{username}@example.org")),
        realname: "Some Body".to_owned(),
        comment: "from LDAP".to_owned(),
        admin: false,
    }
}

#[tokio::test]
async fn somebody_from_elsewhere_is_made_and_brought_up_to_date() {
    for place in both().await {
        let context = place.open().await;
        let by = Who::system();
        let carol = onboard(&context, &by, None, &outsider("carol")).await.unwrap();
        assert_eq!(carol.email.as_deref(), Some("carol@example.org"));
        assert!(!carol.has_password() && !carol.may_do_everything());
        for password in ["", PASSWORD] {
            assert!(verify(&context, "carol", password).await.is_err());
        }
        let again = onboard(&context, &by, Some(carol.id), &outsider("carol")).await.unwrap();
        assert_eq!(again.updated_at, carol.updated_at);

        let caller = Caller::user(&carol);
        let right = Right::new(Resource::User, Action::List);
        assert!(access::on_system(&context, &caller, right).await.is_err());
        let admin_now = Outsider { admin: true, realname: String::new(), ..outsider("renamed") };
        let changed = onboard(&context, &by, Some(carol.id), &admin_now).await.unwrap();
        assert_eq!((&*changed.username, changed.realname.as_str()), ("carol", "Some Body"));
        assert!(changed.admin_by_source && !changed.sysadmin);
        access::on_system(&context, &caller, right).await.unwrap();
        onboard(&context, &by, Some(carol.id), &outsider("carol")).await.unwrap();
        assert!(access::on_system(&context, &caller, right).await.is_err());

        let events = "SELECT operation || ' ' || resource FROM audit_log \
                      WHERE resource_type = 'user' AND resource = 'carol' ORDER BY id";
        let rows = context.db.all(events, args![]).await.unwrap();
        let told: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(told, ["create carol", "update carol", "update carol"]);
    }
}

#[tokio::test]
async fn nobody_from_elsewhere_takes_what_is_somebody_elses() {
    for place in both().await {
        let context = place.open().await;
        let by = Who::system();
        add_user(&context, "alice").await;
        for taken in ["alice", "admin"] {
            let refused = onboard(&context, &by, None, &outsider(taken)).await.err().unwrap();
            assert_eq!(refused.kind, Kind::Conflict, "{taken}");
        }
        for bad in ["", "a,b", "a\u{200b}", "a\0b", " a", &"x".repeat(256)] {
            let refused = onboard(&context, &by, None, &outsider(bad)).await.err().unwrap();
            assert_eq!(refused.kind, Kind::Invalid, "{bad:?}");
        }
        let email = Some("alice@example.org".to_owned());
        let same_address = Outsider { email: email.clone(), ..outsider("bob") };
        let bob = onboard(&context, &by, None, &same_address).await.unwrap();
        assert_eq!(bob.email, None);
        let again = onboard(&context, &by, Some(bob.id), &same_address).await.unwrap();
        assert_eq!(again.email, None);
        let odd = Outsider {
            email: Some("no address".to_owned()),
            realname: format!("a\0{}", "x".repeat(400)),
            ..outsider("dave")
        };
        let dave = onboard(&context, &by, None, &odd).await.unwrap();
        assert_eq!((dave.email.clone(), dave.realname.len()), (None, 255));
        // What is not told of does not go.
        let silent = Outsider { email: None, realname: String::new(), ..outsider("carol") };
        let carol = onboard(&context, &by, None, &outsider("carol")).await.unwrap();
        let carol = onboard(&context, &by, Some(carol.id), &silent).await.unwrap();
        assert_eq!(carol.email.as_deref(), Some("carol@example.org"));
        let gone = onboard(&context, &by, Some(999), &silent).await.err().unwrap();
        assert_eq!(gone.kind, Kind::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_come_with_one_address_at_the_same_time_both_come_in() {
    for place in both().await {
        let context = Arc::new(place.open().await);
        let coming: Vec<_> = (0..6)
            .map(|n| {
                let context = context.clone();
                let email = Some("shared@example.org".to_owned());
                let says = Outsider { email, ..outsider(&format!("user{n}")) };
                tokio::spawn(async move { onboard(&context, &Who::system(), None, &says).await })
            })
            .collect();
        let mut with_address = 0;
        for one in coming {
            with_address += usize::from(one.await.unwrap().unwrap().email.is_some());
        }
        assert_eq!(with_address, 1);
    }
}
