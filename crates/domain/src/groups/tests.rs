#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use db::args;
use kit::{Kind, Page};

use super::{list::LIST, *};
use crate::{
    access::{self, Action, Caller, Resource, Right},
    projects::{self, MemberRef, ProjectRef, Role},
    rights::{Allowed, System},
    testing::{
        add_group, add_member, add_project, add_user, admin, allowed, both, eventually, given,
        postgres, sign_in, sqlite,
    },
};

const PULL: Right = Right::PULL;

async fn proof(context: &Context, action: Action) -> Allowed<System> {
    let right = Right::new(Resource::UserGroup, action);
    access::on_system(context, &admin(context).await, right).await.unwrap()
}

async fn may(context: &Context, user: &Caller, right: Right) -> bool {
    access::on_project(context, user, ProjectRef::Name("p"), right).await.is_ok()
}

async fn groups_of(context: &Context, user: &Caller) -> String {
    let sql = "SELECT g.name FROM group_users AS u JOIN user_groups AS g ON g.id = u.group_id \
               WHERE u.user_id = $1 ORDER BY g.name";
    let rows = context.db.all(sql, args![user.user_id().unwrap()]).await.unwrap();
    rows.iter().map(|row| row.get::<String>(0).unwrap()).collect::<Vec<_>>().join(" ")
}

fn named(name: &str) -> External {
    External { name: name.to_owned(), dn: None }
}

fn of_ldap(name: &str, dn: &str) -> External {
    External { name: name.to_owned(), dn: Some(dn.to_owned()) }
}

#[tokio::test]
async fn a_group_makes_a_member_from_one_sign_in_to_the_next() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let alice = add_user(&context, "alice").await;
        sign_in(&context, &alice, &["dev", "ops"]).await;
        assert_eq!(groups_of(&context, &alice).await, "dev ops");
        assert!(!may(&context, &alice, PULL).await);

        let dev = find_by_name(&context, GroupKind::Oidc, "dev").await.unwrap().unwrap().id;
        let guest = Role::Guest.id();
        let member = add_member(&context, "p", MemberRef::Group(dev), guest, None).await.unwrap();
        assert!(may(&context, &alice, PULL).await);
        assert!(!may(&context, &alice, Right::PUSH).await);

        // Another role of the group counts at once, and so does leaving it.
        let change = allowed(&context, "p", Right::new(Resource::Member, Action::Update)).await;
        let developer = given(&context, &change, Role::Developer.id()).await;
        projects::change_role(&context, &change, member, developer).await.unwrap();
        assert!(may(&context, &alice, Right::PUSH).await);
        sign_in(&context, &alice, &["ops"]).await;
        assert!(!may(&context, &alice, PULL).await);
        sign_in(&context, &alice, &["dev"]).await;
        assert!(may(&context, &alice, Right::PUSH).await);

        let remove = allowed(&context, "p", Right::new(Resource::Member, Action::Delete)).await;
        projects::remove_member(&context, &remove, member).await.unwrap();
        assert!(!may(&context, &alice, PULL).await);
    }
}

#[tokio::test]
async fn rights_in_person_and_by_groups_add_up() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let alice = add_user(&context, "alice").await;
        let (dev, ops) = (add_group(&context, "dev").await, add_group(&context, "ops").await);
        let user = MemberRef::User(alice.user_id().unwrap());
        let some = Some(&["own/**"][..]);
        add_member(&context, "p", user, Role::Guest.id(), some).await.unwrap();
        let some = Some(&["dev/**"][..]);
        add_member(&context, "p", MemberRef::Group(dev), Role::Developer.id(), some).await.unwrap();
        let maintainer = Role::Maintainer.id();
        add_member(&context, "p", MemberRef::Group(ops), maintainer, None).await.unwrap();
        let covers = async |right, repository: &str| {
            let name = format!("p/{repository}").parse().unwrap();
            access::on_repository(&context, &alice, &name, right).await.is_ok()
        };
        assert!(covers(PULL, "own/x").await && !covers(PULL, "dev/x").await);
        sign_in(&context, &alice, &["dev"]).await;
        assert!(covers(PULL, "own/x").await && covers(PULL, "dev/x").await);
        assert!(covers(Right::PUSH, "dev/x").await && !covers(Right::PUSH, "own/x").await);
        assert!(!covers(PULL, "x").await);
        sign_in(&context, &alice, &["dev", "ops"]).await;
        assert!(covers(Right::DELETE, "x").await);
        let seen = access::view(&context, &alice).await.unwrap();
        let found = projects::list(&context, seen, &Default::default()).await.unwrap();
        let p = found.items.iter().find(|details| &*details.project.name == "p").unwrap();
        assert_eq!(p.role_ids, [4, 2, 3]);
        sign_in(&context, &alice, &[]).await;
        assert!(covers(PULL, "own/x").await && !covers(PULL, "dev/x").await);
    }
}

