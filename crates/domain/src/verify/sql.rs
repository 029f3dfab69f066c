//! Every statement of the check. It reads tables of all rooms and writes none.

/// Blobs after a row.
pub(super) const BLOBS: &str =
    "SELECT id, digest, size, place FROM blobs WHERE id > $1 ORDER BY id LIMIT $2";

/// Places out of a list that a blob has.
pub(super) const PLACES_BEFORE: &str = "SELECT place FROM blobs WHERE place IN (";
/// See [`PLACES_BEFORE`].
pub(super) const PLACES_AFTER: &str = ")";

/// Artifacts after a row, with their bytes and how many parts they have in the database.
pub(super) const ARTIFACTS: &str =
    "SELECT a.id, r.name, a.digest, a.media_type, m.digest, m.content,
        (SELECT COUNT(*) FROM artifact_blobs AS b WHERE b.artifact_id = a.id),
        (SELECT COUNT(*) FROM artifact_children AS c WHERE c.parent_id = a.id)
    FROM artifacts AS a
    JOIN repositories AS r ON r.id = a.repository_id
    JOIN manifests AS m ON m.id = a.manifest_id
    WHERE a.id > $1 ORDER BY a.id LIMIT $2";

/// The digests of the blobs that an artifact has.
pub(super) const PARTS: &str = "SELECT b.digest FROM artifact_blobs AS p
    JOIN blobs AS b ON b.id = p.blob_id WHERE p.artifact_id = $1
    UNION ALL
    SELECT c.child_digest FROM artifact_children AS c WHERE c.parent_id = $1";

/// Artifacts that need a blob which their repository does not hold.
pub(super) const NEEDS_WITHOUT_HOLD: &str =
    "SELECT p.artifact_id, p.blob_id FROM artifact_blobs AS p
    WHERE NOT EXISTS (SELECT 1 FROM repository_blobs AS h
        WHERE h.repository_id = p.repository_id AND h.blob_id = p.blob_id) LIMIT $1";

/// Repositories that hold a blob which is not there.
pub(super) const HOLDS_WITHOUT_BLOB: &str =
    "SELECT h.repository_id, h.blob_id FROM repository_blobs AS h
    WHERE NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.id = h.blob_id) LIMIT $1";

/// Tags that point to nothing, or into another repository.
pub(super) const TAGS_ASTRAY: &str = "SELECT t.repository_id, t.id FROM tags AS t
    WHERE NOT EXISTS (SELECT 1 FROM artifacts AS a
        WHERE a.id = t.artifact_id AND a.repository_id = t.repository_id) LIMIT $1";

/// Blobs that count in a project of which no repository holds them so.
pub(super) const BLOBS_COUNT_ASTRAY: &str =
    "SELECT c.project_id, c.content_id FROM quota_contents AS c
    WHERE c.kind = 0 AND NOT EXISTS (SELECT 1 FROM repository_blobs AS h
        WHERE h.counted_in = c.project_id AND h.blob_id = c.content_id) LIMIT $1";

/// Blobs that a project holds and that do not count in it.
pub(super) const BLOBS_NOT_COUNTED: &str =
    "SELECT h.counted_in, h.blob_id FROM repository_blobs AS h
    WHERE h.counted_in IS NOT NULL AND NOT EXISTS (SELECT 1 FROM quota_contents AS c
        WHERE c.project_id = h.counted_in AND c.kind = 0 AND c.content_id = h.blob_id) LIMIT $1";

/// Blobs that count in another project than that of the repository that holds them.
pub(super) const COUNTED_ELSEWHERE: &str = "SELECT h.repository_id, h.blob_id
    FROM repository_blobs AS h JOIN repositories AS r ON r.id = h.repository_id
    WHERE h.counted_in <> r.project_id LIMIT $1";

