#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use kit::{Clock, Selection};
use serde_json::json;

use super::{
    list::{EXECUTIONS, TASKS},
    *,
};
use crate::{
    Context,
    access::{self, Action, Resource, Right},
    rights::{Allowed, System},
    testing::{Place, admin, both},
};

/// Does something in a transaction.
async fn write<T, F>(context: &Context, deed: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, Clock) -> db::BoxFuture<'t, Result<T>> + Send + Sync + 'static,
{
    let clock = context.clock.clone();
    context.db.write(move |tx| deed(tx, clock.clone())).await
}

fn parameters(n: i64) -> Attributes {
    Attributes::from_iter([("n".to_owned(), json!(n))])
}

/// Begins an execution with some tasks.
async fn begun(context: &Context, kind: Kind, tasks: i64) -> i64 {
    write(context, move |tx, clock| {
        Box::pin(async move {
            let mut new = NewExecution::new(kind, -1, Trigger::Manual);
            for n in 0..tasks {
                new = new.with(NewTask::new(parameters(n)));
            }
            start(tx, &clock, new).await
        })
    })
    .await
    .unwrap()
}

async fn replica(context: &Context) -> Replica {
    let replica = Replica::new(10);
    replica.enter(&context.db, &context.clock).await.unwrap();
    replica
}

async fn taken(context: &Context, replica: &Replica, most: i64) -> Vec<Taken> {
    let id = replica.id.clone();
    write(context, move |tx, clock| {
        let id = id.clone();
        Box::pin(async move {
            let now = now(tx, &clock).await?;
            take(tx, &id, now, most).await
        })
    })
    .await
    .unwrap()
}

fn hold(taken: &Taken) -> Hold {
    Hold { task_id: taken.id, execution_id: taken.execution_id, epoch: taken.epoch }
}

async fn ended(context: &Context, hold: Hold, ended: Ended) -> bool {
    let ended = Arc::new(ended);
    write(context, move |tx, clock| {
        let ended = ended.clone();
        Box::pin(async move {
            let now = now(tx, &clock).await?;
            end(tx, hold, now, &ended).await
        })
    })
    .await
    .unwrap()
}

async fn stopped(context: &Context, execution_id: i64) {
    write(context, move |tx, clock| Box::pin(async move { stop(tx, &clock, execution_id).await }))
        .await
        .unwrap();
}

async fn status(context: &Context, kind: Kind, id: i64) -> Status {
    find(&context.db, kind, None, id).await.unwrap().unwrap().status
}

async fn monitor(context: &Context, action: Action) -> Allowed<System> {
    let right = Right::new(Resource::JobserviceMonitor, action);
    access::on_system(context, &admin(context).await, right).await.unwrap()
}

async fn each() -> Vec<(Place, Context)> {
    let mut all = Vec::new();
    for place in both().await {
        let context = place.open().await;
        all.push((place, context));
    }
    all
}

