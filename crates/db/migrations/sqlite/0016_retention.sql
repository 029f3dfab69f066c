-- Which artifacts of projects stay. policy is JSON.
CREATE TABLE retention_policies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL UNIQUE REFERENCES projects (id) ON DELETE CASCADE,
    policy TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Runs of policies: the policy as it was when the run began, the repository up to which tasks
-- were added, and the one that the first task looks at.
CREATE TABLE retention_runs (
    execution_id BIGINT NOT NULL PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
    policy TEXT NOT NULL,
    planned_after TEXT NOT NULL DEFAULT '',
    first_repository TEXT
);

-- What tasks decided about artifacts, in blocks of many with one outcome. findings is JSON.
CREATE TABLE retention_findings (
    task_id BIGINT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    outcome BIGINT NOT NULL,
    block BIGINT NOT NULL,
    artifacts BIGINT NOT NULL,
    findings TEXT NOT NULL,
    PRIMARY KEY (task_id, outcome, block)
);
