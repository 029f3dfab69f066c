#![allow(clippy::unwrap_used)]

use db::Engine;
use kit::Time;

use super::*;
use crate::{
    access,
    events::{self, Happened},
    projects::Role,
    rights::Who,
    testing::{self, add_project, add_user, admin, allowed, join, robot_of},
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

#[tokio::test]
async fn what_happens_is_counted_by_the_hour() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        let project_id = add_project(context, "p", true).await;
        let other = add_project(context, "q", true).await;
        let hour = |n: i64| Time(testing::START.0 + n * 3_600_000_000);
        let happened = |event: events::Event, project_id, at| {
            Happened::new(event, &Who::system(), at).in_project(project_id).in_repository("p/a")
        };
        let pushed = || events::Event::ArtifactPushed { digest: String::new(), tags: Vec::new() };
        let pulled = |times| events::Event::ArtifactPulled {
            digest: String::new(),
            reference: String::new(),
            times,
        };
        let deleted = || events::Event::ArtifactDeleted { digest: String::new(), tags: Vec::new() };
        world.push_blob(&"p/a".parse().unwrap(), b"12345").await;
        let all = vec![
            happened(pushed(), project_id, hour(0)),
            happened(pushed(), project_id, Time(hour(1).0 - 1)),
            happened(pulled(7), project_id, hour(1)),
            happened(pulled(2), other, hour(1)),
            happened(deleted(), project_id, hour(3)),
        ];
        context
            .db
            .write(move |tx| {
                let all = all.clone();
                Box::pin(async move { count_events(tx, &all).await })
            })
            .await
            .unwrap();
        let proof = allowed(context, "p", Right::new(Resource::Itself, Action::Read)).await;
        let counts = |series: Vec<Activity>| -> Vec<(i64, i64, i64, i64)> {
            series.iter().map(|a| (a.pushes, a.pulls, a.deletes, a.stored)).collect()
        };
        let range = Range::new(hour(0), hour(5), Bucket::Hour).unwrap();
        let series = activity(context, &proof, range).await.unwrap();
        assert_eq!(series[2].from, hour(2));
        let expected = [(2, 0, 0, 5), (0, 7, 0, 5), (0, 0, 0, 5), (0, 0, 1, 5), (0, 0, 0, 5)];
        assert_eq!(counts(series), expected);
        let later = Range::new(hour(30), hour(31), Bucket::Hour).unwrap();
        assert_eq!(counts(activity(context, &proof, later).await.unwrap()), [(0, 0, 0, 5)]);
        for bucket in [Bucket::Day, Bucket::Week] {
            let range = Range::new(hour(0), hour(3), bucket).unwrap();
            let found = activity(context, &proof, range).await.unwrap();
            assert_eq!(counts(found), [(2, 7, 1, 5)], "{bucket:?}");
        }
        let admin = admin(context).await;
        let right = Right::new(Resource::Project, Action::List);
        let everywhere = access::on_system(context, &admin, right).await.unwrap();
        let range = Range::new(hour(0), hour(2), Bucket::Hour).unwrap();
        let sum = activity_of_all(context, &everywhere, range).await.unwrap();
        assert_eq!(counts(sum), [(2, 0, 0, 5), (0, 9, 0, 5)]);
        assert!(Range::new(hour(0), hour(1001), Bucket::Hour).is_err());
        assert!(Range::new(hour(1), hour(1), Bucket::Hour).is_err());
    }
}

