-- What failed is looked for among all kinds of jobs.
CREATE INDEX executions_failed ON executions (ended_at, id) WHERE status = 'Error';
