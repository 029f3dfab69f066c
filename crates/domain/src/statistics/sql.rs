//! Statements of the counts.

use crate::projects::seen;

/// Public projects, their repositories, and the private projects of a caller with theirs.
/// $1 whether it sees all, $2 its user, $3 its robot; 0 for nobody.
pub(super) const COUNTS: &str = concat!(
    "SELECT (SELECT COUNT(*) FROM projects WHERE public), \
    (SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
        WHERE p.public), \
    (SELECT COUNT(*) FROM projects AS p WHERE NOT p.public AND (CAST($1 AS BOOLEAN) OR ",
    seen!("$2", "$3"),
    ")), \
    (SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
        WHERE NOT p.public AND (CAST($1 AS BOOLEAN) OR ",
    seen!("$2", "$3"),
    "))"
);

/// How much all blobs take: one look at a table, whatever repositories hold of it.
pub(super) const STORED: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs";

/// How much there is everywhere: projects, public ones, repositories, artifacts, users.
pub(super) const TOTALS: &str = "SELECT (SELECT COUNT(*) FROM projects), \
    (SELECT COUNT(*) FROM projects WHERE public), (SELECT COUNT(*) FROM repositories), \
    (SELECT CAST(COALESCE(SUM(roots), 0) AS BIGINT) FROM artifact_counts), \
    (SELECT COUNT(*) FROM users WHERE deleted = FALSE)";

/// How many repositories a project has. $1 project.
pub(super) const REPOSITORIES_OF_PROJECT: &str =
    "SELECT COUNT(*) FROM repositories WHERE project_id = $1";

/// How many members of a project have which role. $1 project.
pub(super) const MEMBERS_BY_ROLE: &str = "\
    SELECT m.role_id, COUNT(*) FROM members AS m WHERE m.project_id = $1 \
    AND (m.entity_type <> 'u' OR EXISTS \
        (SELECT 1 FROM users AS u WHERE u.id = m.entity_id AND u.deleted = FALSE)) \
    GROUP BY m.role_id";

/// Adds to what happened in an hour. $1 project, $2 hour, $3 pushes, $4 pulls, $5 deletes, $6
/// how much is stored now.
pub(super) const COUNT_ACTIVITY: &str = "INSERT INTO activity \
    (project_id, hour, pushes, pulls, deletes, stored) VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (project_id, hour) DO UPDATE SET \
    pushes = activity.pushes + excluded.pushes, pulls = activity.pulls + excluded.pulls, \
    deletes = activity.deletes + excluded.deletes, stored = excluded.stored";

/// How much was stored before an hour. $1 project, $2 the hour.
pub(super) const STORED_EARLIER: &str = "SELECT stored FROM activity \
    WHERE project_id = $1 AND hour < $2 ORDER BY hour DESC LIMIT 1";

/// What happened, by the number of the bucket. $1 project, $2 first hour, $3 the hour after the
/// last, $4 how many hours of the first bucket came before the first hour of all, $5 how many
/// hours a bucket has.
pub(super) const ACTIVITY: &str = "SELECT b.bucket, b.pushes, b.pulls, b.deletes, l.stored \
    FROM (SELECT (hour + $4) / $5 AS bucket, MAX(hour) AS last, \
        CAST(SUM(pushes) AS BIGINT) AS pushes, CAST(SUM(pulls) AS BIGINT) AS pulls, \
        CAST(SUM(deletes) AS BIGINT) AS deletes FROM activity \
        WHERE project_id = $1 AND hour >= $2 AND hour < $3 GROUP BY 1) AS b \
    JOIN activity AS l ON l.project_id = $1 AND l.hour = b.last ORDER BY b.bucket";

/// The projects of which something is kept, after one. $1 after which, $2 how many.
pub(super) const ACTIVE_PROJECTS: &str = "SELECT DISTINCT project_id FROM activity \
    WHERE project_id > $1 ORDER BY project_id LIMIT $2";

/// What is kept of a project goes if the project is gone. $1 project.
pub(super) const FORGET_ACTIVITY: &str = "DELETE FROM activity WHERE project_id = $1 \
    AND NOT EXISTS (SELECT 1 FROM projects AS p WHERE p.id = $1)";

/// The last hour of each day has what its other hours have too. $1 project, $2 before which
/// hour.
pub(super) const FOLD_DAYS: &str = "UPDATE activity SET \
    pushes = d.pushes, pulls = d.pulls, deletes = d.deletes \
    FROM (SELECT MAX(hour) AS last, CAST(SUM(pushes) AS BIGINT) AS pushes, \
        CAST(SUM(pulls) AS BIGINT) AS pulls, CAST(SUM(deletes) AS BIGINT) AS deletes \
        FROM activity WHERE project_id = $1 AND hour < $2 \
        GROUP BY hour / 24 HAVING COUNT(*) > 1) AS d \
    WHERE activity.project_id = $1 AND activity.hour = d.last";

/// The hours of a day that another of the same day follows go. $1 project, $2 before which hour.
pub(super) const REMOVE_FOLDED: &str = "DELETE FROM activity WHERE project_id = $1 \
    AND hour < $2 AND EXISTS (SELECT 1 FROM activity AS l WHERE l.project_id = $1 \
        AND l.hour > activity.hour AND l.hour < (activity.hour / 24 + 1) * 24)";

/// What happened in the projects that a user is a member of, by the number of the bucket.
/// $1 user, $2 to $5 as in [`ACTIVITY`].
pub(super) const ACTIVITY_OF_OWN: &str = "SELECT (hour + $4) / $5, \
    CAST(SUM(pushes) AS BIGINT), CAST(SUM(pulls) AS BIGINT), CAST(SUM(deletes) AS BIGINT) \
    FROM activity WHERE project_id IN (SELECT m.project_id FROM user_memberships AS m \
        WHERE m.user_id = $1) \
    AND hour >= $2 AND hour < $3 GROUP BY 1 ORDER BY 1";

/// Executions that ended in a failure, the last first, with the project of those that are a
/// project's. $1 since when, $2 how many.
pub(super) const FAILURES: &str = "SELECT e.id, e.vendor_type, e.vendor_id, e.status_message, \
    e.begun_by, e.started_at, e.ended_at, p.id, p.name FROM executions AS e \
    LEFT JOIN retention_policies AS t ON t.id = e.vendor_id AND e.vendor_type = 'RETENTION' \
    LEFT JOIN projects AS p ON p.id = t.project_id \
    WHERE e.status = 'Error' AND e.ended_at >= $1 \
    ORDER BY e.ended_at DESC, e.id DESC LIMIT $2";