#[tokio::test]
async fn old_hours_become_days() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        let project_id = add_project(context, "p", true).await;
        let now = context.clock.now().0 / 3_600_000_000;
        let (old, young) = ((now / 24 - 91) * 24, (now / 24 - 89) * 24);
        let rows = [
            (project_id, old, 1_i64, 10_i64),
            (project_id, old + 5, 2, 20),
            (project_id, old + 23, 4, 30),
            (project_id, old - 1, 8, 5),
            (project_id, young, 16, 40),
            (project_id, young + 1, 32, 50),
            (project_id + 1000, old, 64, 60),
            (0, old, 128, 70),
            (0, old + 1, 256, 80),
        ];
        const ADD: &str = "INSERT INTO activity \
            (project_id, hour, pushes, pulls, deletes, stored) VALUES ($1, $2, $3, $3, $3, $4)";
        for (project_id, hour, count, stored) in rows {
            context
                .db
                .write(move |tx| {
                    Box::pin(tx.execute(ADD, db::args![project_id, hour, count, stored]))
                })
                .await
                .unwrap();
        }
        let kept = async || -> Vec<(i64, i64, i64, i64)> {
            let all = "SELECT project_id, hour, pushes, deletes, stored FROM activity \
                ORDER BY project_id, hour";
            let rows = context.db.all(all, db::args![]).await.unwrap();
            let read = |row: &db::Row| {
                let (pushes, deletes): (i64, i64) = (row.get(2).unwrap(), row.get(3).unwrap());
                assert_eq!(pushes, deletes);
                (row.get(0).unwrap(), row.get(1).unwrap(), pushes, row.get(4).unwrap())
            };
            rows.iter().map(read).collect()
        };
        let proof = allowed(context, "p", Right::new(Resource::Itself, Action::Read)).await;
        let days = async || {
            let (from, to) = (Time((old - 24) * 3_600_000_000), Time(now * 3_600_000_000));
            activity(context, &proof, Range::new(from, to, Bucket::Day).unwrap()).await.unwrap()
        };
        let before = days().await;
        let next_day = async || {
            context.clock.advance(std::time::Duration::from_secs(24 * 3600));
            crate::work::tests::until_idle(context).await;
        };
        crate::work::tests::until_idle(context).await;
        next_day().await;
        let mut expected = vec![
            (0, old + 1, 384, 80),
            (project_id, old - 1, 8, 5),
            (project_id, old + 23, 7, 30),
            (project_id, young, 16, 40),
            (project_id, young + 1, 32, 50),
        ];
        assert_eq!(kept().await, expected);
        next_day().await;
        expected.splice(3.., [(project_id, young + 1, 48, 50)]);
        assert_eq!(kept().await, expected);
        assert_eq!(days().await, before);
    }
}

#[tokio::test]
async fn what_moves_in_the_projects_of_a_user_is_summed_up() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        let mut projects = Vec::new();
        for (name, public) in [("mine", false), ("ours", false), ("open", true)] {
            projects.push(add_project(context, name, public).await);
        }
        let alice = add_user(context, "alice").await;
        join(context, "mine", &alice, Role::Guest).await;
        let group = testing::add_group(context, "team").await;
        for project in ["ours", "mine"] {
            let (who, role) = (crate::projects::MemberRef::Group(group), Role::Developer.id());
            testing::add_member(context, project, who, role, None).await.unwrap();
        }
        testing::sign_in(context, &alice, &["team"]).await;
        let hour = |n: i64| Time(testing::START.0 + n * 3_600_000_000);
        let pulled = |project_id, times, at| {
            let event = events::Event::ArtifactPulled {
                digest: String::new(),
                reference: String::new(),
                times,
            };
            Happened::new(event, &Who::system(), at).in_project(project_id)
        };
        let mut all = vec![pulled(projects[0], 1, hour(0)), pulled(projects[1], 20, hour(0))];
        all.extend([pulled(projects[2], 300, hour(0)), pulled(projects[1], 4000, hour(2))]);
        context
            .db
            .write(move |tx| {
                let all = all.clone();
                Box::pin(async move { count_events(tx, &all).await })
            })
            .await
            .unwrap();
        let range = Range::new(hour(0), hour(3), Bucket::Hour).unwrap();
        let moved = async |caller| {
            let user = access::user(context, caller).await.unwrap();
            let series = activity_of_own(context, &user, range).await.unwrap();
            assert_eq!(series[1].from, hour(1));
            series.iter().map(|moves| moves.pulls).collect::<Vec<_>>()
        };
        // A project counts once, however often one is a member of it.
        assert_eq!(moved(&alice).await, [21, 0, 4000]);
        assert_eq!(moved(&add_user(context, "bob").await).await, [0, 0, 0]);
        let user = access::user(context, &alice).await.unwrap();
        let days = Range::new(hour(0), hour(3), Bucket::Day).unwrap();
        let sum: i64 = activity_of_own(context, &user, days)
            .await
            .unwrap()
            .iter()
            .map(|moves| moves.pulls)
            .sum();
        assert_eq!(sum, 4021);
    }
}

