#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::{
    access::{self, Caller},
    projects::{MemberRef, Role},
    testing::{add_member, add_project, add_tags, add_user, admin, join, robot_of},
    world::{ENGINES, World},
};

/// What somebody sees of what was pushed last: the names of the repositories.
async fn seen(world: &World, caller: &Caller, most: usize) -> Vec<String> {
    let sight = access::sight_of_artifacts(&world.context, caller).await.unwrap();
    let found = newest(&world.context, &sight, most).await.unwrap();
    found.into_iter().map(|artifact| artifact.repository_name).collect()
}

/// Pushes an image, a minute after whatever was pushed before.
async fn pushed(world: &World, repository: &str, note: &str) {
    world.context.clock.advance(Duration::from_secs(60));
    let name = repository.parse().unwrap();
    let blob = world.push_blob(&name, note.as_bytes()).await;
    world.push_image(&name, &[blob], note).await.unwrap();
}

#[tokio::test]
async fn what_was_pushed_last_comes_first_and_only_what_one_sees() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        for (name, public) in [("open", true), ("mine", false), ("closed", false)] {
            add_project(context, name, public).await;
        }
        add_project(context, "empty", true).await;
        let alice = add_user(context, "alice").await;
        join(context, "mine", &alice, Role::LimitedGuest).await;
        for (repository, note) in [
            ("open/a", "1"),
            ("closed/a", "2"),
            ("mine/a", "3"),
            ("closed/b", "4"),
            ("closed/b", "5"),
            ("open/b", "6"),
            ("mine/b", "7"),
            ("mine/b", "8"),
        ] {
            pushed(&world, repository, note).await;
        }
        let all =
            ["mine/b", "mine/b", "open/b", "closed/b", "closed/b", "mine/a", "closed/a", "open/a"];
        let admin = admin(context).await;
        for most in 1..=10 {
            let expected = &all[..most.min(all.len())];
            assert_eq!(seen(&world, &admin, most).await, expected, "{most}");
        }
        assert_eq!(seen(&world, &admin, 0).await, ["mine/b"]);
        assert_eq!(seen(&world, &admin, usize::MAX).await, all);
        let own = ["mine/b", "mine/b", "open/b", "mine/a", "open/a"];
        for most in 1..=6 {
            assert_eq!(seen(&world, &alice, most).await, own[..most.min(own.len())], "{most}");
        }
        assert_eq!(seen(&world, &Caller::anonymous(), 10).await, ["open/b", "open/a"]);
        let stranger = add_user(context, "bob").await;
        assert_eq!(seen(&world, &stranger, 1).await, ["open/b"]);
        // Who may list repositories and not artifacts sees none of these.
        let (robot, _) = robot_of(context, Some("closed"), "names", &["repository:list"]).await;
        assert_eq!(seen(&world, &robot, 10).await, ["open/b", "open/a"]);
        let (robot, _) = robot_of(context, Some("closed"), "all", &["artifact:list"]).await;
        let expected = ["open/b", "closed/b", "closed/b", "closed/a", "open/a"];
        assert_eq!(seen(&world, &robot, 10).await, expected);
    }
}

#[tokio::test]
async fn who_only_sees_some_repositories_sees_only_their_artifacts() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        add_project(context, "p", false).await;
        let alice = add_user(context, "alice").await;
        let who = MemberRef::User(alice.user_id().unwrap());
        let some: &[&str] = &["team/**"];
        add_member(context, "p", who, Role::Developer.id(), Some(some)).await.unwrap();
        for n in 0..12 {
            let repository = if n % 4 == 0 { "p/team/app" } else { "p/other" };
            pushed(&world, repository, &format!("{n}")).await;
        }
        assert_eq!(seen(&world, &alice, 2).await, ["p/team/app", "p/team/app"]);
        assert_eq!(seen(&world, &alice, 10).await.len(), 3);
    }
}

#[tokio::test]
async fn an_artifact_is_shown_with_its_last_tag_and_how_many_it_has() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        pushed(&world, "library/a", "1").await;
        let admin = admin(&world.context).await;
        let sight = access::sight_of_artifacts(&world.context, &admin).await.unwrap();
        let bare = newest(&world.context, &sight, 5).await.unwrap();
        assert_eq!(
            (bare[0].tag.as_deref(), bare[0].tags, bare[0].kind.as_str()),
            (None, 0, "IMAGE")
        );
        assert_eq!(bare[0].pushed_at, world.context.clock.now());
        assert!(bare[0].size > 0 && bare[0].digest.starts_with("sha256:"));
        add_tags(&world.context, bare[0].id, 3).await;
        let tagged = newest(&world.context, &sight, 5).await.unwrap();
        assert_eq!((tagged.len(), tagged[0].tags), (1, 3));
        assert!(tagged[0].tag.is_some());
    }
}
