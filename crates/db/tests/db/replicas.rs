//! PostgreSQL: replicas hear what the others changed, all of it, and once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use db::{Change, Db, Sql, args};
use sqlx::{Connection, Executor, PgConnection, Row};

use crate::fixture::{postgres, until};

/// What a replica was told.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<Change>>>);

impl Ear {
    fn of(db: &Db) -> Self {
        let ear = Self::default();
        let note = ear.0.clone();
        db.on_change(Arc::new(move |changes| note.lock().unwrap().extend_from_slice(changes)));
        ear
    }

    fn times(&self, key: &str) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|change| change.key() == key && !change.is_everything())
            .count()
    }
}

async fn announce(db: &Db, key: String) {
    db.write(move |tx| {
        tx.announce(Change::new("thing", key.clone()));
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
}

async fn in_touch(dbs: [&Db; 2]) {
    until("both are in touch", || dbs.iter().all(|db| db.in_touch())).await;
}

/// The promise: a second after a commit, a replica has heard of it or knows that it is out
/// of touch.
async fn arrives_in_time(replica: &Db, ear: &Ear, key: &str, committed: Instant) {
    until("the change arrives", || {
        let late = committed.elapsed() >= Duration::from_secs(1);
        let in_touch = replica.in_touch();
        let heard = ear.times(key) == 1;
        assert!(heard || !late || !in_touch, "{key} was missed");
        heard
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_the_others_within_a_second_and_its_writer_once() {
    let place = postgres().await;
    let (one, other) = (place.open().await, place.open().await);
    in_touch([&one, &other]).await;
    let (at_one, at_other) = (Ear::of(&one), Ear::of(&other));
    for round in 0..20 {
        let key = format!("key {round}");
        announce(&one, key.clone()).await;
        let committed = Instant::now();
        assert_eq!(at_one.times(&key), 1);
        arrives_in_time(&other, &at_other, &key, committed).await;
    }
    // Two further looks of each replica, and still nobody was told twice.
    announce(&one, "last".to_owned()).await;
    announce(&other, "very last".to_owned()).await;
    until("the last changes arrive", || {
        at_other.times("last") == 1 && at_one.times("very last") == 1
    })
    .await;
    for ear in [&at_one, &at_other] {
        let told = ear.0.lock().unwrap().clone();
        let distinct: HashSet<_> = told.iter().map(|change| change.key().to_owned()).collect();
        assert_eq!(distinct.len(), told.len(), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_changes_a_deed_makes_nobody_misses_one() {
    let place = postgres().await;
    let (one, other) = (place.open().await, place.open().await);
    in_touch([&one, &other]).await;
    let (at_one, at_other) = (Ear::of(&one), Ear::of(&other));
    for count in [3, 10_000] {
        one.write(move |tx| {
            for number in 0..count {
                tx.announce(Change::new("thing", format!("{number} of {count}")));
            }
            Box::pin(async { Ok(()) })
        })
        .await
        .unwrap();
        assert_eq!(at_one.times(&format!("{} of {count}", count - 1)), 1);
    }
    let everything = || at_other.0.lock().unwrap().iter().any(Change::is_everything);
    until("the few arrive", || (0..3).all(|number| at_other.times(&format!("{number} of 3")) > 0))
        .await;
    until("the many arrive, as everything", everything).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_alone_is_enough() {
    let place = postgres().await;
    let (one, other) = (place.open().await, place.open().await);
    in_touch([&one, &other]).await;
    let at_other = Ear::of(&other);
    // A writer that sends no notification.
    let mut silent = PgConnection::connect(&place.url).await.unwrap();
    let committed = Instant::now();
    silent.execute(ENTRY).await.unwrap();
    arrives_in_time(&other, &at_other, "late", committed).await;
}

/// What a replica writes into the log at the end of a transaction.
const ENTRY: &str = "INSERT INTO changes (xid, replica, topic, key)
                     VALUES (pg_current_xact_id()::text::bigint, 'somebody', 'thing', 'late')";

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let place = postgres().await;
    let (one, other) = (place.open().await, place.open().await);
    in_touch([&one, &other]).await;
    let at_other = Ear::of(&other);

    let mut slow = PgConnection::connect(&place.url).await.unwrap();
    let mut transaction = slow.begin().await.unwrap();
    transaction.execute(ENTRY).await.unwrap();
    for round in 0..5 {
        let key = format!("early {round}");
        announce(&one, key.clone()).await;
        until("the early change arrives", || at_other.times(&key) == 1).await;
    }
    assert_eq!(at_other.times("late"), 0);
    transaction.commit().await.unwrap();
    until("the late change arrives", || at_other.times("late") == 1).await;
    for round in 0..5 {
        assert_eq!(at_other.times(&format!("early {round}")), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_is_not_told() {
    let place = postgres().await;
    let (one, other) = (place.open().await, place.open().await);
    in_touch([&one, &other]).await;
    let (at_one, at_other) = (Ear::of(&one), Ear::of(&other));
    let failing = one.write(|tx| {
        tx.announce(Change::new("thing", "never"));
        Box::pin(async { Err::<(), _>(kit::Error::conflict("no")) })
    });
    failing.await.unwrap_err();
    announce(&one, "after".to_owned()).await;
    until("what came after arrives", || at_other.times("after") == 1).await;
    assert_eq!((at_one.times("never"), at_other.times("never")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deeds_that_deadlock_are_both_done() {
    let place = postgres().await;
    let db = place.open().await;
    db.write(|tx| Box::pin(tx.execute("INSERT INTO things (id) VALUES (1), (2)", args![])))
        .await
        .unwrap();
    let met = Arc::new(tokio::sync::Barrier::new(2));
    let mut deeds = Vec::new();
    for (first, second) in [(1_i64, 2_i64), (2, 1)] {
        let (db, met) = (db.clone(), met.clone());
        let repeated = Arc::new(std::sync::atomic::AtomicBool::new(false));
        deeds.push(tokio::spawn(async move {
            db.write(move |tx| {
                let (met, repeated) = (met.clone(), repeated.clone());
                Box::pin(async move {
                    const TOUCH: &str =
                        "UPDATE things SET name = COALESCE(name, '') || 'x' WHERE id = $1";
                    tx.execute(TOUCH, args![first]).await?;
                    // Only the first time round, when both have one row and want the other.
                    if !repeated.swap(true, std::sync::atomic::Ordering::SeqCst) {
                        met.wait().await;
                    }
                    tx.execute(TOUCH, args![second]).await
                })
            })
            .await
        }));
    }
    for deed in deeds {
        deed.await.unwrap().unwrap();
    }
    let rows = db.all("SELECT name FROM things", args![]).await.unwrap();
    for row in rows {
        assert_eq!(row.get::<String>(0).unwrap(), "xx");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_named_statements_everything_works_and_none_are_left() {
    let place = postgres().await;
    place.open().await;
    let options =
        db::Options { named_statements: false, max_connections: 1, ..db::Options::default() };
    let db = Db::open(&place.url, &options).await.unwrap();
    for id in 0..10_i64 {
        db.write(move |tx| Box::pin(tx.execute("INSERT INTO things (id) VALUES ($1)", args![id])))
            .await
            .unwrap();
        assert!(db.one("SELECT id FROM things WHERE id = $1", args![id]).await.unwrap().is_some());
    }
    let left =
        db.one("SELECT COUNT(*) FROM pg_prepared_statements", args![]).await.unwrap().unwrap();
    assert_eq!(left.get::<i64>(0).unwrap(), 0);
    let mut admin = PgConnection::connect(&place.url).await.unwrap();
    let row = sqlx::query("SELECT COUNT(*) FROM things").fetch_one(&mut admin).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_in_a_transaction_is_planned_for_its_values() {
    let place = postgres().await;
    place.open().await;
    let options = db::Options { max_connections: 1, ..db::Options::default() };
    let db = Db::open(&place.url, &options).await.unwrap();
    let look = |n: i64| {
        let mut ids = args![];
        ids.extend(0..n);
        let count = usize::try_from(n).unwrap();
        (Sql::list("SELECT id FROM things WHERE id IN (", count, ")"), ids)
    };
    db.write(move |tx| {
        Box::pin(async move {
            for n in [4, 16] {
                let (sql, ids) = look(n);
                tx.all(sql, ids).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    let (sql, ids) = look(64);
    db.all(sql, ids).await.unwrap();
    let kept = "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE \
                'SELECT id FROM things WHERE id IN (%' AND statement LIKE $1";
    let mut found = Vec::new();
    for last in ["%, $4)", "%, $16)", "%, $64)"] {
        let row = db.one(kept, args![last]).await.unwrap().unwrap();
        found.push(row.get::<i64>(0).unwrap());
    }
    assert_eq!(found, [1, 0, 1], "of a short list, a long one, and a page");
}
