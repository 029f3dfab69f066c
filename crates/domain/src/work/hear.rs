//! Who hears of events: the subscribers, and the loop that gives them what happened.

use std::{sync::Arc, time::Duration};

use kit::Result;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{
    Context,
    events::{self, Subscriber},
    statistics,
};

/// Everybody who is given events.
const SUBSCRIBERS: &[Subscriber] = &[Subscriber {
    name: "activity",
    take: |tx, happened| Box::pin(statistics::count_events(tx, happened)),
}];

/// How often it is looked for events.
const ROUND: Duration = Duration::from_secs(1);

/// Gives events to their subscribers until it is told to stop, which it does between two rounds.
/// Each replica looks; each subscriber is given what there is by one of them at a time.
pub async fn hear(context: Arc<Context>, mut stopping: watch::Receiver<bool>) {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut subscribed, mut trouble) = (false, false);
    while !*stopping.borrow() {
        tokio::select! {
            _ = rounds.tick() => {}
            changed = stopping.changed() => if changed.is_err() { break } else { continue },
        }
        match round(&context, &mut subscribed).await {
            Ok(()) if trouble => {
                tracing::info!("events are told again");
                trouble = false;
            }
            Ok(()) => {}
            Err(error) if !trouble => {
                tracing::warn!(%error, cause = ?error.source, "events cannot be told");
                trouble = true;
            }
            Err(_) => {}
        }
    }
}

/// Gives what there is to everybody.
async fn round(context: &Context, subscribed: &mut bool) -> Result<()> {
    if !*subscribed {
        events::subscribe(&context.db, SUBSCRIBERS).await?;
        *subscribed = true;
    }
    events::write_pulls(context).await?;
    let (unordered, mut behind) = events::is_behind(&context.db).await?;
    if unordered {
        behind |= events::order(&context.db).await? > 0;
    }
    if !behind {
        return Ok(());
    }
    // One that fails does not keep the others waiting.
    let mut outcome = Ok(());
    for subscriber in SUBSCRIBERS {
        if let Err(error) = events::deliver(&context.db, *subscriber).await {
            outcome = Err(error);
        }
    }
    events::forget(&context.db).await?;
    outcome
}
