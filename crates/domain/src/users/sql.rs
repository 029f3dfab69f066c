//! Statements on `users`.

/// A user that was not deleted. $1 id.
pub(super) const BY_ID: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash, admin_by_source, second_factor FROM users WHERE id = $1 AND deleted = FALSE";

/// A user that was not deleted, with the columns of [`BY_ID`]. $1 name.
pub(super) const BY_NAME: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash, admin_by_source, second_factor FROM users WHERE username = $1 AND deleted = FALSE";

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

/// Another name. $1 id, $2 name, $3 now.
pub(super) const RENAME: &str = "UPDATE users SET username = $2, updated_at = $3 WHERE id = $1";

/// Another password, or another hash of it, if the one that was is still there. $1 id,
/// $2 password hash, $3 now, $4 the one that was.
pub(super) const REPLACE_PASSWORD: &str = "\
    UPDATE users SET password_hash = $2, updated_at = $3 \
    WHERE id = $1 AND password_hash = $4 AND deleted = FALSE";

/// What users say of themselves. $1 id, $2 e-mail, $3 name in real life, $4 comment, $5 now.
pub(super) const SET_PROFILE: &str = "\
    UPDATE users SET email = $2, realname = $3, comment = $4, updated_at = $5 \
    WHERE id = $1 AND deleted = FALSE";

/// Whether somebody is a sysadmin. $1 id, $2 whether, $3 now.
pub(super) const SET_SYSADMIN: &str =
    "UPDATE users SET sysadmin = $2, updated_at = $3 WHERE id = $1 AND deleted = FALSE";

/// Locks the sysadmins who have a password here.
pub(super) const LOCK_SYSADMINS: &str = "\
    SELECT id FROM users WHERE sysadmin AND deleted = FALSE AND password_hash IS NOT NULL \
    ORDER BY id FOR UPDATE";

/// Marks a user as deleted, which gives its name and its e-mail address free. $1 id, $2 now.
pub(super) const DELETE: &str = "\
    UPDATE users SET username = username || '#' || CAST(id AS TEXT), \
    email = email || '#' || CAST(id AS TEXT), deleted = TRUE, sysadmin = FALSE, \
    admin_by_source = FALSE, password_hash = NULL, updated_at = $2 WHERE id = $1";

/// Removes what a user is a member of in person. $1 user.
pub(super) const DELETE_MEMBERSHIPS: &str =
    "DELETE FROM members WHERE entity_type = 'u' AND entity_id = $1";

/// Removes a user from its groups. $1 user.
pub(super) const LEAVE_GROUPS: &str = "DELETE FROM group_users WHERE user_id = $1";

/// Whether signing in needs a second factor. $1 id, $2 whether, $3 now.
pub(super) const SET_SECOND_FACTOR: &str =
    "UPDATE users SET second_factor = $2, updated_at = $3 WHERE id = $1";

/// Users with the columns of [`BY_ID`].
pub(super) const LIST_SHOWN: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash, admin_by_source, second_factor FROM users WHERE id IN (";

/// Every user that was not deleted.
pub(super) const LIST_FROM: &str = "FROM users WHERE deleted = FALSE";

/// Somebody from elsewhere. $1 name, $2 e-mail, $3 name in real life, $4 comment, $5 whether
/// it is made a sysadmin, $6 now.
pub(super) const INSERT_OUTSIDER: &str = "\
    INSERT INTO users (username, email, realname, comment, admin_by_source, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id";

/// What is news of somebody from elsewhere. $1 id, $2 e-mail, $3 name in real life, $4
/// whether it is made a sysadmin, $5 now.
pub(super) const UPDATE_OUTSIDER: &str = "\
    UPDATE users SET email = $2, realname = $3, admin_by_source = $4, updated_at = $5 \
    WHERE id = $1 AND deleted = FALSE";

/// Whether a user has a name. $1 the name.
pub(super) const NAME_TAKEN: &str = "SELECT id FROM users WHERE username = $1";

/// Whether a user has an e-mail address. $1 the address.
pub(super) const ADDRESS_TAKEN: &str = "SELECT id FROM users WHERE email = $1";

/// Whether somebody else has an e-mail address. $1 the address, $2 the one who may.
pub(super) const ADDRESS_OF_OTHER: &str = "SELECT id FROM users WHERE email = $1 AND id <> $2";

/// Locks a user that was not deleted, with the columns of [`BY_ID`]. $1 id.
pub(super) const LOCK: &str = "\
    SELECT id, username, email, realname, comment, sysadmin, created_at, updated_at, \
    password_hash, admin_by_source, second_factor FROM users WHERE id = $1 AND deleted = FALSE FOR UPDATE";
