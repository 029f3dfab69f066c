//! SQLite: deeds that are committed together stand and fall alone.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use db::{Db, args};
use kit::{Error, Kind};

use crate::fixture::sqlite;

async fn ids(db: &Db) -> BTreeSet<i64> {
    let rows = db.all("SELECT id FROM things", args![]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

/// Starts a deed that keeps the writer until the sender is used, so that what comes
/// meanwhile makes one group with it.
fn hold_the_writer(
    db: &Db,
    then: kit::Result<()>,
) -> (mpsc::Sender<()>, tokio::task::JoinHandle<kit::Result<()>>) {
    let (go, wait) = mpsc::channel();
    let wait = std::sync::Mutex::new(wait);
    let (entered, has_entered) = mpsc::channel();
    let fails = then.is_err();
    let db = db.clone();
    let holder = tokio::spawn(async move {
        db.write(move |tx| {
            entered.send(()).unwrap();
            wait.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap();
            Box::pin(async move {
                tx.execute("INSERT INTO things (id) VALUES (0)", args![]).await?;
                if fails { Err(Error::conflict("on purpose")) } else { Ok(()) }
            })
        })
        .await
    });
    has_entered.recv_timeout(Duration::from_secs(20)).unwrap();
    (go, holder)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_takes_only_itself_back() {
    for first in [Ok(()), Err(Error::conflict("on purpose"))] {
        let place = sqlite();
        let db = place.open().await;
        let first_stays = first.is_ok();
        let (go, holder) = hold_the_writer(&db, first);

        let mut deeds = Vec::new();
        for id in 1..=60 {
            let db = db.clone();
            let doing = async move { db.write(move |tx| Box::pin(deed(tx, id))).await };
            deeds.push((id, tokio::spawn(doing)));
        }
        go.send(()).unwrap();

        assert_eq!(holder.await.unwrap().is_ok(), first_stays);
        let mut expected = BTreeSet::new();
        if first_stays {
            expected.insert(0);
        }
        for (id, deed) in deeds {
            let outcome = deed.await.unwrap();
            match id % 4 {
                1 => assert_eq!(outcome.unwrap_err().kind, Kind::Conflict),
                2 => assert_eq!(outcome.unwrap_err().kind, Kind::Internal),
                _ => {
                    assert_eq!(outcome.unwrap(), id);
                    expected.insert(id);
                }
            }
        }
        assert_eq!(ids(&db).await, expected);
    }
}

/// Every second one goes wrong after it wrote: by an error, or by a panic.
async fn deed(tx: &mut db::Tx, id: i64) -> kit::Result<i64> {
    tx.execute("INSERT INTO things (id) VALUES ($1)", args![id]).await?;
    match id % 4 {
        1 => Err(Error::conflict("on purpose")),
        2 => panic!("on purpose"),
        _ => Ok(id),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_sees_what_its_earlier_deeds_wrote_and_readers_do_not() {
    let place = sqlite();
    let db = place.open().await;
    let (go, holder) = hold_the_writer(&db, Ok(()));
    let seen = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(|tx| {
                Box::pin(async move {
                    let row = tx.one("SELECT COUNT(*) FROM things", args![]).await?;
                    row.unwrap().get::<i64>(0)
                })
            })
            .await
        }
    });
    assert!(ids(&db).await.is_empty());
    go.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert_eq!(seen.await.unwrap().unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deed_that_waits_for_something_else_is_refused() {
    let place = sqlite();
    let db = place.open().await;
    let waiting = db.write(|tx| {
        Box::pin(async move {
            tx.execute("INSERT INTO things (id) VALUES (1)", args![]).await?;
            std::future::pending::<kit::Result<()>>().await
        })
    });
    assert_eq!(waiting.await.unwrap_err().kind, Kind::Internal);
    assert!(ids(&db).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_has_the_file_is_waited_for() {
    let place = sqlite();
    let db = place.open().await;
    let path = place.url.strip_prefix("sqlite:").unwrap().to_owned();
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO things (id) VALUES (1);").unwrap();
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    let writing = tokio::spawn(async move {
        db.write(move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(tx.execute("INSERT INTO things (id) VALUES (2)", args![]))
        })
        .await
    });
    assert_eq!(attempts.load(Ordering::SeqCst), 0);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(writing.await.unwrap().unwrap(), 1);
}

/// The example beside the tests, which cargo builds with them.
fn victim() -> std::path::PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("examples/acknowledge")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed() {
    let place = sqlite();
    place.open().await.close().await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..8 {
        let first = round * 1_000_000 + 1;
        let mut child = Command::new(victim())
            .args([&place.url, &first.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{}: {error}; cargo test builds it, cargo test --test db alone does not",
                    victim().display()
                )
            });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed in the middle of things, a different number of things each time.
        for _ in 0..(20 + round * 7) {
            acknowledged.insert(lines.next().unwrap().unwrap().parse::<i64>().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died and nobody had read yet. The last line may be torn.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        acknowledged.extend(rest.iter().rev().skip(1).map(|line| line.parse::<i64>().unwrap()));

        let db = place.open().await;
        let found = ids(&db).await;
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        assert!(found.iter().all(|id| id % 5 != 0), "a deed that failed left something");
        let halves = "SELECT COUNT(*) FROM things WHERE id NOT IN (SELECT thing FROM parts)";
        assert_eq!(db.one(halves, args![]).await.unwrap().unwrap().get::<i64>(0).unwrap(), 0);
        let whole = db.one("PRAGMA integrity_check", args![]).await.unwrap().unwrap();
        assert_eq!(whole.get::<String>(0).unwrap(), "ok");
        db.close().await;
    }
}
