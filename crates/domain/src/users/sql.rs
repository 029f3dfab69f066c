//! Statements on `users`.

/// A user that was not deleted. $1 id.
pub(super) const BY_ID: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash FROM users WHERE id = $1 AND deleted = FALSE";

/// A user that was not deleted, with the columns of [`BY_ID`]. $1 name.
pub(super) const BY_NAME: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash FROM users WHERE username = $1 AND deleted = FALSE";

/// A new user. $1 name, $2 e-mail, $3 name in real life, $4 comment, $5 password hash,
/// $6 now.
pub(super) const INSERT: &str = "\
    INSERT INTO users (username, email, realname, comment, password_hash, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id";

/// Whether there is a user beside one. $1 the one.
pub(super) const ANY_BUT: &str = "SELECT id FROM users WHERE id <> $1 AND deleted = FALSE LIMIT 1";

/// The first user. $1 id, $2 name, $3 name in real life, $4 password hash, $5 now.
pub(super) const INSERT_FIRST: &str = "\
    INSERT INTO users (id, username, realname, comment, sysadmin, password_hash, created_at, updated_at) \
    VALUES ($1, $2, $3, 'admin user', TRUE, $4, $5, $5) ON CONFLICT DO NOTHING";

/// Another password. $1 id, $2 password hash, $3 now.
pub(super) const SET_PASSWORD: &str =
    "UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1 AND deleted = FALSE";

/// Users with the columns of [`BY_ID`].
pub(super) const LIST_SHOWN: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash FROM users WHERE id IN (";

/// Every user that was not deleted.
pub(super) const LIST_FROM: &str = "FROM users WHERE deleted = FALSE";
