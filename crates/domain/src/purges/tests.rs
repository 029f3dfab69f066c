#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    access,
    jobs::{Cron, Status, Trigger},
    testing::{Place, add_project, admin, both},
    work,
};

async fn may(context: &Context, action: Action) -> Allowed<System> {
    access::on_system(context, &admin(context).await, right(action)).await.unwrap()
}

fn plan(dry_run: bool, events: &str) -> Plan {
    let sent = json!({
        "audit_retention_hour": 1, "include_event_types": events, "dry_run": dry_run,
    });
    Plan::read(sent.as_object().unwrap()).unwrap()
}

async fn begin(context: &Context, plan: Plan) -> i64 {
    let allowed = may(context, Action::Create).await;
    ask(context, &allowed, Action::Create, When::Now, plan).await.unwrap().unwrap()
}

async fn ended(context: &Arc<Context>, id: i64) -> (Status, String) {
    work::tests::until_idle(context).await;
    let reading = may(context, Action::Read).await;
    let found = find(context, &reading, id).await.unwrap();
    (found.status, log(context, &reading, id).await.unwrap())
}

async fn old_log(place: &Place) -> Arc<Context> {
    let context = Arc::new(place.open().await);
    for name in ["a", "b", "c"] {
        add_project(&context, name, true).await;
    }
    audit::seal(&context).await.unwrap();
    context.clock.advance(std::time::Duration::from_secs(7200));
    context
}

#[tokio::test]
async fn a_purge_takes_what_it_is_told_to() {
    for place in both().await {
        let context = old_log(&place).await;
        let id = begin(&context, plan(true, "create_project")).await;
        let (status, log) = ended(&context, id).await;
        assert_eq!(status, Status::Success);
        assert!(log.contains("[DRYRUN]Purged 3 rows of audit logs"), "{log}");
        let id = begin(&context, plan(false, "pull_artifact,delete_project")).await;
        let (status, log) = ended(&context, id).await;
        assert_eq!(status, Status::Success);
        assert!(log.contains("] Purged 0 rows"), "{log}");
        let id = begin(&context, plan(false, "create_project")).await;
        let (status, log) = ended(&context, id).await;
        assert_eq!(status, Status::Success);
        assert!(log.contains("] Purged 3 rows"), "{log}");
        assert_eq!(audit::verify(&context).await.unwrap().problems, []);
        let list = may(&context, Action::List).await;
        let found = history(&context, &list, &Selection::default()).await.unwrap();
        assert_eq!(found.total, 3);
        assert_eq!(found.items[0].extra_attrs["include_event_types"], "create_project");
    }
}

#[tokio::test]
async fn a_schedule_is_set_shown_fired_and_removed() {
    for place in both().await {
        let context = old_log(&place).await;
        let allowed = may(&context, Action::Update).await;
        let reading = may(&context, Action::Read).await;
        assert_eq!(schedule(&context, &reading).await.unwrap(), None);
        let when = When::At("Hourly".to_owned(), Cron::parse("0 0 * * * *").unwrap());
        let set = ask(&context, &allowed, Action::Update, when, plan(false, "create_project"));
        assert_eq!(set.await.unwrap(), None);
        let found = schedule(&context, &reading).await.unwrap().unwrap();
        assert_eq!((found.cron_type.as_str(), found.cron.as_str()), ("Hourly", "0 0 * * * *"));
        context.clock.advance(std::time::Duration::from_secs(3600));
        work::tests::until_idle(&context).await;
        let list = may(&context, Action::List).await;
        let runs = history(&context, &list, &Selection::default()).await.unwrap();
        assert_eq!((runs.total, runs.items[0].trigger), (1, Trigger::Schedule));
        assert_eq!(runs.items[0].status, Status::Success);
        ask(&context, &allowed, Action::Update, When::Never, plan(false, "")).await.unwrap();
        assert_eq!(schedule(&context, &reading).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for place in both().await {
        let context = Arc::new(place.open().await);
        let (reading, stopping) =
            (may(&context, Action::Read).await, may(&context, Action::Stop).await);
        for error in [
            find(&context, &reading, 7).await.unwrap_err(),
            log(&context, &reading, 7).await.unwrap_err(),
            stop(&context, &stopping, 7).await.unwrap_err(),
        ] {
            assert!(error.is(ErrorKind::NotFound), "{error}");
        }
        let id = begin(&context, plan(false, "other")).await;
        stop(&context, &stopping, id).await.unwrap();
        stop(&context, &stopping, id).await.unwrap();
        assert_eq!(ended(&context, id).await.0, Status::Stopped);
    }
}
