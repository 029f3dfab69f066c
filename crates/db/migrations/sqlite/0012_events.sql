-- What happened, for whoever acts on it later. event is JSON. place is its place in the order,
-- which it gets once it is committed.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    repository TEXT NOT NULL,
    operator TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    place BIGINT
);
CREATE UNIQUE INDEX events_place ON events (place) WHERE place IS NOT NULL;
CREATE INDEX events_without_place ON events (id) WHERE place IS NULL;

-- How far each subscriber is; and by the name of order how far the order is.
CREATE TABLE event_readers (
    name TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

-- How much was pushed, pulled and deleted in an hour, by project, and under 0 of all.
CREATE TABLE activity (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    pushes BIGINT NOT NULL,
    pulls BIGINT NOT NULL,
    deletes BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour)
);
