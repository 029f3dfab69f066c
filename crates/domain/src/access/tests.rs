#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, path::Path};

use db::args;
use kit::{Error, Kind, Subject};
use oci::RepositoryName;

use super::*;
use crate::{
    Context,
    projects::{self, ProjectRef, Role},
    testing::{add_project, add_user, admin, allowed, both, given, join, sqlite},
    tokens,
};

/// The roles in the order of the table's columns.
const ROLES: [Role; 5] =
    [Role::ProjectAdmin, Role::Maintainer, Role::Developer, Role::Guest, Role::LimitedGuest];

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn outcome<T>(result: &Result<T, Error>) -> Option<(Kind, String)> {
    result.as_ref().err().map(|error| (error.kind, error.message.to_string()))
}

#[test]
fn the_roles_are_those_of_the_table() {
    let mut project = BTreeMap::new();
    let mut system = BTreeMap::new();
    for line in include_str!("tests/rbac.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if matches!(fields[1], "resource") {
            continue;
        }
        let resource = if fields[1] == "(self)" { "" } else { fields[1] };
        let right = format!("{resource}:{}", fields[2]);
        let yes: Vec<bool> =
            (3..10).map(|i| fields.get(i).is_some_and(|field| *field == "y")).collect();
        match fields[0] {
            "project" => project.insert(right, yes),
            _ => system.insert(right, yes[..2].to_vec()),
        };
    }
    assert_eq!((project.len(), system.len()), (PROJECT_RULES.len(), SYSTEM_RULES.len()));
    for rule in PROJECT_RULES {
        let mut ours: Vec<bool> = ROLES.iter().map(|role| rule.has(*role)).collect();
        ours.extend([rule.public(), rule.robot()]);
        assert_eq!(project.remove(&rule.right.to_string()), Some(ours), "{}", rule.right);
    }
    for rule in SYSTEM_RULES {
        let ours = vec![rule.sysadmin(), rule.robot()];
        assert_eq!(system.remove(&rule.right.to_string()), Some(ours), "{}", rule.right);
    }
}

