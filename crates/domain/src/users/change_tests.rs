//! What happens to users after they were made.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use db::args;
use kit::{Kind, Result, Secret};

use super::*;
use crate::{
    access::{self, Action, Caller, Resource, Right},
    configurations,
    projects::{self, MemberRef, ProjectRef, Role},
    rights::{Allowed, Principal, System},
    settings::Key,
    testing::{
        PASSWORD, add_member, add_project, add_user, admin, allowed, both, join, postgres, sign_in,
        sqlite,
    },
    tokens,
};

const ANOTHER: &str = "Another12345";

fn id_of(caller: &Caller) -> i64 {
    caller.user_id().unwrap()
}

async fn on(context: &Context, by: &Caller, id: i64, action: Action) -> Allowed<Account> {
    access::on_user(context, by, id, action).await.unwrap()
}

fn profile(email: &str) -> Profile {
    Profile { email: email.to_owned(), realname: "Some Body".to_owned(), comment: String::new() }
}

async fn make_sysadmin(context: &Context, by: &Caller, id: i64, flag: bool) -> Result<()> {
    let allowed = access::on_sysadmins(context, by).await?;
    set_sysadmin(context, &allowed, id, flag).await
}

async fn outsider(context: &Context, name: &str) -> Arc<User> {
    let says = Outsider { username: name.to_owned(), ..Outsider::default() };
    onboard(context, &crate::rights::Who::system(), None, &says).await.unwrap()
}

/// What the audit log tells of users, the newest last.
async fn told(context: &Context) -> Vec<String> {
    let sql = "SELECT operation || ' ' || resource || ' ' || CASE WHEN succeeded THEN 'well' \
               ELSE 'badly' END FROM audit_log WHERE resource_type = 'user' ORDER BY id";
    let rows = context.db.all(sql, args![]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

#[tokio::test]
async fn a_profile_is_ones_own_and_an_administrators() {
    for place in both().await {
        let context = place.open().await;
        let (alice, bob) = (add_user(&context, "alice").await, add_user(&context, "bob").await);
        let own = on(&context, &alice, id_of(&alice), Action::Update).await;
        update_profile(&context, &own, profile("new@example.org")).await.unwrap();
        let found = find(&context, id_of(&alice)).await.unwrap().unwrap();
        assert_eq!(found.email.as_deref(), Some("new@example.org"));
        assert_eq!(found.realname, "Some Body");
        let by_admin = on(&context, &admin(&context).await, id_of(&alice), Action::Update).await;
        update_profile(&context, &by_admin, profile("alice@example.org")).await.unwrap();

        let taken = update_profile(&context, &own, profile("bob@example.org")).await.unwrap_err();
        assert_eq!(taken.kind, Kind::Conflict);
        for bad in ["", "nowhere", "a\u{200b}@example.org", "'; DROP TABLE users; --"] {
            let refused = update_profile(&context, &own, profile(bad)).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid, "{bad}");
        }
        for (realname, comment) in
            [("", ""), ("a\nb", ""), (&*"x".repeat(256), ""), ("x", &*"x".repeat(256)), ("x", "\0")]
        {
            let (realname, comment) = (realname.to_owned(), comment.to_owned());
            let bad = Profile { realname, comment, ..profile("a@example.org") };
            let refused = update_profile(&context, &own, bad).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid);
        }
        let found = find(&context, id_of(&alice)).await.unwrap().unwrap();
        assert_eq!(found.email.as_deref(), Some("alice@example.org"), "nothing changed");

        for action in [Action::Read, Action::Update, Action::Delete] {
            for id in [id_of(&alice), 999] {
                let refused = access::on_user(&context, &bob, id, action).await.unwrap_err();
                assert_eq!((refused.kind, &*refused.message), (Kind::Forbidden, "forbidden"));
                let nobody = Caller::anonymous();
                let refused = access::on_user(&context, &nobody, id, action).await.unwrap_err();
                assert_eq!(refused.kind, Kind::Unauthenticated);
            }
        }
        // Nobody deletes itself by being itself.
        assert!(access::on_user(&context, &bob, id_of(&bob), Action::Delete).await.is_err());
        let missing = on(&context, &admin(&context).await, 999, Action::Update).await;
        let refused = update_profile(&context, &missing, profile("x@y")).await.unwrap_err();
        assert_eq!(refused.kind, Kind::NotFound);
        let log = told(&context).await;
        assert_eq!(log[..3], ["update alice well", "update alice well", "update alice badly"]);
    }
}

