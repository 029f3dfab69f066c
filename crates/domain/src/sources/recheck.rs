//! Whether accounts are still there: what somebody holds here who signed in by a provider
//! (secrets for docker, sessions) lives until it is revoked, or until the provider says that
//! the account is gone. It is asked in the background; nobody waits for it.

use std::time::Duration;

use db::args;
use identity::Failure;
use kit::{Result, Secret, Time};

use super::{
    enter::{self, Newcomer},
    open,
    password::within,
    provider::{client, provider},
    sql,
};
use crate::Context;

/// How long an account is believed to be there without asking.
const BELIEVED_FOR: Duration = Duration::from_secs(3600);

/// How many accounts are asked about in one round.
const MOST_AT_ONCE: i64 = 20;

/// An account that is to be asked about.
struct Due {
    source_id: i64,
    subject: String,
    user_id: i64,
    refresh_token: String,
    checked_at: Time,
}

/// Asks about the accounts that nobody asked about for an hour, some of them at a time.
///
/// # Errors
/// Those of the database; what was not asked is asked the next time.
pub async fn keep(context: &Context) -> Result<()> {
    let before = context.clock.now().before(BELIEVED_FOR);
    let rows = context.db.all(sql::TO_CHECK, args![before, MOST_AT_ONCE]).await?;
    for row in rows {
        let due = Due {
            source_id: row.get(0)?,
            subject: row.get(1)?,
            user_id: row.get(2)?,
            refresh_token: row.get(3)?,
            checked_at: row.get(4)?,
        };
        check(context, due).await?;
    }
    Ok(())
}

async fn check(context: &Context, due: Due) -> Result<()> {
    let Some(now) = claim(context, &due).await? else { return Ok(()) };
    let Ok((source, oidc)) = provider(context, Some(due.source_id)).await else { return Ok(()) };
    let token = open(context, &due.refresh_token, &enter::refresh_token_of(due.user_id))?;
    let client = client(context, &source, &oidc, String::new())?;
    let (_, subject) = due.subject.split_once(' ').unwrap_or_default();
    match within(context, &source, client.refresh(&token, subject)).await {
        Ok(tokens) => {
            let newer = tokens.refresh_token.clone().unwrap_or(token);
            keep_token(context, &due, now, Some(&newer)).await?;
            let Some(claims) = tokens.claims.as_ref() else { return Ok(()) };
            match oidc.names().person(claims) {
                Ok(person) => {
                    enter::refresh(context, due.user_id, Newcomer::of_provider(person)).await
                }
                Err(_) => Ok(()),
            }
        }
        Err(Failure::NotTaken) => {
            keep_token(context, &due, now, None).await?;
            enter::is_gone(context, &source, due.user_id).await
        }
        Err(failure) => {
            tracing::info!(source = source.name, %failure, "an account was not asked about");
            Ok(())
        }
    }
}

/// Takes on a check, unless another replica did; gives the time under which it was.
async fn claim(context: &Context, due: &Due) -> Result<Option<Time>> {
    let now = context.clock.now();
    let args = args![due.source_id, &due.subject, due.checked_at, now];
    let claimed = context
        .db
        .write(move |tx| {
            let args = args.clone();
            Box::pin(async move { tx.execute(sql::CLAIM, args).await })
        })
        .await?;
    Ok((claimed == 1).then_some(now))
}

async fn keep_token(
    context: &Context,
    due: &Due,
    claimed_at: Time,
    token: Option<&Secret>,
) -> Result<()> {
    let purpose = enter::refresh_token_of(due.user_id);
    let sealed = token.map(|token| context.seal.seal(token.reveal().as_bytes(), &purpose));
    let args = args![due.source_id, &due.subject, claimed_at, sealed];
    context
        .db
        .write(move |tx| {
            let args = args.clone();
            Box::pin(async move { tx.execute(sql::SET_REFRESH, args).await.map(drop) })
        })
        .await
}