#[tokio::test]
async fn every_role_may_what_its_rules_say() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "closed", false).await;
        add_project(&context, "open", true).await;
        let stranger = add_user(&context, "stranger").await;
        for role in ROLES {
            let user = add_user(&context, role.name()).await;
            join(&context, "closed", &user, role).await;
            for rule in PROJECT_RULES {
                let project = ProjectRef::Name("closed");
                let may = on_project(&context, &user, project, rule.right).await.is_ok();
                assert_eq!(may, rule.has(role), "{} {}", role.name(), rule.right);
                let project = ProjectRef::Name("open");
                let may = on_project(&context, &user, project, rule.right).await.is_ok();
                assert_eq!(may, rule.public(), "{} in a public project", rule.right);
            }
        }
        for rule in PROJECT_RULES {
            for project in ["open", "closed"] {
                for (caller, kind) in
                    [(&stranger, Kind::Forbidden), (&Caller::anonymous(), Kind::Unauthenticated)]
                {
                    let project_ref = ProjectRef::Name(project);
                    let may = on_project(&context, caller, project_ref, rule.right).await;
                    let expected = project == "open" && rule.public();
                    assert_eq!(may.is_ok(), expected, "{project} {}", rule.right);
                    assert!(may.err().is_none_or(|error| error.kind == kind));
                }
            }
            let admin = admin(&context).await;
            allowed(&context, "closed", rule.right).await.require(rule.right).unwrap();
            on_project(&context, &admin, ProjectRef::Id(1), rule.right).await.unwrap();
            on_project(&context, &Caller::system(), ProjectRef::Id(1), rule.right).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refusal_does_not_tell_what_exists() {
    let place = sqlite();
    let context = place.open().await;
    let id = add_project(&context, "closed", false).await;
    let stranger = add_user(&context, "stranger").await;
    let read = Right::new(Resource::Itself, Action::Read);
    for caller in [&stranger, &Caller::anonymous()] {
        for (there, missing) in [
            (ProjectRef::Name("closed"), ProjectRef::Name("nothing")),
            (ProjectRef::Id(id), ProjectRef::Id(999)),
        ] {
            let there = outcome(&on_project(&context, caller, there, read).await);
            assert_eq!(there, outcome(&on_project(&context, caller, missing, read).await));
            assert!(there.is_some());
        }
        for right in [Right::PULL, Right::PUSH, Right::DELETE] {
            let there = on_repository(&context, caller, &name("closed/x"), right).await;
            let missing = on_repository(&context, caller, &name("nothing/x"), right).await;
            let (there, missing) = (outcome(&there).unwrap(), outcome(&missing).unwrap());
            assert_eq!(there.0, missing.0);
            assert_eq!(there.1.replace("closed", "nothing"), missing.1);
        }
    }
    let admin = admin(&context).await;
    let missing = on_project(&context, &admin, ProjectRef::Name("nothing"), read).await;
    let missing = missing.err().unwrap();
    assert_eq!((missing.kind, missing.subject), (Kind::NotFound, Subject::Project));
}

#[tokio::test]
async fn the_system_is_the_sysadmins() {
    let context = sqlite().open().await;
    let alice = add_user(&context, "alice").await;
    for rule in SYSTEM_RULES {
        on_system(&context, &admin(&context).await, rule.right).await.unwrap();
        let refused = on_system(&context, &alice, rule.right).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Forbidden);
        let refused = on_system(&context, &Caller::anonymous(), rule.right).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn the_catalog_is_for_those_who_are_known() {
    let context = sqlite().open().await;
    let alice = add_user(&context, "alice").await;
    let all = on_catalog(&context, &admin(&context).await).await.unwrap();
    assert!(all.sight().view().is_everything());
    let own = on_catalog(&context, &alice).await.unwrap();
    assert_eq!(own.sight().view(), View::Of(alice.user_id().unwrap()));
    let refused = on_catalog(&context, &Caller::anonymous()).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Unauthenticated);
}

/// A caller with a token for some scopes.
async fn with_token(context: &Context, caller: &Caller, scopes: &str) -> Caller {
    let scopes = oci::Scope::parse_list(scopes).unwrap();
    let issued = tokens::issue(context, caller, &scopes).await.unwrap();
    tokens::verify(context, &issued.token).await.unwrap()
}

#[tokio::test]
async fn a_token_reaches_as_far_as_token_and_rights_do() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "closed", false).await;
        let alice = add_user(&context, "alice").await;
        let member = join(&context, "closed", &alice, Role::Developer).await;
        let caller = with_token(&context, &alice, "repository:closed/x:pull,push").await;
        let may = async |repository: &str, right| {
            outcome(&on_repository(&context, &caller, &name(repository), right).await)
                .map(|(kind, _)| kind)
        };
        assert_eq!(may("closed/x", Right::PULL).await, None);
        assert_eq!(may("closed/x", Right::PUSH).await, None);
        // Not the user's right, whatever the token says.
        assert_eq!(may("closed/x", Right::DELETE).await, Some(Kind::Forbidden));
        // The user's right, and not the token's: another token would do.
        assert_eq!(may("closed/y", Right::PULL).await, Some(Kind::Unauthenticated));
        assert_eq!(may("library/y", Right::PULL).await, Some(Kind::Unauthenticated));
        assert_eq!(may("library/y", Right::PUSH).await, Some(Kind::Forbidden));

        // A right that is taken away is gone at once, and so is a membership.
        let change = Right::new(Resource::Member, Action::Update);
        let proof = allowed(&context, "closed", change).await;
        let guest = given(&context, &proof, Role::Guest.id()).await;
        projects::change_role(&context, &proof, member, guest).await.unwrap();
        assert_eq!(may("closed/x", Right::PULL).await, None);
        assert_eq!(may("closed/x", Right::PUSH).await, Some(Kind::Forbidden));
        let remove = Right::new(Resource::Member, Action::Delete);
        let proof = allowed(&context, "closed", remove).await;
        projects::remove_member(&context, &proof, member).await.unwrap();
        assert_eq!(may("closed/x", Right::PULL).await, Some(Kind::Forbidden));

        // A registry token is for repositories only, and buys no other token.
        let read = Right::new(Resource::Itself, Action::Read);
        let project = on_project(&context, &caller, ProjectRef::Name("library"), read).await;
        assert_eq!(project.err().unwrap().kind, Kind::Forbidden);
        assert_eq!(repository_actions(&context, &caller, &name("library/x")).await.unwrap(), None);
        assert!(on_catalog(&context, &caller).await.is_err());
        let sysadmin = with_token(&context, &admin(&context).await, "registry:catalog:*").await;
        on_catalog(&context, &sysadmin).await.unwrap();
        let list = Right::new(Resource::User, Action::List);
        assert!(on_system(&context, &sysadmin, list).await.is_err());
    }
}

