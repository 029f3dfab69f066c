#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use kit::Selection;
use tokio::sync::watch;

use super::*;
use crate::{
    access::{self, Action, Resource, Right},
    jobs::{Status, schedules},
    testing::{admin, both, eventually},
};

/// Does all jobs that are due, as a replica that comes and goes.
pub(crate) async fn until_idle(context: &Arc<Context>) {
    runner::until_idle(context).await;
}

#[tokio::test]
async fn every_installation_sweeps_once_a_day() {
    for place in both().await {
        let context = Arc::new(place.open().await);
        until_idle(&context).await;
        context.clock.advance(Duration::from_secs(24 * 3600));
        // Both see that it is due; one begins it.
        if place.is_shared() {
            let other = Arc::new(place.open_with(context.clock.clone()).await);
            tokio::join!(until_idle(&context), until_idle(&other));
        } else {
            until_idle(&context).await;
        }
        let kind = Kind::ExecutionSweep;
        let found = jobs::list(&context.db, kind, None, &Selection::default()).await.unwrap();
        assert_eq!((found.total, found.items[0].status), (1, Status::Success));
        let set = schedules::get(&context.db, kind, -1).await.unwrap().unwrap();
        assert_eq!(set.cron, SWEEP_AT);
    }
}

#[tokio::test]
async fn a_runner_is_seen_works_when_it_is_rung_and_goes_when_told() {
    for place in both().await {
        let context = Arc::new(place.open().await);
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(context.clone(), 3, stopping));
        let right = Right::new(Resource::JobserviceMonitor, Action::List);
        let allowed = access::on_system(&context, &admin(&context).await, right).await.unwrap();
        eventually(async || !jobs::pools(&context, &allowed).await.unwrap().is_empty()).await;
        let pools = jobs::pools(&context, &allowed).await.unwrap();
        assert_eq!((pools.len(), pools[0].workers), (1, 3));
        assert_eq!(pools[0].pid, i64::from(std::process::id()));
        assert_eq!(jobs::workers(&context, &allowed, &pools[0].id).await.unwrap().len(), 3);
        let clock = context.clock.clone();
        let id = context
            .db
            .write(move |tx| {
                let clock = clock.clone();
                Box::pin(async move {
                    let new = NewExecution::new(Kind::ExecutionSweep, -1, Trigger::Manual);
                    jobs::start(tx, &clock, new.with(NewTask::default())).await
                })
            })
            .await
            .unwrap();
        let status = async || {
            jobs::find(&context.db, Kind::ExecutionSweep, None, id).await.unwrap().unwrap().status
        };
        eventually(async || status().await == Status::Success).await;
        stop.send(true).unwrap();
        serving.await.unwrap();
        assert!(jobs::pools(&context, &allowed).await.unwrap().is_empty());
    }
}
