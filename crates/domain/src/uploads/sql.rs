//! Every statement on the tables of blobs, of who holds them, and of uploads.

/// An upload that holds or held bytes.
pub(super) const UPLOAD: &str =
    "SELECT state, size, epoch, finished_digest, cancelled FROM uploads WHERE id = $1";

/// How many uploads with bytes a caller has open.
pub(super) const OPEN_UPLOADS: &str =
    "SELECT COUNT(*) FROM uploads WHERE principal = $1 AND state IS NOT NULL";

/// What an upload has become, if nobody else wrote since the epoch $5.
pub(super) const SAVE_UPLOAD: &str = "INSERT INTO uploads
        (id, principal, state, size, epoch, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5 + 1, $6, $7)
    ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, size = excluded.size, epoch = excluded.epoch,
            updated_at = excluded.updated_at
        WHERE uploads.epoch = $5 AND uploads.state IS NOT NULL";

/// Marks an upload as finished, if nobody else wrote since the epoch $3.
pub(super) const FINISH_UPLOAD: &str = "UPDATE uploads
    SET state = NULL, finished_digest = $2, updated_at = $4
    WHERE id = $1 AND epoch = $3 AND state IS NOT NULL";

/// Marks an upload as cancelled, whether or not it holds bytes.
pub(super) const CANCEL_UPLOAD: &str = "INSERT INTO uploads
        (id, principal, state, size, epoch, cancelled, created_at, updated_at)
    VALUES ($1, $2, NULL, 0, 1, TRUE, $3, $4)
    ON CONFLICT (id) DO UPDATE
        SET state = NULL, cancelled = TRUE, updated_at = excluded.updated_at
        WHERE uploads.finished_digest IS NULL";

/// Uploads begun before a moment.
pub(super) const EXPIRED_UPLOADS: &str =
    "SELECT id, state FROM uploads WHERE created_at < $1 ORDER BY created_at LIMIT $2";

/// Forgets an upload.
pub(super) const FORGET_UPLOAD: &str = "DELETE FROM uploads WHERE id = $1";

/// The uploads that hold bytes.
pub(super) const OPEN_UPLOAD_IDS: &str = "SELECT id FROM uploads WHERE state IS NOT NULL";

/// A new blob, unless the digest exists.
pub(super) const ADD_BLOB: &str = "INSERT INTO blobs (digest, size, place, created_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING RETURNING id, place";

/// The blob of a digest, kept from being collected until the transaction ends.
pub(super) const BLOB: &str = "SELECT id, place FROM blobs WHERE digest = $1 FOR KEY SHARE";

/// Whether a blob has a place. $1 place.
pub(super) const LEADS_TO: &str = "SELECT 1 FROM blobs WHERE place = $1";

/// A repository holds a blob from now on, and it counts in the project; one that no manifest
/// needs stays a window longer. $1 repository, $2 blob, $3 now, $4 project.
pub(super) const HOLD: &str =
    "INSERT INTO repository_blobs (repository_id, blob_id, unreferenced_at, counted_in)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (repository_id, blob_id) DO UPDATE
        SET unreferenced_at = excluded.unreferenced_at, counted_in = excluded.counted_in
        WHERE repository_blobs.unreferenced_at IS NOT NULL";

/// A blob that a repository holds, kept until the transaction ends.
pub(super) const KEEP: &str =
    "SELECT b.id FROM repository_blobs AS h JOIN blobs AS b ON b.id = h.blob_id
    WHERE h.repository_id = $1 AND h.blob_id = $2 FOR KEY SHARE";

/// The blobs of an artifact that do not count: they have lost what they counted by.
/// $1 repository, $2 artifact.
pub(super) const UNCOUNTED: &str = "SELECT blob_id FROM repository_blobs
    WHERE repository_id = $1 AND counted_in IS NULL
        AND blob_id IN (SELECT blob_id FROM artifact_blobs WHERE artifact_id = $2)";

/// The blobs that an artifact needs are no longer without a reference, and count.
/// $1 repository, $2 artifact, $3 project.
pub(super) const REFERENCE: &str =
    "UPDATE repository_blobs SET unreferenced_at = NULL, counted_in = $3
    WHERE repository_id = $1 AND unreferenced_at IS NOT NULL
        AND blob_id IN (SELECT blob_id FROM artifact_blobs WHERE artifact_id = $2)";

/// A repository holds what an artifact needs, which does not count yet. $1 repository,
/// $2 artifact, $3 now.
pub(super) const HOLD_NEEDED: &str =
    "INSERT INTO repository_blobs (repository_id, blob_id, unreferenced_at, counted_in)
    SELECT CAST($1 AS BIGINT), needed.blob_id, CAST($3 AS BIGINT), NULL
    FROM artifact_blobs AS needed WHERE needed.artifact_id = $2 ORDER BY needed.blob_id
    ON CONFLICT (repository_id, blob_id) DO NOTHING";