#[tokio::test]
async fn totals_count_everything() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        add_project(context, "closed", false).await;
        add_user(context, "alice").await;
        for name in ["library/a", "closed/b"] {
            let name = name.parse().unwrap();
            let blob = world.push_blob(&name, b"12345").await;
            world.push_image(&name, &[blob], "x").await.unwrap();
        }
        let admin = admin(context).await;
        let right = Right::new(Resource::Project, Action::List);
        let proof = access::on_system(context, &admin, right).await.unwrap();
        let found = totals(context, &proof).await.unwrap();
        assert_eq!(
            (found.projects, found.public_projects, found.repositories, found.artifacts),
            (2, 1, 2, 2)
        );
        assert_eq!(found.users, 2);
        // Each project counts its own: a blob of five bytes and a manifest.
        let quotas = crate::quotas::stored_by_all(context).await.unwrap();
        assert_eq!(found.stored, quotas);
        assert!(found.stored > 10, "{}", found.stored);
    }
}

/// An execution that ended as it is said: inserted, since none of this room can be run.
async fn ended(context: &Context, kind: &str, vendor_id: i64, status: &str, ended_at: Time) -> i64 {
    let insert = "INSERT INTO executions (vendor_type, vendor_id, status, status_message, \
        begun_by, extra_attrs, started_at, ended_at, updated_at) \
        VALUES ($1, $2, $3, 'it broke', 'SCHEDULE', '{}', $4, $5, $5) RETURNING id";
    let before = ended_at.before(std::time::Duration::from_secs(60));
    let arguments = args![kind, vendor_id, status, before, ended_at];
    context
        .db
        .write(move |tx| {
            let arguments = arguments.clone();
            Box::pin(async move { tx.one(insert, arguments).await })
        })
        .await
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap()
}

#[tokio::test]
async fn failures_of_all_jobs_are_listed_with_what_they_are_about() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let context = &world.context;
        let project_id = add_project(context, "p", false).await;
        let insert = "INSERT INTO retention_policies (project_id, policy, created_at, updated_at) \
            VALUES ($1, '{}', 0, 0) RETURNING id";
        let policy = context
            .db
            .write(move |tx| Box::pin(async move { tx.one(insert, args![project_id]).await }))
            .await
            .unwrap()
            .unwrap()
            .get(0)
            .unwrap();
        let at = |n: i64| Time(testing::START.0 + n);
        let old = ended(context, "GARBAGE_COLLECTION", -1, "Error", at(0)).await;
        ended(context, "GARBAGE_COLLECTION", -1, "Success", at(1)).await;
        let collection = ended(context, "GARBAGE_COLLECTION", policy, "Error", at(2)).await;
        ended(context, "RETENTION", policy, "Stopped", at(3)).await;
        let retention = ended(context, "RETENTION", policy, "Error", at(4)).await;
        let admin = admin(context).await;
        let right = Right::new(Resource::JobserviceMonitor, Action::List);
        let proof = access::on_system(context, &admin, right).await.unwrap();
        let found = failures(context, &proof, at(1), 10).await.unwrap();
        let ids: Vec<i64> = found.iter().map(|failed| failed.id).collect();
        assert_eq!(ids, [retention, collection]);
        assert_eq!(found[0].project, Some((project_id, "p".to_owned())));
        assert_eq!(found[1].project, None);
        assert_eq!(found[0].message, "it broke");
        assert_eq!(found[0].ended_at, at(4));
        assert_eq!(failures(context, &proof, at(0), 10).await.unwrap()[2].id, old);
        assert_eq!(failures(context, &proof, at(0), 1).await.unwrap().len(), 1);
        for wrong in [0, -1, 101] {
            assert!(
                failures(context, &proof, at(0), wrong).await.unwrap_err().is(kit::Kind::Invalid)
            );
        }
    }
}