#[tokio::test]
async fn an_execution_is_what_came_of_its_tasks() {
    for (_place, context) in each().await {
        let kind = Kind::Retention;
        let id = begun(&context, kind, 4).await;
        assert_eq!(status(&context, kind, id).await, Status::Running);
        let ours = replica(&context).await;
        let tasks = taken(&context, &ours, 3).await;
        assert_eq!(
            tasks.iter().map(|task| &task.parameters).collect::<Vec<_>>(),
            [&parameters(0), &parameters(1), &parameters(2)]
        );
        let found = find(&context.db, kind, Some(-1), id).await.unwrap().unwrap();
        assert_eq!((found.metrics.running, found.metrics.pending), (3, 1));
        assert!(ended(&context, hold(&tasks[0]), Ended::Done).await);
        assert!(ended(&context, hold(&tasks[1]), Ended::Stopped).await);
        let wrong = Error::invalid("this cannot be done");
        assert!(ended(&context, hold(&tasks[2]), Ended::Failed(wrong)).await);
        assert_eq!(status(&context, kind, id).await, Status::Running);
        let last = taken(&context, &ours, 3).await;
        assert!(ended(&context, hold(&last[0]), Ended::Done).await);
        let found = find(&context.db, kind, None, id).await.unwrap().unwrap();
        assert_eq!(
            (found.status, found.status_message.as_str()),
            (Status::Error, "this cannot be done")
        );
        assert_eq!(
            found.metrics,
            Metrics { success: 2, stopped: 1, error: 1, ..Metrics::default() }
        );
        assert!(found.ended_at.is_some());
        // Once it has ended, nobody ends it again and nothing is added.
        assert!(!ended(&context, hold(&last[0]), Ended::Stopped).await);
        let adding = write(&context, move |tx, clock| {
            Box::pin(async move { add_tasks(tx, &clock, id, &[NewTask::default()]).await })
        });
        assert!(adding.await.unwrap_err().is(kit::Kind::Precondition));
        assert_eq!(find(&context.db, Kind::PurgeAuditLog, None, id).await.unwrap(), None);
        assert_eq!(find(&context.db, kind, Some(7), id).await.unwrap(), None);
        let empty = begun(&context, kind, 0).await;
        assert_eq!(status(&context, kind, empty).await, Status::Success);
    }
}

#[tokio::test]
async fn of_a_kind_no_more_run_than_may() {
    for (_place, context) in each().await {
        begun(&context, Kind::ExecutionSweep, 3).await;
        begun(&context, Kind::Retention, 3).await;
        let (one, other) = (replica(&context).await, replica(&context).await);
        let first = taken(&context, &one, 10).await;
        let kinds: Vec<Kind> = first.iter().map(|task| task.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Retention, Kind::Retention, Kind::Retention, Kind::ExecutionSweep]
        );
        assert!(taken(&context, &other, 10).await.is_empty());
        assert!(ended(&context, hold(&first[3]), Ended::Done).await);
        assert_eq!(taken(&context, &other, 10).await.len(), 1);
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_not_for_ever() {
    for (_place, context) in each().await {
        let kind = Kind::Retention;
        let id = begun(&context, kind, 1).await;
        let ours = replica(&context).await;
        let mut pauses = Vec::new();
        for attempt in 1..=kind.attempts() {
            let tasks = taken(&context, &ours, 1).await;
            assert_eq!(tasks[0].attempt, attempt);
            let failed = Ended::Failed(Error::unavailable("away"));
            assert!(ended(&context, hold(&tasks[0]), failed).await);
            let mut pause = 0;
            while attempt < kind.attempts() && taken(&context, &ours, 0).await.is_empty() {
                let now = context.clock.now();
                let due = context.db.one(sql::ANY_DUE, db::args![now, now.after(LONGEST_WAIT)]);
                if due.await.unwrap().is_some() {
                    break;
                }
                context.clock.advance(Duration::from_secs(1));
                pause += 1;
            }
            pauses.push(pause);
        }
        assert_eq!(pauses, [5, 10, 0]);
        assert_eq!(status(&context, kind, id).await, Status::Error);
        assert!(taken(&context, &ours, 1).await.is_empty());
    }
}

#[tokio::test]
async fn who_comes_late_changes_nothing() {
    for (_place, context) in each().await {
        let kind = Kind::PurgeAuditLog;
        let id = begun(&context, kind, 1).await;
        let (late, heir) = (replica(&context).await, replica(&context).await);
        let first = taken(&context, &late, 1).await.remove(0);
        assert!(matches!(late.beat(&context.db, &context.clock).await.unwrap(), Beat::Alive(held)
            if held[&first.id].epoch == first.epoch));
        // Its lease passes unrenewed; the other one's is renewed.
        context.clock.advance(LEASE + Duration::from_secs(1));
        heir.beat(&context.db, &context.clock).await.unwrap();
        let mut watch = Watch::default();
        let dead = watch.dead(&context.db, context.clock.now()).await.unwrap();
        assert_eq!(dead.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&late.id]);
        bury(&context.db, &dead[0].0, dead[0].1).await.unwrap();
        assert_eq!(inherit(&context.db, &context.clock).await.unwrap(), 1);
        let second = taken(&context, &heir, 1).await.remove(0);
        assert_eq!((second.id, second.attempt), (first.id, 2));
        // The late one wakes up: it can neither end the task, nor write for it, nor go on.
        assert!(!ended(&context, hold(&first), Ended::Done).await);
        let running = Running::new(first, context.clock.clone());
        running.log("too late");
        let (news, first) = (running.news().unwrap(), running.hold());
        let writing = write(&context, move |tx, clock| {
            let news = news.clone();
            Box::pin(async move { write_news(tx, &clock, first, &news).await })
        });
        assert!(!writing.await.unwrap());
        let fencing = write(&context, move |tx, _| {
            let running = running.clone();
            Box::pin(async move { running.fence(tx).await })
        });
        assert!(fencing.await.unwrap_err().is(kit::Kind::Conflict));
        assert!(matches!(late.beat(&context.db, &context.clock).await.unwrap(), Beat::Lost));
        assert_eq!(status(&context, kind, id).await, Status::Running);
        assert!(ended(&context, hold(&second), Ended::Done).await);
        assert_eq!(status(&context, kind, id).await, Status::Success);
        assert_eq!(log(&context.db, second.id).await.unwrap(), "");
    }
}

