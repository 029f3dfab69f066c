//! Statements on `user_groups` and `group_users`.

/// A group. $1 id.
pub(super) const BY_ID: &str = "SELECT id, name, kind, dn FROM user_groups WHERE id = $1";

/// A group with the columns of [`BY_ID`]. $1 kind, $2 name.
pub(super) const BY_NAME: &str =
    "SELECT id, name, kind, dn FROM user_groups WHERE kind = $1 AND name = $2";

/// A group with the columns of [`BY_ID`]. $1 the key of its distinguished name.
pub(super) const BY_DN: &str = "SELECT id, name, kind, dn FROM user_groups WHERE dn_key = $1";

/// Groups with the columns of [`BY_ID`], out of a list of keys. $1 kind.
pub(super) const BY_DNS_BEFORE: &str =
    "SELECT id, name, kind, dn FROM user_groups WHERE kind = $1 AND dn_key IN (";
/// See [`BY_DNS_BEFORE`].
pub(super) const BY_DNS_AFTER: &str = ")";

/// Groups with the columns of [`BY_ID`], out of a list of names. $1 kind.
pub(super) const BY_NAMES_BEFORE: &str =
    "SELECT id, name, kind, dn FROM user_groups WHERE kind = $1 AND name IN (";
/// See [`BY_NAMES_BEFORE`].
pub(super) const BY_NAMES_AFTER: &str = ")";

/// The groups of a kind that a user is in, with the columns of [`BY_ID`]. $1 user, $2 kind.
pub(super) const OF_USER: &str = "\
    SELECT g.id, g.name, g.kind, g.dn FROM group_users AS u \
    JOIN user_groups AS g ON g.id = u.group_id WHERE u.user_id = $1 AND g.kind = $2";

/// A new group. $1 name, $2 kind, $3 distinguished name, $4 its key, $5 now.
pub(super) const INSERT: &str = "\
    INSERT INTO user_groups (name, kind, dn, dn_key, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";

/// A new group, unless there is one with its name or its distinguished name. See [`INSERT`].
pub(super) const INSERT_NEW: &str = "\
    INSERT INTO user_groups (name, kind, dn, dn_key, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING RETURNING id";

/// Keeps groups, out of a list, from being changed or deleted.
pub(super) const LOCK_BEFORE: &str = "SELECT id FROM user_groups WHERE id IN (";
/// See [`LOCK_BEFORE`].
pub(super) const LOCK_AFTER: &str = ") ORDER BY id FOR SHARE";

/// Locks a group, with the columns of [`BY_ID`]. $1 id.
pub(super) const LOCK: &str = "SELECT id, name, kind, dn FROM user_groups WHERE id = $1 FOR UPDATE";

/// The projects that groups, out of a list, are members of. $1 how many at most.
pub(super) const PROJECTS_BEFORE: &str = "\
    SELECT DISTINCT project_id FROM members WHERE entity_type = 'g' AND entity_id IN (";
/// See [`PROJECTS_BEFORE`].
pub(super) const PROJECTS_AFTER: &str = ") LIMIT $1";

/// A user is in a group. $1 user, $2 group.
pub(super) const JOIN: &str =
    "INSERT INTO group_users (user_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

/// A user is no longer in groups, out of a list. $1 user.
pub(super) const LEAVE_BEFORE: &str =
    "DELETE FROM group_users WHERE user_id = $1 AND group_id IN (";
/// See [`LEAVE_BEFORE`].
pub(super) const LEAVE_AFTER: &str = ")";

/// Another name. $1 id, $2 name, $3 now.
pub(super) const RENAME: &str = "UPDATE user_groups SET name = $2, updated_at = $3 WHERE id = $1";

/// Removes what a group makes a member of. $1 group.
pub(super) const DELETE_MEMBERSHIPS: &str =
    "DELETE FROM members WHERE entity_type = 'g' AND entity_id = $1";

/// Removes a group; who is in it goes with it. $1 id.
pub(super) const DELETE: &str = "DELETE FROM user_groups WHERE id = $1";

/// Groups with the columns of [`BY_ID`].
pub(super) const LIST_SHOWN: &str = "SELECT id, name, kind, dn FROM user_groups WHERE id IN (";

/// Every group.
pub(super) const LIST_FROM: &str = "FROM user_groups WHERE TRUE";
