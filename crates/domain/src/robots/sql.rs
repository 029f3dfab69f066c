//! Statements on `robots`, `robot_permissions` and `robot_trusts`.

/// A robot. $1 id.
pub(super) const BY_ID: &str = "\
    SELECT id, name, description, project_id, duration, expires_at, disabled, visible, \
    creator_type, creator_ref, created_at, updated_at, secret_hash FROM robots WHERE id = $1";

/// The robot with a name. $1 name without prefix.
pub(super) const ID_BY_NAME: &str = "SELECT id FROM robots WHERE name = $1";

/// What robots may do, out of a list of robots.
pub(super) const PERMISSIONS_BEFORE: &str = "\
    SELECT r.robot_id, r.kind, r.project_id, p.name, r.rights, r.repositories \
    FROM robot_permissions AS r LEFT JOIN projects AS p ON p.id = r.project_id \
    WHERE r.robot_id IN (";
/// See [`PERMISSIONS_BEFORE`].
pub(super) const PERMISSIONS_AFTER: &str = ") ORDER BY r.robot_id, r.position";

/// What is shown of robots, with the columns of [`BY_ID`].
pub(super) const LIST_SHOWN: &str = "\
    SELECT r.id, r.name, r.description, r.project_id, r.duration, r.expires_at, r.disabled, \
    r.visible, r.creator_type, r.creator_ref, r.created_at, r.updated_at, r.secret_hash \
    FROM robots AS r WHERE r.id IN (";

/// The robots of the system that lists show.
pub(super) const SYSTEM_FROM: &str = "FROM robots AS r WHERE r.visible AND r.project_id IS NULL";

/// The robots of a project that lists show. $1 project.
pub(super) const PROJECT_FROM: &str = "FROM robots AS r WHERE r.visible AND r.project_id = $1";

/// A new robot. $1 name, $2 description, $3 project, $4 secret hash, $5 duration, $6 end,
/// $7 disabled, $8 visible, $9 kind of maker, $10 maker, $11 now.
pub(super) const INSERT: &str = "\
    INSERT INTO robots (name, description, project_id, secret_hash, duration, expires_at, \
    disabled, visible, creator_type, creator_ref, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING id";

/// A permission. $1 robot, $2 position, $3 kind, $4 project, $5 rights, $6 repositories.
pub(super) const INSERT_PERMISSION: &str = "\
    INSERT INTO robot_permissions (robot_id, position, kind, project_id, rights, repositories) \
    VALUES ($1, $2, $3, $4, $5, $6)";

/// Locks a robot against change, and tells when it was made and its name. $1 id, $2 its project, null
/// for the system.
pub(super) const LOCK: &str = "\
    SELECT created_at, duration, name FROM robots WHERE id = $1 \
    AND (project_id = CAST($2 AS BIGINT) OR CAST($2 AS BIGINT) IS NULL AND project_id IS NULL) \
    FOR UPDATE";

/// What is set of a robot. $1 id, $2 description, $3 duration, $4 end, $5 disabled, $6 now.
pub(super) const UPDATE: &str = "\
    UPDATE robots SET description = $2, duration = $3, expires_at = $4, disabled = $5, \
    updated_at = $6 WHERE id = $1";

/// Another secret. $1 id, $2 hash, $3 now.
pub(super) const SET_SECRET: &str =
    "UPDATE robots SET secret_hash = $2, updated_at = $3 WHERE id = $1";

/// Takes all permissions from a robot. $1 robot.
pub(super) const DELETE_PERMISSIONS: &str = "DELETE FROM robot_permissions WHERE robot_id = $1";

/// Narrows a permission. $1 robot, $2 project, null for all, $3 repositories.
pub(super) const NARROW: &str = "\
    UPDATE robot_permissions SET repositories = $3 WHERE robot_id = $1 AND kind = 'project' \
    AND (project_id = CAST($2 AS BIGINT) OR CAST($2 AS BIGINT) IS NULL AND project_id IS NULL)";

/// Removes a robot with all it has. $1 id.
pub(super) const DELETE: &str = "DELETE FROM robots WHERE id = $1";

/// Whose tokens stand for a robot. $1 robot.
pub(super) const TRUSTS: &str = "\
    SELECT id, robot_id, issuer, audience, claims, created_at FROM robot_trusts \
    WHERE robot_id = $1 ORDER BY id";

/// All that is trusted of an issuer, with the columns of [`TRUSTS`]. $1 issuer, $2 how many.
pub(super) const TRUSTS_OF_ISSUER: &str = "\
    SELECT id, robot_id, issuer, audience, claims, created_at FROM robot_trusts \
    WHERE issuer = $1 ORDER BY id LIMIT $2";

/// How many trusts a robot has. $1 robot.
pub(super) const COUNT_TRUSTS: &str = "SELECT COUNT(*) FROM robot_trusts WHERE robot_id = $1";

/// A new trust. $1 robot, $2 issuer, $3 audience, $4 claims, $5 now.
pub(super) const INSERT_TRUST: &str = "\
    INSERT INTO robot_trusts (robot_id, issuer, audience, claims, created_at) \
    VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// Removes a trust. $1 robot, $2 id.
pub(super) const DELETE_TRUST: &str = "DELETE FROM robot_trusts WHERE robot_id = $1 AND id = $2";