#[tokio::test]
async fn who_changes_its_password_knows_it() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        verify(&context, "alice", PASSWORD).await.unwrap();
        let own = on(&context, &alice, id_of(&alice), Action::Update).await;
        let change = async |current: &str, new: &str| {
            let changed = change_password(&context, &own, &current.into(), &new.into()).await;
            changed.map_err(|error| (error.kind, error.message.to_string()))
        };
        let wrong = Err((Kind::Forbidden, "Current password is incorrect".to_owned()));
        assert_eq!(change("Wrong12345", ANOTHER).await, wrong);
        assert_eq!(change("", ANOTHER).await, wrong);
        let same = Err((Kind::Invalid, "New password is identical to old password".to_owned()));
        assert_eq!(change(PASSWORD, PASSWORD).await, same);
        for weak in ["", "short1A", "alllower1", &format!("aB3{}", "x".repeat(126))] {
            assert_eq!(change(PASSWORD, weak).await.unwrap_err().0, Kind::Invalid, "{weak}");
        }
        verify(&context, "alice", PASSWORD).await.unwrap();
        change(PASSWORD, ANOTHER).await.unwrap();
        assert!(verify(&context, "alice", PASSWORD).await.is_err(), "though it was remembered");
        verify(&context, "alice", ANOTHER).await.unwrap();

        // An administrator need not know it, but for its own.
        let by = admin(&context).await;
        let reset = on(&context, &by, id_of(&alice), Action::Update).await;
        let nothing = Secret::default();
        change_password(&context, &reset, &nothing, &PASSWORD.into()).await.unwrap();
        verify(&context, "alice", PASSWORD).await.unwrap();
        let own = on(&context, &by, ADMIN, Action::Update).await;
        let refused = change_password(&context, &own, &nothing, &ANOTHER.into()).await;
        assert_eq!(refused.unwrap_err().message, "Current password is incorrect");
        let log = told(&context).await;
        assert_eq!(log[0], "update alice badly");
        assert_eq!(log[log.len() - 2..], ["update alice well", "update admin badly"]);
        let row = "SELECT COUNT(*) FROM audit_log WHERE description LIKE '%12345%'";
        let row = context.db.one(row, args![]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 0, "no password is told");
    }
}

#[tokio::test]
async fn who_comes_from_elsewhere_is_changed_there() {
    let context = sqlite().open().await;
    let carol = outsider(&context, "carol").await;
    let by = admin(&context).await;
    for caller in [&Caller::user(&carol), &by] {
        let allowed = on(&context, caller, carol.id, Action::Update).await;
        let refused = update_profile(&context, &allowed, profile("c@example.org")).await;
        let words = format!("User with ID {} can't be updated", carol.id);
        assert_eq!(refused.unwrap_err().message, words);
        let (old, new) = (Secret::default(), ANOTHER.into());
        let refused = change_password(&context, &allowed, &old, &new).await.unwrap_err();
        assert_eq!((refused.kind, &*refused.message), (Kind::Forbidden, &*words));
    }
    assert!(verify(&context, "carol", ANOTHER).await.is_err());
}

#[tokio::test]
async fn local_users_are_made_only_where_users_are_local() {
    let context = sqlite().open().await;
    let right = Right::new(Resource::Configuration, Action::Update);
    let by = admin(&context).await;
    let settings = access::on_system(&context, &by, right).await.unwrap();
    let mode = vec![(Key::AuthMode, "ldap_auth".to_owned())];
    configurations::update(&context, &settings, mode).await.unwrap();
    let refused = access::to_make_user(&context, &by, false).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Forbidden);
    assert!(refused.message.ends_with("auth mode: ldap_auth"), "{}", refused.message);
}

#[tokio::test]
async fn a_deleted_user_leaves_its_name_and_nothing_else() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let alice = add_user(&context, "alice").await;
        join(&context, "p", &alice, Role::Developer).await;
        sign_in(&context, &alice, &["dev"]).await;
        verify(&context, "alice", PASSWORD).await.unwrap();
        let scopes = oci::Scope::parse_list("repository:p/x:pull").unwrap();
        let token = tokens::issue(&context, &alice, &scopes).await.unwrap().token;
        let name = "p/x".parse().unwrap();
        let by_token = tokens::verify(&context, &token).await.unwrap();
        access::on_repository(&context, &by_token, &name, Right::PULL).await.unwrap();

        let by = admin(&context).await;
        let id = id_of(&alice);
        let allowed_delete = on(&context, &by, id, Action::Delete).await;
        delete(&context, &allowed_delete).await.unwrap();
        assert_eq!(delete(&context, &allowed_delete).await.unwrap_err().kind, Kind::NotFound);
        assert!(verify(&context, "alice", PASSWORD).await.is_err());
        let refused = access::on_repository(&context, &by_token, &name, Right::PULL).await;
        assert_eq!(refused.unwrap_err().kind, Kind::Unauthenticated);
        assert!(find_by_name(&context, "alice").await.unwrap().is_none());
        assert!(find_by_name(&context, &format!("alice#{id}")).await.unwrap().is_none());
        for table in ["members WHERE entity_type = 'u' AND entity_id", "group_users WHERE user_id"]
        {
            let sql: &'static str = format!("SELECT COUNT(*) FROM {table} = $1").leak();
            let row = context.db.one(sql, args![id]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>(0).unwrap(), 0, "{table}");
        }
        let row = context.db.one("SELECT username, email FROM users WHERE id = $1", args![id]);
        let row = row.await.unwrap().unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), format!("alice#{id}"));
        assert_eq!(row.get::<String>(1).unwrap(), format!("alice@example.org#{id}"));

        // Who gets the name and the address gets nothing else.
        let again = add_user(&context, "alice").await;
        assert!(id_of(&again) > id);
        let refused = access::on_repository(&context, &again, &name, Right::PULL).await;
        assert_eq!(refused.unwrap_err().kind, Kind::Forbidden);
        assert_eq!(told(&context).await, ["delete alice well"]);
    }
}