#[tokio::test]
async fn a_task_whose_replicas_keep_dying_is_given_up() {
    for (_place, context) in each().await {
        let kind = Kind::Retention;
        let id = begun(&context, kind, 1).await;
        for _ in 0..kind.attempts() {
            let dying = replica(&context).await;
            assert_eq!(taken(&context, &dying, 1).await.len(), 1);
            dying.leave(&context.db).await.unwrap();
            inherit(&context.db, &context.clock).await.unwrap();
        }
        assert_eq!(status(&context, kind, id).await, Status::Error);
    }
}

#[tokio::test]
async fn what_waits_stops_at_once_and_what_runs_when_it_asks() {
    for (_place, context) in each().await {
        let kind = Kind::Retention;
        let id = begun(&context, kind, 3).await;
        let ours = replica(&context).await;
        let task = taken(&context, &ours, 1).await.remove(0);
        stopped(&context, id).await;
        let found = find(&context.db, kind, None, id).await.unwrap().unwrap();
        assert_eq!((found.status, found.metrics.stopped), (Status::Running, 2));
        let Beat::Alive(held) = ours.beat(&context.db, &context.clock).await.unwrap() else {
            panic!("the lease was good");
        };
        assert!(held[&task.id].stops);
        // It failed before it noticed: it is not tried again all the same.
        assert!(ended(&context, hold(&task), Ended::Failed(Error::unavailable("away"))).await);
        assert_eq!(status(&context, kind, id).await, Status::Stopped);
        stopped(&context, id).await;
        assert_eq!(status(&context, kind, id).await, Status::Stopped);
        stopped(&context, 4711).await;
        // One that just ended stays what it is.
        let done = begun(&context, kind, 1).await;
        let task = taken(&context, &ours, 1).await.remove(0);
        assert!(ended(&context, hold(&task), Ended::Done).await);
        stopped(&context, done).await;
        assert_eq!(status(&context, kind, done).await, Status::Success);
    }
}

#[tokio::test]
async fn a_stop_that_comes_with_the_end_or_after_it_changes_nothing() {
    for (_place, context) in each().await {
        let ours = replica(&context).await;
        for _ in 0..20 {
            let id = begun(&context, Kind::Retention, 1).await;
            let taken = taken(&context, &ours, 9).await.pop().unwrap();
            let ending = ended(&context, hold(&taken), Ended::Done);
            let (is_first, ()) = tokio::join!(ending, stopped(&context, id));
            assert!(is_first);
            assert_eq!(status(&context, Kind::Retention, id).await, Status::Success);
            stopped(&context, id).await;
            assert_eq!(status(&context, Kind::Retention, id).await, Status::Success);
        }
    }
}

