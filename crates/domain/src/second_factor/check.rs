//! Checking a code.

use std::time::Duration;

use db::{Tx, args};
use kit::{Error, Kind, Result, Seal, Subject, Time};

use super::{
    recovery, sealed_as, sql,
    totp::{Totp, is_code},
};
use crate::{Context, users::User};

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 64;

/// How many codes may be wrong before the next one waits, and how long at least and at most:
/// of a million codes three are right at a time.
const FREE: u32 = 5;
const SHORTEST_DELAY: Duration = Duration::from_secs(30);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was right, and is used now.
    Right,
    /// It was wrong, or had been used.
    Wrong,
    /// It was not looked at: there were too many wrong ones.
    Waits(Duration),
}

/// Whether a code of a user's phone, or a recovery code, is right. It is used by this.
///
/// # Errors
/// Unauthenticated about the second factor when it is wrong or was used, and when none was
/// given; TooMany after many wrong ones.
pub(crate) async fn check(context: &Context, user: &User, code: Option<&str>) -> Result<()> {
    let refused =
        |message| Err(Error::new(Kind::Unauthenticated, message).about(Subject::SecondFactor));
    match code {
        None | Some("") => refused("a code of the second factor is needed"),
        Some(code) => match used(context, user, code).await? {
            Outcome::Right => Ok(()),
            Outcome::Wrong => refused("the code of the second factor is wrong or was used already"),
            Outcome::Waits(delay) => Err(too_many(delay)),
        },
    }
}

/// As [`check`], for a user that is signed in.
///
/// # Errors
/// Forbidden in place of Unauthenticated.
pub(super) async fn demand(context: &Context, user: &User, code: &str) -> Result<()> {
    match used(context, user, code).await? {
        Outcome::Right => Ok(()),
        Outcome::Waits(delay) => Err(too_many(delay)),
        Outcome::Wrong => {
            let message = "the code of the second factor is wrong or was used already";
            Err(Error::new(Kind::Forbidden, message).about(Subject::SecondFactor))
        }
    }
}

fn too_many(delay: Duration) -> Error {
    let mut error = Error::new(Kind::TooMany, "too many wrong codes, try again later");
    error.retry_after = Some(delay);
    error
}

async fn used(context: &Context, user: &User, code: &str) -> Result<Outcome> {
    if code.len() > LONGEST {
        return Ok(Outcome::Wrong);
    }
    let (id, now, seal, code) =
        (user.id, context.clock.now(), context.seal.clone(), code.trim().to_owned());
    context
        .db
        .write(move |tx| {
            let (seal, code) = (seal.clone(), code.clone());
            Box::pin(async move { use_up(tx, &seal, id, &code, now).await })
        })
        .await
}

/// Uses a code up, with the user's row locked: of two that come at once, one is right.
async fn use_up(tx: &mut Tx, seal: &Seal, id: i64, code: &str, now: Time) -> Result<Outcome> {
    let Some(row) = tx.one(sql::LOCK, args![id]).await? else { return Ok(Outcome::Wrong) };
    let (sealed, last_step): (String, i64) = (row.get(0)?, row.get(1)?);
    let (wrong, refused_until): (i64, Time) = (row.get(2)?, row.get(3)?);
    if !is_code(code) {
        // Nobody guesses a recovery code, so it need not wait.
        let used = tx.execute(sql::USE_CODE, args![id, recovery::hash_typed(code)]).await?;
        return Ok(if used > 0 { Outcome::Right } else { Outcome::Wrong });
    }
    if now < refused_until {
        let left = u64::try_from(refused_until.0 - now.0).unwrap_or_default();
        return Ok(Outcome::Waits(Duration::from_micros(left)));
    }
    let totp = Totp::of(&seal.open(&sealed, &sealed_as(id))?);
    if let Some(step) = totp.step_of(code, now).filter(|step| *step > last_step) {
        tx.execute(sql::RIGHT, args![id, step]).await?;
        return Ok(Outcome::Right);
    }
    let wrong = wrong.saturating_add(1);
    let until = now.after(delay(u32::try_from(wrong).unwrap_or(u32::MAX)));
    tx.execute(sql::WRONG, args![id, wrong, until]).await?;
    Ok(Outcome::Wrong)
}

/// How long the next code waits after so many wrong ones.
fn delay(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => SHORTEST_DELAY
            .saturating_mul(1u32.checked_shl(more).unwrap_or(u32::MAX))
            .min(LONGEST_DELAY),
    }
}
