#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, time::Duration};

use kit::{Clock, Error, Kind, Secret};
use oci::RepositoryName;
use serde_json::json;

use super::*;
use crate::{
    access::{self, Caller, Rights},
    projects::ProjectRef,
    rights::{PROJECT_RULES, Patterns, SYSTEM_RULES},
    testing::{START, add_project, add_user, admin, both, join, selection, sqlite},
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

/// Every pair that may be given, one robot each: it has that right, and no other.
#[tokio::test]
async fn every_pair_that_may_be_given_is_what_it_says() {
    let context = sqlite().open().await;
    add_project(&context, "p", false).await;
    let own = |right: Right| match right.resource {
        Resource::Project => Right::new(Resource::Itself, right.action),
        _ => right,
    };
    let given: Vec<Right> =
        PROJECT_RULES.iter().filter(|rule| rule.robot()).map(|rule| rule.right).collect();
    assert_eq!(given.len(), 70);
    for (n, right) in given.iter().enumerate() {
        let word = right.to_string();
        let wanted = permission("project", "p", &[word.as_str()]);
        let created = make(&context, Some("p"), &format!("r{n}"), &[wanted]).await;
        let robot = login(&context, &created).await;
        let has = access::rights_in(&context, &robot, ProjectRef::Name("p")).await.unwrap();
        let mut expected = Rights::NONE.with(own(*right));
        if *right == Right::PUSH {
            expected = expected.with(Right::PULL);
        }
        assert_eq!(has, expected, "{right}");
        assert!(access::on_system(&context, &robot, *right).await.is_err());
    }
    let given: Vec<Right> =
        SYSTEM_RULES.iter().filter(|rule| rule.robot()).map(|rule| rule.right).collect();
    assert_eq!(given.len(), 70);
    for (n, right) in given.iter().enumerate() {
        let word = right.to_string();
        let wanted = permission("system", "/", &[word.as_str()]);
        let created = make(&context, None, &format!("s{n}"), &[wanted]).await;
        let robot = login(&context, &created).await;
        for rule in SYSTEM_RULES {
            let may = access::on_system(&context, &robot, rule.right).await.is_ok();
            assert_eq!(may, rule.right == *right, "{right}: {}", rule.right);
        }
        let has = access::rights_in(&context, &robot, ProjectRef::Name("p")).await.unwrap();
        assert!(has.is_empty(), "{right}");
    }
}

#[tokio::test]
async fn system_robots_reach_the_projects_they_name() {
    for place in both().await {
        let context = place.open().await;
        for project in ["a", "b"] {
            add_project(&context, project, false).await;
        }
        let some = [
            permission("system", "/", &["project:list"]),
            permission("project", "a", &["repository:pull"]),
        ];
        let robot = login(&context, &make(&context, None, "some", &some).await).await;
        let pull = async |robot: &Caller, repository: &str| {
            access::on_repository(&context, robot, &name(repository), Right::PULL).await.is_ok()
        };
        assert!(pull(&robot, "a/x").await && !pull(&robot, "b/x").await);

        let all = [permission("project", "*", &["repository:pull"])];
        let robot = login(&context, &make(&context, None, "all", &all).await).await;
        assert!(pull(&robot, "a/x").await && pull(&robot, "b/x").await);
        add_project(&context, "c", false).await;
        assert!(pull(&robot, "c/x").await, "projects to come are covered");
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
async fn nobody_gives_more_than_it_has() {
    for place in both().await {
        let context = place.open().await;
        for project in ["p", "q"] {
            add_project(&context, project, false).await;
        }
        let outcome = |made: Result<Created, Error>| made.map(|_| ()).map_err(|error| error.kind);
        let p = |access: &[&str]| [permission("project", "p", access)];

        let giver = p(&["robot:create", "repository:push", "tag:list"]);
        let giver = login(&context, &make(&context, Some("p"), "giver", &giver).await).await;
        let give = async |project, name: &str, permissions: &[RequestedPermission]| {
            outcome(try_make(&context, &giver, project, new(name), permissions).await)
        };
        assert_eq!(give(Some("p"), "a", &p(&["repository:pull", "tag:list"])).await, Ok(()));
        assert_eq!(give(Some("p"), "b", &p(&["tag:delete"])).await, Err(Kind::Denied));
        assert_eq!(give(Some("q"), "c", &p(&["tag:list"])).await, Err(Kind::Forbidden));
        assert_eq!(give(None, "d", &p(&["tag:list"])).await, Err(Kind::Forbidden));

        let giver = [
            permission("system", "/", &["robot:create", "catalog:read"]),
            permission("project", "q", &["repository:pull"]),
        ];
        let giver = login(&context, &make(&context, None, "giver", &giver).await).await;
        let give = async |name: &str, permission: RequestedPermission| {
            outcome(try_make(&context, &giver, None, new(name), &[permission]).await)
        };
        assert_eq!(give("a", permission("system", "/", &["catalog:read"])).await, Ok(()));
        assert_eq!(give("b", permission("project", "q", &["repository:pull"])).await, Ok(()));
        for (n, more) in [
            permission("system", "/", &["user:create"]),
            permission("project", "p", &["repository:pull"]),
            permission("project", "*", &["repository:pull"]),
            permission("project", "q", &["repository:push"]),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(give(&format!("m{n}"), more).await, Err(Kind::Denied), "{n}");
        }

        // An administrator of a project gives whatever robots may have there.
        let alice = add_user(&context, "alice").await;
        join(&context, "p", &alice, projects::Role::ProjectAdmin).await;
        let every: Vec<String> = PROJECT_RULES
            .iter()
            .filter(|rule| rule.robot())
            .map(|rule| rule.right.to_string())
            .collect();
        let every: Vec<&str> = every.iter().map(String::as_str).collect();
        let made = try_make(&context, &alice, Some("p"), new("all"), &p(&every)).await;
        assert_eq!(outcome(made), Ok(()));
        let made = try_make(&context, &alice, None, new("all"), &p(&every)).await;
        assert_eq!(outcome(made), Err(Kind::Forbidden));
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
async fn permissions_are_narrowed_to_repositories() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let push =
            permission("project", "p", &["repository:push", "repository:list", "label:list"]);
        let created = make(&context, Some("p"), "ci", std::slice::from_ref(&push)).await;
        let robot = login(&context, &created).await;
        let allowed = level(&context, created.id, Action::Update).await;
        let held = hold(&context, created.id).await;
        let patterns = Patterns::parse(&["team-a/**".to_owned()]).unwrap();
        narrow(&context, &held, "p", Some(patterns)).await.unwrap();
        let may = async |repository: &str| {
            access::on_repository(&context, &robot, &name(repository), Right::PUSH).await.is_ok()
        };
        assert!(may("p/team-a/x").await && !may("p/team-b/x").await && !may("p/team-a").await);
        let sight = access::sight(&context, &robot).await.unwrap();
        assert!(!sight.is_whole());
        let project_id = crate::testing::allowed(&context, "p", Right::PULL).await.project().id;
        assert!(sight.covers(project_id, false, "team-a/x"));
        assert!(!sight.covers(project_id, false, "x"));
        // The project's own affairs are not narrowed.
        let labels = Right::new(Resource::Label, Action::List);
        let proof = access::on_project(&context, &robot, ProjectRef::Name("p"), labels).await;
        assert!(proof.unwrap().reach().is_everything());

        // A change of rights by somebody who knows nothing of patterns leaves them.
        let change = Change {
            name: created.name.clone(),
            level: "project".to_owned(),
            description: String::new(),
            duration: None,
            disabled: false,
        };
        let given =
            access::give(&context, &admin(&context).await, &allowed, &[push]).await.unwrap();
        update(&context, &allowed, created.id, change, given).await.unwrap();
        assert!(may("p/team-a/x").await && !may("p/team-b/x").await);

        narrow(&context, &held, "p", None).await.unwrap();
        assert!(may("p/team-b/x").await);
        let refused = narrow(&context, &held, "library", None).await.unwrap_err();
        assert_eq!(refused.kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn what_a_narrowed_robot_gives_is_narrowed_too() {
    let context = sqlite().open().await;
    add_project(&context, "p", false).await;
    let access = permission("project", "p", &["robot:create", "repository:pull"]);
    let created = make(&context, Some("p"), "giver", &[access]).await;
    let giver = login(&context, &created).await;
    let held = hold(&context, created.id).await;
    let patterns = Patterns::parse(&["a/**".to_owned()]).unwrap();
    narrow(&context, &held, "p", Some(patterns)).await.unwrap();
    let pull = [permission("project", "p", &["repository:pull"])];
    let made = try_make(&context, &giver, Some("p"), new("given"), &pull).await.unwrap();
    let given = login(&context, &made).await;
    let may = async |repository: &str| {
        access::on_repository(&context, &given, &name(repository), Right::PULL).await.is_ok()
    };
    assert!(may("p/a/x").await && !may("p/b").await);
}

/// Makes a custom role and gives it to a user in a project, narrowed to some repositories.
async fn join_as(
    context: &Context,
    project: &str,
    user: &Caller,
    rights: &[Right],
    repositories: Option<&str>,
) {
    let rights: Rights = rights.iter().copied().collect();
    let project_id = crate::testing::allowed(context, project, Right::PULL).await.project().id;
    let role = args![format!("role-{project}"), rights.to_stored()];
    let member = args![project_id, user.user_id().unwrap(), repositories.map(str::to_owned)];
    context
        .db
        .write(move |tx| {
            let (role, member) = (role.clone(), member.clone());
            Box::pin(async move {
                let make = "INSERT INTO roles (name, rights, created_at, updated_at)
                    VALUES ($1, $2, 0, 0)";
                tx.execute(make, role).await?;
                let join = "INSERT INTO members
                    (project_id, entity_type, entity_id, role_id, repositories, created_at)
                    SELECT $1, 'u', $2, MAX(id), CAST($3 AS TEXT), 0 FROM roles";
                tx.execute(join, member).await
            })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_gets_hold_of_a_robot_that_may_do_more() {
    for place in both().await {
        let context = place.open().await;
        let robots = |action| Right::new(Resource::Robot, action);
        let pull = [permission("project", "p", &["repository:pull"])];
        let push = [permission("project", "p", &["repository:pull", "repository:push"])];
        add_project(&context, "p", false).await;
        let (puller, pusher) = (
            make(&context, Some("p"), "puller", &pull).await,
            make(&context, Some("p"), "pusher", &push).await,
        );
        let alice = add_user(&context, "alice").await;
        let own = [robots(Action::Update), robots(Action::Create), Right::PULL];
        join_as(&context, "p", &alice, &own, None).await;
        let held = access::hold(&context, &alice, puller.id).await.unwrap();
        set_secret(&context, &held, None).await.unwrap();
        let refused = access::hold(&context, &alice, pusher.id).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Denied);

        // Whose own rights reach some repositories only holds robots of the same reach, gives
        // no more by changing one, and does not say what they reach.
        add_project(&context, "q", false).await;
        let pull = [permission("project", "q", &["repository:pull"])];
        let wide = make(&context, Some("q"), "wide", &pull).await;
        let bob = add_user(&context, "bob").await;
        join_as(&context, "q", &bob, &own, Some("[\"a/**\"]")).await;
        let refused = access::hold(&context, &bob, wide.id).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Denied);
        let made = try_make(&context, &bob, Some("q"), new("narrow"), &pull).await.unwrap();
        let held = access::hold(&context, &bob, made.id).await.unwrap();
        set_secret(&context, &held, None).await.unwrap();
        assert_eq!(narrow(&context, &held, "q", None).await.unwrap_err().kind, Kind::Denied);
        let allowed = access::on_robot(&context, &bob, wide.id, Action::Update).await.unwrap();
        let given = access::give(&context, &bob, &allowed, &pull).await.unwrap();
        let change = Change {
            name: wide.name.clone(),
            level: "project".to_owned(),
            description: String::new(),
            duration: None,
            disabled: false,
        };
        update(&context, &allowed, wide.id, change, given).await.unwrap();
        let wide = login(&context, &wide).await;
        let may = async |repository: &str| {
            access::on_repository(&context, &wide, &name(repository), Right::PULL).await.is_ok()
        };
        assert!(may("q/a/x").await && !may("q/b").await);
    }
}

#[tokio::test]
async fn tokens_of_a_trusted_issuer_stand_for_a_robot() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let pull = [permission("project", "p", &["repository:pull"])];
        let created = make(&context, Some("p"), "ci", &pull).await;
        let allowed = level(&context, created.id, Action::Update).await;
        let held = hold(&context, created.id).await;
        let issuer = "https://token.actions.example.org";
        let rule = |claims: &[(&str, &str)]| NewTrust {
            issuer: issuer.to_owned(),
            audience: "haven".to_owned(),
            claims: claims.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        let new = rule(&[("repository", "org/*"), ("ref", "refs/heads/{main,release/**}")]);
        let trust = add_trust(&context, &held, new).await.unwrap();
        let stands = async |claims: serde_json::Value, audience: &str, name: Option<&str>| {
            let trusts = trusts_of(&context, issuer).await.unwrap();
            let claims = claims.as_object().unwrap().clone();
            let audiences = [audience.to_owned()];
            let robot = trusted(&context, &trusts, &audiences, &claims, name).await;
            robot.map(|robot| robot.id).map_err(|error| error.kind)
        };
        let good = || json!({"repository": "org/app", "ref": "refs/heads/main", "run": 3});
        let refused = Err(Kind::Unauthenticated);
        assert_eq!(stands(good(), "haven", None).await, Ok(created.id));
        assert_eq!(stands(good(), "haven", Some("robot$p+ci")).await, Ok(created.id));
        assert_eq!(stands(good(), "haven", Some("robot$p+other")).await, refused);
        assert_eq!(stands(good(), "else", None).await, refused);
        for bad in [
            json!({"repository": "org/app"}),
            json!({"repository": "org/app", "ref": "refs/heads/x"}),
            json!({"repository": "evil/org/app", "ref": "refs/heads/main"}),
            json!({"repository": ["x"], "ref": {"refs/heads/main": 1}}),
        ] {
            assert_eq!(stands(bad.clone(), "haven", None).await, refused, "{bad}");
        }
        // Two robots for one token: it must say which.
        let second = make(&context, None, "second", &pull).await;
        let second_held = hold(&context, second.id).await;
        add_trust(&context, &second_held, rule(&[("repository", "**")])).await.unwrap();
        assert_eq!(stands(good(), "haven", None).await, refused);
        assert_eq!(stands(good(), "haven", Some("robot$second")).await, Ok(second.id));

        let read = level(&context, created.id, Action::Read).await;
        assert_eq!(trusts(&context, &read, created.id).await.unwrap().len(), 1);
        remove_trust(&context, &allowed, created.id, trust).await.unwrap();
        let again = remove_trust(&context, &allowed, created.id, trust).await.unwrap_err();
        assert_eq!(again.kind, Kind::NotFound);
        assert_eq!(stands(good(), "haven", Some("robot$p+ci")).await, refused);

        for bad in [
            NewTrust { issuer: "http://a".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: "https://".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: "https://u@h".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: "https://h?x".to_owned(), ..rule(&[("a", "b")]) },
            NewTrust { issuer: format!("https://{}", "h".repeat(600)), ..rule(&[("a", "b")]) },
            NewTrust { audience: String::new(), ..rule(&[("a", "b")]) },
            NewTrust { claims: BTreeMap::new(), ..rule(&[]) },
            rule(&[("a", "[")]),
            rule(&[("", "x")]),
        ] {
            let refused = add_trust(&context, &held, bad.clone()).await;
            assert_eq!(refused.unwrap_err().kind, Kind::Invalid, "{bad:?}");
        }
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
