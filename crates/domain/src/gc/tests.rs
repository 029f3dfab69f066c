//! Collections, on both engines, while the clock is turned by hand.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use oci::{Digest, RepositoryName};
use parking_lot::Mutex;

use super::*;
use crate::{
    access::{self, Action, Resource, Right},
    jobs::schedules::When,
    quotas,
    testing::{add_project, admin},
    uploads, verify,
    world::{ENGINES, World},
};

mod hard;

const HOUR: Duration = Duration::from_secs(3600);

/// Everything, at once, and what is older than two hours.
const ORDERS: Orders = Orders {
    delete_untagged: false,
    dry_run: false,
    workers: 2,
    window: Duration::from_secs(7200),
};

/// Hears what is told, and stops when it is told so.
#[derive(Default)]
struct Ear {
    lines: Mutex<Vec<String>>,
    stops: AtomicBool,
}

impl Overseer for Ear {
    fn log(&self, line: String) {
        self.lines.lock().push(line);
    }

    fn stops(&self) -> bool {
        self.stops.load(Ordering::SeqCst)
    }
}

impl Ear {
    fn heard(&self, text: &str) -> bool {
        self.lines.lock().iter().any(|line| line.contains(text))
    }
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn turn(world: &World, by: Duration) {
    world.context.clock.advance(by);
}

async fn run(world: &World, orders: Orders) -> Outcome {
    collect(&world.context, orders, &Ear::default()).await.unwrap()
}

/// The files of the store.
fn files(world: &World) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let families = world.storage().join("haven/blobs/sha256");
    let Ok(families) = fs::read_dir(families) else { return found };
    for family in families {
        let files = fs::read_dir(family.unwrap().path()).unwrap();
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found
}

async fn is_held(world: &World, name: &RepositoryName, blob: &Digest) -> bool {
    let allowed = world.allowed(name, Right::PULL).await;
    uploads::known(&world.context, &allowed, name, blob).await.is_ok()
}

async fn is_sound(world: &World) {
    let report = verify::verify(&world.context).await.unwrap();
    assert_eq!((report.problems, report.leftovers), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn what_nothing_needs_goes_when_its_window_is_over() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let id = add_project(&world.context, "p", false).await;
        let (a, b) = (name("p/a"), name("p/b"));
        let kept = world.push_blob(&a, b"kept").await;
        let lost = world.push_blob(&a, b"lost!").await;
        let never = world.push_blob(&b, b"never needed").await;
        world.push_image(&a, &[kept], "kept").await.unwrap();
        let image = world.push_image(&a, &[kept, lost], "").await.unwrap();
        turn(&world, HOUR);
        world.delete_image(&a, &image).await.unwrap();
        // Nothing is that old yet.
        turn(&world, HOUR / 2);
        assert_eq!(run(&world, ORDERS).await, Outcome::default());
        // Somebody asks for one of them, and relies on the answer.
        assert!(is_held(&world, &b, &never).await);
        turn(&world, HOUR);
        assert_eq!(run(&world, ORDERS).await, Outcome::default());
        turn(&world, HOUR);
        let dry = Orders { dry_run: true, ..ORDERS };
        let would = Outcome { freed: 5, blobs: 1, manifests: 0 };
        assert_eq!(run(&world, dry).await, would);
        assert!(is_held(&world, &a, &kept).await);
        assert_eq!(run(&world, ORDERS).await, would);
        assert!(!is_held(&world, &a, &lost).await);
        turn(&world, 2 * HOUR);
        let ear = Ear::default();
        let outcome = collect(&world.context, ORDERS, &ear).await.unwrap();
        assert_eq!(outcome, Outcome { freed: 12, blobs: 1, manifests: 0 });
        for line in [
            "1 blobs and 0 manifests eligible for deletion",
            "The GC could free up 12 B space, the size is a rough estimation.",
            "1 blobs and 0 manifests are actually deleted",
            "The GC job actual frees up 12 B space.",
            "success to run gc in job.",
        ] {
            assert!(ear.heard(line), "{line}: {:?}", ear.lines.lock());
        }
        assert!(is_held(&world, &a, &kept).await);
        assert_eq!(files(&world).len(), 1);
        quotas::fold(&world.context).await.unwrap();
        is_sound(&world).await;
        // It comes anew as if it had never been there.
        world.push_blob(&a, b"lost!").await;
        world.push_image(&a, &[kept, lost], "").await.unwrap();
        assert!(quotas::of_project(&world.context, id).await.unwrap().1 > 9);
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn what_a_killed_run_left_is_finished_by_the_next() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let a = name("library/a");
        let blob = world.push_blob(&a, b"doomed").await;
        turn(&world, 3 * HOUR);
        // As far as the rows, and no further.
        sweep::release(&world.context, world.context.clock.now().before(HOUR), &Ear::default())
            .await
            .unwrap();
        let ids = world.context.db.all("SELECT id FROM blobs", db::args![]).await.unwrap();
        let ids: Vec<i64> = ids.iter().map(|row| row.get(0).unwrap()).collect();
        let doomed = world
            .context
            .db
            .write(move |tx| {
                let ids = ids.clone();
                Box::pin(async move { sweep::doom_some(tx, &ids).await })
            })
            .await
            .unwrap();
        assert_eq!((doomed.len(), files(&world).len()), (1, 1));
        // The same content comes while its old bytes still lie there.
        world.push_blob(&a, b"doomed").await;
        assert_eq!(files(&world).len(), 2);
        assert_eq!(run(&world, ORDERS).await, Outcome { freed: 6, blobs: 1, manifests: 0 });
        assert_eq!(files(&world).len(), 1);
        assert!(is_held(&world, &a, &blob).await);
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn bytes_without_a_row_go_and_those_of_an_open_upload_stay() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name("library/a"), b"known").await;
        world.push_image(&name("library/a"), &[blob], "").await.unwrap();
        let known = files(&world).pop().unwrap();
        let hex = "ab".repeat(32);
        let family = world.storage().join("haven/blobs/sha256/ab");
        fs::create_dir_all(&family).unwrap();
        fs::write(family.join(format!("{hex}.gone.0123")), b"orphan").unwrap();
        fs::write(family.join(format!("{hex}.open.0123")), b"half").unwrap();
        world
            .context
            .db
            .write(|tx| {
                const OPEN: &str = "INSERT INTO uploads \
                    (id, principal, state, size, epoch, created_at, updated_at) \
                    VALUES ('open', 'x', '{}', 4, 1, 0, 0)";
                Box::pin(async move { tx.execute(OPEN, db::args![]).await.map(drop) })
            })
            .await
            .unwrap();
        // The clock of the test is ahead of that of the files by far.
        let dry = Orders { dry_run: true, ..ORDERS };
        let orphan = Outcome { freed: 6, blobs: 1, manifests: 0 };
        assert_eq!(run(&world, dry).await, orphan);
        assert_eq!(files(&world).len(), 3);
        assert_eq!(run(&world, ORDERS).await, orphan);
        let left = files(&world);
        assert!(left.contains(&known) && left.len() == 2, "{left:?}");
    }
}