#[tokio::test]
async fn what_a_deleted_group_gave_is_gone_at_once() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let alice = add_user(&context, "alice").await;
        let dev = add_group(&context, "dev").await;
        add_member(&context, "p", MemberRef::Group(dev), 2, None).await.unwrap();
        sign_in(&context, &alice, &["dev"]).await;
        assert!(may(&context, &alice, PULL).await);
        let delete_allowed = proof(&context, Action::Delete).await;
        delete(&context, &delete_allowed, dev).await.unwrap();
        assert!(!may(&context, &alice, PULL).await);
        assert_eq!(delete(&context, &delete_allowed, dev).await.unwrap_err().kind, Kind::NotFound);
        assert_eq!(groups_of(&context, &alice).await, "");
        // The same name again is another group.
        sign_in(&context, &alice, &["dev"]).await;
        assert_eq!(groups_of(&context, &alice).await, "dev");
        assert!(!may(&context, &alice, PULL).await);
    }
}

#[tokio::test]
async fn another_replica_knows_within_a_second() {
    let place = postgres().await;
    let (here, there) = (place.open().await, place.open().await);
    add_project(&here, "p", false).await;
    let alice = add_user(&here, "alice").await;
    let dev = add_group(&here, "dev").await;
    add_member(&here, "p", MemberRef::Group(dev), 2, None).await.unwrap();
    sign_in(&here, &alice, &["dev"]).await;
    assert!(may(&there, &alice, PULL).await);
    sign_in(&here, &alice, &[]).await;
    let left = std::time::Instant::now();
    eventually(async || !may(&there, &alice, PULL).await).await;
    assert!(left.elapsed() < std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn groups_of_ldap_are_told_apart_by_their_dn() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let id = alice.user_id().unwrap();
        let dev = of_ldap("dev", "CN=Dev, OU=Groups,dc=example");
        let other = of_ldap("dev", "cn=dev,ou=other,dc=example");
        let found = [dev.clone(), other, named("no dn"), of_ldap("x", "not a dn")];
        at_sign_in(&context, id, GroupKind::Ldap, &found).await.unwrap();
        assert_eq!(groups_of(&context, &alice).await, "cn=dev,ou=other,dc=example dev");
        let there = find_by_dn(&context, "cn=dev,ou=GROUPS , dc=example").await.unwrap().unwrap();
        assert_eq!((there.name.as_str(), there.kind), ("dev", GroupKind::Ldap));
        // However it is written, it is the same group, and nothing is to be done.
        let again = of_ldap("other name", "cn=dev,ou=groups,dc=example");
        at_sign_in(&context, id, GroupKind::Ldap, &[again]).await.unwrap();
        assert_eq!(groups_of(&context, &alice).await, "dev");
        // Groups of another kind are another source's.
        at_sign_in(&context, id, GroupKind::Oidc, &[named("dev")]).await.unwrap();
        assert_eq!(groups_of(&context, &alice).await, "dev dev");

        let create_allowed = proof(&context, Action::Create).await;
        let new = |name: &str, dn: &str| {
            let (name, dn) = (name.to_owned(), Some(dn.to_owned()));
            NewGroup { name, kind: GroupKind::Ldap, dn }
        };
        let refusal = async |new| create(&context, &create_allowed, new).await.unwrap_err().kind;
        assert_eq!(refusal(new("else", "cn=DEV,ou=groups,dc=example")).await, Kind::Conflict);
        assert_eq!(refusal(new("dev", "cn=else,dc=example")).await, Kind::Conflict);
        for dn in ["", "nonsense", "=x", "cn=a\0b"] {
            assert_eq!(refusal(new("else", dn)).await, Kind::Invalid, "{dn:?}");
        }
        assert_eq!(refusal(new("else", &format!("cn={}", "x".repeat(520)))).await, Kind::Invalid);
        create(&context, &create_allowed, new("else", "cn=else,dc=example")).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_is_given_once_for_each_kind() {
    for place in both().await {
        let context = place.open().await;
        let create_allowed = proof(&context, Action::Create).await;
        let new = |name: &str, kind| NewGroup { name: name.to_owned(), kind, dn: None };
        let id = create(&context, &create_allowed, new("dev", GroupKind::Oidc)).await.unwrap();
        create(&context, &create_allowed, new("dev", GroupKind::Http)).await.unwrap();
        let other = create(&context, &create_allowed, new("ops", GroupKind::Oidc)).await.unwrap();
        let taken = create(&context, &create_allowed, new("dev", GroupKind::Oidc)).await;
        assert_eq!(taken.unwrap_err().kind, Kind::Conflict);
        for bad in ["", " dev", "a\nb", "a\u{200b}b", &"x".repeat(256)] {
            let refused = create(&context, &create_allowed, new(bad, GroupKind::Oidc)).await;
            assert_eq!(refused.unwrap_err().kind, Kind::Invalid, "{bad:?}");
        }
        let update_allowed = proof(&context, Action::Update).await;
        rename(&context, &update_allowed, id, "devs").await.unwrap();
        rename(&context, &update_allowed, id, "devs").await.unwrap();
        let taken = rename(&context, &update_allowed, other, "devs").await.unwrap_err();
        assert_eq!(taken.kind, Kind::Conflict);
        let refused = rename(&context, &update_allowed, 999, "x").await.unwrap_err();
        assert_eq!(refused.kind, Kind::NotFound);
        assert_eq!(find(&context, id).await.unwrap().unwrap().name, "devs");

        let list_allowed = proof(&context, Action::List).await;
        let names = async |wanted: Wanted| {
            let found = list(&context, &list_allowed, &wanted, Page::default()).await.unwrap();
            let names: Vec<_> = found.items.into_iter().map(|group| group.name).collect();
            (names.join(" "), found.total)
        };
        assert_eq!(names(Wanted::default()).await, ("dev devs ops".to_owned(), 3));
        let http = Wanted { kind: Some(GroupKind::Http), ..Wanted::default() };
        assert_eq!(names(http).await, ("dev".to_owned(), 1));
        for nothing in ["' OR 1=1 --", "%", "_"] {
            let wanted = Wanted { name: Some(nothing.to_owned()), ..Wanted::default() };
            assert_eq!(names(wanted).await.1, 0, "{nothing}");
        }
        let found = search(&context, "EV", Page::default()).await.unwrap();
        assert_eq!(found.total, 2);
        LIST.try_everything(&context.db, sql::LIST_FROM, args![]).await;
    }
}

#[tokio::test]
async fn what_a_source_says_is_bounded() {
    let context = sqlite().open().await;
    let alice = add_user(&context, "alice").await;
    let id = alice.user_id().unwrap();
    let mut found: Vec<External> = (0..1100).map(|n| named(&format!("group {n}"))).collect();
    found.push(named(""));
    found.push(named(&"x".repeat(256)));
    at_sign_in(&context, id, GroupKind::Oidc, &found).await.unwrap();
    let row = context.db.one("SELECT COUNT(*) FROM group_users", args![]).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), 1000);
    let odd = [named("a\0b\u{200b}"), named("'; DROP TABLE users; --"), named(" c ")];
    at_sign_in(&context, id, GroupKind::Oidc, &odd).await.unwrap();
    assert_eq!(groups_of(&context, &alice).await, "'; DROP TABLE users; -- ab c");
    let refused = at_sign_in(&context, 999, GroupKind::Oidc, &odd).await.unwrap_err();
    assert_eq!(refused.kind, Kind::NotFound);
}

