//! Statements on `sessions`.

/// The session with a hash. $1 hash.
pub(super) const BY_HASH: &str = "\
    SELECT id, hash, user_id, password_version, address, agent, created_at, used_at \
    FROM sessions WHERE hash = $1";

/// A new session. $1 hash, $2 user, $3 version of the password, $4 address, $5 program, $6 now.
pub(super) const INSERT: &str = "\
    INSERT INTO sessions (hash, user_id, password_version, address, agent, created_at, used_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $6)";

/// That a session is used. $1 hash, $2 now.
pub(super) const RENEW: &str = "UPDATE sessions SET used_at = $2 WHERE hash = $1 AND used_at < $2";

/// A user's sessions that were used not too long ago, the newest first. $1 user, $2 the earliest
/// use, $3 how many.
pub(super) const OF_USER: &str = "\
    SELECT id, hash, user_id, password_version, address, agent, created_at, used_at \
    FROM sessions WHERE user_id = $1 AND used_at > $2 ORDER BY used_at DESC, id DESC LIMIT $3";

/// Ends the session with a hash. $1 hash.
pub(super) const DELETE: &str = "DELETE FROM sessions WHERE hash = $1 RETURNING hash";

/// Ends a user's session. $1 user, $2 id.
pub(super) const DELETE_ONE: &str =
    "DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING hash";

/// Ends a user's sessions but one. $1 user, $2 the hash of the one that stays.
pub(super) const DELETE_OTHERS: &str =
    "DELETE FROM sessions WHERE user_id = $1 AND hash <> $2 RETURNING hash";

/// Ends those of a user's sessions that were used longest ago. $1 user, $2 how many stay.
pub(super) const DELETE_OLDEST: &str = "\
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 \
    ORDER BY used_at DESC, id DESC LIMIT 1000000 OFFSET $2) RETURNING hash";

/// Removes some of the sessions that were not used for too long. $1 the earliest use, $2 how
/// many.
pub(super) const SWEEP: &str = "\
    DELETE FROM sessions WHERE id IN \
    (SELECT id FROM sessions WHERE used_at <= $1 ORDER BY used_at LIMIT $2) RETURNING hash";
