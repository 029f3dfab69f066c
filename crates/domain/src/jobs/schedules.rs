//! Schedules: what is begun again and again.
//!
//! A schedule knows the next moment at which it fires. Whoever finds it due moves that on and
//! writes the moment down as fired, in the transaction in which it begins the work; so it
//! fires once. Moments that passed while nobody was there are made up for once, not one by one.
//! A clock that is set back finds the next moment where it was: nothing fires again, and
//! what is due then fires.

use db::{Change, Db, Row, Tx, args};
use kit::{Clock, Error, Page, Result, Time};

use super::{Attributes, Cron, Kind, TOPIC, attributes, queues, sql, text_of};
use crate::{
    Context,
    listing::{Listing, limit, offset},
    rights::{Action, Allowed, Resource, Right, System},
};

/// How many schedules that are due are looked at together.
const AT_ONCE: i64 = 100;

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its number.
    pub id: i64,
    /// What kind of work it begins.
    pub kind: Kind,
    /// Whose work it is: a policy, or -1.
    pub vendor_id: i64,
    /// How whoever made it calls it: Hourly, Daily, Weekly or Custom.
    pub cron_type: String,
    /// When it fires, six fields.
    pub cron: String,
    /// What is to be done.
    pub parameters: Attributes,
    /// When it fires next.
    pub next_at: Time,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// When something is to be done, as clients say it.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// At once, and once.
    Now,
    /// Not by itself any more.
    Never,
    /// Again and again, by the name that the client has for it.
    At(String, Cron),
}

impl When {
    /// Reads the type of a schedule and its cron string, in Harbor's words.
    ///
    /// # Errors
    /// Unprocessable for another type; Invalid for what is no cron string, or never fires.
    pub fn read(name: &str, cron: &str) -> Result<Self> {
        match name {
            "Manual" => Ok(Self::Now),
            "None" => Ok(Self::Never),
            "Hourly" | "Daily" | "Weekly" | "Custom" | "Schedule" => {
                Ok(Self::At(name.to_owned(), Cron::parse(cron)?))
            }
            _ => Err(Error::new(
                kit::Kind::Unprocessable,
                "schedule.type in body should be one of [Hourly Daily Weekly Custom Manual None \
                 Schedule]",
            )),
        }
    }
}

/// Sets the schedule of a vendor, in place of another it may have, and gives its number.
///
/// # Errors
/// Invalid when it never fires; those of the database.
pub(crate) async fn set(
    tx: &mut Tx,
    clock: &Clock,
    (kind, vendor_id): (Kind, i64),
    (cron_type, cron): (&str, &Cron),
    parameters: &Attributes,
) -> Result<i64> {
    let now = super::now(tx, clock).await?;
    let next = cron.after(now).ok_or_else(|| Error::invalid("the cron string never fires"))?;
    let parameters = text_of(parameters)?;
    let arguments = args![kind.name(), vendor_id, cron_type, cron.as_str(), parameters, next, now];
    let row = tx.one(sql::SET_SCHEDULE, arguments).await?;
    tx.announce(Change::new(TOPIC, ""));
    row.ok_or_else(|| Error::internal("a schedule without a number"))?.get(0)
}

/// The schedule of a vendor.
///
/// # Errors
/// Those of the database.
pub(crate) async fn get(db: &Db, kind: Kind, vendor_id: i64) -> Result<Option<Schedule>> {
    let row = db.one(sql::SCHEDULE_OF, args![kind.name(), vendor_id]).await?;
    row.as_ref().map(read).transpose()
}

/// Removes the schedule of a vendor. Whether there was one.
///
/// # Errors
/// Those of the database.
pub(crate) async fn remove(tx: &mut Tx, kind: Kind, vendor_id: i64) -> Result<bool> {
    Ok(tx.execute(sql::REMOVE_SCHEDULE, args![kind.name(), vendor_id]).await? > 0)
}

/// All schedules, by number.
///
/// # Errors
/// Those of the database.
pub async fn list(
    context: &Context,
    allowed: &Allowed<System>,
    page: Page,
) -> Result<Listing<Schedule>> {
    allowed.require(Right::new(Resource::JobserviceMonitor, Action::List))?;
    let rows = context.db.all(sql::SCHEDULES, args![limit(page), offset(page)]).await?;
    let total = context.db.one(sql::COUNT_SCHEDULES, args![]).await?;
    let items = rows.iter().map(read).collect::<Result<_>>()?;
    Ok(Listing { items, total: total.map_or(Ok(0), |row| row.get(0))? })
}

/// The schedules that are due, unless all are paused.
///
/// # Errors
/// Those of the database.
pub(crate) async fn due(db: &Db, now: Time) -> Result<Vec<Schedule>> {
    let rows = db.all(sql::DUE_SCHEDULES, args![now, AT_ONCE]).await?;
    if rows.is_empty() || queues::are_schedules_paused(db).await? {
        return Ok(Vec::new());
    }
    // A kind that only a newer replica knows is left to it.
    Ok(rows.iter().filter_map(|row| read(row).ok()).collect())
}

/// Takes a firing: true if it is the caller's to begin what is due, in the same transaction.
///
/// # Errors
/// Those of the database.
pub(crate) async fn fire(tx: &mut Tx, clock: &Clock, due: &Schedule) -> Result<bool> {
    let now = super::now(tx, clock).await?;
    let Some(row) = tx.one(sql::LOCK_SCHEDULE, args![due.id]).await? else { return Ok(false) };
    let (next_at, cron): (Time, String) = (row.get(0)?, row.get(1)?);
    if next_at > now || next_at != due.next_at {
        return Ok(false);
    }
    let next = Cron::parse(&cron)?.after(now).ok_or_else(|| Error::internal("no next firing"))?;
    tx.execute(sql::SET_NEXT, args![due.id, next]).await?;
    Ok(tx.execute(sql::ADD_FIRING, args![due.id, next_at]).await? > 0)
}

/// Reads the columns of [`sql::SCHEDULE_OF`].
fn read(row: &Row) -> Result<Schedule> {
    Ok(Schedule {
        id: row.get(0)?,
        kind: Kind::read(&row.get::<String>(1)?)?,
        vendor_id: row.get(2)?,
        cron_type: row.get(3)?,
        cron: row.get(4)?,
        parameters: attributes(&row.get::<String>(5)?)?,
        next_at: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}
