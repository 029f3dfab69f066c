//! What counts, by example, by chance and under concurrency, on both engines.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kit::{
    Kind, Selection,
    query::{Filter, Sort},
};
use oci::{Algorithm, Digest, RepositoryName};

use super::*;
use crate::{
    access::{self, Caller},
    rights::{Action, Allowed, Resource, Right, System},
    testing::{add_project, admin},
    uploads, verify,
    world::{ENGINES, World, image_of},
};

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

async fn proof(world: &World, action: Action) -> Allowed<System> {
    let (context, right) = (&world.context, Right::new(Resource::Quota, action));
    access::on_system(context, &admin(context).await, right).await.unwrap()
}

async fn limit(world: &World, project_id: i64, bytes: i64) {
    update(&world.context, &proof(world, Action::Update).await, project_id, bytes).await.unwrap();
}

async fn used(world: &World, project_id: i64) -> i64 {
    of_project(&world.context, project_id).await.unwrap().1
}

/// Everything is as the room promises, before and after the changes are added up, and nothing
/// is to be mended.
async fn is_sound(world: &World) {
    assert_eq!(verify::verify(&world.context).await.unwrap().problems, []);
    fold(&world.context).await.unwrap();
    assert_eq!(verify::verify(&world.context).await.unwrap().problems, []);
    let mended = sync(&world.context, &proof(world, Action::Update).await).await.unwrap();
    assert_eq!(mended, []);
}

#[tokio::test]
async fn everything_counts_once_and_what_is_deleted_no_longer() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let id = add_project(context, "p", false).await;
        let (a, b) = (name("p/a"), name("p/b"));
        let (one, two) = (world.push_blob(&a, b"12345").await, world.push_blob(&a, b"123").await);
        assert_eq!(used(&world, id).await, 8);
        world.push_blob(&b, b"12345").await;
        assert_eq!(used(&world, id).await, 8);
        let size = image_of(&[one, two], "").len() as i64;
        let image = world.push_image(&a, &[one, two], "").await.unwrap();
        world.push_image(&a, &[one, two], "").await.unwrap();
        assert_eq!(used(&world, id).await, 8 + size);
        is_sound(&world).await;

        // Blob `one` counts by the other repository.
        world.delete_image(&a, &image).await.unwrap();
        assert_eq!(used(&world, id).await, 5);
        // It comes back by a manifest, without its bytes being sent again.
        world.push_image(&a, &[one, two], "again").await.unwrap();
        assert_eq!(used(&world, id).await, 8 + image_of(&[one, two], "again").len() as i64);
        let allowed = world.allowed(&b, Right::DELETE).await;
        uploads::delete(context, &allowed, &b, &one).await.unwrap();
        let other = add_project(context, "other", true).await;
        let c = name("other/c");
        let allowed = world.allowed(&c, Right::PUSH).await;
        let caller = Caller::system();
        let mounted = uploads::mount(context, &caller, &allowed, &c, &one, Some(&a)).await.unwrap();
        assert_eq!((mounted, used(&world, other).await), (uploads::Mounted::Yes, 5));
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn a_limit_is_kept_in_harbors_words() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let id = add_project(&world.context, "p", false).await;
        let a = name("p/a");
        limit(&world, id, 3 << 20).await;
        let first = world.push_blob(&a, &vec![1; 2 << 20]).await;
        let refused = world.try_push_blob(&a, &vec![2; 3 << 19]).await.unwrap_err();
        assert_eq!(refused.kind, Kind::QuotaExceeded);
        assert_eq!(
            refused.message,
            "adding 1.5 MiB of storage resource, which when updated to current usage of 2.0 MiB \
             will exceed the configured upper limit of 3.0 MiB."
        );
        // What is there already needs no space, and what fits to the byte fits.
        world.push_blob(&a, &vec![1; 2 << 20]).await;
        world.push_blob(&a, &vec![3; 1 << 20]).await;
        let refused = world.push_image(&a, &[first], "").await.unwrap_err();
        assert_eq!(refused.kind, Kind::QuotaExceeded);
        limit(&world, id, 4 << 20).await;
        world.push_image(&a, &[first], "").await.unwrap();
        let told = async |kind: &str| {
            let events = "SELECT event FROM events";
            let rows = world.context.db.all(events, db::args![]).await.unwrap();
            let texts = rows.iter().map(|row| row.get::<String>(0).unwrap());
            texts.filter(|text| text.contains(kind)).count()
        };
        assert_eq!((told("quota_exceeded").await, told("quota_warning").await), (2, 1));
        // A limit below what is there: nothing more comes in.
        limit(&world, id, 1).await;
        assert!(world.try_push_blob(&a, b"x").await.unwrap_err().is(Kind::QuotaExceeded));
        limit(&world, id, -1).await;
        world.push_blob(&a, b"x").await;
        is_sound(&world).await;
        for wrong in [0, -2, i64::MAX] {
            let allowed = proof(&world, Action::Update).await;
            let refused = update(&world.context, &allowed, id, wrong).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid);
        }
    }
}