/// Blobs that a manifest needs though they do not count, or are marked as not needed.
pub(super) const NEEDED_BUT_MARKED: &str =
    "SELECT h.repository_id, h.blob_id FROM repository_blobs AS h
    WHERE (h.counted_in IS NULL OR h.unreferenced_at IS NOT NULL)
        AND EXISTS (SELECT 1 FROM artifact_blobs AS n
            WHERE n.repository_id = h.repository_id AND n.blob_id = h.blob_id) LIMIT $1";

/// Blobs that no manifest needs and that are not marked so: they would stay for ever.
pub(super) const NOT_NEEDED_NOT_MARKED: &str =
    "SELECT h.repository_id, h.blob_id FROM repository_blobs AS h
    WHERE h.unreferenced_at IS NULL AND NOT EXISTS (SELECT 1 FROM artifact_blobs AS n
        WHERE n.repository_id = h.repository_id AND n.blob_id = h.blob_id) LIMIT $1";

/// Manifests that count in a project of which no artifact is them.
pub(super) const MANIFESTS_COUNT_ASTRAY: &str =
    "SELECT c.project_id, c.content_id FROM quota_contents AS c
    WHERE c.kind = 1 AND NOT EXISTS (SELECT 1 FROM artifacts AS a
        WHERE a.manifest_id = c.content_id AND a.project_id = c.project_id) LIMIT $1";

/// Artifacts whose manifests do not count in their projects.
pub(super) const MANIFESTS_NOT_COUNTED: &str = "SELECT a.project_id, a.id FROM artifacts AS a
    WHERE NOT EXISTS (SELECT 1 FROM quota_contents AS c WHERE c.project_id = a.project_id
        AND c.kind = 1 AND c.content_id = a.manifest_id) LIMIT $1";

/// Projects that use another amount than what counts in them, and the difference.
pub(super) const USAGE_WRONG: &str = "SELECT project_id, difference FROM (
        SELECT p.id AS project_id, CAST(
            COALESCE((SELECT SUM(c.size) FROM quota_contents AS c WHERE c.project_id = p.id), 0)
            - COALESCE((SELECT SUM(d.change) FROM quota_changes AS d WHERE d.project_id = p.id), 0)
            - COALESCE((SELECT u.used FROM quota_usage AS u WHERE u.project_id = p.id), 0)
            AS BIGINT) AS difference
        FROM projects AS p) AS sums
    WHERE difference <> 0 LIMIT $1";

/// Bytes of manifests that no artifact has.
pub(super) const CONTENT_WITHOUT_ARTIFACT: &str = "SELECT m.id, m.id FROM manifests AS m
    WHERE NOT EXISTS (SELECT 1 FROM artifacts AS a WHERE a.manifest_id = m.id) LIMIT $1";

/// Artifacts without bytes.
pub(super) const ARTIFACTS_WITHOUT_CONTENT: &str =
    "SELECT a.repository_id, a.id FROM artifacts AS a
    WHERE NOT EXISTS (SELECT 1 FROM manifests AS m WHERE m.id = a.manifest_id) LIMIT $1";

/// Artifacts that lists show and should not, or the other way round.
pub(super) const ROOTS_ASTRAY: &str = "SELECT a.repository_id, a.id FROM artifacts AS a
    WHERE a.is_root <> (NOT EXISTS (SELECT 1 FROM accessories AS c WHERE c.artifact_id = a.id)
        AND (EXISTS (SELECT 1 FROM tags AS t WHERE t.artifact_id = a.id)
            OR NOT EXISTS (SELECT 1 FROM artifact_children AS p WHERE p.child_id = a.id)))
    LIMIT $1";

/// Repositories whose number of shown artifacts is not what was counted.
pub(super) const COUNTS_ASTRAY: &str = "SELECT r.id, r.project_id FROM repositories AS r
    WHERE (SELECT COALESCE(SUM(c.roots), 0) FROM artifact_counts AS c
            WHERE c.repository_id = r.id)
        <> (SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = r.id AND a.is_root)
    LIMIT $1";
