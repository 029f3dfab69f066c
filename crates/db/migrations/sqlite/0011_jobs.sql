-- Jobs: what is to be done once a request is over, as rows.

-- What was asked for: one thing with one or several tasks. extra_attrs is a JSON object.
CREATE TABLE executions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    vendor_type TEXT NOT NULL,
    vendor_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    status_message TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    extra_attrs TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX executions_page ON executions (vendor_type, vendor_id, started_at, id);

-- One piece of work. epoch counts how often it was taken: who took it before cannot end it.
-- replica_id is who does it. dedupe keeps a second one like it from waiting or running beside it.
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id BIGINT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    status_message TEXT NOT NULL,
    parameters TEXT NOT NULL,
    extra_attrs TEXT NOT NULL,
    priority BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    runs BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    replica_id TEXT,
    stop_asked BOOLEAN NOT NULL,
    dedupe TEXT,
    check_in TEXT NOT NULL,
    checked_in_at BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tasks_execution ON tasks (execution_id, id);
CREATE INDEX tasks_open ON tasks (execution_id) WHERE status IN ('Pending', 'Running');
CREATE INDEX tasks_waiting ON tasks (kind, priority DESC, run_at, id) WHERE status = 'Pending';
CREATE INDEX tasks_due ON tasks (run_at) WHERE status = 'Pending';
CREATE INDEX tasks_running ON tasks (kind, id) WHERE status = 'Running';
CREATE UNIQUE INDEX tasks_alike ON tasks (kind, dedupe)
    WHERE dedupe IS NOT NULL AND status IN ('Pending', 'Running');

-- What tasks tell of themselves, in the order in which they told it.
CREATE TABLE task_logs (
    task_id BIGINT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    part BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (task_id, part)
);

-- The processes that do jobs. One whose lease is over is dead: its row goes, and its tasks
-- are given to others.
CREATE TABLE replicas (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    workers BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    beat_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- The kinds of jobs. Who takes a job of a kind has locked its row.
CREATE TABLE queues (
    kind TEXT NOT NULL PRIMARY KEY,
    paused BOOLEAN NOT NULL
);

-- What is begun again and again. cron has six fields, the first of which are seconds.
CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    vendor_type TEXT NOT NULL,
    vendor_id BIGINT NOT NULL,
    cron_type TEXT NOT NULL,
    cron TEXT NOT NULL,
    parameters TEXT NOT NULL,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (vendor_type, vendor_id)
);
CREATE INDEX schedules_due ON schedules (next_at);

-- When schedules fired: a moment of a schedule is here once, so it fires once.
CREATE TABLE firings (
    schedule_id BIGINT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (schedule_id, due_at)
);
CREATE INDEX firings_due ON firings (due_at);
