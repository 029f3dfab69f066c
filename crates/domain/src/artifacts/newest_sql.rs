//! Statements for what was pushed last.

use crate::projects::seen;

/// The projects of a caller that were pushed to last, and when the artifact was pushed there
/// that comes after some newer ones, if there is one. $1 whether it sees all, $2 its user,
/// $3 its robot, 0 for nobody; $4 how many projects, $5 how many newer artifacts.
pub(super) const LAST_PUSHED_TO: &str = concat!(
    "SELECT s.id, (SELECT b.pushed_at FROM artifacts AS b \
        WHERE b.project_id = s.id AND b.is_root \
        ORDER BY b.pushed_at DESC, b.id DESC LIMIT 1 OFFSET $5) \
    FROM (SELECT p.id, (SELECT a.pushed_at FROM artifacts AS a \
            WHERE a.project_id = p.id AND a.is_root \
            ORDER BY a.pushed_at DESC, a.id DESC LIMIT 1) AS pushed_at \
        FROM projects AS p WHERE CAST($1 AS BOOLEAN) OR ",
    seen!("$2", "$3"),
    " ORDER BY pushed_at DESC NULLS LAST, p.id DESC LIMIT $4) AS s"
);

/// What was pushed last to projects, out of a list. $1 not before when, $2 how many.
pub(super) const NEWEST_BEFORE: &str = "\
    SELECT a.id, r.name, a.digest, a.kind, a.size, a.pushed_at, \
    (SELECT t.name FROM tags AS t WHERE t.artifact_id = a.id \
        ORDER BY t.pushed_at DESC, t.id DESC LIMIT 1), \
    (SELECT COUNT(*) FROM tags AS t WHERE t.artifact_id = a.id), a.project_id, p.public \
    FROM artifacts AS a JOIN repositories AS r ON r.id = a.repository_id \
    JOIN projects AS p ON p.id = a.project_id \
    WHERE a.id IN (SELECT n.id FROM artifacts AS n \
        WHERE n.is_root AND n.pushed_at >= $1 AND n.project_id IN (";
/// See [`NEWEST_BEFORE`].
pub(super) const NEWEST_AFTER: &str = ") \
        ORDER BY n.pushed_at DESC, n.id DESC LIMIT $2) \
    ORDER BY a.pushed_at DESC, a.id DESC";
