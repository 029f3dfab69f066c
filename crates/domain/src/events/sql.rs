//! Statements on `events` and `event_readers`.

/// New events. Columns: project, repository, who did it, when, what happened.
pub(super) const INSERT_ROWS: &str = "INSERT INTO events (project_id, repository, operator, \
    occurred_at, event) VALUES ";

/// Places for the events that have none. $1 the last place that was given, $2 how many.
pub(super) const ORDER: &str = "UPDATE events SET place = CAST($1 AS BIGINT) + o.n \
    FROM (SELECT w.id AS event_id, ROW_NUMBER() OVER (ORDER BY w.id) AS n FROM \
        (SELECT id FROM events WHERE place IS NULL ORDER BY id LIMIT $2) AS w) AS o \
    WHERE events.id = o.event_id";

/// Events after a place, in their order. $1 the place, $2 how many.
pub(super) const AFTER: &str = "SELECT place, project_id, repository, operator, occurred_at, \
    event FROM events WHERE place > $1 ORDER BY place LIMIT $2";

/// Events that all subscribers had go. $1 the reader that is no subscriber, $2 how many.
pub(super) const FORGET: &str = "DELETE FROM events WHERE id IN (SELECT id FROM events \
    WHERE place <= (SELECT MIN(position) FROM event_readers WHERE name <> $1) \
    ORDER BY place LIMIT $2)";

/// A reader's place, unless somebody else reads for it just now. $1 its name.
pub(super) const LOCK_READER: &str =
    "SELECT position FROM event_readers WHERE name = $1 FOR UPDATE SKIP LOCKED";

/// A reader's place moves on. $1 its name, $2 the place.
pub(super) const MOVE_READER: &str = "UPDATE event_readers SET position = $2 WHERE name = $1";

/// A reader is there. $1 its name.
pub(super) const ADD_READER: &str = "INSERT INTO event_readers (name, position) VALUES ($1, 0) \
    ON CONFLICT (name) DO NOTHING";

/// A subscriber is there, and begins after what has a place. $1 its name, $2 the reader that
/// gives places.
pub(super) const ADD_SUBSCRIBER: &str = "INSERT INTO event_readers (name, position) \
    SELECT CAST($1 AS TEXT), o.position FROM event_readers AS o WHERE o.name = $2 \
    ON CONFLICT (name) DO NOTHING";

/// Whether events have no place, and whether a reader is behind the one that gives places.
/// $1 that one.
pub(super) const BEHIND: &str = "SELECT \
    CASE WHEN EXISTS (SELECT 1 FROM events WHERE place IS NULL) THEN TRUE ELSE FALSE END, \
    CASE WHEN EXISTS (SELECT 1 FROM event_readers AS r WHERE r.position < o.position) \
        THEN TRUE ELSE FALSE END \
    FROM event_readers AS o WHERE o.name = $1";
