//! Statements that find artifacts of all repositories by the beginning of a tag or of a digest.
//!
//! Each answers with the matching tag or else the newest, digest, type, time of push, full name
//! of the repository, its project's number, and whether that is public.

use crate::projects::seen;

/// The first artifacts by a beginning of their tag, the newest of a tag first, as far as a
/// caller sees their projects. $1 from, $2 before, $3 how many tags are looked at, $4 whether
/// the caller sees all, $5 its user, $6 its robot, $7 how many.
pub(super) const BY_TAGS: &str = concat!(
    "SELECT s.name, a.digest, a.kind, a.pushed_at, r.name, r.project_id, p.public \
    FROM (SELECT t.name, t.id, t.artifact_id FROM tags AS t \
        WHERE t.name >= $1 AND t.name < $2 ORDER BY t.name, t.id DESC LIMIT $3) AS s \
    JOIN artifacts AS a ON a.id = s.artifact_id \
    JOIN repositories AS r ON r.id = a.repository_id JOIN projects AS p ON p.id = r.project_id \
    WHERE (CAST($4 AS BOOLEAN) OR ",
    seen!("$5", "$6"),
    ") ORDER BY s.name, s.id DESC LIMIT $7"
);

/// Whether there are more tags with a beginning than are looked at. $1 from, $2 before, $3 how
/// many are.
pub(super) const HAS_MORE_TAGS: &str = "\
    SELECT 1 FROM tags AS t WHERE t.name >= $1 AND t.name < $2 ORDER BY t.name, t.id DESC \
    LIMIT 1 OFFSET $3";

/// Artifacts by a beginning of their digest, as [`BY_TAGS`].
pub(super) const BY_DIGESTS: &str = concat!(
    "SELECT (SELECT n.name FROM tags AS n WHERE n.artifact_id = a.id \
        ORDER BY n.pushed_at DESC, n.id DESC LIMIT 1), \
    a.digest, a.kind, a.pushed_at, r.name, r.project_id, p.public \
    FROM (SELECT o.id FROM manifests AS c JOIN artifacts AS o ON o.manifest_id = c.id \
        WHERE c.digest >= $1 AND c.digest < $2 LIMIT $3) AS s \
    JOIN artifacts AS a ON a.id = s.id \
    JOIN repositories AS r ON r.id = a.repository_id JOIN projects AS p ON p.id = r.project_id \
    WHERE (CAST($4 AS BOOLEAN) OR ",
    seen!("$5", "$6"),
    ") LIMIT $7"
);

/// Whether there are more artifacts with a beginning of their digest than are looked at. $1
/// from, $2 before, $3 how many are.
pub(super) const HAS_MORE_DIGESTS: &str = "\
    SELECT 1 FROM manifests AS c JOIN artifacts AS o ON o.manifest_id = c.id \
    WHERE c.digest >= $1 AND c.digest < $2 LIMIT 1 OFFSET $3";

/// The newest repositories that a caller sees, each asked for the tags with a beginning. $1
/// from, $2 before, $3 how many repositories are asked, $4 whether the caller sees all, $5 its
/// user, $6 its robot, $7 how many.
pub(super) const BY_TAGS_OF_SEEN: &str = concat!(
    "SELECT t.name, a.digest, a.kind, a.pushed_at, s.name, s.project_id, s.public \
    FROM (SELECT r.id, r.name, r.project_id, p.public FROM repositories AS r \
        JOIN projects AS p ON p.id = r.project_id \
        WHERE (CAST($4 AS BOOLEAN) OR ",
    seen!("$5", "$6"),
    ") ORDER BY r.id DESC LIMIT $3) AS s \
    JOIN tags AS t ON t.repository_id = s.id AND t.name >= $1 AND t.name < $2 \
    JOIN artifacts AS a ON a.id = t.artifact_id LIMIT $7"
);

/// The newest repositories that a caller sees, each asked for the digests with a beginning, as
/// [`BY_TAGS_OF_SEEN`].
pub(super) const BY_DIGESTS_OF_SEEN: &str = concat!(
    "SELECT (SELECT n.name FROM tags AS n WHERE n.artifact_id = a.id \
        ORDER BY n.pushed_at DESC, n.id DESC LIMIT 1), \
    a.digest, a.kind, a.pushed_at, s.name, s.project_id, s.public \
    FROM (SELECT r.id, r.name, r.project_id, p.public FROM repositories AS r \
        JOIN projects AS p ON p.id = r.project_id \
        WHERE (CAST($4 AS BOOLEAN) OR ",
    seen!("$5", "$6"),
    ") ORDER BY r.id DESC LIMIT $3) AS s \
    JOIN artifacts AS a ON a.repository_id = s.id AND a.digest >= $1 AND a.digest < $2 LIMIT $7"
);

/// The artifacts of some repositories by a beginning of their tag. $1 from, $2 before, $3 how
/// many tags are looked at, $4 how many.
pub(super) const NAMED_TAGS_BEFORE: &str = "\
    SELECT s.name, a.digest, a.kind, a.pushed_at, r.name, r.project_id, p.public \
    FROM (SELECT t.name, t.id, t.artifact_id, t.repository_id FROM tags AS t \
        WHERE t.name >= $1 AND t.name < $2 AND t.repository_id IN (";
/// See [`NAMED_TAGS_BEFORE`].
pub(super) const NAMED_TAGS_AFTER: &str = ") \
        ORDER BY t.repository_id, t.name LIMIT $3) AS s \
    JOIN artifacts AS a ON a.id = s.artifact_id \
    JOIN repositories AS r ON r.id = s.repository_id JOIN projects AS p ON p.id = r.project_id \
    ORDER BY s.name, s.id DESC LIMIT $4";

/// The artifacts of some repositories by a beginning of their digest, which few have. $1 from,
/// $2 before, $3 how many are looked at, $4 how many.
pub(super) const NAMED_DIGESTS_BEFORE: &str = "\
    SELECT (SELECT n.name FROM tags AS n WHERE n.artifact_id = s.id \
        ORDER BY n.pushed_at DESC, n.id DESC LIMIT 1), \
    s.digest, s.kind, s.pushed_at, r.name, r.project_id, p.public \
    FROM (SELECT a.id, a.digest, a.kind, a.pushed_at, a.repository_id FROM artifacts AS a \
        WHERE a.digest >= $1 AND a.digest < $2 AND a.repository_id IN (";
/// See [`NAMED_DIGESTS_BEFORE`].
pub(super) const NAMED_DIGESTS_AFTER: &str = ") \
        ORDER BY a.repository_id, a.digest LIMIT $3) AS s \
    JOIN repositories AS r ON r.id = s.repository_id JOIN projects AS p ON p.id = r.project_id \
    ORDER BY s.digest, s.id LIMIT $4";
