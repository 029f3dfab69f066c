#![allow(clippy::unwrap_used)]

use db::args;
use kit::{Error, Kind};

use super::*;
use crate::{
    Context,
    rights::{Principal, Who},
    testing::both,
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
