//! A task while it is done: what it is to do, and what it tells of itself.

use std::{
    fmt::{Display, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use db::{Tx, args};
use kit::{Clock, Error, Kind as ErrorKind, Result, Time};
use parking_lot::Mutex;
use serde_json::Value;

use super::{Attributes, Kind, Taken, Trigger, attributes, end::Hold, log, sql, text_of};

/// How much one attempt may write into its log, in bytes. The rest is left out, and said so.
const LONGEST_LOG: usize = 4 * 1024 * 1024;

/// The longest text of what is being done just now, in bytes.
const LONGEST_CHECK_IN: usize = 1024;

/// A task that is being done. Clones are the same task.
#[derive(Clone, Debug)]
pub struct Running {
    taken: Arc<Taken>,
    clock: Clock,
    told: Arc<Told>,
}

/// What a task has told and what it is told, between two looks of the runner.
#[derive(Debug, Default)]
struct Told {
    lines: Mutex<Lines>,
    facts: Mutex<Facts>,
    order: AtomicU8,
    noticed: AtomicBool,
}

/// Lines of the log that are not written yet.
#[derive(Debug, Default)]
struct Lines {
    waiting: String,
    written: usize,
    is_full: bool,
}

/// What is to be shown.
#[derive(Clone, Debug, Default)]
struct Facts {
    task: Attributes,
    execution: Attributes,
    check_in: Option<String>,
}

/// What the runner wants of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Order {
    /// To go on.
    GoOn = 0,
    /// To stop, for good.
    Stop = 1,
    /// To stop, for another replica to go on.
    GiveBack = 2,
}

/// What a task has told and what is not written yet.
#[derive(Clone, Debug)]
pub(crate) struct News {
    lines: String,
    facts: Facts,
}

impl Running {
    /// A task that was taken.
    pub(crate) fn new(taken: Taken, clock: Clock) -> Self {
        Self { taken: Arc::new(taken), clock, told: Arc::default() }
    }

    /// The number of the task.
    pub fn task_id(&self) -> i64 {
        self.taken.id
    }

    /// The number of its execution.
    pub fn execution_id(&self) -> i64 {
        self.taken.execution_id
    }

    /// What kind of work it is.
    pub fn kind(&self) -> Kind {
        self.taken.kind
    }

    /// Whose work it is: a policy, or -1.
    pub fn vendor_id(&self) -> i64 {
        self.taken.vendor_id
    }

    /// What began it.
    pub fn trigger(&self) -> Trigger {
        self.taken.trigger
    }

    /// What it is to do.
    pub fn parameters(&self) -> &Attributes {
        &self.taken.parameters
    }

    /// How often it was tried, from 1.
    pub fn attempt(&self) -> i64 {
        self.taken.attempt
    }

    /// Writes a line into its log.
    pub fn log(&self, text: impl Display) {
        self.line("INFO", text);
    }

    /// Writes a line into its log about something that went wrong, and does not matter much.
    pub fn warn(&self, text: impl Display) {
        self.line("WARNING", text);
    }

    /// Writes a line into its log about something that failed.
    pub fn error(&self, text: impl Display) {
        self.line("ERROR", text);
    }

    fn line(&self, level: &str, text: impl Display) {
        let moment = jiff::Timestamp::from_microsecond(self.clock.now().0).unwrap_or_default();
        self.told.lines.lock().add(&format!("{moment:.0} [{level}] "), text);
    }

    /// Writes text into its log as it is, such as a table of several lines.
    pub fn write(&self, text: impl Display) {
        self.told.lines.lock().add("", text);
    }

    /// Whether it is to stop. Who is told so and returns without an error has stopped; what
    /// was done until then stays.
    pub fn stops(&self) -> bool {
        let stops = self.order() != Order::GoOn;
        if stops {
            self.told.noticed.store(true, Ordering::SeqCst);
        }
        stops
    }

    /// What it is doing just now, for whoever looks.
    pub fn check_in(&self, text: impl Into<String>) {
        let mut text: String = text.into();
        text.truncate(text.floor_char_boundary(LONGEST_CHECK_IN));
        self.told.facts.lock().check_in = Some(text);
    }

    /// A fact to be shown of the task.
    pub fn set(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.told.facts.lock().task.insert(name.into(), value.into());
    }

    /// A fact to be shown of the whole execution.
    pub fn set_of_execution(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.told.facts.lock().execution.insert(name.into(), value.into());
    }

    /// In a transaction: makes sure that nobody else has taken the task since. Its row stays
    /// locked until the transaction ends, so what it writes is written once.
    ///
    /// # Errors
    /// Conflict when somebody has.
    pub async fn fence(&self, tx: &mut Tx) -> Result<()> {
        let hold = self.hold();
        match tx.one(sql::LOCK_TASK, args![hold.task_id, hold.epoch]).await? {
            Some(_) => Ok(()),
            None => Err(Error::new(ErrorKind::Conflict, "somebody else does this job now")),
        }
    }

    /// The task, and how often it was taken.
    pub(crate) fn hold(&self) -> Hold {
        let Taken { id, execution_id, epoch, .. } = *self.taken;
        Hold { task_id: id, execution_id, epoch }
    }

    /// Has it stop. An order to stop for good is not taken back.
    pub(crate) fn tell(&self, order: Order) {
        self.told.order.fetch_max(order as u8, Ordering::SeqCst);
    }

    /// What was ordered, if it was noticed.
    pub(crate) fn noticed(&self) -> Option<Order> {
        self.told.noticed.load(Ordering::SeqCst).then(|| self.order())
    }

    fn order(&self) -> Order {
        match self.told.order.load(Ordering::SeqCst) {
            0 => Order::GoOn,
            1 => Order::Stop,
            _ => Order::GiveBack,
        }
    }

    /// What it has told and what is not written yet, if there is anything.
    pub(crate) fn news(&self) -> Option<News> {
        let lines = self.told.lines.lock().waiting.clone();
        let facts = self.told.facts.lock().clone();
        let is_news = !lines.is_empty()
            || facts.check_in.is_some()
            || !facts.task.is_empty()
            || !facts.execution.is_empty();
        is_news.then_some(News { lines, facts })
    }

    /// That news were written, and need not be again. Facts that were told since remain.
    pub(crate) fn written(&self, news: &News) {
        self.told.lines.lock().written(news.lines.len());
        let mut facts = self.told.facts.lock();
        facts.task.retain(|name, value| news.facts.task.get(name) != Some(value));
        facts.execution.retain(|name, value| news.facts.execution.get(name) != Some(value));
        if facts.check_in == news.facts.check_in {
            facts.check_in = None;
        }
    }
}

impl Lines {
    fn add(&mut self, before: &str, text: impl Display) {
        if self.is_full {
            return;
        }
        let start = self.waiting.len();
        // Writing into a text cannot fail.
        let _ = writeln!(self.waiting, "{before}{text}");
        if self.written + self.waiting.len() > LONGEST_LOG {
            self.waiting.truncate(start);
            self.waiting.push_str("the log is full: what follows is left out\n");
            self.is_full = true;
        }
        if self.waiting[start..].contains('\0') {
            let clean = self.waiting[start..].replace('\0', "\u{fffd}");
            self.waiting.replace_range(start.., &clean);
        }
    }

    fn written(&mut self, bytes: usize) {
        self.waiting.drain(..bytes);
        self.written += bytes;
    }
}

impl News {
    /// Writes the news of a task whose row is locked.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn write(&self, tx: &mut Tx, hold: Hold, now: Time) -> Result<()> {
        log::append(tx, hold.task_id, &self.lines).await?;
        if let Some(text) = &self.facts.check_in {
            tx.execute(sql::CHECK_IN, args![hold.task_id, text, now]).await?;
        }
        let both = [
            (&self.facts.task, hold.task_id, sql::ATTRIBUTES_OF_TASK, sql::SET_ATTRIBUTES_OF_TASK),
            (
                &self.facts.execution,
                hold.execution_id,
                sql::ATTRIBUTES_OF_EXECUTION,
                sql::SET_ATTRIBUTES_OF_EXECUTION,
            ),
        ];
        for (facts, id, read, set) in both {
            if facts.is_empty() {
                continue;
            }
            let Some(row) = tx.one(read, args![id]).await? else { continue };
            let mut all = attributes(&row.get::<String>(0)?)?;
            all.extend(facts.clone());
            tx.execute(set, args![id, text_of(&all)?, now]).await?;
        }
        Ok(())
    }
}

/// Writes the news of a running task. False when somebody else has taken the task since.
///
/// # Errors
/// Those of the database; what was not written is written the next time.
pub(crate) async fn write_news(
    tx: &mut Tx,
    clock: &Clock,
    hold: Hold,
    news: &News,
) -> Result<bool> {
    let now = super::now(tx, clock).await?;
    tx.one(sql::LOCK_EXECUTION, args![hold.execution_id]).await?;
    if tx.one(sql::LOCK_TASK, args![hold.task_id, hold.epoch]).await?.is_none() {
        return Ok(false);
    }
    news.write(tx, hold, now).await?;
    Ok(true)
}
