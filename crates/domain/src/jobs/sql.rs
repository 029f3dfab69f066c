//! Statements on `executions`, `tasks`, `task_logs`, `replicas`, `queues`, `schedules` and
//! `firings`.

/// A new execution. $1 kind, $2 vendor, $3 state, $4 what begins it, $5 what is shown, $6 now.
pub(super) const BEGIN: &str = "INSERT INTO executions (vendor_type, vendor_id, status, \
    status_message, begun_by, extra_attrs, started_at, updated_at) \
    VALUES ($1, $2, $3, '', $4, $5, $6, $6) RETURNING id";

/// A new task, unless another like it waits or runs. $1 execution, $2 kind, $3 what to do,
/// $4 what is shown, $5 priority, $6 when it may run, $7 how often it is tried, $8 what makes
/// it like another, $9 now.
pub(super) const ADD_TASK: &str = "INSERT INTO tasks (execution_id, kind, status, \
    status_message, parameters, extra_attrs, priority, run_at, attempts, runs, epoch, \
    stop_asked, dedupe, check_in, created_at, updated_at) \
    VALUES ($1, $2, 'Pending', '', $3, $4, $5, $6, $7, 0, 0, FALSE, $8, '', $9, $9) \
    ON CONFLICT DO NOTHING RETURNING id";

/// An execution, locked. $1 execution.
pub(super) const LOCK_EXECUTION: &str =
    "SELECT vendor_type, status FROM executions WHERE id = $1 FOR UPDATE";

/// A task that is still who took it's, locked. $1 task, $2 epoch.
pub(super) const LOCK_TASK: &str = "SELECT runs, attempts, stop_asked FROM tasks \
    WHERE id = $1 AND epoch = $2 AND status = 'Running' FOR UPDATE";

/// An execution has ended. $1 execution, $2 state, $3 message, $4 now.
pub(super) const ENDED: &str = "UPDATE executions SET status = $2, status_message = $3, \
    ended_at = $4, updated_at = $4 WHERE id = $1";

/// Whether a task of an execution has not ended. $1 execution.
pub(super) const ANY_OPEN: &str = "SELECT id FROM tasks \
    WHERE execution_id = $1 AND status IN ('Pending', 'Running') LIMIT 1";

/// What came of the tasks of an execution. $1 execution.
pub(super) const OUTCOMES: &str = "SELECT DISTINCT status FROM tasks WHERE execution_id = $1";

/// Why the first of the tasks of an execution that failed did. $1 execution.
pub(super) const FAILURE: &str = "SELECT status_message FROM tasks \
    WHERE execution_id = $1 AND status = 'Error' ORDER BY id LIMIT 1";

/// Whether a vendor has an execution that has not ended. $1 kind, $2 vendor.
pub(super) const ANY_OPEN_OF_VENDOR: &str = "SELECT id FROM executions \
    WHERE vendor_type = $1 AND vendor_id = $2 AND status = 'Running' LIMIT 1";

/// The executions of a vendor that have not ended. $1 kind, $2 vendor.
pub(super) const OPEN_OF_VENDOR: &str = "SELECT id FROM executions \
    WHERE vendor_type = $1 AND vendor_id = $2 AND status = 'Running' ORDER BY id";

/// Whether a task is due. $1 now, $2 beyond which moment none can wait.
pub(super) const ANY_DUE: &str = "SELECT id FROM tasks \
    WHERE status = 'Pending' AND (run_at <= $1 OR run_at > $2) LIMIT 1";

/// Whether a task of a kind is due. $1 kind, $2 now, $3 beyond which moment none can wait.
pub(super) const ANY_DUE_OF_KIND: &str = "SELECT id FROM tasks \
    WHERE kind = $1 AND status = 'Pending' AND (run_at <= $2 OR run_at > $3) LIMIT 1";