/// A group that joins a project while somebody joins or leaves the group: whatever the
/// order, what is remembered is what is so.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_and_goes_at_the_same_time_has_the_right_rights() {
    let place = postgres().await;
    let context = Arc::new(place.open().await);
    let dev = add_group(&context, "dev").await;
    let alice = add_user(&context, "alice").await;
    for round in 0..20 {
        let project = format!("p{round}");
        add_project(&context, &project, false).await;
        let name = ProjectRef::Name(&project);
        let right = Right::new(Resource::Itself, Action::Read);
        let joining = {
            let (context, project) = (context.clone(), project.clone());
            tokio::spawn(async move {
                add_member(&context, &project, MemberRef::Group(dev), 2, None).await.unwrap();
            })
        };
        let signing_in = {
            let (context, alice) = (context.clone(), alice.clone());
            let groups = if round % 2 == 0 { vec!["dev"] } else { vec![] };
            tokio::spawn(async move { sign_in(&context, &alice, &groups).await })
        };
        while !joining.is_finished() || !signing_in.is_finished() {
            let _either = access::on_project(&context, &alice, name, right).await;
        }
        joining.await.unwrap();
        signing_in.await.unwrap();
        let may = access::on_project(&context, &alice, name, right).await.is_ok();
        assert_eq!(may, round % 2 == 0, "round {round}");
    }
}

/// Many who sign in for the first time at the same time make one group.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_group_is_made_once() {
    for place in both().await {
        let context = Arc::new(place.open().await);
        let mut signing_in = Vec::new();
        for n in 0..8 {
            let user = add_user(&context, &format!("user{n}")).await;
            let context = context.clone();
            signing_in.push(tokio::spawn(async move {
                sign_in(&context, &user, &["a", "b", "c"]).await;
            }));
        }
        for one in signing_in {
            one.await.unwrap();
        }
        assert_eq!(search(&context, "", Page::default()).await.unwrap().total, 3);
        let rows = "SELECT COUNT(*) FROM group_users";
        let row = context.db.one(rows, args![]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 24);
    }
}