#[tokio::test]
async fn quotas_are_listed_in_any_order() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let (small, large) = (
            add_project(context, "small", false).await,
            add_project(context, "large", false).await,
        );
        limit(&world, small, 100).await;
        limit(&world, large, 50).await;
        world.push_blob(&name("small/a"), b"1").await;
        world.push_blob(&name("large/a"), b"12345").await;
        fold(context).await.unwrap();
        let order = async |sort: &str| {
            let allowed = proof(&world, Action::List).await;
            let selection = Selection { sort: Sort::parse(sort).unwrap(), ..Selection::default() };
            let found = list(context, &allowed, None, selection).await.unwrap();
            assert_eq!(found.total, 3);
            found.items.iter().map(|quota| quota.project.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(order("hard.storage").await, ["large", "small", "library"]);
        assert_eq!(order("-used.storage").await, ["large", "small", "library"]);
        assert_eq!(order("used.storage").await, ["library", "small", "large"]);
        assert_eq!(order("project").await, ["large", "library", "small"]);
        let (allowed, part) = (proof(&world, Action::List).await, Filter::parse("project=~arg"));
        let selection = Selection { filter: part.unwrap(), ..Selection::default() };
        let found = list(context, &allowed, None, selection).await.unwrap();
        assert_eq!((found.total, &*found.items[0].project), (1, "large"));
        let allowed = proof(&world, Action::Read).await;
        let quota = get(context, &allowed, large).await.unwrap();
        assert_eq!((quota.limit, quota.used, &*quota.project), (50, 5, "large"));
        assert!(get(context, &allowed, 999).await.unwrap_err().is(Kind::NotFound));
        super::list::LIST.try_everything(&context.db, sql::LIST_FROM, db::args![]).await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_mended() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let id = add_project(&world.context, "p", false).await;
        let blob = world.push_blob(&name("p/a"), b"12345").await;
        world.push_image(&name("p/a"), &[blob], "").await.unwrap();
        let right = used(&world, id).await;
        for broken in [
            "DELETE FROM quota_contents",
            "DELETE FROM quota_usage",
            "INSERT INTO quota_contents (project_id, kind, content_id, size) SELECT id, 0, 77, 7 FROM projects",
            "INSERT INTO quota_changes (project_id, change) SELECT id, 7 FROM projects",
            "UPDATE repository_blobs SET counted_in = NULL",
        ] {
            world
                .context
                .db
                .write(move |tx| {
                    Box::pin(async move { tx.execute(broken, db::args![]).await.map(drop) })
                })
                .await
                .unwrap();
            fold(&world.context).await.unwrap();
            assert!(!verify::verify(&world.context).await.unwrap().problems.is_empty(), "{broken}");
            sync(&world.context, &proof(&world, Action::Update).await).await.unwrap();
            assert_eq!(used(&world, id).await, right, "{broken}");
            is_sound(&world).await;
        }
    }
}

/// A random number below another, by a generator that begins with the same in every run.
fn below(state: &mut u64, n: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % n
}

const REPOSITORIES: [&str; 4] = ["p/a", "p/b", "q/a", "q/b"];

/// Some blob, by its number; each has another size.
fn blob(n: usize) -> Vec<u8> {
    vec![b'a'; 100 + n]
}

/// Two blobs, by the number of the image.
fn parts(n: usize) -> [Digest; 2] {
    [digest(&blob(n % 4)), digest(&blob((n + 1 + n / 4) % 4))]
}

/// Something happens. It may be refused, for what it needs may be missing.
async fn something(world: &World, chance: &mut u64) -> kit::Result<()> {
    let repository = name(REPOSITORIES[below(chance, 4)]);
    let (kind, n) = (below(chance, 8), below(chance, 8));
    let context = &world.context;
    match kind {
        0 | 1 => world.try_push_blob(&repository, &blob(n % 4)).await.map(drop),
        2..=4 => {
            let note = (n / 4).to_string();
            world.push_image(&repository, &parts(n), &note).await.map(drop)
        }
        5 => {
            let image = digest(&image_of(&parts(n), &(n / 4).to_string()));
            world.delete_image(&repository, &image).await
        }
        6 => {
            let allowed = world.allowed(&repository, Right::DELETE).await;
            uploads::delete(context, &allowed, &repository, &digest(&blob(n % 4))).await
        }
        _ => {
            let source = name(REPOSITORIES[below(chance, 4)]);
            let (allowed, blob) =
                (world.allowed(&repository, Right::PUSH).await, digest(&blob(n % 4)));
            let caller = Caller::system();
            uploads::mount(context, &caller, &allowed, &repository, &blob, Some(&source))
                .await
                .map(drop)
        }
    }
}

