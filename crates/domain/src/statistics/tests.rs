#![allow(clippy::unwrap_used)]

use db::Engine;

use super::*;
use crate::{
    access,
    projects::Role,
    testing::{add_project, add_user, admin, allowed, join, robot_of},
    world::World,
};

#[tokio::test]
async fn everybody_counts_what_it_sees() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        add_project(context, "open", true).await;
        add_project(context, "mine", false).await;
        add_project(context, "closed", false).await;
        let alice = add_user(context, "alice").await;
        join(context, "mine", &alice, Role::Guest).await;
        for (name, content) in [("open/a", b"12345"), ("mine/a", b"12345"), ("closed/a", b"67890")]
        {
            world.push_blob(&name.parse().unwrap(), content).await;
        }
        let seen = async |caller| {
            let view = access::view(context, caller).await.unwrap();
            let s = count(context, view).await.unwrap();
            (
                (s.public_projects, s.public_repositories),
                (s.private_projects, s.private_repositories),
                s.stored,
            )
        };
        // The project `library` is public too.
        let admin = admin(context).await;
        assert_eq!(seen(&admin).await, ((2, 1), (2, 2), 10));
        assert_eq!(seen(&alice).await, ((2, 1), (1, 1), 0));
        let (robot, _) = robot_of(context, Some("closed"), "ci", &["repository:list"]).await;
        assert_eq!(seen(&robot).await, ((2, 1), (1, 1), 0));
        assert_eq!(seen(&access::Caller::anonymous()).await, ((2, 1), (0, 0), 0));
    }
}

#[tokio::test]
async fn a_project_is_summed_up_as_far_as_one_may_know() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        add_project(context, "p", false).await;
        for (name, role) in [("a", Role::Guest), ("b", Role::Guest), ("c", Role::Developer)] {
            join(context, "p", &add_user(context, name).await, role).await;
        }
        for (name, content) in [("p/a", b"12345"), ("p/b", b"12345"), ("library/x", b"67890")] {
            world.push_blob(&name.parse().unwrap(), content).await;
        }
        let proof = allowed(context, "p", Right::new(Resource::Itself, Action::Read)).await;
        let full = sum_up(context, &proof, Role::ProjectAdmin.rights()).await.unwrap();
        assert_eq!((full.repositories, full.quota), (2, Some((-1, 5))));
        assert_eq!(full.members, Some(BTreeMap::from([(1, 1), (2, 1), (3, 2)])));
        let some = sum_up(context, &proof, Role::LimitedGuest.rights()).await.unwrap();
        assert_eq!((some.quota, some.members), (Some((-1, 5)), None));
        let little = sum_up(context, &proof, &Rights::NONE).await.unwrap();
        assert_eq!(little, Summary { repositories: 2, ..Summary::default() });
    }
}
