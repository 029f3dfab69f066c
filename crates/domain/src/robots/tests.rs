#![allow(clippy::unwrap_used)]

use std::time::Duration;

use kit::{Clock, Error, Kind, Secret};
use oci::RepositoryName;

use super::*;

mod giving_tests;
mod trust_tests;
use crate::{
    access::{self, Caller},
    projects::ProjectRef,
    testing::{START, add_project, admin, both, selection, sqlite},
    tokens,
};

fn permission(kind: &str, namespace: &str, access: &[&str]) -> RequestedPermission {
    let right = |word: &&str| {
        let (resource, action) = word.split_once(':').unwrap();
        let (resource, action) = (resource.to_owned(), action.to_owned());
        RequestedAccess { resource, action, effect: String::new() }
    };
    RequestedPermission {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        access: access.iter().map(right).collect(),
    }
}

fn new(name: &str) -> NewRobot {
    NewRobot {
        name: name.to_owned(),
        description: "A robot".to_owned(),
        duration: -1,
        disabled: false,
        visible: true,
        secret: None,
    }
}

/// Has somebody make a robot of a level.
async fn try_make(
    context: &Context,
    by: &Caller,
    project: Option<&str>,
    new: NewRobot,
    permissions: &[RequestedPermission],
) -> Result<Created, Error> {
    let project = project.map(ProjectRef::Name);
    let allowed = access::on_robots(context, by, project, Action::Create).await?;
    let given = access::give(context, by, &allowed, permissions).await?;
    create(context, &allowed, new, given).await
}

async fn make(
    context: &Context,
    project: Option<&str>,
    name: &str,
    permissions: &[RequestedPermission],
) -> Created {
    let admin = admin(context).await;
    try_make(context, &admin, project, new(name), permissions).await.unwrap()
}

async fn login(context: &Context, created: &Created) -> Caller {
    let robot = verify(context, &created.name, created.secret.reveal()).await.unwrap().unwrap();
    Caller::robot(&robot)
}

async fn level(context: &Context, id: i64, action: Action) -> AllowedLevel {
    access::on_robot(context, &admin(context).await, id, action).await.unwrap()
}

async fn hold(context: &Context, id: i64) -> Held {
    access::hold(context, &admin(context).await, id).await.unwrap()
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_robot_logs_in_and_does_what_it_may() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        add_project(&context, "other", false).await;
        let push = permission("project", "p", &["repository:push"]);
        let created = make(&context, Some("p"), "ci", &[push]).await;
        assert_eq!(created.name, "robot$p+ci");
        assert_eq!(created.expires_at, None);
        let robot = login(&context, &created).await;
        assert_eq!(robot.key(), format!("robot:{}", created.id));

        let may = async |repository: &str, right| {
            access::on_repository(&context, &robot, &name(repository), right).await.is_ok()
        };
        assert!(may("p/x", Right::PUSH).await);
        assert!(may("p/x", Right::PULL).await, "who may push may pull");
        assert!(!may("p/x", Right::DELETE).await);
        assert!(!may("other/x", Right::PULL).await);
        assert!(may("library/x", Right::PULL).await, "what is public is so for robots");
        assert!(!may("library/x", Right::PUSH).await);

        // By a token as by the secret.
        let scopes = oci::Scope::parse_list("repository:p/x:push repository:other/x:pull").unwrap();
        let issued = tokens::issue(&context, &robot, &scopes).await.unwrap();
        assert_eq!(issued.granted.len(), 1);
        let by_token = tokens::verify(&context, &issued.token).await.unwrap();
        assert_eq!(by_token.principal(), robot.principal());
        assert_eq!(by_token.name().map(|name| name.to_string()), Some("robot$p+ci".to_owned()));
        access::on_repository(&context, &by_token, &name("p/x"), Right::PUSH).await.unwrap();

        // What is deleted is nobody from the next request on.
        delete(&context, &level(&context, created.id, Action::Delete).await, created.id)
            .await
            .unwrap();
        assert!(verify(&context, &created.name, created.secret.reveal()).await.unwrap().is_none());
        for gone in [&robot, &by_token] {
            let library = name("library/x");
            let refused = access::on_repository(&context, gone, &library, Right::PULL).await;
            assert_eq!(refused.unwrap_err().kind, Kind::Unauthenticated);
        }
    }
}