/// Tasks of a kind that are due. $1 kind, $2 now, $3 beyond which moment none can wait, $4 how
/// many.
pub(super) const DUE: &str = "SELECT id FROM tasks \
    WHERE kind = $1 AND status = 'Pending' AND (run_at <= $2 OR run_at > $3) \
    ORDER BY priority DESC, run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED";

/// Tasks are taken. $1 replica, $2 now, then the tasks.
pub(super) const TAKE_BEFORE: &str = "UPDATE tasks SET status = 'Running', replica_id = $1, \
    epoch = epoch + 1, runs = runs + 1, check_in = '', checked_in_at = NULL, \
    started_at = COALESCE(started_at, $2), updated_at = $2 WHERE id IN (";
/// See [`TAKE_BEFORE`].
pub(super) const TAKE_AFTER: &str = ")";

/// Tasks as who takes them needs them.
pub(super) const TAKEN_BEFORE: &str = "SELECT t.id, t.epoch, t.kind, t.execution_id, \
    e.vendor_id, e.begun_by, t.parameters, t.runs, t.run_at FROM tasks AS t \
    JOIN executions AS e ON e.id = t.execution_id WHERE t.id IN (";
/// See [`TAKEN_BEFORE`].
pub(super) const TAKEN_AFTER: &str = ") ORDER BY t.priority DESC, t.run_at, t.id";

/// A task waits again. $1 task, $2 message, $3 when it may run, $4 how often it ran, $5 now.
pub(super) const WAIT_AGAIN: &str = "UPDATE tasks SET status = 'Pending', status_message = $2, \
    run_at = $3, runs = $4, epoch = epoch + 1, replica_id = NULL, updated_at = $5 WHERE id = $1";

/// A task has ended. $1 task, $2 state, $3 message, $4 now.
pub(super) const END_TASK: &str = "UPDATE tasks SET status = $2, status_message = $3, \
    epoch = epoch + 1, replica_id = NULL, ended_at = $4, updated_at = $4 WHERE id = $1";

/// What waits of an execution is stopped. $1 execution, $2 now.
pub(super) const STOP_WAITING_OF_EXECUTION: &str = "UPDATE tasks SET status = 'Stopped', \
    ended_at = $2, updated_at = $2 WHERE execution_id = $1 AND status = 'Pending'";

/// A task that waits is stopped. $1 task, $2 now.
pub(super) const STOP_WAITING_TASK: &str = "UPDATE tasks SET status = 'Stopped', \
    ended_at = $2, updated_at = $2 WHERE id = $1 AND status = 'Pending'";

/// What runs of an execution is to stop. $1 execution.
pub(super) const ASK_TO_STOP: &str = "UPDATE tasks SET stop_asked = TRUE \
    WHERE execution_id = $1 AND status = 'Running'";

/// A task that runs is to stop. $1 task.
pub(super) const ASK_TASK_TO_STOP: &str =
    "UPDATE tasks SET stop_asked = TRUE WHERE id = $1 AND status = 'Running'";

/// The execution of a task. $1 task.
pub(super) const EXECUTION_OF: &str = "SELECT execution_id FROM tasks WHERE id = $1";

/// What a task does just now. $1 task, $2 text, $3 now.
pub(super) const CHECK_IN: &str =
    "UPDATE tasks SET check_in = $2, checked_in_at = $3, updated_at = $3 WHERE id = $1";

/// What is shown of a task. $1 task.
pub(super) const ATTRIBUTES_OF_TASK: &str = "SELECT extra_attrs FROM tasks WHERE id = $1";

/// Sets what is shown of a task. $1 task, $2 all of it, $3 now.
pub(super) const SET_ATTRIBUTES_OF_TASK: &str =
    "UPDATE tasks SET extra_attrs = $2, updated_at = $3 WHERE id = $1";

/// What is shown of an execution. $1 execution.
pub(super) const ATTRIBUTES_OF_EXECUTION: &str = "SELECT extra_attrs FROM executions WHERE id = $1";

