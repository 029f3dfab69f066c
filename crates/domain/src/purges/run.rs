//! Doing a purge.

use kit::Result;

use super::{Plan, right};
use crate::{
    Context,
    access::{self, Caller},
    audit,
    jobs::Running,
    rights::Action,
};

/// Does a purge; it stops between two blocks.
///
/// # Errors
/// Invalid when it was begun with what is no plan; those of the database.
pub(crate) async fn run(context: &Context, running: &Running) -> Result<()> {
    running.log("Purge audit job start");
    let plan = Plan::read(running.parameters())?;
    let (name, events) = plan.named();
    running.log(format!(
        "Purge operation parameter, retention_hour:{}, {name}:{events}, dry_run:{}",
        plan.hours, plan.dry_run
    ));
    let Some(old) = plan.old(context.clock.now()) else {
        running.log("nothing is selected, quit purge job");
        return Ok(());
    };
    let allowed = access::on_system(context, &Caller::system(), right(Action::Create)).await?;
    if plan.dry_run {
        let count = audit::count_old(context, &allowed, &old).await?;
        running.log(format!("[DRYRUN]Purged {count} rows of audit logs"));
        return Ok(());
    }
    let mut told = 0;
    let count = audit::purge(context, &allowed, &old, |count| {
        if count > told {
            running.check_in(format!("purged {count} rows"));
            told = count;
        }
        !running.stops()
    });
    let count = count.await?;
    running.log(format!("Purged {count} rows of audit logs"));
    if running.stops() {
        running.log("received the stop signal, stop the purge job");
    }
    Ok(())
}