#[tokio::test]
async fn who_owns_a_project_can_be_deleted_and_the_project_stays() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let owner = access::user(&context, &alice).await.unwrap();
        let creator = access::creator(&context, &alice).await.unwrap();
        let new = projects::NewProject { name: "own".to_owned(), ..Default::default() };
        let project = projects::create(&context, &creator, new).await.unwrap();
        let by = admin(&context).await;
        let allowed_delete = on(&context, &by, owner.id, Action::Delete).await;
        delete(&context, &allowed_delete).await.unwrap();
        let read = Right::new(Resource::Itself, Action::Read);
        let proof = allowed(&context, "own", read).await;
        let details = projects::details(&context, &proof, None).await.unwrap();
        assert_eq!(details.project.id, project);
        let list = allowed(&context, "own", Right::new(Resource::Member, Action::List)).await;
        let members = projects::members(&context, &list, None, Default::default()).await.unwrap();
        assert_eq!(members.total, 0);
    }
}

#[tokio::test]
async fn admin_and_oneself_stay() {
    let context = sqlite().open().await;
    let (alice, by) = (add_user(&context, "alice").await, admin(&context).await);
    make_sysadmin(&context, &by, id_of(&alice), true).await.unwrap();
    for (caller, id) in [(&by, ADMIN), (&alice, ADMIN), (&alice, id_of(&alice))] {
        let allowed = on(&context, caller, id, Action::Delete).await;
        let refused = delete(&context, &allowed).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
        assert_eq!(refused.message, format!("User with ID {id} cannot be deleted"));
    }
    assert!(find(&context, ADMIN).await.unwrap().is_some());
}