/// Keeps what a repository holds of the blobs that an artifact needs.
pub(super) const KEEP_NEEDED: &str = "SELECT blob_id FROM repository_blobs
    WHERE repository_id = $1
        AND blob_id IN (SELECT blob_id FROM artifact_blobs WHERE artifact_id = $2)
    ORDER BY blob_id FOR KEY SHARE";

/// How many blobs an artifact needs.
pub(super) const COUNT_NEEDED: &str = "SELECT COUNT(*) FROM artifact_blobs WHERE artifact_id = $1";

/// A repository lets some blobs go that do not count. $1 repository, $2 how many.
pub(super) const LET_IDLE_GO: &str = "DELETE FROM repository_blobs
    WHERE repository_id = $1 AND counted_in IS NULL AND blob_id IN (
        SELECT h.blob_id FROM repository_blobs AS h
        WHERE h.repository_id = $1 AND h.counted_in IS NULL ORDER BY h.blob_id LIMIT $2)";

/// The blobs that artifacts need, out of a list.
pub(super) const NEEDED_BEFORE: &str =
    "SELECT DISTINCT blob_id FROM artifact_blobs WHERE artifact_id IN (";
/// See [`NEEDED_BEFORE`].
pub(super) const NEEDED_AFTER: &str = ") ORDER BY blob_id";

/// Locks what a repository holds of blobs out of a list. $1 repository.
pub(super) const LOCK_NEEDED_BEFORE: &str =
    "SELECT blob_id FROM repository_blobs WHERE repository_id = $1 AND blob_id IN (";
/// See [`LOCK_NEEDED_BEFORE`].
pub(super) const LOCK_NEEDED_AFTER: &str = ") ORDER BY blob_id FOR UPDATE";

/// The blobs out of a list that no artifact of the repository needs any more have lost their
/// last reference, and do not count. $1 repository, $2 now.
///
/// A look for a row as a value: PostgreSQL asks an index for each blob of the list, where it may
/// go through all that the repository needs for `NOT EXISTS`.
pub(super) const UNREFERENCE_BEFORE: &str =
    "UPDATE repository_blobs SET unreferenced_at = $2, counted_in = NULL
    WHERE repository_id = $1
        AND (SELECT n.blob_id FROM artifact_blobs AS n
            WHERE n.repository_id = $1 AND n.blob_id = repository_blobs.blob_id LIMIT 1) IS NULL
        AND blob_id IN (";
/// See [`UNREFERENCE_BEFORE`].
pub(super) const UNREFERENCE_AFTER: &str =
    ") RETURNING blob_id, (SELECT b.digest FROM blobs AS b WHERE b.id = blob_id)";

/// Locks a blob that a repository holds.
pub(super) const LOCK_HELD: &str = "SELECT blob_id FROM repository_blobs
    WHERE repository_id = $1 AND blob_id = $2 FOR UPDATE";

/// The blobs that a repository holds.
pub(super) const LOCK_ALL_HELD: &str = "SELECT blob_id FROM repository_blobs
    WHERE repository_id = $1 ORDER BY blob_id FOR UPDATE";

/// A repository no longer holds anything; gives what counted.
pub(super) const LET_ALL_GO: &str = "DELETE FROM repository_blobs
    WHERE repository_id = $1 RETURNING blob_id, counted_in";

/// Whether a repository holds a blob.
pub(super) const HOLDS: &str =
    "SELECT 1 FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2";

/// A blob as a repository holds it.
pub(super) const HELD: &str = "SELECT b.id, b.size, b.place, h.unreferenced_at
    FROM blobs AS b JOIN repository_blobs AS h ON h.blob_id = b.id
    WHERE h.repository_id = $1 AND b.digest = $2";

/// Names of repositories that hold a blob.
pub(super) const HOLDERS: &str = "SELECT r.name
    FROM blobs AS b
    JOIN repository_blobs AS h ON h.blob_id = b.id
    JOIN repositories AS r ON r.id = h.repository_id
    WHERE b.digest = $1 ORDER BY r.id LIMIT $2";

/// Lets a blob that no manifest needs stay a window longer.
pub(super) const EXTEND_GRACE: &str = "UPDATE repository_blobs SET unreferenced_at = $3
    WHERE repository_id = $1 AND blob_id = $2 AND unreferenced_at IS NOT NULL";

/// A repository no longer holds a blob, unless one of its manifests needs it; gives where it
/// counted.
pub(super) const LET_GO: &str = "DELETE FROM repository_blobs
    WHERE repository_id = $1 AND blob_id = $2 AND NOT EXISTS (
        SELECT 1 FROM artifact_blobs AS needed
        WHERE needed.repository_id = $1 AND needed.blob_id = $2)
    RETURNING counted_in";
