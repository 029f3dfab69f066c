//! The runner: takes tasks that are due, has them done side by side, and sees to what belongs
//! to that: this replica's lease, the tasks of replicas that died, schedules, logs.
//!
//! One loop asks for all of it, so nothing here races with itself. It looks once a second, and
//! at once when the change log says that there is something to do.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use kit::{Error, Kind as ErrorKind, Result, Time};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{begin, carry_out, make_ready};
use crate::{
    Context,
    jobs::{self, Beat, Ended, Hold, LEASE, Order, Replica, Running, Taken, Try, Watch, schedules},
};

/// How often it looks when nobody rings.
const ROUND: Duration = Duration::from_secs(1);

/// How long tasks have to stop at a stop of the process, before they are cut.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits before it tells the database once more how a task ended.
const AGAIN: Duration = Duration::from_secs(1);

/// Does jobs until it is told to stop; then it gives back what it has not finished.
pub async fn serve(context: Arc<Context>, workers: u32, mut stopping: watch::Receiver<bool>) {
    let mut runner = Runner::new(context, workers);
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trouble = false;
    while !*stopping.borrow() {
        tokio::select! {
            _ = rounds.tick() => {}
            () = runner.context.bell.rung() => runner.beat_due = true,
            Some(ended) = runner.doing.join_next() => runner.ended(ended.ok()),
            changed = stopping.changed() => if changed.is_err() { break } else { continue },
        }
        // Told when it begins and when it ends, not every second.
        match runner.round().await {
            Ok(()) if trouble => {
                tracing::info!("jobs are done again");
                trouble = false;
            }
            Ok(()) => {}
            Err(error) if !trouble => {
                tracing::warn!(%error, "jobs cannot be looked for");
                trouble = true;
            }
            Err(_) => {}
        }
    }
    runner.stop().await;
}

/// What one process does of all jobs.
struct Runner {
    context: Arc<Context>,
    replica: Replica,
    workers: usize,
    entered: bool,
    beat_due: bool,
    beaten: Instant,
    watch: Watch,
    doing: JoinSet<i64>,
    tasks: HashMap<i64, (Running, AbortHandle)>,
}

impl Runner {
    fn new(context: Arc<Context>, workers: u32) -> Self {
        Self {
            context,
            replica: Replica::new(i64::from(workers)),
            workers: workers as usize,
            entered: false,
            beat_due: true,
            beaten: Instant::now(),
            watch: Watch::default(),
            doing: JoinSet::new(),
            tasks: HashMap::new(),
        }
    }

    /// A task has ended, and the database knows.
    fn ended(&mut self, task_id: Option<i64>) {
        match task_id {
            Some(task_id) => drop(self.tasks.remove(&task_id)),
            // One that was cut tells no number.
            None => self.tasks.retain(|_, (_, handle)| !handle.is_finished()),
        }
    }

    /// Looks once at everything.
    async fn round(&mut self) -> Result<()> {
        while let Some(ended) = self.doing.try_join_next() {
            self.ended(ended.ok());
        }
        if !self.entered {
            make_ready(&self.context).await?;
            self.replica.enter(&self.context.db, &self.context.clock).await?;
            (self.entered, self.beaten) = (true, Instant::now());
        }
        if self.beat_due || self.beaten.elapsed() >= LEASE / 3 {
            self.beat().await?;
        }
        self.write_news().await?;
        let (now, is_due) = self.look().await?;
        let schedules = schedules::due(&self.context.db, now).await?;
        let fires = !schedules.is_empty();
        for due in schedules {
            self.fire(due).await?;
        }
        if is_due || fires {
            self.take().await?;
        }
        Ok(())
    }

    /// Renews the lease, learns what is to stop, and gives what the dead held to others.
    async fn beat(&mut self) -> Result<()> {
        let (db, clock) = (&self.context.db, &self.context.clock);
        let held = match self.replica.beat(db, clock).await? {
            Beat::Alive(held) => held,
            Beat::Lost => {
                tracing::warn!("this process was too slow: its jobs are done by others");
                self.doing.abort_all();
                self.tasks.clear();
                self.replica = Replica::new(self.replica.workers());
                self.entered = false;
                return Err(Error::unavailable("the lease of this process was over"));
            }
        };
        for (task_id, (running, handle)) in &self.tasks {
            match held.get(task_id) {
                Some(held) if held.epoch == running.hold().epoch => {
                    if held.stops {
                        running.tell(Order::Stop);
                    }
                }
                // It has just ended, or it is somebody else's now.
                _ => handle.abort(),
            }
        }
        // What was taken without our hearing of it.
        for (task_id, held) in held {
            if !self.tasks.contains_key(&task_id) {
                let hold = Hold { task_id, execution_id: held.execution_id, epoch: held.epoch };
                end(&self.context, hold, None, Ended::GivenBack).await?;
            }
        }
        (self.beat_due, self.beaten) = (false, Instant::now());
        let now = self.now().await?;
        for (id, until) in self.watch.dead(&self.context.db, now).await? {
            if id != self.replica.id {
                jobs::bury(&self.context.db, &id, until).await?;
            }
        }
        let inherited = jobs::inherit(&self.context.db, &self.context.clock).await?;
        if inherited > 0 {
            tracing::info!(jobs = inherited, "took over what a process that died had begun");
        }
        Ok(())
    }

    async fn now(&self) -> Result<Time> {
        self.look().await.map(|(now, _)| now)
    }

    /// What time it is, and whether a task is due.
    async fn look(&self) -> Result<(Time, bool)> {
        let clock = self.context.clock.clone();
        self.context
            .db
            .read(move |tx| {
                let clock = clock.clone();
                Box::pin(async move {
                    let now = jobs::now(tx, &clock).await?;
                    Ok((now, jobs::is_due(tx, now).await?))
                })
            })
            .await
    }