#[tokio::test]
async fn there_is_always_a_sysadmin_who_can_sign_in() {
    for place in both().await {
        let context = place.open().await;
        let (alice, by) = (add_user(&context, "alice").await, admin(&context).await);
        let list = Right::new(Resource::User, Action::List);
        assert!(access::on_system(&context, &alice, list).await.is_err());
        let refused = make_sysadmin(&context, &alice, id_of(&alice), true).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
        let refused = make_sysadmin(&context, &by, ADMIN, false).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
        // One that has no password here does not count.
        let carol = outsider(&context, "carol").await;
        make_sysadmin(&context, &by, carol.id, true).await.unwrap();
        assert!(make_sysadmin(&context, &by, ADMIN, false).await.is_err());

        make_sysadmin(&context, &by, id_of(&alice), true).await.unwrap();
        access::on_system(&context, &alice, list).await.unwrap();
        make_sysadmin(&context, &alice, ADMIN, false).await.unwrap();
        assert!(access::on_system(&context, &by, list).await.is_err());
        assert!(make_sysadmin(&context, &by, ADMIN, true).await.is_err());
        assert!(make_sysadmin(&context, &alice, id_of(&alice), false).await.is_err());
        let allowed = on(&context, &Caller::user(&carol), id_of(&alice), Action::Delete).await;
        assert_eq!(delete(&context, &allowed).await.unwrap_err().kind, Kind::Forbidden);
        let missing = make_sysadmin(&context, &alice, 999, true).await.unwrap_err();
        assert_eq!(missing.kind, Kind::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_take_each_others_rights_do_not_both_succeed() {
    let place = postgres().await;
    let context = Arc::new(place.open().await);
    for round in 0..10 {
        let by = admin(&context).await;
        let alice = add_user(&context, &format!("alice{round}")).await;
        make_sysadmin(&context, &by, id_of(&alice), true).await.unwrap();
        let take = |by: Caller, id| {
            let context = context.clone();
            tokio::spawn(async move { make_sysadmin(&context, &by, id, false).await.is_ok() })
        };
        let (one, other) = (take(by.clone(), id_of(&alice)), take(alice.clone(), ADMIN));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        assert!(one != other, "round {round}: {one} {other}");
        if other {
            make_sysadmin(&context, &alice, ADMIN, true).await.unwrap();
            make_sysadmin(&context, &by, id_of(&alice), false).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_robot_gets_no_further_than_it_is() {
    use crate::robots::{self, RequestedAccess, RequestedPermission};
    let context = sqlite().open().await;
    let (alice, by) = (add_user(&context, "alice").await, admin(&context).await);
    let level = access::on_robots(&context, &by, None, Action::Create).await.unwrap();
    let access = ["update", "delete", "read"].map(|action| RequestedAccess {
        resource: "user".to_owned(),
        action: action.to_owned(),
        ..RequestedAccess::default()
    });
    let requested = RequestedPermission {
        kind: "system".to_owned(),
        namespace: "/".to_owned(),
        access: access.to_vec(),
    };
    let given = access::give(&context, &by, &level, &[requested]).await.unwrap();
    let new = robots::NewRobot {
        name: "keeper".to_owned(),
        description: String::new(),
        duration: -1,
        disabled: false,
        visible: true,
        secret: None,
    };
    let created = robots::create(&context, &level, new, given).await.unwrap();
    let robot = robots::verify(&context, &created.name, created.secret.reveal()).await.unwrap();
    let robot = Caller::robot(&robot.unwrap());
    assert!(matches!(robot.principal(), Principal::Robot(_)));

    on(&context, &robot, id_of(&alice), Action::Update).await;
    on(&context, &robot, ADMIN, Action::Read).await;
    for action in [Action::Update, Action::Delete] {
        let refused = access::on_user(&context, &robot, ADMIN, action).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
    }
    assert!(make_sysadmin(&context, &robot, id_of(&alice), true).await.is_err());
    let allowed = on(&context, &robot, id_of(&alice), Action::Delete).await;
    delete(&context, &allowed).await.unwrap();
}

#[tokio::test]
async fn harbors_hash_becomes_one_of_todays_at_the_first_login() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let id = id_of(&alice);
        // PBKDF2 with SHA-256 of PASSWORD, as Harbor's table has it.
        let hash = "0f8aeaa27aabb5912785d55268d0549e";
        let old = of_harbor("sha256", "abcdefghijklmnop", hash).unwrap();
        let store = async |hash: String| {
            let caches = context.caches.clone();
            let set = context.db.write(move |tx| {
                let (caches, hash) = (caches.clone(), hash.clone());
                Box::pin(async move {
                    caches.users.changes(tx, &id);
                    tx.execute(sql::SET_PASSWORD, args![id, hash, 0]).await
                })
            });
            set.await.unwrap();
        };
        let stored = async || find(&context, id).await.unwrap().unwrap().password_hash.clone();
        store(old.clone()).await;
        assert!(verify(&context, "alice", "Wrong12345").await.is_err());
        assert_eq!(stored().await.as_deref(), Some(&*old), "a wrong password renews nothing");
        verify(&context, "alice", PASSWORD).await.unwrap();
        let new = stored().await.unwrap();
        assert!(new.starts_with("$argon2id$"), "{new}");
        verify(&context, "alice", PASSWORD).await.unwrap();
        assert!(verify(&context, "alice", "Wrong12345").await.is_err());
        assert_eq!(stored().await, Some(new), "once");
    }
}

#[tokio::test]
async fn a_change_of_rights_counts_with_the_next_request() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let (alice, by) = (add_user(&context, "alice").await, admin(&context).await);
        let may = async |right| {
            access::on_project(&context, &alice, ProjectRef::Name("p"), right).await.is_ok()
        };
        // A custom role, whose rights change while somebody has it.
        let role = Right::new(Resource::Role, Action::Create);
        let proof: Allowed<System> = access::on_system(&context, &by, role).await.unwrap();
        let new = |rights: &[Right]| crate::roles::NewRole {
            name: "special".to_owned(),
            description: String::new(),
            rights: rights.iter().copied().collect(),
        };
        let role = crate::roles::create(&context, &proof, new(&[Right::PULL])).await.unwrap();
        let who = MemberRef::User(id_of(&alice));
        add_member(&context, "p", who, role, None).await.unwrap();
        assert!(may(Right::PULL).await && !may(Right::PUSH).await);
        let update = Right::new(Resource::Role, Action::Update);
        let proof = access::on_system(&context, &by, update).await.unwrap();
        crate::roles::update(&context, &proof, role, new(&[Right::PUSH])).await.unwrap();
        assert!(!may(Right::PULL).await && may(Right::PUSH).await);
        make_sysadmin(&context, &by, id_of(&alice), true).await.unwrap();
        assert!(may(Right::DELETE).await);
        make_sysadmin(&context, &by, id_of(&alice), false).await.unwrap();
        assert!(!may(Right::DELETE).await && may(Right::PUSH).await);
    }
}
