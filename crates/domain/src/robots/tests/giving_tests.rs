//! What robots are given: never more than whoever gives it has, and no more than it says.

use super::*;
use crate::{
    access::Rights,
    rights::{PROJECT_RULES, Patterns, SYSTEM_RULES},
    testing::{add_user, join},
};

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