/// Sets what is shown of an execution. $1 execution, $2 all of it, $3 now.
pub(super) const SET_ATTRIBUTES_OF_EXECUTION: &str =
    "UPDATE executions SET extra_attrs = $2, updated_at = $3 WHERE id = $1";

/// The first task of an execution. $1 execution, $2 kind.
pub(super) const FIRST_TASK: &str =
    "SELECT id FROM tasks WHERE execution_id = $1 AND kind = $2 ORDER BY id LIMIT 1";

/// A further part of a log. $1 task, $2 text.
pub(super) const ADD_TO_LOG: &str = "INSERT INTO task_logs (task_id, part, content) \
    SELECT CAST($1 AS BIGINT), COALESCE(MAX(part), 0) + 1, CAST($2 AS TEXT) \
    FROM task_logs WHERE task_id = $1";

/// The last parts of a log, backwards. $1 task, $2 how many.
pub(super) const LOG: &str =
    "SELECT content FROM task_logs WHERE task_id = $1 ORDER BY part DESC LIMIT $2";

/// A replica is there. $1 its name, $2 machine, $3 process, $4 workers, $5 now, $6 until when
/// its lease is good.
pub(super) const ENTER: &str = "INSERT INTO replicas \
    (id, host, pid, workers, started_at, beat_at, lease_until) VALUES ($1, $2, $3, $4, $5, $5, $6)";

/// A lease is renewed. $1 replica, $2 now, $3 until when.
pub(super) const BEAT: &str = "UPDATE replicas SET beat_at = $2, lease_until = $3 WHERE id = $1";

/// A replica is gone. $1 replica.
pub(super) const LEAVE: &str = "DELETE FROM replicas WHERE id = $1";

/// A replica whose lease is as it was seen is gone. $1 replica, $2 the lease.
pub(super) const BURY: &str = "DELETE FROM replicas WHERE id = $1 AND lease_until = $2";

/// All leases.
pub(super) const LEASES: &str = "SELECT id, lease_until FROM replicas";

/// The tasks that a replica holds. $1 replica.
pub(super) const HELD: &str = "SELECT id, execution_id, epoch, stop_asked FROM tasks \
    WHERE status = 'Running' AND replica_id = $1";

/// Tasks whose replica is gone. $1 how many.
pub(super) const ORPHANS: &str = "SELECT t.id, t.execution_id, t.epoch FROM tasks AS t \
    WHERE t.status = 'Running' \
    AND NOT EXISTS (SELECT 1 FROM replicas AS r WHERE r.id = t.replica_id) \
    ORDER BY t.id LIMIT $1";

/// The replicas. $1 how many.
pub(super) const POOLS: &str = "SELECT id, host, pid, workers, started_at, beat_at \
    FROM replicas ORDER BY started_at, id LIMIT $1";

/// What replicas do. $1 one of them, or nothing for all, $2 how many.
pub(super) const DOING: &str = "\
    SELECT id, kind, started_at, check_in, checked_in_at, replica_id FROM tasks \
    WHERE status = 'Running' AND started_at IS NOT NULL AND replica_id IS NOT NULL \
    AND ($1 = '' OR replica_id = $1) ORDER BY replica_id, id LIMIT $2";

/// What runs. $1 how many.
pub(super) const RUNNING: &str =
    "SELECT id FROM tasks WHERE status = 'Running' ORDER BY id LIMIT $1";

/// How many tasks of which kind run on which replica.
pub(super) const RUNNING_BY_REPLICA: &str = "SELECT kind, COALESCE(replica_id, ''), COUNT(*) \
    FROM tasks WHERE status = 'Running' GROUP BY kind, replica_id ORDER BY kind, replica_id";

/// How many tasks of a kind run. $1 kind.
pub(super) const COUNT_RUNNING: &str =
    "SELECT COUNT(*) FROM tasks WHERE kind = $1 AND status = 'Running'";

