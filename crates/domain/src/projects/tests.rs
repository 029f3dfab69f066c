#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc};

use db::args;
use kit::{Kind, Page, Selection};

use super::{list::LIST, *};
use crate::{
    access::{self, Action, Caller, Resource, Right, View},
    allowlists,
    groups::GroupKind,
    testing::{
        add_member, add_project, add_user, admin, allowed, both, given, join, robot_of, selection,
        sqlite,
    },
};

const READ: Right = Right::new(Resource::Itself, Action::Read);
const DELETE: Right = Right::new(Resource::Itself, Action::Delete);
const UPDATE: Right = Right::new(Resource::Itself, Action::Update);

async fn names(context: &Context, view: View, q: &str, sort: &str) -> String {
    let found = list(context, view, &selection(q, sort)).await.unwrap();
    assert_eq!(found.total, found.items.len() as i64);
    let names = found.items.iter().map(|details| details.project.name.to_string());
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_number_of_projects_is_right_after_each_change() {
    for place in both().await {
        let context = place.open().await;
        let total = async || {
            let page = Selection { page: Page { page: 9, page_size: 1 }, ..selection("", "") };
            list(&context, View::Everything, &page).await.unwrap().total
        };
        let before = total().await;
        add_project(&context, "p", false).await;
        assert_eq!(total().await, before + 1);
        let proof = allowed(&context, "p", DELETE).await;
        delete(&context, &proof).await.unwrap();
        assert_eq!(total().await, before);
    }
}

#[tokio::test]
async fn the_creator_is_the_administrator() {
    for place in both().await {
        let context = place.open().await;
        let caller = add_user(&context, "alice").await;
        let creator = access::creator(&context, &caller).await.unwrap();
        assert!(!creator.decides());
        let pairs = [("public", "true"), ("auto_scan", "1")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let new = NewProject {
            name: "p".to_owned(),
            metadata: Metadata::read(pairs).unwrap(),
            allowlist: Some(list_of(&["CVE-1"])),
            storage_limit: None,
        };
        let id = create(&context, &creator, new.clone()).await.unwrap();
        assert!(id > 1);
        let proof = access::on_project(&context, &caller, ProjectRef::Id(id), DELETE).await;
        assert_eq!(&*proof.unwrap().project().name, "p");

        let proof = allowed(&context, "p", READ).await;
        let details = details(&context, &proof, caller.user_id()).await.unwrap();
        assert_eq!(details.owner_name, "alice");
        assert_eq!(details.repository_count, 0);
        assert_eq!(details.role_ids, [Role::ProjectAdmin.id()]);
        assert!(details.project.public);
        let set = [("auto_scan".into(), "true".into()), ("public".into(), "true".into())];
        assert_eq!(details.metadata, BTreeMap::from(set));
        assert_eq!(details.allowlist.items, ["CVE-1"]);

        let refused = create(&context, &creator, new).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Conflict);
        for wrong in [
            NewProject { name: "P".into(), ..Default::default() },
            NewProject {
                name: "q".into(),
                allowlist: Some(list_of(&["CVE-1", "CVE-1"])),
                ..Default::default()
            },
        ] {
            let refused = create(&context, &creator, wrong).await;
            assert_eq!(refused.unwrap_err().kind, Kind::Invalid);
        }
    }
}

fn list_of(items: &[&str]) -> allowlists::Change {
    let items = items.iter().map(|item| (*item).to_owned()).collect();
    allowlists::Change { expires_at: None, items }
}

#[tokio::test]
async fn metadata_are_set_one_by_one() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", true).await;
        let right = |action| Right::new(Resource::Metadata, action);
        let read = allowed(&context, "p", right(Action::List)).await;
        let all = async || metadata(&context, &read).await.unwrap();
        assert_eq!(all().await, BTreeMap::from([("public".into(), "true".into())]));

        let create = allowed(&context, "p", right(Action::Create)).await;
        let add = async |name: &str, value: &str| {
            let added = add_metadata(&context, &create, name.to_owned(), value).await;
            added.map_err(|error| error.kind)
        };
        add("severity", "High").await.unwrap();
        assert_eq!(add("severity", "low").await, Err(Kind::Conflict));
        assert_eq!(add("public", "false").await, Err(Kind::Conflict));
        assert_eq!(add("nonsense", "x").await, Err(Kind::Invalid));
        assert_eq!(all().await["severity"], "high");

        let change = allowed(&context, "p", right(Action::Update)).await;
        let set = async |name: &str, value: &str| {
            set_metadata(&context, &change, name.to_owned(), value).await.unwrap();
        };
        set("severity", "low").await;
        set("auto_scan", "t").await;
        set("public", "false").await;
        let set = [("auto_scan", "true"), ("public", "false"), ("severity", "low")];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(all().await, BTreeMap::from(set));
        let project = find(&context, ProjectRef::Name("p")).await.unwrap().unwrap();
        assert!(!project.public, "known at once");

        let one = allowed(&context, "p", right(Action::Read)).await;
        let found = metadatum(&context, &one, "severity").await.unwrap();
        assert_eq!(found, BTreeMap::from([("severity".into(), "low".into())]));
        assert!(metadatum(&context, &one, "nothing").await.unwrap().is_empty());

        let delete = allowed(&context, "p", right(Action::Delete)).await;
        let remove = async |name: &str| {
            let removed = remove_metadata(&context, &delete, name.to_owned()).await;
            removed.map_err(|error| error.kind)
        };
        remove("severity").await.unwrap();
        remove("severity").await.unwrap();
        remove("public").await.unwrap();
        assert_eq!(remove("nonsense").await, Err(Kind::Invalid));
        assert_eq!(all().await.len(), 2);
    }
}

