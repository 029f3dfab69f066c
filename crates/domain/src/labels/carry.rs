//! Labels on artifacts.

use std::collections::HashMap;

use db::{Args, Sql, Tx, args};
use kit::{Error, Result, Subject, Time};

use super::{Label, read_label, sql, unknown};
use crate::Context;

/// How many labels one artifact may carry, so that a page of artifacts has an end.
const MOST: i64 = 100;

/// The labels of an artifact, called `a`: what stands around a condition on `c.label_id`.
pub(crate) const CARRIED: (&str, &str) =
    ("EXISTS (SELECT 1 FROM artifact_labels AS c WHERE c.artifact_id = a.id AND ", ")");

/// The labels of artifacts by their numbers, each by name: one query for all.
///
/// # Errors
/// Those of the database.
pub async fn of(context: &Context, artifact_ids: &[i64]) -> Result<HashMap<i64, Vec<Label>>> {
    let mut found: HashMap<i64, Vec<Label>> = HashMap::new();
    if artifact_ids.is_empty() {
        return Ok(found);
    }
    let mut args = Args::new();
    args.extend(artifact_ids.iter().copied());
    let labels = Sql::list(sql::OF_BEFORE, artifact_ids.len(), sql::OF_AFTER);
    for row in context.db.all(labels, args).await? {
        found.entry(row.get(0)?).or_default().push(read_label(&row, 1)?);
    }
    Ok(found)
}

/// An artifact, which the caller has locked, carries a label from now on.
///
/// # Errors
/// NotFound for a label that is not there or another project's; Conflict when it carries it.
pub(crate) async fn attach(
    tx: &mut Tx,
    project_id: i64,
    artifact_id: i64,
    label_id: i64,
    now: Time,
) -> Result<Label> {
    let row = tx.one(sql::KEEP, args![label_id]).await?.ok_or_else(|| unknown(label_id))?;
    let label = read_label(&row, 0)?;
    if label.project_id.is_some_and(|own| own != project_id) {
        let message = format!("project id {project_id}, label {label_id} not found");
        return Err(Error::not_found(Subject::Request, message));
    }
    let carries = tx.one(sql::COUNT, args![artifact_id]).await?;
    let carries: i64 = carries.map_or(Ok(0), |row| row.get(0))?;
    if tx.execute(sql::ATTACH, args![artifact_id, label_id, now]).await? == 0 {
        return Err(Error::conflict(format!(
            "label {label_id} is already added to the artifact {artifact_id}"
        )));
    }
    if carries >= MOST {
        return Err(Error::invalid(format!("an artifact has at most {MOST} labels")));
    }
    Ok(label)
}

/// An artifact carries a label no more.
///
/// # Errors
/// NotFound when it did not.
pub(crate) async fn detach(tx: &mut Tx, artifact_id: i64, label_id: i64) -> Result<Label> {
    if tx.execute(sql::DETACH, args![artifact_id, label_id]).await? == 0 {
        return Err(Error::not_found(
            Subject::Request,
            format!("reference with label {label_id} and artifact {artifact_id} not found"),
        ));
    }
    let row = tx.one(sql::BY_ID, args![label_id]).await?.ok_or_else(|| unknown(label_id))?;
    read_label(&row, 0)
}