/// The queue of a kind is there. $1 kind.
pub(super) const ADD_QUEUE: &str =
    "INSERT INTO queues (kind, paused) VALUES ($1, FALSE) ON CONFLICT (kind) DO NOTHING";

/// The queue of a kind, locked. $1 kind.
pub(super) const LOCK_QUEUE: &str = "SELECT paused FROM queues WHERE kind = $1 FOR UPDATE";

/// All queues that were ever used.
pub(super) const QUEUES: &str = "SELECT kind, paused FROM queues";

/// Whether a queue is paused. $1 kind.
pub(super) const IS_PAUSED: &str = "SELECT paused FROM queues WHERE kind = $1";

/// Pauses a queue, or ends the pause. $1 kind, $2 whether it is paused.
pub(super) const SET_PAUSED: &str = "INSERT INTO queues (kind, paused) VALUES ($1, $2) \
    ON CONFLICT (kind) DO UPDATE SET paused = excluded.paused";

/// How much waits in which queue, and since when the first of it could run. $1 now.
pub(super) const WAITING: &str = "SELECT kind, COUNT(*), MIN(CASE WHEN run_at < $1 THEN run_at \
    ELSE $1 END) FROM tasks WHERE status = 'Pending' GROUP BY kind";

/// What waits of a kind, by execution. $1 kind, $2 how many.
pub(super) const WAITING_OF_KIND: &str = "SELECT id, execution_id FROM tasks \
    WHERE kind = $1 AND status = 'Pending' ORDER BY execution_id, id LIMIT $2";

/// What is shown of executions.
pub(super) const EXECUTIONS_SHOWN: &str = "SELECT e.id, e.vendor_type, e.vendor_id, e.status, \
    e.status_message, e.begun_by, e.extra_attrs, e.started_at, e.ended_at, e.updated_at \
    FROM executions AS e WHERE e.id IN (";

/// The executions of a kind. $1 kind.
pub(super) const EXECUTIONS_FROM: &str = "FROM executions AS e WHERE e.vendor_type = $1";

/// The executions of a vendor. $1 kind, $2 vendor.
pub(super) const EXECUTIONS_OF_VENDOR_FROM: &str =
    "FROM executions AS e WHERE e.vendor_type = $1 AND e.vendor_id = $2";

/// An execution, with the columns of [`EXECUTIONS_SHOWN`]. $1 execution.
pub(super) const EXECUTION: &str = "SELECT e.id, e.vendor_type, e.vendor_id, e.status, \
    e.status_message, e.begun_by, e.extra_attrs, e.started_at, e.ended_at, e.updated_at \
    FROM executions AS e WHERE e.id = $1";

/// How many tasks of which executions are in which state.
pub(super) const METRICS_BEFORE: &str =
    "SELECT execution_id, status, COUNT(*) FROM tasks WHERE execution_id IN (";
/// See [`METRICS_BEFORE`].
pub(super) const METRICS_AFTER: &str = ") GROUP BY execution_id, status";

/// What is shown of tasks.
pub(super) const TASKS_SHOWN: &str = "SELECT t.id, t.execution_id, t.kind, t.status, \
    t.status_message, t.runs, t.extra_attrs, t.created_at, t.started_at, t.ended_at, \
    t.updated_at FROM tasks AS t WHERE t.id IN (";

/// The tasks of an execution. $1 execution.
pub(super) const TASKS_FROM: &str = "FROM tasks AS t WHERE t.execution_id = $1";

/// A task, with the columns of [`TASKS_SHOWN`]. $1 task.
pub(super) const TASK: &str = "SELECT t.id, t.execution_id, t.kind, t.status, \
    t.status_message, t.runs, t.extra_attrs, t.created_at, t.started_at, t.ended_at, \
    t.updated_at FROM tasks AS t WHERE t.id = $1";

