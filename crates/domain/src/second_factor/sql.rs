//! Statements on `second_factors` and `recovery_codes`.

/// How it stands with a user's. $1 user.
pub(super) const STATUS: &str = "\
    SELECT confirmed_at, (SELECT COUNT(*) FROM recovery_codes AS r WHERE r.user_id = s.user_id) \
    FROM second_factors AS s WHERE user_id = $1";

/// A secret that is not confirmed, in place of another such. $1 user, $2 sealed secret, $3 now.
pub(super) const ENROL: &str = "\
    INSERT INTO second_factors (user_id, secret, created_at) VALUES ($1, $2, $3) \
    ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at \
    WHERE second_factors.confirmed_at IS NULL";

/// The secret that is not confirmed. $1 user.
pub(super) const PENDING: &str =
    "SELECT secret FROM second_factors WHERE user_id = $1 AND confirmed_at IS NULL";

/// Confirms it. $1 user, $2 sealed secret, $3 now, $4 step of the code.
pub(super) const CONFIRM: &str = "\
    UPDATE second_factors SET confirmed_at = $3, last_step = $4 \
    WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NULL";

/// Locks a user's against another code at the same time. $1 user.
pub(super) const LOCK: &str = "\
    SELECT secret, last_step, wrong, refused_until FROM second_factors \
    WHERE user_id = $1 AND confirmed_at IS NOT NULL FOR UPDATE";

/// A code was right. $1 user, $2 its step.
pub(super) const RIGHT: &str = "\
    UPDATE second_factors SET last_step = $2, wrong = 0, refused_until = 0 WHERE user_id = $1";

/// A code was wrong. $1 user, $2 how many were, $3 until when the next ones wait.
pub(super) const WRONG: &str =
    "UPDATE second_factors SET wrong = $2, refused_until = $3 WHERE user_id = $1";

/// Ends it. $1 user.
pub(super) const DELETE: &str = "DELETE FROM second_factors WHERE user_id = $1";

/// Some recovery codes.
pub(super) const INSERT_CODES_ROWS: &str = "INSERT INTO recovery_codes (user_id, hash) VALUES ";

/// A recovery code is used. $1 user, $2 hash.
pub(super) const USE_CODE: &str = "DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2";

/// Ends all of them. $1 user.
pub(super) const DELETE_CODES: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
