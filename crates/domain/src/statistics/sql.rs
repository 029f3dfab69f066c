//! Statements of the counts.

/// Public projects, their repositories, and the private projects of a caller with theirs.
/// $1 whether it sees all, $2 its user.
pub(super) const COUNTS: &str = "SELECT \
    (SELECT COUNT(*) FROM projects WHERE public), \
    (SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
        WHERE p.public), \
    (SELECT COUNT(*) FROM projects AS p WHERE NOT p.public AND (CAST($1 AS BOOLEAN) \
        OR p.id IN (SELECT m.project_id FROM user_memberships AS m \
            WHERE m.user_id = $2))), \
    (SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
        WHERE NOT p.public AND (CAST($1 AS BOOLEAN) \
        OR p.id IN (SELECT m.project_id FROM user_memberships AS m \
            WHERE m.user_id = $2)))";

/// How much all blobs take that a repository holds.
pub(super) const STORED: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs AS b \
    WHERE EXISTS (SELECT 1 FROM repository_blobs AS h WHERE h.blob_id = b.id)";