/// Executions that have ended go, but for the newest of each vendor. $1 kind, $2 how many of
/// each vendor are kept, $3 how many go.
pub(super) const SWEEP: &str = "DELETE FROM executions WHERE id IN (\
    SELECT placed.id FROM (SELECT id, status, ROW_NUMBER() OVER \
        (PARTITION BY vendor_id ORDER BY started_at DESC, id DESC) AS place \
        FROM executions WHERE vendor_type = $1) AS placed \
    WHERE placed.place > $2 AND placed.status <> 'Running' LIMIT $3)";

/// Executions of a vendor that have ended go. $1 kind, $2 vendor, $3 how many go.
pub(super) const FORGET: &str = "DELETE FROM executions WHERE id IN (\
    SELECT id FROM executions WHERE vendor_type = $1 AND vendor_id = $2 \
    AND status <> 'Running' ORDER BY id LIMIT $3)";

/// The vendors that have executions. $1 kind, $2 after which, $3 how many.
pub(super) const VENDORS: &str = "SELECT DISTINCT vendor_id FROM executions \
    WHERE vendor_type = $1 AND vendor_id > $2 ORDER BY vendor_id LIMIT $3";

/// Sets the schedule of a vendor. $1 kind, $2 vendor, $3 type, $4 cron, $5 what to do, $6 when
/// it fires next, $7 now.
pub(super) const SET_SCHEDULE: &str = "INSERT INTO schedules \
    (vendor_type, vendor_id, cron_type, cron, parameters, next_at, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (vendor_type, vendor_id) DO UPDATE SET \
    cron_type = excluded.cron_type, cron = excluded.cron, parameters = excluded.parameters, \
    next_at = excluded.next_at, updated_at = excluded.updated_at RETURNING id";

/// The schedule of a vendor. $1 kind, $2 vendor.
pub(super) const SCHEDULE_OF: &str = "SELECT id, vendor_type, vendor_id, cron_type, cron, \
    parameters, next_at, created_at, updated_at FROM schedules \
    WHERE vendor_type = $1 AND vendor_id = $2";

/// The schedules, with the columns of [`SCHEDULE_OF`]. $1 how many, $2 after how many.
pub(super) const SCHEDULES: &str = "SELECT id, vendor_type, vendor_id, cron_type, cron, \
    parameters, next_at, created_at, updated_at FROM schedules ORDER BY id LIMIT $1 OFFSET $2";

/// How many schedules there are.
pub(super) const COUNT_SCHEDULES: &str = "SELECT COUNT(*) FROM schedules";

/// The schedules that are due, with the columns of [`SCHEDULE_OF`]. $1 now, $2 how many.
pub(super) const DUE_SCHEDULES: &str = "SELECT id, vendor_type, vendor_id, cron_type, cron, \
    parameters, next_at, created_at, updated_at FROM schedules WHERE next_at <= $1 \
    ORDER BY next_at, id LIMIT $2";

/// Removes the schedule of a vendor. $1 kind, $2 vendor.
pub(super) const REMOVE_SCHEDULE: &str =
    "DELETE FROM schedules WHERE vendor_type = $1 AND vendor_id = $2";

/// A schedule, locked. $1 schedule.
pub(super) const LOCK_SCHEDULE: &str =
    "SELECT next_at, cron FROM schedules WHERE id = $1 FOR UPDATE";

/// When a schedule fires next. $1 schedule, $2 when.
pub(super) const SET_NEXT: &str = "UPDATE schedules SET next_at = $2 WHERE id = $1";

/// A schedule fires, unless it did. $1 schedule, $2 the moment that is due.
pub(super) const ADD_FIRING: &str =
    "INSERT INTO firings (schedule_id, due_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";

/// Forgets firings before a moment. $1 the moment.
pub(super) const FORGET_FIRINGS: &str = "DELETE FROM firings WHERE due_at < $1";
