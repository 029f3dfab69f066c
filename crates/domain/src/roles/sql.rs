//! Statements on `roles`.

/// A role. $1 id.
pub(super) const BY_ID: &str =
    "SELECT id, name, description, rights, created_at, updated_at FROM roles WHERE id = $1";

/// A page of roles with the columns of [`BY_ID`], by name. $1 how many, $2 after how many.
pub(super) const PAGE: &str = "\
    SELECT id, name, description, rights, created_at, updated_at FROM roles \
    ORDER BY name LIMIT $1 OFFSET $2";

/// How many roles there are.
pub(super) const COUNT: &str = "SELECT COUNT(*) FROM roles";

/// A new role. $1 name, $2 description, $3 rights, $4 now.
pub(super) const INSERT: &str = "\
    INSERT INTO roles (name, description, rights, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $4) RETURNING id";

/// Another name, description and rights. $1 id, $2 name, $3 description, $4 rights, $5 now.
pub(super) const UPDATE: &str = "\
    UPDATE roles SET name = $2, description = $3, rights = $4, updated_at = $5 WHERE id = $1";

/// Whether a member has a role. $1 role.
pub(super) const ANY_MEMBER: &str = "SELECT id FROM members WHERE role_id = $1 LIMIT 1";

/// Removes a role. $1 id.
pub(super) const DELETE: &str = "DELETE FROM roles WHERE id = $1";

/// Keeps a role from being deleted. $1 id.
pub(super) const SHARE: &str = "SELECT id FROM roles WHERE id = $1 FOR SHARE";

/// Locks a role, and gives its name. $1 id.
pub(super) const LOCK: &str = "SELECT name FROM roles WHERE id = $1 FOR UPDATE";