#[tokio::test]
async fn what_changes_counts_at_once() {
    for place in both().await {
        let (clock, hand) = {
            let clock = Clock::manual(START);
            (clock.clone(), clock)
        };
        let context = place.open_with(clock).await;
        add_project(&context, "p", false).await;
        let pull = [permission("project", "p", &["repository:pull"])];
        let week = NewRobot { duration: 7, ..new("ci") };
        let by = admin(&context).await;
        let created = try_make(&context, &by, Some("p"), week, &pull).await.unwrap();
        let id = created.id;
        let robot = login(&context, &created).await;
        let update_allowed = level(&context, id, Action::Update).await;
        let held = access::hold(&context, &by, id).await.unwrap();
        let change = |disabled, duration| Change {
            name: "robot$p+ci".to_owned(),
            level: "project".to_owned(),
            description: String::new(),
            duration,
            disabled,
        };
        let update_to = async |change: Change, permissions: &[RequestedPermission]| {
            let given = access::give(&context, &by, &update_allowed, permissions).await?;
            update(&context, &update_allowed, id, change, given).await
        };
        let may = async |right| {
            access::on_repository(&context, &robot, &name("p/x"), right).await.map_err(|e| e.kind)
        };
        let logs_in = async |secret: &Secret| {
            verify(&context, &created.name, secret.reveal()).await.map_err(|error| error.kind)
        };
        // Rights.
        assert!(may(Right::PUSH).await.is_err());
        let push = permission("project", "p", &["repository:push"]);
        update_to(change(false, None), &[push]).await.unwrap();
        assert!(may(Right::PUSH).await.is_ok());
        // Disabled.
        update_to(change(true, None), &pull).await.unwrap();
        assert_eq!(may(Right::PULL).await.unwrap_err(), Kind::Unauthenticated);
        assert_eq!(logs_in(&created.secret).await.unwrap_err(), Kind::Unauthenticated);
        update_to(change(false, None), &pull).await.unwrap();
        assert!(may(Right::PULL).await.is_ok());
        // The secret: remembered, then void.
        logs_in(&created.secret).await.unwrap();
        let fresh = set_secret(&context, &held, None).await.unwrap();
        assert_eq!(logs_in(&created.secret).await.unwrap_err(), Kind::Unauthenticated);
        logs_in(&fresh).await.unwrap();
        let chosen = Secret::from("Chosen12345");
        set_secret(&context, &held, Some(chosen.clone())).await.unwrap();
        assert_eq!(logs_in(&fresh).await.unwrap_err(), Kind::Unauthenticated);
        logs_in(&chosen).await.unwrap();
        logs_in(&chosen).await.unwrap();
        for weak in ["short1A", "nouppercase1", "NOLOWERCASE1", "NoNumbersHere"] {
            let weak = set_secret(&context, &held, Some(Secret::from(weak))).await;
            assert_eq!(weak.unwrap_err().kind, Kind::Invalid);
        }
        // The end, counted from when it was made.
        hand.advance(Duration::from_secs(7 * 24 * 3600 - 1));
        assert!(may(Right::PULL).await.is_ok());
        hand.advance(Duration::from_secs(1));
        assert_eq!(may(Right::PULL).await.unwrap_err(), Kind::Unauthenticated);
        assert_eq!(logs_in(&chosen).await.unwrap_err(), Kind::Unauthenticated);
        update_to(change(false, Some(8)), &pull).await.unwrap();
        assert!(may(Right::PULL).await.is_ok());
        update_to(change(false, Some(-1)), &pull).await.unwrap();
        hand.advance(Duration::from_secs(1000 * 24 * 3600));
        assert!(may(Right::PULL).await.is_ok());

        // Name and level stay, and so does the project.
        for odd in [
            Change { name: "robot$p+other".to_owned(), ..change(false, None) },
            Change { level: "system".to_owned(), ..change(false, None) },
            change(false, Some(0)),
        ] {
            assert_eq!(update_to(odd, &pull).await.unwrap_err().kind, Kind::Invalid);
        }
        let elsewhere = permission("project", "library", &["repository:pull"]);
        let refused = update_to(change(false, None), &[elsewhere]).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid);
    }
}

