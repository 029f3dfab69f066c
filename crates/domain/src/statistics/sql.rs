//! Statements of the counts.

/// Public projects, their repositories, and the private projects of a caller with theirs.
/// $1 whether it sees all, $2 its user, $3 its robot; 0 for nobody.
pub(super) const COUNTS: &str = "SELECT \
    (SELECT COUNT(*) FROM projects WHERE public), \
    (SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
        WHERE p.public), \
    (SELECT COUNT(*) FROM projects AS p WHERE NOT p.public AND (CAST($1 AS BOOLEAN) \
        OR p.id IN (SELECT m.project_id FROM user_memberships AS m \
            WHERE m.user_id = $2) \
        OR p.id IN (SELECT g.project_id FROM robot_permissions AS g \
            WHERE g.robot_id = $3))), \
    (SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
        WHERE NOT p.public AND (CAST($1 AS BOOLEAN) \
        OR p.id IN (SELECT m.project_id FROM user_memberships AS m \
            WHERE m.user_id = $2) \
        OR p.id IN (SELECT g.project_id FROM robot_permissions AS g \
            WHERE g.robot_id = $3)))";

/// How much all blobs take that a repository holds.
pub(super) const STORED: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs AS b \
    WHERE EXISTS (SELECT 1 FROM repository_blobs AS h WHERE h.blob_id = b.id)";

/// How many repositories a project has. $1 project.
pub(super) const REPOSITORIES_OF_PROJECT: &str =
    "SELECT COUNT(*) FROM repositories WHERE project_id = $1";

/// How many members of a project have which role. $1 project.
pub(super) const MEMBERS_BY_ROLE: &str = "\
    SELECT m.role_id, COUNT(*) FROM members AS m WHERE m.project_id = $1 \
    AND (m.entity_type <> 'u' OR EXISTS \
        (SELECT 1 FROM users AS u WHERE u.id = m.entity_id AND u.deleted = FALSE)) \
    GROUP BY m.role_id";
