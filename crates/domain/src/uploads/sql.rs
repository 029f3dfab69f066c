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

/// A repository holds a blob from now on; one that no manifest needs stays a window longer.
pub(super) const HOLD: &str =
    "INSERT INTO repository_blobs (repository_id, blob_id, unreferenced_at)
    VALUES ($1, $2, $3)
    ON CONFLICT (repository_id, blob_id) DO UPDATE
        SET unreferenced_at = excluded.unreferenced_at
        WHERE repository_blobs.unreferenced_at IS NOT NULL";

/// A repository holds what another holds, if the other still does.
pub(super) const HOLD_FROM: &str =
    "INSERT INTO repository_blobs (repository_id, blob_id, unreferenced_at)
    SELECT $1, held.blob_id, $4 FROM repository_blobs AS held
    WHERE held.repository_id = $2 AND held.blob_id = $3
    ON CONFLICT (repository_id, blob_id) DO UPDATE
        SET unreferenced_at = excluded.unreferenced_at
        WHERE repository_blobs.unreferenced_at IS NOT NULL";

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

/// A repository no longer holds a blob, unless one of its manifests needs it.
pub(super) const LET_GO: &str = "DELETE FROM repository_blobs
    WHERE repository_id = $1 AND blob_id = $2 AND NOT EXISTS (
        SELECT 1 FROM artifact_blobs AS needed
        WHERE needed.repository_id = $1 AND needed.blob_id = $2)";
