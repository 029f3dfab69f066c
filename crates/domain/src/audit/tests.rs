#![allow(clippy::unwrap_used)]

use db::args;
use kit::{Error, Kind};

use super::*;

mod forwarding;
mod listing;
use crate::{
    Context,
    rights::{Principal, Who},
    settings::Key,
    testing::{both, set},
};

fn alice() -> Who {
    let address = "::ffff:10.1.2.3".parse().unwrap();
    Who::new(Principal::User(7), Some("alice".into())).at(address)
}

async fn write(context: &Context, by: &Who, entry: Entry, end: fn() -> kit::Result<()>) {
    let audit = super::by(context, by).await.unwrap();
    let done = context.db.write(move |tx| {
        let (audit, entry) = (audit.clone(), entry.clone());
        Box::pin(async move {
            audit.record(tx, entry).await?;
            end()
        })
    });
    assert_eq!(done.await.is_ok(), end().is_ok());
}

async fn resources(context: &Context) -> Vec<String> {
    let rows = context.db.all("SELECT resource FROM audit_log ORDER BY id", args![]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

#[tokio::test]
async fn an_entry_is_there_exactly_when_its_deed_is() {
    for place in both().await {
        let context = place.open().await;
        let entry = |name: &str| Entry::new(Event::CreateProject, name).in_project(3);
        write(&context, &alice(), entry("done"), || Ok(())).await;
        write(&context, &alice(), entry("undone"), || Err(Error::new(Kind::Conflict, "no"))).await;
        assert_eq!(resources(&context).await, ["done"]);
        let row = context
            .db
            .one(
                "SELECT project_id, operation, resource_type, username, description, address, \
                 succeeded, occurred_at FROM audit_log",
                args![],
            )
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 3);
        let texts: Vec<String> = (1..6).map(|at| row.get(at).unwrap()).collect();
        assert_eq!(texts, ["create", "project", "alice", "create project: done", "10.1.2.3"]);
        assert!(row.get::<bool>(6).unwrap());
        assert_eq!(row.get::<kit::Time>(7).unwrap(), context.clock.now());
    }
}

#[tokio::test]
async fn texts_are_cut_and_hold_no_nul() {
    for place in both().await {
        let context = place.open().await;
        let long = format!("a\0{}", "ü".repeat(5000));
        failed(&context, &Who::anonymous(), Entry::new(Event::LoginUser, long)).await.unwrap();
        let found = resources(&context).await;
        assert!(found[0].starts_with("a\u{fffd}ü") && found[0].len() <= 1026, "{}", found[0].len());
    }
}

async fn change(context: &Context, sql: &'static str) {
    context.db.write(move |tx| Box::pin(tx.execute(sql, args![]))).await.unwrap();
}

async fn tell(context: &Context, by: &Who, event: Event, resource: &str) {
    write(context, by, Entry::new(event, resource).in_project(3), || Ok(())).await;
}

/// Two blocks of three entries, and one entry that is in no block.
async fn chained(context: &Context) {
    for _ in 0..2 {
        tell(context, &alice(), Event::CreateProject, "p").await;
        tell(context, &alice(), Event::UpdateUser, "bob").await;
        tell(context, &Who::anonymous(), Event::PullArtifact, "p/x:1").await;
        assert_eq!(seal(context).await.unwrap(), 3);
        context.clock.advance(std::time::Duration::from_secs(7200));
    }
    assert_eq!(seal(context).await.unwrap(), 0);
    tell(context, &alice(), Event::DeleteProject, "p").await;
}

async fn problems(context: &Context) -> Vec<Tampered> {
    verify(context).await.unwrap().problems
}

#[tokio::test]
async fn what_nobody_touched_verifies() {
    for place in both().await {
        let context = place.open().await;
        assert_eq!(verify(&context).await.unwrap(), Report::default());
        chained(&context).await;
        let report = verify(&context).await.unwrap();
        assert_eq!(report.problems, []);
        let counts = (report.entries, report.unsealed, report.blocks, report.purged);
        assert_eq!(counts, (7, 1, 2, 0));
        assert_eq!(report.last.unwrap().0, 2);
    }
}

#[tokio::test]
async fn whatever_is_changed_removed_or_added_is_found() {
    use Tampered::*;
    let cases: &[(&'static str, &[Tampered])] = &[
        ("UPDATE audit_log SET username = 'mallory' WHERE id = 1", &[Entry(1)]),
        ("UPDATE audit_log SET address = '' WHERE id = 1", &[Entry(1)]),
        ("UPDATE audit_log SET resource = 'q' WHERE id = 1", &[Entry(1)]),
        ("UPDATE audit_log SET resource = 'carol' WHERE id = 2", &[Entry(2)]),
        ("UPDATE audit_log SET description = 'nothing' WHERE id = 7", &[Entry(7)]),
        ("UPDATE audit_log SET occurred_at = occurred_at + 1 WHERE id = 4", &[Entry(4)]),
        ("UPDATE audit_log SET succeeded = FALSE WHERE id = 4", &[Entry(4)]),
        ("UPDATE audit_log SET project_id = 4 WHERE id = 4", &[Entry(4)]),
        ("UPDATE audit_log SET operation = 'read' WHERE id = 4", &[Entry(4)]),
        ("UPDATE audit_log SET salt = NULL, username = 'forgotten' WHERE id = 4", &[Entry(4)]),
        ("UPDATE audit_log SET mac = hash WHERE id = 4", &[Entry(4), Entries(2)]),
        ("DELETE FROM audit_log WHERE id = 5", &[Entries(2)]),
        ("UPDATE audit_log SET block_id = 1 WHERE id = 5", &[Entries(1), Entries(2)]),
        ("UPDATE audit_log SET block_id = NULL WHERE id = 5", &[Entries(2)]),
        ("UPDATE audit_log SET block_id = 9 WHERE id = 7", &[BlockOf(7, 9)]),
        ("UPDATE audit_log SET id = 99 WHERE id = 1", &[Entries(1)]),
        (
            "INSERT INTO audit_log (id, project_id, occurred_at, operation, resource_type, \
             resource, username, description, address, succeeded, salt, hash, mac) \
             SELECT 50, 9, occurred_at, operation, resource_type, resource, username, \
             description, address, succeeded, salt, hash, mac FROM audit_log WHERE id = 1",
            &[Entry(50)],
        ),
        (
            "DELETE FROM audit_blocks WHERE id = 1",
            &[BlockMissing(1), Block(2), BlockOf(1, 1), BlockOf(2, 1), BlockOf(3, 1)],
        ),
        ("UPDATE audit_blocks SET entries = 2 WHERE id = 1", &[Block(1), Entries(1)]),
        ("UPDATE audit_blocks SET head = content WHERE id = 1", &[Block(1), Block(2)]),
        ("UPDATE audit_blocks SET purged = head WHERE id = 2", &[Block(2)]),
    ];
    for place in both().await {
        let context = place.open().await;
        chained(&context).await;
        change(&context, "CREATE TABLE kept_log AS SELECT * FROM audit_log").await;
        change(&context, "CREATE TABLE kept_blocks AS SELECT * FROM audit_blocks").await;
        for (touch, expected) in cases {
            change(&context, touch).await;
            assert_eq!(problems(&context).await, *expected, "{touch}");
            change(&context, "DELETE FROM audit_log").await;
            change(&context, "DELETE FROM audit_blocks").await;
            change(&context, "INSERT INTO audit_log SELECT * FROM kept_log").await;
            change(&context, "INSERT INTO audit_blocks SELECT * FROM kept_blocks").await;
            assert_eq!(problems(&context).await, []);
        }
    }
}

#[tokio::test]
async fn purging_without_the_key_is_found() {
    for place in both().await {
        let context = place.open().await;
        chained(&context).await;
        change(&context, "UPDATE audit_blocks SET purged = head WHERE id = 1").await;
        change(&context, "DELETE FROM audit_log WHERE block_id = 1").await;
        assert_eq!(problems(&context).await, [Tampered::Block(1), Tampered::Entries(1)]);
    }
}

#[tokio::test]
async fn purging_and_forgetting_leave_the_chain_whole() {
    for place in both().await {
        let context = place.open().await;
        chained(&context).await;
        let admin = crate::testing::admin(&context).await;
        let proof = async |resource, action| {
            let right = crate::rights::Right::new(resource, action);
            crate::access::on_system(&context, &admin, right).await.unwrap()
        };
        use crate::rights::{Action, Resource};
        let may = proof(Resource::User, Action::Delete).await;
        assert_eq!(forget(&context, &may, "bob").await.unwrap(), 2);
        assert_eq!(forget(&context, &may, "alice").await.unwrap(), 3);
        let named = "SELECT COUNT(*) FROM audit_log WHERE username = 'alice' OR resource = 'bob' \
                     OR description LIKE '%bob%' OR address <> '' OR salt IS NOT NULL AND username <> 'anonymous'";
        let row = context.db.one(named, args![]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 0);
        let report = verify(&context).await.unwrap();
        assert_eq!((report.problems, report.forgotten), (vec![], 5));

        let before = crate::testing::START.after(std::time::Duration::from_secs(3600));
        let may = proof(Resource::PurgeAudit, Action::Create).await;
        let everything = Old::everything(before);
        assert_eq!(purge(&context, &may, &everything, |_| true).await.unwrap(), 3);
        assert_eq!(purge(&context, &may, &everything, |_| true).await.unwrap(), 0);
        let report = verify(&context).await.unwrap();
        assert_eq!((report.problems, report.purged, report.entries), (vec![], 1, 4));
        let left = "SELECT CAST(SUM(entries) AS BIGINT) FROM audit_counts WHERE project_id = $1";
        for project in [-1, 3] {
            let row = context.db.one(left, args![project]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>(0).unwrap(), 3);
        }
    }
}

#[tokio::test]
async fn purging_some_kinds_leaves_the_chain_whole() {
    use crate::rights::{Action, Resource, Right};
    for place in both().await {
        let context = place.open().await;
        chained(&context).await;
        let admin = crate::testing::admin(&context).await;
        let right = Right::new(Resource::PurgeAudit, Action::Create);
        let may = crate::access::on_system(&context, &admin, right).await.unwrap();
        let before = context.clock.now();
        let old = |events: &[Event]| Old { before, events: events.iter().copied().collect() };
        let pulls = old(&[Event::PullArtifact, Event::CreateRobot]);
        assert_eq!(count_old(&context, &may, &pulls).await.unwrap(), 2);
        assert_eq!(purge(&context, &may, &pulls, |_| false).await.unwrap(), 0);
        assert_eq!(purge(&context, &may, &pulls, |_| true).await.unwrap(), 2);
        assert_eq!(purge(&context, &may, &pulls, |_| true).await.unwrap(), 0);
        let report = verify(&context).await.unwrap();
        assert_eq!((report.problems, report.removed, report.entries), (vec![], 2, 5));
        // What somebody else removes is found, and so is what is only said to be removed.
        change(&context, "CREATE TABLE kept_log AS SELECT * FROM audit_log").await;
        change(&context, "DELETE FROM audit_log WHERE block_id = 1 AND username = 'alice'").await;
        assert_eq!(problems(&context).await, [Tampered::Entries(1)]);
        change(&context, "DELETE FROM audit_log").await;
        change(&context, "INSERT INTO audit_log SELECT * FROM kept_log").await;
        change(&context, "UPDATE audit_blocks SET removed_proof = head WHERE id = 2").await;
        assert_eq!(problems(&context).await, [Tampered::Block(2), Tampered::Entries(2)]);
        let forget = "UPDATE audit_blocks SET removed = NULL, removed_proof = NULL WHERE id = 2";
        change(&context, forget).await;
        assert_eq!(problems(&context).await, [Tampered::Entries(2)]);
        // The rest of the first block goes too; then it counts as purged.
        let rest = old(&[Event::CreateProject, Event::UpdateUser]);
        assert_eq!(purge(&context, &may, &rest, |_| true).await.unwrap(), 4);
        assert_eq!(verify(&context).await.unwrap().purged, 1);
        let left = "SELECT CAST(SUM(entries) AS BIGINT) FROM audit_counts WHERE project_id = $1";
        let row = context.db.one(left, args![3]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 0);
    }
}

#[tokio::test]
async fn sealing_together_seals_everything_once() {
    for place in both().await {
        let contexts = [place.open().await, place.open().await];
        for n in 0..40 {
            tell(&contexts[0], &alice(), Event::CreateProject, &format!("p{n}")).await;
        }
        let (a, b) = tokio::join!(seal(&contexts[0]), seal(&contexts[1]));
        let more = seal(&contexts[0]).await.unwrap();
        assert_eq!(a.unwrap() + b.unwrap() + more, 40);
        let report = verify(&contexts[1]).await.unwrap();
        assert_eq!((report.entries, report.unsealed, report.problems), (40, 0, vec![]));
    }
}

#[tokio::test]
async fn the_settings_say_what_is_audited() {
    for place in both().await {
        let context = place.open().await;
        set(&context, Key::DisabledAuditLogEventTypes, "create_project, delete_project").await;
        tell(&context, &alice(), Event::CreateProject, "not").await;
        tell(&context, &alice(), Event::UpdateProject, "this").await;
        let pull = async || pulled(&context, &alice(), 3, "p/x:1".to_owned()).await.unwrap();
        pull().await;
        assert_eq!(resources(&context).await, ["this"]);
        keep(&context).await.unwrap();
        assert_eq!(resources(&context).await, ["this", "p/x:1"]);
        set(&context, Key::PullAuditLogDisable, "true").await;
        pull().await;
        set(&context, Key::PullAuditLogDisable, "false").await;
        set(&context, Key::DisabledAuditLogEventTypes, "pull_artifact").await;
        pull().await;
        keep(&context).await.unwrap();
        assert_eq!(resources(&context).await.len(), 2);
        set(&context, Key::AuditLogForwardEndpoint, "udp://127.0.0.1:9").await;
        set(&context, Key::SkipAuditLogDatabase, "true").await;
        tell(&context, &alice(), Event::UpdateProject, "that").await;
        assert_eq!(resources(&context).await.len(), 2);
    }
}

#[tokio::test]
async fn pulls_wait_for_the_database_and_are_written_at_the_end() {
    for place in both().await {
        let context = place.open().await;
        for n in 0..150 {
            pulled(&context, &alice(), 3, format!("p/x:{n}")).await.unwrap();
        }
        assert_eq!(resources(&context).await.len(), 0);
        finish(&context).await.unwrap();
        assert_eq!(resources(&context).await.len(), 150);
        let report = verify(&context).await.unwrap();
        assert_eq!((report.entries, report.unsealed, report.problems), (150, 0, vec![]));

        pulled(&context, &alice(), 3, "p/x:late".to_owned()).await.unwrap();
        context.db.close().await;
        assert!(keep(&context).await.is_err());
        assert_eq!(context.pulls.waiting(), 1);
    }
}