    /// Begins what a schedule is for, if nobody else has.
    async fn fire(&self, due: schedules::Schedule) -> Result<()> {
        let clock = self.context.clock.clone();
        self.context
            .db
            .write(move |tx| {
                let (clock, due) = (clock.clone(), due.clone());
                Box::pin(async move {
                    if schedules::fire(tx, &clock, &due).await? {
                        begin(tx, &clock, &due).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Takes as many tasks as there are workers free, and begins them.
    async fn take(&mut self) -> Result<()> {
        let free = self.workers.saturating_sub(self.tasks.len());
        if free == 0 {
            return Ok(());
        }
        let (id, clock) = (self.replica.id.clone(), self.context.clock.clone());
        let free = i64::try_from(free).map_err(Error::internal)?;
        let taken: Vec<Taken> = self
            .context
            .db
            .write(move |tx| {
                let (id, clock) = (id.clone(), clock.clone());
                Box::pin(async move {
                    let now = jobs::now(tx, &clock).await?;
                    jobs::take(tx, &id, now, free).await
                })
            })
            .await?;
        for taken in taken {
            self.context.jobs.taken(taken.kind, taken.waited);
            let running = Running::new(taken, self.context.clock.clone());
            let work = work(self.context.clone(), running.clone());
            let handle = self.doing.spawn(work);
            self.tasks.insert(running.task_id(), (running, handle));
        }
        Ok(())
    }

    /// Writes what the tasks tell of themselves.
    async fn write_news(&mut self) -> Result<()> {
        let running: Vec<Running> = self.tasks.values().map(|(task, _)| task.clone()).collect();
        for running in running {
            let Some(news) = running.news() else { continue };
            let (hold, clock, writing) = (running.hold(), self.context.clock.clone(), news.clone());
            let is_ours = self
                .context
                .db
                .write(move |tx| {
                    let (clock, writing) = (clock.clone(), writing.clone());
                    Box::pin(async move { jobs::write_news(tx, &clock, hold, &writing).await })
                })
                .await?;
            if is_ours {
                running.written(&news);
            }
        }
        Ok(())
    }

    /// Gives back what is not finished, and goes.
    async fn stop(mut self) {
        for (running, _) in self.tasks.values() {
            running.tell(Order::GiveBack);
        }
        let all = async {
            while let Some(ended) = self.doing.join_next().await {
                if let Ok(task_id) = ended {
                    self.tasks.remove(&task_id);
                }
            }
        };
        let _the_rest_is_cut = timeout(PATIENCE, all).await;
        self.doing.shutdown().await;
        for (running, _) in self.tasks.values() {
            let ended = end(&self.context, running.hold(), Some(running), Ended::GivenBack).await;
            if let Err(error) = ended {
                tracing::warn!(%error, task = running.task_id(), "a job could not be given back");
            }
        }
        if self.entered
            && let Err(error) = self.replica.leave(&self.context.db).await
        {
            tracing::warn!(%error, "the other processes could not be told of the stop");
        }
    }
}

/// Does all that is due, as a process that comes and goes.
#[cfg(test)]
pub(super) async fn until_idle(context: &Arc<Context>) {
    let mut runner = Runner::new(context.clone(), 4);
    loop {
        runner.round().await.expect("the round");
        if runner.tasks.is_empty() {
            return runner.stop().await;
        }
        if let Some(ended) = runner.doing.join_next().await {
            runner.ended(ended.ok());
        }
    }
}

/// Does a task and tells the database how it ended; gives its number.
async fn work(context: Arc<Context>, running: Running) -> i64 {
    let started = Instant::now();
    let done = AssertUnwindSafe(carry_out(&context, &running)).catch_unwind().await;
    let done = done.unwrap_or_else(|_| Err(Error::internal("the job panicked")));
    let ended = match (running.noticed(), done) {
        (Some(Order::Stop), _) => Ended::Stopped,
        (Some(Order::GiveBack), _) => Ended::GivenBack,
        (Some(Order::GoOn) | None, Ok(())) => Ended::Done,
        (Some(Order::GoOn) | None, Err(error)) => Ended::Failed(error),
    };
    let how = match &ended {
        Ended::Done => Some(Try::Success),
        Ended::Stopped => Some(Try::Stop),
        Ended::Failed(_) => Some(Try::Fail),
        Ended::GivenBack | Ended::Lost => None,
    };
    if let Some(how) = how {
        context.jobs.tried(running.kind(), how, started.elapsed());
    }
    if let Ended::Failed(error) = &ended {
        running.error(error);
        let kind = running.kind();
        tracing::warn!(%error, cause = ?error.source, %kind, task = running.task_id(), "a job failed");
    }
    let ended = Arc::new(ended);
    while let Err(error) = end(&context, running.hold(), Some(&running), ended.clone()).await {
        if !error.is(ErrorKind::Unavailable) {
            tracing::error!(%error, task = running.task_id(), "the end of a job is not written");
        }
        sleep(AGAIN).await;
    }
    running.task_id()
}

/// Ends a task, with all that it has told of itself.
async fn end(
    context: &Context,
    hold: Hold,
    running: Option<&Running>,
    ended: impl Into<Arc<Ended>>,
) -> Result<()> {
    let news = running.and_then(Running::news);
    let (clock, ended) = (context.clock.clone(), ended.into());
    context
        .db
        .write(move |tx| {
            let (clock, ended, news) = (clock.clone(), ended.clone(), news.clone());
            Box::pin(async move {
                if let Some(news) = &news {
                    jobs::write_news(tx, &clock, hold, news).await?;
                }
                let now = jobs::now(tx, &clock).await?;
                jobs::end(tx, hold, now, &ended).await.map(drop)
            })
        })
        .await
}
