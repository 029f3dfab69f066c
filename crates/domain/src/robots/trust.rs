//! Workload identity: tokens of an issuer that stand for a robot, so that a job of a CI
//! system or a cluster needs no stored secret.
//!
//! A trust names the issuer, the audience that a token must be for, and what its claims
//! must be: each claim by a pattern. Who verified the token's signature and times asks
//! [`trusted`] for whom it stands.

use std::{collections::BTreeMap, sync::Arc};

use db::{Row, args};
use kit::{Error, Kind, Pattern, Result, Time};
use serde_json::{Map, Value};

use super::{AllowedLevel, Held, Robot, change, find, list::known, sql};
use crate::{Context, audit::Event, rights::Action};

/// The longest issuer, audience, and name or pattern of a claim, in bytes.
const LONGEST: usize = 512;

/// How many claims a trust names, how many trusts a robot has, and how many trusts of one
/// issuer are looked at.
const MOST_CLAIMS: usize = 32;
const MOST_TRUSTS: i64 = 32;
const MOST_OF_ISSUER: i64 = 10_000;

/// Whose tokens stand for a robot.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Its number.
    pub id: i64,
    /// The robot's number.
    pub robot_id: i64,
    /// Who issues the tokens, as they name it.
    pub issuer: String,
    /// Whom the tokens must be for.
    pub audience: String,
    /// What the claims of a token must match, by their names. All must.
    pub claims: BTreeMap<String, Pattern>,
    /// When it was made.
    pub created_at: Time,
}

/// A trust to be made.
#[derive(Clone, Debug, Default)]
pub struct NewTrust {
    /// Who issues the tokens: an HTTPS URL without query.
    pub issuer: String,
    /// Whom the tokens must be for.
    pub audience: String,
    /// What the claims of a token must match. At least one: an issuer serves many.
    pub claims: BTreeMap<String, String>,
}

impl NewTrust {
    fn check(&self) -> Result<()> {
        let is_text = |text: &str| {
            !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
        };
        let host = self.issuer.strip_prefix("https://").unwrap_or_default();
        if !is_text(&self.issuer)
            || host.is_empty()
            || host.starts_with('/')
            || host.contains(['?', '#', '@', '\\', ' '])
        {
            return Err(Error::invalid("issuer must be an https URL without query and user"));
        }
        if !is_text(&self.audience) {
            return Err(Error::invalid(format!("audience must have 1 to {LONGEST} characters")));
        }
        if self.claims.is_empty() || self.claims.len() > MOST_CLAIMS {
            return Err(Error::invalid(format!("claims must have 1 to {MOST_CLAIMS} entries")));
        }
        if !self.claims.iter().all(|(name, pattern)| is_text(name) && is_text(pattern)) {
            let message =
                format!("names and patterns of claims must have 1 to {LONGEST} characters");
            return Err(Error::invalid(message));
        }
        self.claims.values().try_for_each(|pattern| pattern.parse::<Pattern>().map(drop))
    }
}

impl Trust {
    /// Whether the claims of a token, whose issuer and audience are right, are so as well.
    fn holds(&self, claims: &Map<String, Value>) -> bool {
        self.claims.iter().all(|(name, pattern)| match claims.get(name) {
            Some(Value::String(text)) => pattern.matches(text),
            Some(Value::Bool(flag)) => pattern.matches(&flag.to_string()),
            Some(Value::Number(number)) => pattern.matches(&number.to_string()),
            Some(Value::Array(items)) => {
                items.iter().any(|item| item.as_str().is_some_and(|item| pattern.matches(item)))
            }
            Some(Value::Null | Value::Object(_)) | None => false,
        })
    }
}

/// Whose tokens stand for a robot.
///
/// # Errors
/// NotFound when there is no such robot.
pub async fn trusts(context: &Context, allowed: &AllowedLevel, id: i64) -> Result<Vec<Trust>> {
    allowed.require(Action::Read)?;
    known(context, allowed, id).await?;
    let rows = context.db.all(sql::TRUSTS, args![id]).await?;
    rows.iter().map(read_trust).collect()
}