#[tokio::test]
async fn robots_make_projects_if_they_were_given_the_right() {
    let context = sqlite().open().await;
    let (maker, _) = robot_of(&context, None, "maker", &["project:create"]).await;
    let creator = access::creator(&context, &maker).await.unwrap();
    let new = NewProject { name: "p".to_owned(), ..NewProject::default() };
    create(&context, &creator, new).await.unwrap();
    let proof = allowed(&context, "p", READ).await;
    assert_eq!(details(&context, &proof, None).await.unwrap().owner_name, "admin");
    let (other, _) = robot_of(&context, None, "other", &["project:list"]).await;
    let (of_project, _) = robot_of(&context, Some("p"), "ci", &["repository:pull"]).await;
    for refused in [other, of_project] {
        let refused = access::creator(&context, &refused).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
    }
    let refused = access::creator(&context, &Caller::anonymous()).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Unauthenticated);
}

#[tokio::test]
async fn everybody_sees_what_is_theirs_to_see() {
    for place in both().await {
        let context = place.open().await;
        for (name, public) in [("open", true), ("closed", false), ("shared", false)] {
            add_project(&context, name, public).await;
        }
        let alice = add_user(&context, "alice").await;
        join(&context, "shared", &alice, Role::Guest).await;
        let seen = async |caller: &Caller| {
            let view = access::view(&context, caller).await.unwrap();
            names(&context, view, "", "").await
        };
        assert_eq!(seen(&Caller::anonymous()).await, "library open");
        assert_eq!(seen(&alice).await, "library open shared");
        assert_eq!(seen(&admin(&context).await).await, "closed library open shared");

        let all = async |q: &str, sort: &str| names(&context, View::Everything, q, sort).await;
        assert_eq!(all("name=~E", "").await, "closed open shared");
        assert_eq!(all("name=~o%", "").await, "");
        assert_eq!(all("public=true", "").await, "library open");
        assert_eq!(all("public=false", "-name").await, "shared closed");
        assert_eq!(all("owner=alice", "").await, "");
        assert_eq!(all("owner=admin", "creation_time").await, "library open closed shared");

        let view = View::Of(alice.user_id().unwrap());
        let found = list(&context, view, &selection("name=shared", "")).await.unwrap();
        assert_eq!(found.items[0].role_ids, [Role::Guest.id()]);
        let user = access::user(&context, &alice).await.unwrap();
        let own = list_own(&context, &user, &selection("", "")).await.unwrap();
        assert_eq!((own.total, &*own.items[0].project.name), (1, "shared"));
        assert_eq!(own.items[0].role_ids, [Role::Guest.id()]);
        LIST.try_everything(&context.db, sql::OWN_FROM, args![1]).await;
        LIST.try_everything(&context.db, sql::VISIBLE_FROM, args![1, 1]).await;
        LIST.try_everything(&context.db, sql::EVERY_FROM, args![]).await;
        members::MEMBERS.try_everything(&context.db, sql::MEMBERS_FROM, args![1]).await;

        let page = Page { page: 2, page_size: 3 };
        let found = list(&context, View::Everything, &page.into()).await.unwrap();
        assert_eq!((found.total, found.items.len()), (4, 1));
    }
}

