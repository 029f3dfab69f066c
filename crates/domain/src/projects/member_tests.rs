//! What is told of members, and what happens to them at the same time and elsewhere.
#![allow(clippy::unwrap_used)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use db::args;
use kit::Kind;

use super::*;
use crate::{
    access::{self, Action, Caller, Resource, Right},
    roles::{self, NewRole},
    testing::{
        add_group, add_member, add_project, add_user, admin, allowed, both, eventually, given,
        join, postgres, sign_in,
    },
    users,
};

const fn right(action: Action) -> Right {
    Right::new(Resource::Member, action)
}

async fn may(context: &Context, user: &Caller, right: Right) -> bool {
    access::on_project(context, user, ProjectRef::Name("p"), right).await.is_ok()
}

async fn make_role(context: &Context, name: &str) -> i64 {
    let by = admin(context).await;
    let right = Right::new(Resource::Role, Action::Create);
    let proof = access::on_system(context, &by, right).await.unwrap();
    let rights = [Right::PULL].into_iter().collect();
    let new = NewRole { name: name.to_owned(), description: String::new(), rights };
    roles::create(context, &proof, new).await.unwrap()
}

#[tokio::test]
async fn what_is_done_with_members_is_told() {
    for place in both().await {
        let context = place.open().await;
        let project = add_project(&context, "p", false).await;
        let alice = add_user(&context, "alice").await;
        let id = join(&context, "p", &alice, Role::Guest).await;
        let again = MemberRef::UserName("alice".to_owned());
        assert!(add_member(&context, "p", again, 2, None).await.is_err());
        let nobody = MemberRef::UserName("nobody".to_owned());
        assert!(add_member(&context, "p", nobody, 2, None).await.is_err());
        let dev = add_group(&context, "dev").await;
        add_member(&context, "p", MemberRef::Group(dev), 2, None).await.unwrap();
        let change = allowed(&context, "p", right(Action::Update)).await;
        let role = given(&context, &change, 2).await;
        change_role(&context, &change, id, role).await.unwrap();
        assert!(change_role(&context, &change, 999, role).await.is_err());
        let remove = allowed(&context, "p", right(Action::Delete)).await;
        remove_member(&context, &remove, id).await.unwrap();
        assert!(remove_member(&context, &remove, id).await.is_err());
        let told = "SELECT operation || ' ' || resource || CASE WHEN succeeded THEN '' ELSE '!' END \
                    FROM audit_log WHERE resource_type = 'member' AND project_id = $1 ORDER BY id";
        let rows = context.db.all(told, args![project]).await.unwrap();
        let told: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        let gone = format!("delete {id}!");
        let expected = [
            "create alice",
            "create alice!",
            "create nobody!",
            "create dev",
            "update alice",
            "update 999!",
            "delete alice",
            &gone,
        ];
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn who_made_a_project_can_be_made_less_and_leave() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let creator = access::creator(&context, &alice).await.unwrap();
        let new = NewProject { name: "p".to_owned(), ..Default::default() };
        create(&context, &creator, new).await.unwrap();
        let list = allowed(&context, "p", right(Action::List)).await;
        let found = members(&context, &list, None, Default::default()).await.unwrap();
        let id = found.items[0].id;
        let change = allowed(&context, "p", right(Action::Update)).await;
        let guest = given(&context, &change, Role::Guest.id()).await;
        change_role(&context, &change, id, guest).await.unwrap();
        assert!(
            may(&context, &alice, Right::PULL).await && !may(&context, &alice, Right::PUSH).await
        );
        let remove = allowed(&context, "p", right(Action::Delete)).await;
        remove_member(&context, &remove, id).await.unwrap();
        assert!(!may(&context, &alice, Right::PULL).await);
        let found = members(&context, &list, None, Default::default()).await.unwrap();
        assert_eq!(found.total, 0);
    }
}

/// Waits until something is so at another replica, and makes sure that it was in time.
async fn within_a_second(is_so: impl AsyncFn() -> bool) {
    let changed = Instant::now();
    eventually(is_so).await;
    assert!(changed.elapsed() < Duration::from_secs(1), "{:?}", changed.elapsed());
}

#[tokio::test]
async fn every_change_of_rights_reaches_another_replica_within_a_second() {
    let place = postgres().await;
    let (here, there) = (place.open().await, place.open().await);
    add_project(&here, "p", false).await;
    let alice = add_user(&here, "alice").await;
    let id = join(&here, "p", &alice, Role::Developer).await;
    assert!(may(&there, &alice, Right::PUSH).await);
    let change = allowed(&here, "p", right(Action::Update)).await;
    let guest = given(&here, &change, Role::Guest.id()).await;
    change_role(&here, &change, id, guest).await.unwrap();
    within_a_second(async || !may(&there, &alice, Right::PUSH).await).await;

    let special = make_role(&here, "special").await;
    let role = given(&here, &change, special).await;
    change_role(&here, &change, id, role).await.unwrap();
    let list = right(Action::List);
    within_a_second(async || !may(&there, &alice, list).await).await;
    let by = admin(&here).await;
    let update = Right::new(Resource::Role, Action::Update);
    let proof = access::on_system(&here, &by, update).await.unwrap();
    let rights = [list].into_iter().collect();
    let new = NewRole { name: "special".to_owned(), description: String::new(), rights };
    roles::update(&here, &proof, special, new).await.unwrap();
    within_a_second(async || may(&there, &alice, list).await).await;

    let dev = add_group(&here, "dev").await;
    sign_in(&here, &alice, &["dev"]).await;
    let member = add_member(&here, "p", MemberRef::Group(dev), 2, None).await.unwrap();
    within_a_second(async || may(&there, &alice, Right::PUSH).await).await;
    let remove = allowed(&here, "p", right(Action::Delete)).await;
    remove_member(&here, &remove, member).await.unwrap();
    within_a_second(async || !may(&there, &alice, Right::PUSH).await).await;

    let user_id = alice.user_id().unwrap();
    let sysadmins = access::on_sysadmins(&here, &by).await.unwrap();
    users::set_sysadmin(&here, &sysadmins, user_id, true).await.unwrap();
    within_a_second(async || may(&there, &alice, Right::DELETE).await).await;
    users::set_sysadmin(&here, &sysadmins, user_id, false).await.unwrap();
    within_a_second(async || !may(&there, &alice, Right::DELETE).await).await;
    let proof = access::on_user(&here, &by, user_id, Action::Delete).await.unwrap();
    users::delete(&here, &proof).await.unwrap();
    within_a_second(async || access::user(&there, &alice).await.is_err()).await;
}

/// A role that is given while it is deleted is either given or gone.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_role_that_is_gone() {
    let place = postgres().await;
    let context = Arc::new(place.open().await);
    add_project(&context, "p", false).await;
    let by = admin(&context).await;
    let delete = Right::new(Resource::Role, Action::Delete);
    for round in 0..10 {
        let role = make_role(&context, &format!("role {round}")).await;
        let user = add_user(&context, &format!("user{round}")).await;
        let giving = {
            let context = context.clone();
            let who = MemberRef::User(user.user_id().unwrap());
            tokio::spawn(async move { add_member(&context, "p", who, role, None).await })
        };
        let proof = access::on_system(&context, &by, delete).await.unwrap();
        let deleted = roles::delete(&context, &proof, role).await;
        let given = giving.await.unwrap();
        match (&given, &deleted) {
            (Ok(_), Err(error)) => assert_eq!(error.kind, Kind::Precondition),
            (Err(error), Ok(())) => assert_eq!(error.kind, Kind::Invalid),
            other => panic!("round {round}: {other:?}"),
        }
    }
}
