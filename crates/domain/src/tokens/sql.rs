//! Statements on `signing_keys`.

/// All keys: the one that signs first, then the latest retired.
pub(super) const KEYS: &str = "\
    SELECT id, sealed_private_key, public_key, retired_at FROM signing_keys \
    ORDER BY CASE WHEN retired_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id";

/// A key that signs.
pub(super) const SIGNING_KEY: &str = "SELECT id FROM signing_keys WHERE retired_at IS NULL";

/// A new key. $1 id, $2 sealed private half, $3 public half, $4 now.
pub(super) const INSERT_KEY: &str = "\
    INSERT INTO signing_keys (id, sealed_private_key, public_key, created_at) \
    VALUES ($1, $2, $3, $4)";

/// Retires the keys that sign. $1 now.
pub(super) const RETIRE_KEYS: &str =
    "UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL";

/// Removes keys whose tokens have all expired. $1 retired before then.
pub(super) const DELETE_RETIRED_KEYS: &str = "DELETE FROM signing_keys WHERE retired_at < $1";