#[tokio::test]
async fn a_token_dies_with_its_project() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "again", false).await;
        let alice = add_user(&context, "alice").await;
        join(&context, "again", &alice, Role::ProjectAdmin).await;
        let caller = with_token(&context, &alice, "repository:again/x:pull").await;
        on_repository(&context, &caller, &name("again/x"), Right::PULL).await.unwrap();

        let delete = Right::new(Resource::Itself, Action::Delete);
        let proof = allowed(&context, "again", delete).await;
        projects::delete(&context, &proof).await.unwrap();
        let refused = on_repository(&context, &caller, &name("again/x"), Right::PULL).await;
        assert_eq!(refused.err().unwrap().kind, Kind::Forbidden);

        add_project(&context, "again", false).await;
        join(&context, "again", &alice, Role::ProjectAdmin).await;
        let refused = on_repository(&context, &caller, &name("again/x"), Right::PULL).await;
        assert_eq!(refused.err().unwrap().kind, Kind::Unauthenticated);
        let caller = with_token(&context, &alice, "repository:again/x:pull").await;
        on_repository(&context, &caller, &name("again/x"), Right::PULL).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_made_private_is_private_at_once() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", true).await;
        let nobody = with_token(&context, &Caller::anonymous(), "repository:p/x:pull").await;
        on_repository(&context, &nobody, &name("p/x"), Right::PULL).await.unwrap();
        let update = Right::new(Resource::Itself, Action::Update);
        let proof = allowed(&context, "p", update).await;
        let metadata = projects::Metadata::public(false);
        let private = projects::Change { metadata, ..projects::Change::default() };
        projects::update(&context, &proof, private).await.unwrap();
        let refused = on_repository(&context, &nobody, &name("p/x"), Right::PULL).await;
        assert_eq!(refused.err().unwrap().kind, Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn a_warm_check_asks_no_database() {
    let context = sqlite().open().await;
    add_project(&context, "closed", false).await;
    let alice = add_user(&context, "alice").await;
    join(&context, "closed", &alice, Role::Developer).await;
    let scopes = oci::Scope::parse_list("repository:closed/x:pull").unwrap();
    let issued = tokens::issue(&context, &alice, &scopes).await.unwrap();
    let check = async || {
        let caller = tokens::verify(&context, &issued.token).await.unwrap();
        on_repository(&context, &caller, &name("closed/x"), Right::PUSH).await
    };
    check().await.unwrap();
    context.db.close().await;
    check().await.unwrap();
    let rows = context.db.all("SELECT id FROM users", args![]).await;
    assert!(rows.is_err(), "the database is closed");
}

/// Proofs are made where it is decided, and nowhere else.
#[test]
fn proofs_are_made_in_one_room() {
    let mut makers = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).unwrap_or_default().contains("::decided(")
                && !path.ends_with("access/tests.rs")
            {
                makers.push(path);
            }
        }
    }
    makers.sort();
    let access = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/access");
    assert!(makers.iter().all(|maker| maker.starts_with(&access)), "{makers:?}");
}