/// Lets tokens stand for a robot, and gives the number of the trust.
///
/// # Errors
/// Invalid when a part of it is not well formed or the robot has too many; NotFound when
/// there is no such robot.
pub async fn add_trust(context: &Context, held: &Held, new: NewTrust) -> Result<i64> {
    new.check()?;
    let robot_id = held.robot.id;
    let claims = serde_json::to_string(&new.claims).map_err(Error::internal)?;
    let told = (Event::UpdateRobot, format!("trusts {}", new.issuer));
    let row = args![robot_id, new.issuer, new.audience, claims, context.clock.now()];
    change::in_lock(context, &held.allowed, robot_id, told, move |tx, _, _| {
        let row = row.clone();
        Box::pin(async move {
            let count = tx.one(sql::COUNT_TRUSTS, args![robot_id]).await?;
            if count.map_or(Ok(0), |row| row.get::<i64>(0))? >= MOST_TRUSTS {
                let message = format!("a robot trusts at most {MOST_TRUSTS} issuers");
                return Err(Error::invalid(message));
            }
            let made = tx.one(sql::INSERT_TRUST, row).await?;
            made.ok_or_else(|| Error::internal("a new trust has no id"))?.get(0)
        })
    })
    .await
}

/// Ends a trust. Its tokens stand for nobody from the next request on.
///
/// # Errors
/// NotFound when the robot has no such trust.
pub async fn remove_trust(
    context: &Context,
    allowed: &AllowedLevel,
    robot_id: i64,
    id: i64,
) -> Result<()> {
    allowed.require(Action::Update)?;
    let told = (Event::UpdateRobot, format!("ends trust {id}"));
    change::in_lock(context, allowed, robot_id, told, move |tx, _, _| {
        Box::pin(async move {
            if tx.execute(sql::DELETE_TRUST, args![robot_id, id]).await? == 0 {
                return Err(Error::new(Kind::NotFound, format!("trust {id} not found")));
            }
            Ok(())
        })
    })
    .await
}

/// All that is trusted of an issuer, for whoever is to verify one of its tokens.
///
/// # Errors
/// None but the database's.
pub async fn trusts_of(context: &Context, issuer: &str) -> Result<Vec<Trust>> {
    if issuer.len() > LONGEST || issuer.contains('\0') {
        return Ok(Vec::new());
    }
    let rows = context.db.all(sql::TRUSTS_OF_ISSUER, args![issuer, MOST_OF_ISSUER]).await?;
    rows.iter().map(read_trust).collect()
}

/// The robot that a verified token stands for: the one that is named, or the only one, of
/// those that trust the token's issuer for one of its audiences and whose rules its claims
/// keep.
///
/// # Errors
/// Unauthenticated when there is none, or several, or it is disabled or expired.
pub async fn trusted(
    context: &Context,
    trusts: &[Trust],
    audiences: &[String],
    claims: &Map<String, Value>,
    name: Option<&str>,
) -> Result<Arc<Robot>> {
    let refused = |message: &'static str| Error::new(Kind::Unauthenticated, message);
    let mut found: Option<Arc<Robot>> = None;
    let holding =
        trusts.iter().filter(|trust| audiences.contains(&trust.audience) && trust.holds(claims));
    for trust in holding {
        let Some(robot) = find(context, trust.robot_id).await? else { continue };
        if name.is_some_and(|name| *name != *robot.name) || !robot.is_live(context.clock.now()) {
            continue;
        }
        if found.as_ref().is_some_and(|found| found.id != robot.id) {
            return Err(refused("the token stands for several robots: name one"));
        }
        found = Some(robot);
    }
    found.ok_or_else(|| refused("the token stands for no robot"))
}

/// Reads the columns of [`sql::TRUSTS`].
fn read_trust(row: &Row) -> Result<Trust> {
    let claims: BTreeMap<String, String> =
        serde_json::from_str(&row.get::<String>(4)?).map_err(Error::internal)?;
    let parse = |(name, pattern): (String, String)| Ok((name, pattern.parse()?));
    Ok(Trust {
        id: row.get(0)?,
        robot_id: row.get(1)?,
        issuer: row.get(2)?,
        audience: row.get(3)?,
        claims: claims.into_iter().map(parse).collect::<Result<_>>()?,
        created_at: row.get(5)?,
    })
}
