//! What holds on both engines alike.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    task::{Context, Waker},
    time::Duration,
};

use db::{Change, Db, Sql, args};
use kit::{Error, Kind, Result, Time};

use crate::fixture::both;

async fn count(db: &Db) -> i64 {
    db.one("SELECT COUNT(*) FROM things", args![]).await.unwrap().unwrap().get(0).unwrap()
}

async fn put(db: &Db, id: i64) -> Result<u64> {
    db.write(move |tx| Box::pin(tx.execute("INSERT INTO things (id) VALUES ($1)", args![id]))).await
}

fn kind<T>(outcome: Result<T>) -> Kind {
    outcome.err().expect("an error").kind
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_went_in() {
    const INSERT: &str =
        "INSERT INTO things (id, name, truth, bytes, real) VALUES ($1, $2, $3, $4, $5)";
    const SELECT: &str = "SELECT id, name, truth, bytes, real FROM things WHERE id = $1";
    for place in both().await {
        let db = place.open().await;
        db.write(|tx| {
            Box::pin(async move {
                tx.execute(INSERT, args![Time(i64::MIN), "ß\u{1F980}", true, vec![0_u8, 255], 0.1])
                    .await?;
                tx.execute(INSERT, args![2, "", false, Vec::<u8>::new(), -1.0]).await?;
                let nothing = args![3, None::<String>, None::<bool>, None::<&[u8]>, None::<f64>];
                tx.execute(INSERT, nothing).await
            })
        })
        .await
        .unwrap();

        let row = db.one(SELECT, args![i64::MIN]).await.unwrap().unwrap();
        assert_eq!(row.get::<Time>(0).unwrap(), Time(i64::MIN));
        assert_eq!(row.get::<String>(1).unwrap(), "ß\u{1F980}");
        assert!(row.get::<bool>(2).unwrap());
        assert_eq!(row.get::<Vec<u8>>(3).unwrap(), [0, 255]);
        assert_eq!(row.get::<Option<f64>>(4).unwrap(), Some(0.1));
        // Another type, NULL for a value, and a column that is not there are mistakes of ours.
        assert_eq!(kind(row.get::<String>(0)), Kind::Internal);
        assert_eq!(kind(row.get::<u32>(0)), Kind::Internal);
        assert_eq!(kind(row.get::<i64>(5)), Kind::Internal);

        let row = db.one(SELECT, args![2]).await.unwrap().unwrap();
        assert_eq!(row.get::<String>(1).unwrap(), "");
        assert_eq!(row.get::<Option<Vec<u8>>>(3).unwrap(), Some(Vec::new()));

        let row = db.one(SELECT, args![3]).await.unwrap().unwrap();
        assert_eq!(row.get::<Option<String>>(1).unwrap(), None);
        assert_eq!(row.get::<Option<bool>>(2).unwrap(), None);
        assert_eq!(kind(row.get::<String>(1)), Kind::Internal);
        assert!(db.one(SELECT, args![4]).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_have_kinds() {
    for place in both().await {
        let db = place.open().await;
        put(&db, 1).await.unwrap();
        assert_eq!(kind(put(&db, 1).await), Kind::Conflict);

        let orphan =
            db.write(|tx| Box::pin(tx.execute("INSERT INTO parts VALUES ($1, $2)", args![9, 1])));
        assert_eq!(kind(orphan.await), Kind::Precondition);
        db.write(|tx| Box::pin(tx.execute("INSERT INTO parts VALUES ($1, $2)", args![1, 1])))
            .await
            .unwrap();
        let needed =
            db.write(|tx| Box::pin(tx.execute("DELETE FROM things WHERE id = $1", args![1])));
        assert_eq!(kind(needed.await), Kind::Precondition);

        let nul = db.write(|tx| Box::pin(tx.execute("UPDATE things SET name = $1", args!["a\0b"])));
        assert_eq!(kind(nul.await), Kind::Invalid);
        assert_eq!(
            kind(db.one("SELECT id FROM things WHERE name = $1", args!["\0"]).await),
            Kind::Invalid
        );

        assert_eq!(kind(db.all("SELECT nonsense", args![]).await), Kind::Internal);
        assert_eq!(
            kind(db.all("SELECT id FROM things WHERE id = $1", args![]).await),
            Kind::Internal
        );
        assert_eq!(
            kind(db.all("SELECT id FROM things WHERE id = $1", args![1, 2]).await),
            Kind::Internal
        );
        db.ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_checked_without_being_run() {
    for place in both().await {
        let db = place.open().await;
        db.check("INSERT INTO things (id) VALUES ($1)").await.unwrap();
        db.check("SELECT id FROM things WHERE id = $1 FOR UPDATE SKIP LOCKED").await.unwrap();
        assert_eq!(kind(db.check("SELECT nonsense FROM things").await), Kind::Internal);
        assert_eq!(count(&db).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_rows_are_bound() {
    for place in both().await {
        let db = place.open().await;
        db.write(|tx| {
            Box::pin(async move {
                let rows = Sql::rows(
                    "INSERT INTO things (id, name) VALUES ",
                    2,
                    3,
                    " ON CONFLICT DO NOTHING",
                );
                tx.execute(rows, args![1, "a", 2, "b", 3, "c"]).await
            })
        })
        .await
        .unwrap();
        let with_ids =
            |n| Sql::list("SELECT name FROM things WHERE id > $1 AND id IN (", n, ") ORDER BY id");
        let found = db.all(with_ids(3), args![1, 1, 2, 3]).await.unwrap();
        let names: Vec<String> = found.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(names, ["b", "c"]);
        assert!(db.all(with_ids(0), args![0]).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_leaves_nothing() {
    for place in both().await {
        let db = place.open().await;
        let refused = db.write(|tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO things (id) VALUES (1)", args![]).await?;
                Err::<(), _>(Error::conflict("no"))
            })
        });
        assert_eq!(kind(refused.await), Kind::Conflict);

        let panicking = db.write(|tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO things (id) VALUES (1)", args![]).await?;
                panic!("on purpose");
                #[allow(unreachable_code)]
                Ok(())
            })
        });
        assert_eq!(kind(panicking.await), Kind::Internal);

        // On PostgreSQL a failed statement ends its transaction; then it does on SQLite too.
        let stubborn = db.write(|tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO things (id) VALUES (1)", args![]).await?;
                let _ = tx.execute("INSERT INTO things (id) VALUES (1)", args![]).await;
                assert_eq!(kind(tx.one("SELECT 1", args![]).await), Kind::Internal);
                Ok(())
            })
        });
        assert_eq!(kind(stubborn.await), Kind::Internal);
        assert_eq!(count(&db).await, 0);
        put(&db, 1).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_deeds_do_not_write() {
    for place in both().await {
        let db = place.open().await;
        let writing =
            db.read(|tx| Box::pin(tx.execute("INSERT INTO things (id) VALUES (1)", args![])));
        assert!(writing.await.is_err());
        assert_eq!(count(&db).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_no_half() {
    const N: i64 = 40;
    for place in both().await {
        let db = place.open().await;
        for id in 0..N {
            let pair = db.write(move |tx| {
                Box::pin(async move {
                    tx.execute("INSERT INTO things (id) VALUES ($1)", args![id]).await?;
                    tx.execute("INSERT INTO parts VALUES ($1, 1)", args![id]).await
                })
            });
            // Asked for once, then dropped: it was begun, and is finished.
            let mut pair = Box::pin(pair);
            let _ = pair.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        let begun = std::time::Instant::now();
        loop {
            let sql = "SELECT COUNT(*), COUNT(p.thing) FROM things AS t LEFT JOIN parts AS p ON p.thing = t.id";
            let row = db.one(sql, args![]).await.unwrap().unwrap();
            let (things, parts): (i64, i64) = (row.get(0).unwrap(), row.get(1).unwrap());
            assert_eq!(things, parts);
            if things == N {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{things} of {N}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_count_right() {
    const WRITERS: i64 = 16;
    const EACH: i64 = 20;
    for place in both().await {
        let db = place.open().await;
        put(&db, 1).await.unwrap();
        db.write(|tx| Box::pin(tx.execute("INSERT INTO parts VALUES (1, 0)", args![])))
            .await
            .unwrap();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    for _ in 0..EACH {
                        db.write(|tx| {
                            Box::pin(async move {
                                let row = tx
                                    .one(
                                        "SELECT number FROM parts WHERE thing = 1 FOR UPDATE",
                                        args![],
                                    )
                                    .await?;
                                let number: i64 = row.unwrap().get(0)?;
                                tx.execute(
                                    "UPDATE parts SET number = $1 WHERE thing = 1",
                                    args![number + 1],
                                )
                                .await
                            })
                        })
                        .await
                        .unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let row = db.one("SELECT number FROM parts", args![]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), WRITERS * EACH);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reading_deed_sees_one_moment() {
    for place in both().await {
        let db = place.open().await;
        put(&db, 1).await.unwrap();
        let (looked, has_looked) = mpsc::channel();
        let (wrote, has_written) = mpsc::channel();
        let channels = Arc::new(Mutex::new((looked, has_written)));
        let reading = tokio::spawn({
            let db = db.clone();
            async move {
                db.read(move |tx| {
                    let channels = channels.clone();
                    Box::pin(async move {
                        let before: i64 = tx
                            .one("SELECT COUNT(*) FROM things", args![])
                            .await?
                            .unwrap()
                            .get(0)?;
                        {
                            let channels = channels.lock().unwrap();
                            channels.0.send(()).unwrap();
                            channels.1.recv_timeout(Duration::from_secs(20)).unwrap();
                        }
                        let after: i64 = tx
                            .one("SELECT COUNT(*) FROM things", args![])
                            .await?
                            .unwrap()
                            .get(0)?;
                        Ok((before, after))
                    })
                })
                .await
            }
        });
        tokio::task::spawn_blocking(move || {
            has_looked.recv_timeout(Duration::from_secs(20)).unwrap()
        })
        .await
        .unwrap();
        put(&db, 2).await.unwrap();
        wrote.send(()).unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), (1, 1));
        assert_eq!(count(&db).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_before_their_writer_is_answered() {
    for place in both().await {
        let db = place.open().await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = told.clone();
        db.on_change(Arc::new(move |changes| note.lock().unwrap().extend_from_slice(changes)));
        let announcing = |succeed: bool| {
            db.write(move |tx| {
                Box::pin(async move {
                    tx.announce(Change::new("thing", "1"));
                    tx.announce(Change::new("thing", "2"));
                    if succeed { Ok(()) } else { Err(Error::conflict("no")) }
                })
            })
        };
        announcing(false).await.unwrap_err();
        let of_ours = |changes: &[Change]| {
            changes.iter().filter(|change| change.topic() == "thing").cloned().collect()
        };
        let before: Vec<Change> = of_ours(&told.lock().unwrap());
        assert!(before.is_empty());
        announcing(true).await.unwrap();
        let after: Vec<Change> = of_ours(&told.lock().unwrap());
        assert_eq!(after, [Change::new("thing", "1"), Change::new("thing", "2")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_closing_everything_is_refused() {
    for place in both().await {
        let db = place.open().await;
        put(&db, 1).await.unwrap();
        db.close().await;
        assert_eq!(kind(put(&db, 2).await), Kind::Unavailable);
        assert_eq!(kind(db.ping().await), Kind::Unavailable);
        let again = place.open().await;
        assert_eq!(count(&again).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_says_what_is_wrong() {
    let options =
        db::Options { wait_for_connection: Duration::from_secs(2), ..db::Options::default() };
    for (url, kind) in [
        ("mysql://here", Kind::Invalid),
        ("sqlite:/does/not/exist/haven.db", Kind::Unavailable),
        ("postgres://haven:topsecret@127.0.0.1:1/haven", Kind::Unavailable),
        (&crate::fixture::url_of("does_not_exist"), Kind::Unavailable),
    ] {
        let Err(error) = Db::open(url, &options).await else { panic!("{url} was opened") };
        assert_eq!(error.kind, kind, "{url}: {error}");
        assert!(!format!("{error:?}").contains("topsecret"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deed_is_not_repeated_for_an_error_of_its_own() {
    for place in both().await {
        let db = place.open().await;
        let times = Arc::new(AtomicU32::new(0));
        let counted = times.clone();
        let failing = db.write(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Err::<(), _>(Error::unavailable("elsewhere")) })
        });
        assert_eq!(kind(failing.await), Kind::Unavailable);
        assert_eq!(times.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_commit_follows_no_rollback() {
    for place in both().await {
        let db = place.open().await;
        let (told, heard) = mpsc::channel();
        let told = Mutex::new(told);
        let told = Arc::new(told);
        for (id, fails) in [(1, false), (2, true), (3, false)] {
            let told = told.clone();
            let done = db.write(move |tx| {
                let told = told.lock().unwrap().clone();
                Box::pin(async move {
                    tx.execute("INSERT INTO things (id) VALUES ($1)", args![id]).await?;
                    tx.after_commit(move || told.send(id).unwrap());
                    if fails { Err(Error::new(Kind::Conflict, "no")) } else { Ok(()) }
                })
            });
            assert_eq!(done.await.is_err(), fails);
            // It has happened when the writer is answered.
            assert_eq!(heard.try_iter().collect::<Vec<i64>>().is_empty(), fails);
        }
    }
}
