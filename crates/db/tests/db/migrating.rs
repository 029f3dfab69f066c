//! Migrations run once, in order, and never on what they do not know.

use db::{Db, Migrated, Migration, Migrations, args, migrations};
use kit::Kind;

use crate::fixture::{both, postgres, sqlite};

fn step(number: u32, script: &'static str) -> Migration {
    Migration::new(number, "step", script, script)
}

const ONE: &str = "CREATE TABLE one (a BIGINT); INSERT INTO one VALUES (1);";
const TWO: &str = "CREATE TABLE two (a BIGINT); INSERT INTO two SELECT a FROM one;";
const BROKEN: &str = "CREATE TABLE three (a BIGINT); INSERT INTO nowhere VALUES (1);";

async fn exists(db: &Db, table: &'static str) -> bool {
    db.check(table).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_once_and_in_order() {
    for place in both().await {
        let db = place.bare().await;
        assert_eq!(db.schema_version().await.unwrap(), 0);
        let one = Migrations::new([step(1, ONE)]);
        let two = Migrations::new([step(1, ONE), step(2, TWO)]);
        assert_eq!(db.migrate(&one).await.unwrap(), Migrated { from: 0, to: 1 });
        assert_eq!(db.migrate(&one).await.unwrap(), Migrated { from: 1, to: 1 });
        assert_eq!(db.migrate(&two).await.unwrap(), Migrated { from: 1, to: 2 });
        assert_eq!(db.schema_version().await.unwrap(), 2);
        let row = db.one("SELECT COUNT(*) FROM two", args![]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_migrate_once() {
    for place in [sqlite(), postgres().await] {
        let steps = Migrations::new([step(1, ONE), step(2, TWO)]);
        let mut starting = Vec::new();
        for _ in 0..4 {
            let (db, steps) = (place.bare().await, steps.clone());
            starting.push(tokio::spawn(async move {
                db.migrate(&steps).await.map(|migrated| migrated.to)
            }));
        }
        for replica in starting {
            assert_eq!(replica.await.unwrap().unwrap(), 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_leaves_nothing() {
    for place in both().await {
        let db = place.bare().await;
        let steps = Migrations::new([step(1, ONE), step(2, BROKEN)]);
        assert_eq!(db.migrate(&steps).await.unwrap_err().kind, Kind::Internal);
        assert_eq!(db.schema_version().await.unwrap(), 1);
        assert!(exists(&db, "SELECT a FROM one").await);
        assert!(!exists(&db, "SELECT a FROM three").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_serves_the_program_before_and_no_older_one() {
    for place in both().await {
        let newest =
            Migrations::new([step(1, ONE), step(2, TWO), step(3, "CREATE TABLE three (a BIGINT)")]);
        place.bare().await.migrate(&newest).await.unwrap();
        let db = place.bare().await;
        let before = Migrations::new([step(1, ONE), step(2, TWO)]);
        assert_eq!(db.migrate(&before).await.unwrap(), Migrated { from: 3, to: 3 });
        let older = Migrations::new([step(1, ONE)]);
        let error = db.migrate(&older).await.unwrap_err();
        assert_eq!(error.kind, Kind::Invalid);
        assert!(error.message.contains("newer than this program"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_may_end_the_service_for_the_program_before() {
    for place in both().await {
        let breaking = Migration { serves: 2, ..step(2, TWO) };
        place.bare().await.migrate(&Migrations::new([step(1, ONE), breaking])).await.unwrap();
        let error = place.bare().await.migrate(&Migrations::new([step(1, ONE)])).await.unwrap_err();
        assert_eq!(error.kind, Kind::Invalid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_changed_afterwards_is_refused() {
    for place in both().await {
        let db = place.bare().await;
        db.migrate(&Migrations::new([step(1, ONE)])).await.unwrap();
        let error = db.migrate(&Migrations::new([step(1, TWO)])).await.unwrap_err();
        assert_eq!(error.kind, Kind::Invalid);
        assert!(error.message.contains("migration 1 (step)"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_the_house_run_on_both_engines() {
    for place in both().await {
        let db = place.bare().await;
        let migrated = db.migrate(&migrations()).await.unwrap();
        assert_eq!(migrated, Migrated { from: 0, to: migrations().latest() });
    }
}
