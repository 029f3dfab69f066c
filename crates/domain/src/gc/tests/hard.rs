//! Collections in bad times: stopped anywhere, two at once, with clocks that go backwards, and of
//! what somebody is pulling.

use std::sync::atomic::AtomicUsize;

use db::{Engine, args};
use http_body_util::BodyExt as _;
use kit::Clock;
use oci::Algorithm;
use tokio::sync::Notify;

use super::*;
use crate::testing::eventually;

/// Has a run stop when it has asked so often.
struct Patience {
    left: AtomicUsize,
}

impl Patience {
    fn of(left: usize) -> Self {
        Self { left: AtomicUsize::new(left) }
    }

    fn is_over(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

impl Overseer for Patience {
    fn log(&self, _line: String) {}

    fn stops(&self) -> bool {
        let asked = |left: usize| left.checked_sub(1);
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, asked).is_err()
    }
}

/// Turns the clock back.
fn turn_back(world: &World, by: Duration) {
    let Clock::Manual(hands) = &world.context.clock else { panic!("a clock to turn") };
    hands.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
}

/// Of each kind of thing that a run takes, some, all of them older than the window.
async fn litter(world: &World, round: usize) {
    let a = name("library/a");
    let half_done = world.push_blob(&a, format!("half done {round}").as_bytes()).await;
    turn(world, 3 * HOUR);
    let before = world.context.clock.now().before(HOUR);
    sweep::release(&world.context, before, &Ear::default()).await.unwrap();
    const OF: &str = "SELECT id FROM blobs WHERE digest = $1";
    let row = world.context.db.one(OF, args![half_done.to_string()]).await.unwrap().unwrap();
    let id: i64 = row.get(0).unwrap();
    let doom = world.context.db.write(move |tx| {
        Box::pin(async move { sweep::doom_some(tx, &[id]).await.map(|doomed| doomed.len()) })
    });
    assert_eq!(doom.await.unwrap(), 1);
    let needed = world.push_blob(&a, b"needed").await;
    let lost = world.push_blob(&a, format!("lost {round}").as_bytes()).await;
    for n in 0..25 {
        world.push_image(&a, &[needed, lost], &format!("{round} {n}")).await.unwrap();
    }
    world.push_blob(&a, format!("never needed {round}").as_bytes()).await;
    turn(world, 3 * HOUR);
    let family = world.storage().join("haven/blobs/sha256/ab");
    fs::create_dir_all(&family).unwrap();
    fs::write(family.join(format!("{}.gone.{round:04}", "ab".repeat(32))), b"orphan").unwrap();
}

#[tokio::test]
async fn a_run_stops_wherever_it_asks_and_the_next_finishes() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let orders = Orders { delete_untagged: true, ..ORDERS };
        let mut asked = 0;
        loop {
            litter(&world, asked).await;
            let patience = Patience::of(asked);
            collect(&world.context, orders, &patience).await.unwrap();
            let was_stopped = patience.is_over();
            quotas::fold(&world.context).await.unwrap();
            assert_eq!(verify::verify(&world.context).await.unwrap().problems, [], "{asked}");
            run(&world, orders).await;
            // What lost its last reference in that run stays for a window.
            turn(&world, 3 * HOUR);
            run(&world, orders).await;
            assert_eq!(files(&world).len(), 0, "{asked}");
            quotas::fold(&world.context).await.unwrap();
            is_sound(&world).await;
            if !was_stopped {
                break;
            }
            asked += 1;
        }
        println!("{engine}: a run asks {asked} times");
        assert!(asked > 10, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_take_nothing_that_one_would_not() {
    const MANY: usize = 300;
    for engine in ENGINES {
        let world = World::new(engine).await;
        let a = name("library/a");
        let kept = world.push_blob(&a, b"kept").await;
        world.push_image(&a, &[kept], "kept").await.unwrap();
        for n in 0..MANY {
            world.push_blob(&a, format!("blob {n}").as_bytes()).await;
        }
        turn(&world, 3 * HOUR);
        let (one, two) = tokio::join!(run(&world, ORDERS), run(&world, ORDERS));
        // Whoever passes by what the other one is at leaves it to that one.
        assert!(one.blobs + two.blobs >= MANY as u64, "{one:?} {two:?}");
        assert_eq!(files(&world).len(), 1);
        assert!(is_held(&world, &a, &kept).await);
        quotas::fold(&world.context).await.unwrap();
        is_sound(&world).await;
    }
}

/// On PostgreSQL: SQLite's writer is alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_it_is_doomed_comes_anew() {
    let world = Arc::new(World::new(Engine::Postgres).await);
    let a = name("library/a");
    let blob = world.push_blob(&a, b"blob").await;
    turn(&world, 3 * HOUR);
    let before = world.context.clock.now().before(HOUR);
    sweep::release(&world.context, before, &Ear::default()).await.unwrap();
    let (locked, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let dooming = {
        let (world, locked, goes_on) = (world.clone(), locked.clone(), goes_on.clone());
        tokio::spawn(async move {
            let doom = world.context.db.write(move |tx| {
                let (locked, goes_on) = (locked.clone(), goes_on.clone());
                Box::pin(async move {
                    let row = tx.one("SELECT id FROM blobs FOR UPDATE", args![]).await?.unwrap();
                    locked.notify_one();
                    goes_on.notified().await;
                    sweep::doom_some(tx, &[row.get(0)?]).await
                })
            });
            let doomed = doom.await.unwrap();
            sweep::delete(&world.context, doomed).await.unwrap()
        })
    };
    locked.notified().await;
    let pushing = {
        let (world, a) = (world.clone(), a.clone());
        tokio::spawn(async move { world.try_push_blob(&a, b"blob").await })
    };
    const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(async || {
        let row = world.context.db.one(WAITING, args![]).await.unwrap().unwrap();
        row.get::<i64>(0).unwrap() == 1
    })
    .await;
    goes_on.notify_one();
    assert_eq!(dooming.await.unwrap(), Outcome { freed: 4, blobs: 1, manifests: 0 });
    assert_eq!(pushing.await.unwrap().unwrap(), blob);
    world.push_image(&a, &[blob], "").await.unwrap();
    assert_eq!(files(&world).len(), 1);
    quotas::fold(&world.context).await.unwrap();
    is_sound(&world).await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_makes_nothing_go_too_early() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let a = name("library/a");
        let blob = world.push_blob(&a, b"blob").await;
        let image = world.push_image(&a, &[blob], "").await.unwrap();
        let promised = world.push_blob(&a, b"promised").await;
        turn_back(&world, HOUR);
        // It is pushed, asked for and deleted before it was there.
        assert_eq!(world.push_image(&a, &[blob], "").await.unwrap(), image);
        assert!(is_held(&world, &a, &promised).await);
        world.delete_image(&a, &image).await.unwrap();
        assert_eq!(run(&world, ORDERS).await, Outcome::default());
        turn(&world, 2 * HOUR - Duration::from_secs(1));
        assert_eq!(run(&world, ORDERS).await, Outcome::default());
        // The image was deleted two hours ago, and the other one came an hour ago.
        turn(&world, Duration::from_secs(2));
        assert_eq!(run(&world, ORDERS).await, Outcome { freed: 4, blobs: 1, manifests: 0 });
        assert!(is_held(&world, &a, &promised).await, "asking renews it");
        turn(&world, 3 * HOUR);
        assert_eq!(run(&world, ORDERS).await, Outcome { freed: 8, blobs: 1, manifests: 0 });
        assert_eq!(files(&world).len(), 0);
        quotas::fold(&world.context).await.unwrap();
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn what_somebody_is_pulling_is_read_to_its_end_though_it_goes() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let a = name("library/a");
        let content: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
        let blob = world.push_blob(&a, &content).await;
        let image = world.push_image(&a, &[blob], "").await.unwrap();
        let allowed = world.allowed(&a, Right::PULL).await;
        let held = uploads::known(&world.context, &allowed, &a, &blob).await.unwrap();
        let mut reader = uploads::read(&world.context, &held, 0..held.size).await.unwrap();
        let mut read = Vec::new();
        let mut next = async || {
            let frame = reader.frame().await?.unwrap();
            Some(frame.into_data().unwrap())
        };
        read.extend_from_slice(&next().await.unwrap());
        assert!(read.len() < content.len(), "there is more to come");

        world.delete_image(&a, &image).await.unwrap();
        turn(&world, 3 * HOUR);
        assert_eq!(run(&world, ORDERS).await.blobs, 1);
        assert_eq!(files(&world).len(), 0);
        assert!(!is_held(&world, &a, &blob).await);
        while let Some(bytes) = next().await {
            read.extend_from_slice(&bytes);
        }
        assert_eq!(Digest::of(Algorithm::Sha256, &read), blob);
        // Who comes now is told that it is not there.
        let late = uploads::read(&world.context, &held, 0..held.size).await;
        assert!(late.is_err_and(|error| error.is(kit::Kind::NotFound)));
    }
}
