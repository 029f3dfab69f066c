//! Statements of the collection.
//!
//! Whether there is a row, they ask as for a value: `(SELECT … LIMIT 1) IS NULL`. PostgreSQL then
//! asks an index for each of the few rows of a batch; for `NOT EXISTS` it may go through the
//! whole other table, in every batch anew.

/// What repositories hold though no manifest has needed it since before a moment, and nobody
/// else is at, locked. $1 moment, $2 how many.
pub(super) const EXPIRED: &str = "SELECT repository_id, blob_id FROM repository_blobs
    WHERE unreferenced_at < $1 ORDER BY unreferenced_at LIMIT $2 FOR UPDATE SKIP LOCKED";

/// A repository lets some of its blobs go, out of a list, unless one of its manifests needs
/// them. $1 repository, $2 the moment before which they were last needed or asked for. The moment
/// is for no index: by it SQLite went through all that is to go, for each of a batch.
pub(super) const RELEASE_BEFORE: &str = "DELETE FROM repository_blobs
    WHERE repository_id = $1 AND +unreferenced_at < $2 AND (
        SELECT n.blob_id FROM artifact_blobs AS n
        WHERE n.repository_id = repository_blobs.repository_id
            AND n.blob_id = repository_blobs.blob_id LIMIT 1) IS NULL
        AND blob_id IN (";
/// See [`RELEASE_BEFORE`].
pub(super) const RELEASE_AFTER: &str = ") RETURNING blob_id, counted_in,
        (SELECT b.digest FROM blobs AS b WHERE b.id = blob_id)";

/// The last of some blobs after one. $1 after which, $2 how many.
pub(super) const END_OF_RANGE: &str =
    "SELECT MAX(id) FROM (SELECT id FROM blobs WHERE id > $1 ORDER BY id LIMIT $2) AS ranged";

/// Blobs of a range that no repository holds. $1 after which, $2 up to which.
pub(super) const UNHELD: &str = "SELECT b.id FROM blobs AS b WHERE b.id > $1 AND b.id <= $2
    AND (SELECT h.blob_id FROM repository_blobs AS h WHERE h.blob_id = b.id LIMIT 1) IS NULL
    ORDER BY b.id";

/// How many blobs of a range would go, and their bytes. $1 after which, $2 up to which, $3 the
/// moment before which they were last needed.
pub(super) const ELIGIBLE: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(b.size), 0) AS BIGINT)
    FROM blobs AS b WHERE b.id > $1 AND b.id <= $2
    AND (SELECT h.blob_id FROM repository_blobs AS h WHERE h.blob_id = b.id
        AND (h.unreferenced_at IS NULL OR h.unreferenced_at >= $3 OR (
            SELECT n.blob_id FROM artifact_blobs AS n
            WHERE n.repository_id = h.repository_id AND n.blob_id = h.blob_id LIMIT 1)
            IS NOT NULL) LIMIT 1) IS NULL";

/// Locks blobs out of a list that nobody else is at.
pub(super) const LOCK_BEFORE: &str = "SELECT id FROM blobs WHERE id IN (";
/// See [`LOCK_BEFORE`].
pub(super) const LOCK_AFTER: &str = ") ORDER BY id FOR UPDATE SKIP LOCKED";

/// The places of blobs out of a list are doomed, of those that no repository holds.
pub(super) const DOOM_BEFORE: &str = "INSERT INTO doomed_places (place, size)
    SELECT b.place, b.size FROM blobs AS b
    WHERE (SELECT h.blob_id FROM repository_blobs AS h WHERE h.blob_id = b.id LIMIT 1) IS NULL
        AND b.id IN (";
/// See [`DOOM_BEFORE`].
pub(super) const DOOM_AFTER: &str = ") RETURNING place, size";

/// Blobs out of a list cease to be, of those that no repository holds.
pub(super) const REMOVE_BEFORE: &str = "DELETE FROM blobs
    WHERE (SELECT h.blob_id FROM repository_blobs AS h WHERE h.blob_id = blobs.id LIMIT 1) IS NULL
        AND id IN (";
/// See [`REMOVE_BEFORE`].
pub(super) const REMOVE_AFTER: &str = ")";

/// Doomed places after one. $1 after which, $2 how many.
pub(super) const DOOMED: &str =
    "SELECT place, size FROM doomed_places WHERE place > $1 ORDER BY place LIMIT $2";

/// Doomed places out of a list are empty.
pub(super) const BURY_BEFORE: &str = "DELETE FROM doomed_places WHERE place IN (";
/// See [`BURY_BEFORE`].
pub(super) const BURY_AFTER: &str = ")";

/// Places out of a list that a blob has.
pub(super) const PLACES_BEFORE: &str = "SELECT place FROM blobs WHERE place IN (";
/// See [`PLACES_BEFORE`].
pub(super) const PLACES_AFTER: &str = ")";

/// Uploads out of a list that are still open.
pub(super) const OPEN_BEFORE: &str = "SELECT id FROM uploads WHERE state IS NOT NULL AND id IN (";
/// See [`OPEN_BEFORE`].
pub(super) const OPEN_AFTER: &str = ")";