/// Nothing but what a client can mend by itself.
fn is_fair(refused: &kit::Error) -> bool {
    matches!(
        refused.kind,
        Kind::NotFound
            | Kind::Invalid
            | Kind::Unsupported
            | Kind::QuotaExceeded
            | Kind::Unavailable
    )
}

/// What the two projects use if one counts what there is by what the verbs promise.
#[derive(Default)]
struct Model {
    /// Blobs of repositories, and whether they were uploaded or mounted and not yet needed
    /// since; without, they count by need alone.
    held: BTreeMap<(usize, usize), bool>,
    images: BTreeSet<(usize, usize)>,
}

impl Model {
    fn needed(&self, repository: usize, blob_: usize) -> bool {
        self.images
            .iter()
            .any(|(r, n)| *r == repository && parts(*n).contains(&digest(&blob(blob_))))
    }

    fn used(&self, project: usize) -> i64 {
        let (mut blobs, mut images) = (BTreeSet::new(), BTreeSet::new());
        for ((repository, n), fresh) in &self.held {
            if repository / 2 == project && (*fresh || self.needed(*repository, *n)) {
                blobs.insert(*n);
            }
        }
        for (repository, n) in &self.images {
            if repository / 2 == project {
                images.insert(*n);
            }
        }
        let manifest = |n: &usize| image_of(&parts(*n), &(n / 4).to_string()).len();
        let sum = blobs.iter().map(|n| blob(*n).len()).sum::<usize>()
            + images.iter().map(manifest).sum::<usize>();
        sum as i64
    }

    /// Does what [`something`] did with the same chance, if it was done.
    fn follow(&mut self, chance: &mut u64) {
        let repository = below(chance, 4);
        let (kind, n) = (below(chance, 8), below(chance, 8));
        match kind {
            0 | 1 => {
                let fresh = !self.needed(repository, n % 4);
                self.held.insert((repository, n % 4), fresh);
            }
            2..=4 => {
                self.images.insert((repository, n));
                for n in 0..4 {
                    if self.needed(repository, n) {
                        self.held.insert((repository, n), false);
                    }
                }
            }
            5 => {
                self.images.remove(&(repository, n));
            }
            6 => {
                self.held.remove(&(repository, n % 4));
            }
            _ => {
                let source = below(chance, 4);
                if source != repository && self.held.contains_key(&(source, n % 4)) {
                    let fresh = !self.needed(repository, n % 4);
                    self.held.insert((repository, n % 4), fresh);
                }
            }
        }
    }
}

#[tokio::test]
async fn whatever_happens_the_sum_is_right() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let ids = [
            add_project(&world.context, "p", true).await,
            add_project(&world.context, "q", true).await,
        ];
        let (mut chance, mut model) = (7, Model::default());
        for step in 0..400 {
            let before = chance;
            let done = something(&world, &mut chance).await;
            match done {
                Ok(()) => model.follow(&mut { before }),
                Err(refused) => assert!(is_fair(&refused), "{refused:?}"),
            }
            for (project, id) in ids.iter().enumerate() {
                assert_eq!(used(&world, *id).await, model.used(project), "{engine:?} {step}");
            }
            if step % 100 == 50 {
                is_sound(&world).await;
            }
        }
        is_sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_is_right_whoever_does_what_at_the_same_time() {
    for engine in ENGINES {
        let world = Arc::new(World::new(engine).await);
        add_project(&world.context, "p", true).await;
        let q = add_project(&world.context, "q", true).await;
        // Tight enough to refuse now and then.
        limit(&world, q, 3000).await;
        let people = (0..12_u64).map(|n| {
            let world = world.clone();
            tokio::spawn(async move {
                let mut chance = n;
                for _ in 0..60 {
                    if let Err(refused) = something(&world, &mut chance).await {
                        assert!(is_fair(&refused), "{refused:?} {:?}", refused.source);
                    }
                    if n == 0 {
                        fold(&world.context).await.unwrap();
                    }
                }
            })
        });
        for done in futures_util::future::join_all(people).await {
            done.unwrap();
        }
        assert!(used(&world, q).await <= 3000);
        is_sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_come_together_as_many_get_in_as_fit() {
    for engine in ENGINES {
        let world = Arc::new(World::new(engine).await);
        let id = add_project(&world.context, "p", true).await;
        limit(&world, id, 1000).await;
        let pushes = (0..20_u8).map(|n| {
            let world = world.clone();
            tokio::spawn(async move {
                let repository = name(&format!("p/r{}", n % 3));
                world.try_push_blob(&repository, &[n; 99]).await
            })
        });
        let ended = futures_util::future::join_all(pushes).await;
        let accepted = ended.into_iter().filter(|ended| ended.as_ref().unwrap().is_ok()).count();
        assert_eq!((accepted, used(&world, id).await), (10, 990));
        is_sound(&world).await;
    }
}