#[tokio::test]
async fn robots_go_with_their_project() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let pull = [permission("project", "p", &["repository:pull"])];
        let created = make(&context, Some("p"), "ci", &pull).await;
        let of_system = make(&context, None, "ci", &pull).await;
        let robot = login(&context, &created).await;
        let system_robot = login(&context, &of_system).await;
        let right = Right::new(Resource::Itself, Action::Delete);
        let allowed = crate::testing::allowed(&context, "p", right).await;
        projects::delete(&context, &allowed).await.unwrap();
        let refused = access::view(&context, &robot).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthenticated);
        assert!(find(&context, created.id).await.unwrap().is_none());
        access::view(&context, &system_robot).await.unwrap();
        add_project(&context, "p", false).await;
        let again = access::on_repository(&context, &system_robot, &name("p/x"), Right::PULL).await;
        assert_eq!(again.unwrap_err().kind, Kind::Forbidden, "another project with the name");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_checked() {
    let context = sqlite().open().await;
    add_project(&context, "p", false).await;
    let by = admin(&context).await;
    let pull = || permission("project", "p", &["repository:pull"]);
    let refused = async |project: Option<&str>, new: NewRobot, asked: &[RequestedPermission]| {
        let error = try_make(&context, &by, project, new, asked).await.unwrap_err();
        (error.kind, error.message.to_string())
    };
    let invalid = |message: &str| (Kind::Invalid, message.to_owned());
    let (p, system) = (Some("p"), None);
    for (level, asked, expected) in [
        (p, vec![], invalid("bad request empty permission")),
        (p, vec![permission("project", "p", &[])], invalid("bad request empty access")),
        (p, vec![pull(), pull()], invalid("bad request permission")),
        (p, vec![permission("system", "/", &["catalog:read"])], invalid("bad request permission")),
        (
            system,
            vec![permission("project", "p", &["robot:*"])],
            invalid("bad request permission: robot:*"),
        ),
        (
            system,
            vec![permission("project", "p", &["robot:update"])],
            invalid("bad request permission: robot:update"),
        ),
        (
            system,
            vec![permission("system", "/", &["repository:pull"])],
            invalid("bad request permission: repository:pull"),
        ),
        (system, vec![permission("system", "p", &["catalog:read"])], invalid("unknown namespace")),
        (
            system,
            vec![permission("x", "p", &["catalog:read"])],
            invalid("bad request permission level: x"),
        ),
        (
            system,
            vec![permission("project", "nothing", &["repository:pull"])],
            (Kind::NotFound, "project nothing not found".to_owned()),
        ),
    ] {
        assert_eq!(refused(level, new("x"), &asked).await, expected);
    }
    let mut deny = pull();
    deny.access[0].effect = "deny".to_owned();
    assert_eq!(refused(p, new("x"), &[deny]).await.0, Kind::Invalid);
    for name in ["", "A", "a+b", "a b", "é", "a\0", &"a".repeat(256)] {
        let message = "robot name is not in lower case or contains illegal characters";
        assert_eq!(refused(p, new(name), &[pull()]).await, invalid(message), "{name:?}");
    }
    for duration in [-2, i64::MAX, i64::from(i32::MAX)] {
        let robot = NewRobot { duration, ..new("x") };
        assert_eq!(refused(p, robot, &[pull()]).await.0, Kind::Invalid, "{duration}");
    }
    let robot = NewRobot { description: "x".repeat(1025), ..new("x") };
    assert_eq!(refused(p, robot, &[pull()]).await.0, Kind::Invalid);
    let robot = NewRobot { secret: Some(Secret::from("weak")), ..new("x") };
    assert_eq!(refused(p, robot, &[pull()]).await.0, Kind::Invalid);
    make(&context, p, "x", &[pull()]).await;
    assert_eq!(refused(p, new("x"), &[pull()]).await.0, Kind::Conflict);
    make(&context, system, "x", &[pull()]).await;
}

