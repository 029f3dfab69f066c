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

/// Artifacts without bytes.
pub(super) const ARTIFACTS_WITHOUT_CONTENT: &str =
    "SELECT a.repository_id, a.id FROM artifacts AS a
    WHERE NOT EXISTS (SELECT 1 FROM manifests AS m WHERE m.id = a.manifest_id) LIMIT $1";