#[tokio::test]
async fn a_project_with_repositories_stays() {
    for place in both().await {
        let context = place.open().await;
        let id = add_project(&context, "p", false).await;
        let proof = allowed(&context, "p", DELETE).await;
        assert_eq!(kept_by(&context, &proof).await.unwrap(), None);
        let insert = "INSERT INTO repositories (project_id, name, created_at, updated_at)
            VALUES ($1, 'p/x', 0, 0)";
        let write = |sql: &'static str| {
            context.db.write(move |tx| Box::pin(async move { tx.execute(sql, args![id]).await }))
        };
        write(insert).await.unwrap();
        assert!(kept_by(&context, &proof).await.unwrap().is_some());
        let refused = delete(&context, &proof).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Precondition);
        let change = Change { allowlist: Some(list_of(&["CVE-1"])), ..Change::default() };
        update(&context, &allowed(&context, "p", UPDATE).await, change).await.unwrap();
        write("DELETE FROM repositories WHERE project_id = $1").await.unwrap();
        delete(&context, &proof).await.unwrap();
        assert_eq!(delete(&context, &proof).await.unwrap_err().kind, Kind::NotFound);
        assert!(find(&context, ProjectRef::Name("p")).await.unwrap().is_none());
        let refused = update(&context, &proof, Change::default()).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Internal, "a proof for something else");
        let left = context.db.one("SELECT id FROM cve_allowlists", args![]).await.unwrap();
        assert!(left.is_none(), "its allowlist went with it");
        assert!(add_project(&context, "p", false).await > id, "numbers are not given twice");
    }
}

#[tokio::test]
async fn a_repository_and_a_deletion_do_not_meet() {
    for place in both().await {
        let context = Arc::new(place.open().await);
        for round in 0..20 {
            let name = format!("p{round}");
            let id = add_project(&context, &name, false).await;
            let proof = allowed(&context, &name, DELETE).await;
            let deleting = {
                let context = context.clone();
                tokio::spawn(async move { delete(&context, &proof).await.is_ok() })
            };
            let repository = format!("{name}/x");
            let making = {
                let context = context.clone();
                tokio::spawn(async move {
                    let insert = "INSERT INTO repositories
                        (project_id, name, created_at, updated_at) VALUES ($1, $2, 0, 0)";
                    let deed = context.db.write(move |tx| {
                        let args = args![id, &repository];
                        Box::pin(async move { tx.execute(insert, args).await })
                    });
                    deed.await.is_ok()
                })
            };
            let (deleted, made) = (deleting.await.unwrap(), making.await.unwrap());
            assert!(deleted != made, "deleted {deleted}, made {made}");
        }
    }
}

#[tokio::test]
async fn members_come_and_go() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let alice = add_user(&context, "alice").await;
        let bob = add_user(&context, "bob").await;
        let id = join(&context, "p", &alice, Role::Guest).await;
        join(&context, "p", &bob, Role::Maintainer).await;
        let right = |action| Right::new(Resource::Member, action);
        let refusal = async |who| {
            let role = Role::Developer.id();
            add_member(&context, "p", who, role, None).await.unwrap_err().kind
        };
        assert_eq!(refusal(MemberRef::UserName("alice".into())).await, Kind::Conflict);
        for unknown in [
            MemberRef::UserName("nobody".into()),
            MemberRef::UserName("al\0ice".into()),
            MemberRef::UserName("' OR '1'='1".into()),
            MemberRef::User(999),
            MemberRef::User(-1),
            MemberRef::Group(999),
            MemberRef::GroupName(GroupKind::Ldap, "nobody".into()),
            MemberRef::GroupDn("cn=nobody,dc=example".into()),
            MemberRef::GroupDn("nonsense".into()),
        ] {
            assert_eq!(refusal(unknown).await, Kind::NotFound);
        }

        let list = allowed(&context, "p", right(Action::List)).await;
        let found = members(&context, &list, None, Page::default()).await.unwrap();
        let names: Vec<_> = found.items.iter().map(|member| member.name.as_str()).collect();
        assert_eq!((names, found.total), (vec!["admin", "alice", "bob"], 3));
        let found = members(&context, &list, Some("LI"), Page::default()).await.unwrap();
        assert_eq!((found.total, found.items[0].role_id), (1, Role::Guest.id()));

        let change = allowed(&context, "p", right(Action::Update)).await;
        let role = given(&context, &change, Role::Developer.id()).await;
        change_role(&context, &change, id, role).await.unwrap();
        let read = allowed(&context, "p", right(Action::Read)).await;
        let found = member(&context, &read, id).await.unwrap();
        assert_eq!(found.role_name, "developer");
        assert_eq!(found.entity, Entity::User(alice.user_id().unwrap()));

        // A member of one project is not to be found through another.
        let other = allowed(&context, "library", right(Action::Delete)).await;
        assert_eq!(remove_member(&context, &other, id).await.unwrap_err().kind, Kind::NotFound);
        let remove = allowed(&context, "p", right(Action::Delete)).await;
        remove_member(&context, &remove, id).await.unwrap();
        assert_eq!(member(&context, &read, id).await.unwrap_err().kind, Kind::NotFound);
        assert_eq!(remove_member(&context, &remove, id).await.unwrap_err().kind, Kind::NotFound);
    }
}