#[tokio::test]
async fn artifacts_without_a_tag_go_if_that_is_wanted() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let a = name("library/a");
        let blob = world.push_blob(&a, b"blob").await;
        let old = world.push_image(&a, &[blob], "old").await.unwrap();
        turn(&world, 3 * HOUR);
        let young = world.push_image(&a, &[blob], "young").await.unwrap();
        assert_eq!(run(&world, ORDERS).await.manifests, 0);
        let untagged = Orders { delete_untagged: true, ..ORDERS };
        let dry = Orders { dry_run: true, ..untagged };
        assert_eq!(run(&world, dry).await.manifests, 1);
        let ear = Ear::default();
        let outcome = collect(&world.context, untagged, &ear).await.unwrap();
        assert_eq!((outcome.manifests, outcome.blobs), (1, 0));
        assert!(ear.heard("delete the untagged artifact: ProjectID:(1)-RepositoryName(library/a)"));
        assert!(world.delete_image(&a, &old).await.is_err());
        world.delete_image(&a, &young).await.unwrap();
        quotas::fold(&world.context).await.unwrap();
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_leaves_everything_sound() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        world.push_blob(&name("library/a"), b"old").await;
        turn(&world, 3 * HOUR);
        let ear = Ear { stops: AtomicBool::new(true), ..Ear::default() };
        assert_eq!(collect(&world.context, ORDERS, &ear).await.unwrap(), Outcome::default());
        assert!(ear.heard("received the stop signal, quit GC job."));
        assert_eq!(files(&world).len(), 1);
        is_sound(&world).await;
    }
}