#[tokio::test]
async fn lists_show_a_level() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let pull = [permission("project", "p", &["repository:pull", "project:read"])];
        for name in ["b", "a", "ab"] {
            make(&context, Some("p"), name, &pull).await;
        }
        make(&context, None, "system", &pull).await;
        let by = admin(&context).await;
        let hidden = NewRobot { visible: false, ..new("scanner") };
        let hidden = try_make(&context, &by, Some("p"), hidden, &pull).await.unwrap();
        let names = async |project: Option<&str>, q: &str, sort: &str| {
            let project = project.map(ProjectRef::Name);
            let allowed = access::on_robots(&context, &by, project, Action::List).await.unwrap();
            let found = list(&context, &allowed, &selection(q, sort)).await.unwrap();
            assert_eq!(found.total, found.items.len() as i64);
            let names = found.items.iter().map(|robot| robot.name.to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(None, "", "").await, "robot$system");
        assert_eq!(names(Some("p"), "", "").await, "robot$p+a robot$p+ab robot$p+b");
        assert_eq!(names(Some("p"), "name=~A", "-name").await, "robot$p+ab robot$p+a");
        assert_eq!(names(Some("p"), "name=p+ab", "").await, "robot$p+ab");
        super::list::LIST.try_everything(&context.db, sql::SYSTEM_FROM, args![]).await;
        super::list::LIST.try_everything(&context.db, sql::PROJECT_FROM, args![1]).await;

        let read = level(&context, hidden.id, Action::Read).await;
        let shown = show(&context, &read, hidden.id).await.unwrap();
        let access: Vec<_> = shown.permissions[0].access().collect();
        assert_eq!(access, [("project", "read"), ("repository", "pull")]);
        assert_eq!((shown.creator_type.as_str(), shown.creator_ref), ("local", 1));
        assert!(!shown.visible);
    }
}

#[tokio::test]
async fn many_tries_are_told_apart_from_names_of_users() {
    let context = sqlite().open().await;
    add_project(&context, "p", false).await;
    let pull = [permission("project", "p", &["repository:pull"])];
    let created = make(&context, Some("p"), "ci", &pull).await;
    for (name, secret) in [("robot$p+ci", "Wrong12345"), ("robot$p+ci", "")] {
        let refused = verify(&context, name, secret).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthenticated);
    }
    let secret = created.secret.reveal();
    for name in ["admin", "p+ci", "robot$", "robot$p+c", "robot$p+ci\0", "ROBOT$p+ci"] {
        assert!(verify(&context, name, secret).await.unwrap().is_none(), "{name}");
    }
}

#[tokio::test]
async fn a_verified_secret_asks_no_database() {
    let context = sqlite().open().await;
    add_project(&context, "p", false).await;
    let pull = [permission("project", "p", &["repository:pull"])];
    let created = make(&context, Some("p"), "ci", &pull).await;
    let robot = login(&context, &created).await;
    access::on_repository(&context, &robot, &name("p/x"), Right::PULL).await.unwrap();
    context.db.close().await;
    let robot = login(&context, &created).await;
    access::on_repository(&context, &robot, &name("p/x"), Right::PULL).await.unwrap();
}