#[tokio::test]
async fn what_is_given_back_was_no_attempt() {
    for (_place, context) in each().await {
        begun(&context, Kind::Retention, 1).await;
        let ours = replica(&context).await;
        for _ in 0..5 {
            let task = taken(&context, &ours, 1).await.remove(0);
            assert_eq!(task.attempt, 1);
            assert!(ended(&context, hold(&task), Ended::GivenBack).await);
        }
    }
}

#[tokio::test]
async fn one_like_another_is_not_added_while_that_is_there() {
    for (_place, context) in each().await {
        let add = async || {
            write(&context, |tx, clock| {
                Box::pin(async move {
                    let new = NewExecution::new(Kind::PurgeAuditLog, -1, Trigger::Event);
                    let task = NewTask::new(parameters(1)).unless_another("the same");
                    start(tx, &clock, new.with(task)).await
                })
            })
            .await
            .unwrap()
        };
        let (first, second) = (add().await, add().await);
        let kind = Kind::PurgeAuditLog;
        assert_eq!(status(&context, kind, first).await, Status::Running);
        assert_eq!(status(&context, kind, second).await, Status::Success);
        let task = taken(&context, &replica(&context).await, 9).await.remove(0);
        assert!(ended(&context, hold(&task), Ended::Done).await);
        let third = add().await;
        assert_eq!(status(&context, kind, third).await, Status::Running);
    }
}

#[tokio::test]
async fn the_important_come_first_and_the_delayed_later() {
    for (_place, context) in each().await {
        write(&context, |tx, clock| {
            Box::pin(async move {
                let task = |n| NewTask::new(parameters(n));
                let new = NewExecution::new(Kind::Retention, 1, Trigger::Manual)
                    .with(task(1))
                    .with(task(2).priority(5))
                    .with(task(3).after(Duration::from_secs(60)).priority(9));
                start(tx, &clock, new).await
            })
        })
        .await
        .unwrap();
        let ours = replica(&context).await;
        let order = |tasks: Vec<Taken>| -> Vec<Attributes> {
            tasks.into_iter().map(|task| task.parameters).collect()
        };
        assert_eq!(order(taken(&context, &ours, 9).await), [parameters(2), parameters(1)]);
        context.clock.advance(Duration::from_secs(60));
        assert_eq!(order(taken(&context, &ours, 9).await), [parameters(3)]);
    }
}

#[tokio::test]
async fn a_paused_queue_begins_nothing() {
    for (_place, context) in each().await {
        let allowed = monitor(&context, Action::Stop).await;
        let id = begun(&context, Kind::Retention, 2).await;
        pause(&context, &allowed, "retention").await.unwrap();
        let ours = replica(&context).await;
        assert!(taken(&context, &ours, 9).await.is_empty());
        context.clock.advance(Duration::from_secs(7));
        let listing = monitor(&context, Action::List).await;
        let shown = queues(&context, &listing).await.unwrap();
        let retention = shown.iter().find(|queue| queue.name == "RETENTION").unwrap();
        assert_eq!((retention.waiting, retention.latency, retention.paused), (2, 7, true));
        resume(&context, &allowed, "all").await.unwrap();
        assert_eq!(taken(&context, &ours, 1).await.len(), 1);
        stop_waiting(&context, &allowed, "RETENTION").await.unwrap();
        let found = find(&context.db, Kind::Retention, None, id).await.unwrap().unwrap();
        assert_eq!((found.metrics.running, found.metrics.stopped), (1, 1));
        let unknown = pause(&context, &allowed, "NO_SUCH_TYPE").await.unwrap_err();
        assert!(unknown.is(kit::Kind::NotFound));
        assert!(!is_paused(&context, "all").await.unwrap());
        pause(&context, &allowed, "all").await.unwrap();
        assert!(is_paused(&context, "ALL").await.unwrap());
        assert!(is_paused(&context, "RETENTION").await.unwrap_err().is(kit::Kind::Invalid));
    }
}