/// Everybody at once, with a window that is over at once: whatever is refused, nothing
/// that was accepted is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_deletes_and_collections_pass_each_other() {
    for engine in ENGINES {
        let world = Arc::new(World::new(engine).await);
        let over = Arc::new(AtomicBool::new(false));
        let collector = {
            let (world, over) = (world.clone(), over.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    // Marks of this very moment too.
                    turn(&world, Duration::from_micros(1));
                    let before = world.context.clock.now();
                    sweep::release(&world.context, before, &Ear::default()).await.unwrap();
                    sweep::sweep(&world.context, 2, &Ear::default()).await.unwrap();
                    sweep::finish(&world.context, &Ear::default()).await.unwrap();
                }
            })
        };
        let people = (0..8_usize).map(|n| {
            let world = world.clone();
            tokio::spawn(async move {
                let (mut accepted, mut repository) = (0, n);
                for round in 0..40_usize {
                    repository = (repository + 1) % 3;
                    let repository = name(&format!("library/r{repository}"));
                    let content = [b"one".as_slice(), b"two", b"three"][(n + round) % 3];
                    let Ok(blob) = world.try_push_blob(&repository, content).await else {
                        continue;
                    };
                    let note = format!("{n}");
                    let Ok(image) = world.push_image(&repository, &[blob], &note).await else {
                        continue;
                    };
                    accepted += 1;
                    let allowed = world.allowed(&repository, Right::PULL).await;
                    let held = uploads::known(&world.context, &allowed, &repository, &blob);
                    let held = held.await.unwrap();
                    uploads::read(&world.context, &held, 0..held.size).await.unwrap();
                    if round % 4 != 3 {
                        world.delete_image(&repository, &image).await.unwrap();
                    }
                }
                accepted
            })
        });
        let accepted: usize = futures_util::future::join_all(people)
            .await
            .into_iter()
            .map(|accepted| accepted.unwrap())
            .sum();
        over.store(true, Ordering::SeqCst);
        collector.await.unwrap();
        assert!(accepted > 0);
        quotas::fold(&world.context).await.unwrap();
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn collections_are_begun_shown_scheduled_and_stopped() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let proof = async |action| {
            let right = Right::new(Resource::GarbageCollection, action);
            access::on_system(context, &admin(context).await, right).await.unwrap()
        };
        let read = |text: &str| Request::read(&serde_json::from_str(text).unwrap());
        let request = read(r#"{"delete_untagged":true,"workers":3}"#).unwrap();
        let begin = async |action, when| {
            ask(context, &proof(action).await, action, when, request).await.unwrap()
        };
        let id = begin(Action::Create, When::Now).await.unwrap();
        let shown = get(context, &proof(Action::Read).await, id).await.unwrap();
        assert_eq!(
            serde_json::Value::from(shown.extra_attrs),
            serde_json::json!({"delete_untagged": true, "delete_tag": false, "dry_run": false,
                "workers": 3, "time_window": 2.0})
        );
        stop(context, &proof(Action::Stop).await, id).await.unwrap();
        let found =
            history(context, &proof(Action::List).await, &kit::Selection::default()).await.unwrap();
        assert_eq!((found.total, found.items[0].status), (1, crate::jobs::Status::Stopped));
        assert!(get(context, &proof(Action::Read).await, id + 1).await.is_err());

        let weekly = When::read("Weekly", "0 0 0 * * 0").unwrap();
        assert_eq!(begin(Action::Update, weekly).await, None);
        let found = scheduled(context, &proof(Action::Read).await).await.unwrap().unwrap();
        assert_eq!((&*found.cron_type, &*found.cron), ("Weekly", "0 0 0 * * 0"));
        assert_eq!(begin(Action::Update, When::Never).await, None);
        assert_eq!(scheduled(context, &proof(Action::Read).await).await.unwrap(), None);
        for wrong in [
            r#"{"workers":0}"#,
            r#"{"workers":11}"#,
            r#"{"workers":-1}"#,
            r#"{"workers":"two"}"#,
            r#"{"dry_run":"yes"}"#,
        ] {
            assert!(read(wrong).unwrap_err().is(kit::Kind::Invalid), "{wrong}");
        }
    }
}
