//! PostgreSQL: a server that is silent, breaks, or comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use db::{Db, Options, args};
use kit::Kind;
use sqlx::{Connection, Executor, PgConnection};

use crate::fixture::{Network, Place, postgres, until};

fn impatient() -> Options {
    let moment = Duration::from_millis(300);
    Options { wait_for_connection: moment, statement_timeout: moment, ..Options::default() }
}

async fn through(network: &Network, place: &Place) -> (Db, Arc<AtomicU32>) {
    place.open().await;
    let db = Db::open(&network.url(place), &impatient()).await.unwrap();
    let everything = Arc::new(AtomicU32::new(0));
    let counted = everything.clone();
    db.on_change(Arc::new(move |changes| {
        let times = changes.iter().filter(|change| change.is_everything()).count();
        counted.fetch_add(u32::try_from(times).unwrap(), Ordering::SeqCst);
    }));
    until("contact", || db.in_touch()).await;
    (db, everything)
}

async fn put(db: &Db, id: i64) -> kit::Result<u64> {
    db.write(move |tx| Box::pin(tx.execute("INSERT INTO things (id) VALUES ($1)", args![id]))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_the_touch_and_is_not_waited_for() {
    let (place, network) = (postgres().await, Network::new().await);
    let (db, everything) = through(&network, &place).await;
    put(&db, 1).await.unwrap();

    network.silent();
    let since = Instant::now();
    until("the touch is lost", || {
        let late = since.elapsed() >= Duration::from_secs(1);
        let in_touch = db.in_touch();
        assert!(!late || !in_touch, "copies are trusted after {:?}", since.elapsed());
        !in_touch
    })
    .await;
    assert_eq!(db.ping().await.unwrap_err().kind, Kind::Unavailable);
    let refused = put(&db, 2).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Unavailable);
    assert!(refused.retry_after.is_some());
    assert!(since.elapsed() < Duration::from_secs(15), "it was waited for: {:?}", since.elapsed());

    let before = everything.load(Ordering::SeqCst);
    network.up();
    until("the touch is back", || db.in_touch()).await;
    // Nobody knows what was missed.
    assert!(everything.load(Ordering::SeqCst) > before);
    put(&db, 3).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_told_at_once_and_found_again() {
    let (place, network) = (postgres().await, Network::new().await);
    let (db, _) = through(&network, &place).await;
    network.down();
    until("the touch is lost", || !db.in_touch()).await;
    let asked = Instant::now();
    assert_eq!(db.ping().await.unwrap_err().kind, Kind::Unavailable);
    assert_eq!(put(&db, 1).await.unwrap_err().kind, Kind::Unavailable);
    assert!(asked.elapsed() < Duration::from_secs(15), "after {:?}", asked.elapsed());
    network.up();
    until("the touch is back", || db.in_touch()).await;
    put(&db, 1).await.unwrap();
    db.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_that_broke_are_not_noticed_by_callers() {
    let place = postgres().await;
    let db = place.open().await;
    let mut admin = PgConnection::connect(&place.url).await.unwrap();
    for id in 0..3 {
        // Several idle connections, so that one broken one is not the only one.
        let reads: Vec<_> = (0..4)
            .map(|_| {
                tokio::spawn({
                    let db = db.clone();
                    async move { db.ping().await }
                })
            })
            .collect();
        for read in reads {
            read.await.unwrap().unwrap();
        }
        admin.execute(KILL_OTHERS).await.unwrap();
        db.ping().await.unwrap();
        admin.execute(KILL_OTHERS).await.unwrap();
        put(&db, id).await.unwrap();
    }
}

const KILL_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_deed_whose_connection_breaks_is_done_again() {
    let place = postgres().await;
    let db = place.open().await;
    let times = Arc::new(AtomicU32::new(0));
    let (counted, url) = (times.clone(), place.url.clone());
    let done = db
        .write(move |tx| {
            let (time, url) = (counted.fetch_add(1, Ordering::SeqCst), url.clone());
            Box::pin(async move {
                tx.execute("INSERT INTO things (id) VALUES (1)", args![]).await?;
                if time == 0 {
                    let mut admin = PgConnection::connect(&url).await.unwrap();
                    admin.execute(KILL_OTHERS).await.unwrap();
                }
                tx.execute("INSERT INTO parts VALUES (1, 1)", args![]).await
            })
        })
        .await;
    assert_eq!(done.unwrap(), 1);
    assert_eq!(times.load(Ordering::SeqCst), 2);
    let row = db.one("SELECT COUNT(*) FROM parts", args![]).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_free_connection_is_told_to_come_back() {
    let place = postgres().await;
    place.open().await;
    let options = Options { max_connections: 1, ..impatient() };
    let db = Db::open(&place.url, &options).await.unwrap();
    let (entered, has_entered) = tokio::sync::oneshot::channel();
    let entered = std::sync::Mutex::new(Some(entered));
    let release = Arc::new(tokio::sync::Notify::new());
    let wait = release.clone();
    let holder = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(move |_| {
                let (wait, entered) = (wait.clone(), entered.lock().unwrap().take());
                Box::pin(async move {
                    entered.unwrap().send(()).unwrap();
                    wait.notified().await;
                    Ok(())
                })
            })
            .await
        }
    });
    has_entered.await.unwrap();
    let error = db.ping().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable);
    assert!(error.retry_after.is_some());
    release.notify_one();
    holder.await.unwrap().unwrap();
    db.ping().await.unwrap();
}
