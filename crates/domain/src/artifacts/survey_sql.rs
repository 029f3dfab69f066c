//! Statements for what is known of all that a repository shows.

/// The artifacts that lists show, the last pushed first. $1 repository, $2 and $3 the time of
/// push and the id after which, $4 how many.
pub(super) const ROOTS: &str = "\
    SELECT a.id, a.digest, a.pushed_at, a.pulled_at FROM artifacts AS a \
    WHERE a.repository_id = $1 AND (a.pushed_at, a.id) < ($2, $3) \
    AND a.is_root \
    ORDER BY a.pushed_at DESC, a.id DESC LIMIT $4";

/// Tags of a repository after a name, and whether an index lists their artifacts. $1
/// repository, $2 name, $3 how many.
pub(super) const TAGS_AFTER: &str = "\
    SELECT t.artifact_id, t.name, t.pushed_at, t.pulled_at, \
    EXISTS (SELECT 1 FROM artifact_children AS c WHERE c.child_id = t.artifact_id) \
    FROM tags AS t WHERE t.repository_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3";

/// The indexes that list artifacts, out of a list.
pub(super) const PARENTS_BEFORE: &str =
    "SELECT DISTINCT child_id, parent_id FROM artifact_children WHERE child_id IN (";
/// See [`PARENTS_BEFORE`].
pub(super) const PARENTS_AFTER: &str = ")";

/// What has a signature in a repository, after a digest. $1 repository, $2 digest, $3 how many.
pub(super) const SIGNED_AFTER: &str = "\
    SELECT DISTINCT subject_digest FROM accessories \
    WHERE repository_id = $1 AND subject_digest > $2 AND kind LIKE 'signature.%' \
    ORDER BY subject_digest LIMIT $3";

/// When artifacts, out of a list, and their tags were last pushed.
pub(super) const NOW_BEFORE: &str = "\
    SELECT a.id, a.pushed_at, \
    (SELECT MAX(t.pushed_at) FROM tags AS t WHERE t.artifact_id = a.id) \
    FROM artifacts AS a WHERE a.id IN (";
/// See [`NOW_BEFORE`].
pub(super) const NOW_AFTER: &str = ")";
