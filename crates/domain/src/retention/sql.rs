//! Statements on `retention_policies`, `retention_runs` and `retention_findings`.

/// A policy. $1 id.
pub(super) const BY_ID: &str =
    "SELECT id, project_id, policy FROM retention_policies WHERE id = $1";

/// A policy, locked. $1 id.
pub(super) const LOCK: &str = "SELECT project_id FROM retention_policies WHERE id = $1 FOR UPDATE";

/// The policy of a project. $1 project.
pub(super) const OF_PROJECT: &str = "SELECT id FROM retention_policies WHERE project_id = $1";

/// The projects of some policies: policy, project's name.
pub(super) const PROJECTS_BEFORE: &str = "\
    SELECT r.id, p.name FROM retention_policies AS r JOIN projects AS p ON p.id = r.project_id \
    WHERE r.id IN (";
/// See [`PROJECTS_BEFORE`].
pub(super) const PROJECTS_AFTER: &str = ")";

/// A new policy, unless the project has one. $1 project, $2 policy, $3 now.
pub(super) const INSERT: &str = "\
    INSERT INTO retention_policies (project_id, policy, created_at, updated_at) \
    VALUES ($1, $2, $3, $3) ON CONFLICT (project_id) DO NOTHING RETURNING id";

/// Changes a policy. $1 id, $2 policy, $3 now.
pub(super) const UPDATE: &str =
    "UPDATE retention_policies SET policy = $2, updated_at = $3 WHERE id = $1";

/// Removes a policy. $1 id.
pub(super) const DELETE: &str = "DELETE FROM retention_policies WHERE id = $1";

/// Which policies out of a list are there.
pub(super) const THERE_BEFORE: &str = "SELECT id FROM retention_policies WHERE id IN (";
/// See [`THERE_BEFORE`].
pub(super) const THERE_AFTER: &str = ")";

/// The beginning of a run, unless it has begun. $1 execution, $2 the policy as it is.
pub(super) const BEGIN_RUN: &str = "\
    INSERT INTO retention_runs (execution_id, policy) VALUES ($1, $2) \
    ON CONFLICT (execution_id) DO NOTHING";

/// A run: the policy as it was, the repository after which tasks are to be added, and the one
/// that the first task does. $1 execution.
pub(super) const RUN: &str = "\
    SELECT policy, planned_after, first_repository FROM retention_runs WHERE execution_id = $1";

/// How far a run is planned. $1 execution, $2 repository, $3 what the first task does.
pub(super) const PLANNED: &str = "\
    UPDATE retention_runs SET planned_after = $2, first_repository = $3 WHERE execution_id = $1";

/// Removes what a task found, which is done again. $1 task.
pub(super) const FORGET_FINDINGS: &str = "DELETE FROM retention_findings WHERE task_id = $1";

/// What a task found.
pub(super) const ADD_FINDINGS_ROWS: &str = "\
    INSERT INTO retention_findings (task_id, outcome, block, artifacts, findings) VALUES ";

/// How many artifacts the tasks of a run found in each block. $1 execution.
pub(super) const BLOCKS: &str = "\
    SELECT f.outcome, f.task_id, f.block, f.artifacts \
    FROM tasks AS t JOIN retention_findings AS f ON f.task_id = t.id \
    WHERE t.execution_id = $1 ORDER BY f.outcome, f.task_id, f.block";

/// The same of one task. $1 execution, $2 task.
pub(super) const BLOCKS_OF_TASK: &str = "\
    SELECT f.outcome, f.task_id, f.block, f.artifacts \
    FROM tasks AS t JOIN retention_findings AS f ON f.task_id = t.id \
    WHERE t.execution_id = $1 AND t.id = $2 ORDER BY f.outcome, f.block";

/// What lies in the blocks of one outcome, from one to another, and what their tasks show of
/// themselves. $1 execution, $2 outcome, $3 first task, $4 its first block, $5 last task, $6 its
/// last block.
pub(super) const FINDINGS: &str = "\
    SELECT f.task_id, f.findings, t.extra_attrs \
    FROM tasks AS t JOIN retention_findings AS f ON f.task_id = t.id \
    WHERE t.execution_id = $1 AND f.outcome = $2 AND t.id >= $3 AND t.id <= $5 \
    AND (t.id > $3 OR f.block >= $4) AND (t.id < $5 OR f.block <= $6) \
    ORDER BY f.task_id, f.block";

/// How many artifacts runs decided about, by outcome.
pub(super) const OUTCOMES_BEFORE: &str = "\
    SELECT t.execution_id, f.outcome, CAST(SUM(f.artifacts) AS BIGINT) \
    FROM tasks AS t JOIN retention_findings AS f ON f.task_id = t.id WHERE t.execution_id IN (";
/// See [`OUTCOMES_BEFORE`].
pub(super) const OUTCOMES_AFTER: &str = ") GROUP BY t.execution_id, f.outcome";