/// Fires what is due, and gives the numbers of what was begun.
async fn fired(context: &Context) -> usize {
    let mut fired = 0;
    for due in schedules::due(&context.db, context.clock.now()).await.unwrap() {
        let fire = write(context, move |tx, clock| {
            let due = due.clone();
            Box::pin(async move { schedules::fire(tx, &clock, &due).await })
        });
        fired += usize::from(fire.await.unwrap());
    }
    fired
}

async fn schedule(context: &Context, cron: &str) -> i64 {
    let cron = Cron::parse(cron).unwrap();
    write(context, move |tx, clock| {
        let cron = cron.clone();
        Box::pin(async move {
            let (whose, when) = ((Kind::Retention, 3), ("Custom", &cron));
            schedules::set(tx, &clock, whose, when, &parameters(1)).await
        })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_moment_fires_once_whatever_the_clock_does() {
    for (_place, context) in each().await {
        let Clock::Manual(hands) = &context.clock else { panic!("tests turn the clock") };
        schedule(&context, "0 * * * * *").await;
        assert_eq!(fired(&context).await, 0);
        context.clock.advance(Duration::from_secs(60));
        assert_eq!((fired(&context).await, fired(&context).await), (1, 0));
        // An hour back: what fired does not fire again, not even after it was set anew.
        let hour = Duration::from_secs(3600);
        hands.fetch_sub(3_600_000_000, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(fired(&context).await, 0);
        // And later it goes on.
        context.clock.advance(hour + Duration::from_secs(60));
        assert_eq!((fired(&context).await, fired(&context).await), (1, 0));
        // What was missed while nobody was there is made up for once.
        context.clock.advance(hour);
        assert_eq!((fired(&context).await, fired(&context).await), (1, 0));
        let found = schedules::get(&context.db, Kind::Retention, 3).await.unwrap().unwrap();
        assert!(found.next_at > context.clock.now());
        assert_eq!((found.cron.as_str(), found.parameters), ("0 * * * * *", parameters(1)));
        let removing = write(&context, |tx, _| {
            Box::pin(async move { schedules::remove(tx, Kind::Retention, 3).await })
        });
        assert!(removing.await.unwrap());
        assert_eq!(schedules::get(&context.db, Kind::Retention, 3).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_waiting_task_and_a_dead_replica_outlast_a_clock_that_is_set_back() {
    for (_place, context) in each().await {
        let Clock::Manual(hands) = &context.clock else { panic!("tests turn the clock") };
        begun(&context, Kind::Retention, 1).await;
        hands.fetch_sub(3_600_000_000, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(taken(&context, &replica(&context).await, 9).await.len(), 1);
    }
}

#[tokio::test]
async fn old_executions_go_and_the_newest_stay() {
    for (_place, context) in each().await {
        let kind = Kind::PurgeAuditLog;
        let ours = replica(&context).await;
        let mut ids = Vec::new();
        for _ in 0..kind.kept() + 5 {
            ids.push(begun(&context, kind, 1).await);
            let task = taken(&context, &ours, 9).await.remove(0);
            assert!(ended(&context, hold(&task), Ended::Done).await);
            context.clock.advance(Duration::from_secs(1));
        }
        begun(&context, Kind::ExecutionSweep, 1).await;
        let task = taken(&context, &ours, 9).await.remove(0);
        let running = Running::new(task, context.clock.clone());
        sweep(&context, &running).await.unwrap();
        let left = list(&context.db, kind, None, &Selection::default()).await.unwrap();
        assert_eq!(left.total, kind.kept());
        assert_eq!(left.items[0].id, *ids.last().unwrap());
        assert_eq!(find(&context.db, kind, None, ids[4]).await.unwrap(), None);
        assert!(find(&context.db, kind, None, ids[5]).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_a_task_tells_is_shown() {
    for (_place, context) in each().await {
        let id = begun(&context, Kind::PurgeAuditLog, 1).await;
        let ours = replica(&context).await;
        let running =
            Running::new(taken(&context, &ours, 1).await.remove(0), context.clock.clone());
        let began = context.clock.now();
        context.clock.advance(Duration::from_secs(60));
        let hold = running.hold();
        assert!(running.news().is_none());
        for n in 0..3 {
            running.log(format!("line {n}"));
            running.set("n", n);
            running.set_of_execution("last", n);
            running.check_in(format!("at {n}"));
            let news = running.news().unwrap();
            running.warn("meanwhile");
            let writing = news.clone();
            let written = write(&context, move |tx, clock| {
                let writing = writing.clone();
                Box::pin(async move { write_news(tx, &clock, hold, &writing).await })
            });
            assert!(written.await.unwrap());
            running.written(&news);
        }
        let text = log(&context.db, running.task_id()).await.unwrap();
        let messages: Vec<&str> =
            text.lines().map(|line| line.split_once("] ").unwrap().1).collect();
        assert_eq!(messages, ["line 0", "meanwhile", "line 1", "meanwhile", "line 2"]);
        assert!(text.starts_with("2027-01-15T08:01:00Z [INFO] "), "{text}");
        let task = task(&context.db, running.task_id()).await.unwrap().unwrap();
        assert_eq!(task.extra_attrs, parameters(2));
        let found = find(&context.db, Kind::PurgeAuditLog, None, id).await.unwrap().unwrap();
        assert_eq!(found.extra_attrs["last"], json!(2));
        let listing = monitor(&context, Action::List).await;
        let shown = workers(&context, &listing, "all").await.unwrap();
        assert_eq!(shown.len(), 10);
        let doing = shown[0].doing.as_ref().unwrap();
        assert_eq!((doing.task_id, doing.check_in.as_str()), (running.task_id(), "at 2"));
        let checked_in = Some(context.clock.now());
        assert_eq!((doing.started_at, doing.checked_in_at), (began, checked_in));
        assert!(shown[1].doing.is_none());
        assert!(workers(&context, &listing, "nobody").await.unwrap().is_empty());
        assert!(log_of_task(&context, &listing, "x").await.unwrap_err().is(kit::Kind::NotFound));
        let id = running.task_id().to_string();
        assert!(log_of_task(&context, &listing, &id).await.unwrap().ends_with("line 2\n"));
    }
}

#[tokio::test]
async fn a_log_is_bounded() {
    for (_place, context) in each().await {
        begun(&context, Kind::PurgeAuditLog, 1).await;
        let ours = replica(&context).await;
        let running =
            Running::new(taken(&context, &ours, 1).await.remove(0), context.clock.clone());
        for _ in 0..100_000 {
            running.write(
                "a line of a hundred bytes or so, with an ü and a NUL\0 that no database takes",
            );
        }
        let news = running.news().unwrap();
        let hold = running.hold();
        let written = write(&context, move |tx, clock| {
            let news = news.clone();
            Box::pin(async move { write_news(tx, &clock, hold, &news).await })
        });
        assert!(written.await.unwrap());
        let text = log(&context.db, running.task_id()).await.unwrap();
        assert!(text.len() < 5 * 1024 * 1024 && text.len() > 3 * 1024 * 1024);
        assert!(text.ends_with("the log is full: what follows is left out\n"));
    }
}

#[tokio::test]
async fn lists_take_everything_that_clients_ask_for() {
    for (_place, context) in each().await {
        let id = begun(&context, Kind::Retention, 2).await;
        let db = &context.db;
        EXECUTIONS.try_everything(db, sql::EXECUTIONS_FROM, db::args!["RETENTION"]).await;
        let of_vendor = db::args!["RETENTION", -1];
        EXECUTIONS.try_everything(db, sql::EXECUTIONS_OF_VENDOR_FROM, of_vendor).await;
        TASKS.try_everything(db, sql::TASKS_FROM, db::args![id]).await;
    }
}
