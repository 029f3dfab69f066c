//! Statements on `projects`, `project_metadata` and `members`.

/// A project. $1 name.
pub(super) const BY_NAME: &str =
    "SELECT id, name, owner_id, public, created_at, updated_at FROM projects WHERE name = $1";

/// A project, with the columns of [`BY_NAME`]. $1 id.
pub(super) const BY_ID: &str =
    "SELECT id, name, owner_id, public, created_at, updated_at FROM projects WHERE id = $1";

/// The roles of a user in a project, and the repositories that they are for. $1 project,
/// $2 user.
pub(super) const ROLES: &str = "\
    SELECT role_id, repositories FROM members WHERE project_id = $1 AND entity_type = 'u' AND entity_id = $2";

/// The memberships of a user, with the columns of [`ROLES`] and the project, in those
/// projects where one of them is narrowed or of a custom role. $1 user.
pub(super) const NARROWED: &str = "\
    SELECT role_id, repositories, project_id FROM members \
    WHERE entity_type = 'u' AND entity_id = $1 AND project_id IN (SELECT project_id \
    FROM members WHERE entity_type = 'u' AND entity_id = $1 \
    AND (repositories IS NOT NULL OR role_id > 100))";

/// The robots of a project. $1 project.
pub(super) const ROBOTS: &str = "SELECT id FROM robots WHERE project_id = $1";

/// A new project. $1 name, $2 owner, $3 public, $4 now.
pub(super) const INSERT: &str = "\
    INSERT INTO projects (name, owner_id, public, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $4) RETURNING id";

/// The first project. $1 id, $2 name, $3 owner, $4 now.
pub(super) const INSERT_FIRST: &str = "\
    INSERT INTO projects (id, name, owner_id, public, created_at, updated_at) \
    VALUES ($1, $2, $3, TRUE, $4, $4) ON CONFLICT DO NOTHING";

/// A user becomes a member. $1 project, $2 user, $3 role, $4 now.
pub(super) const INSERT_MEMBER: &str = "\
    INSERT INTO members (project_id, entity_type, entity_id, role_id, created_at) \
    VALUES ($1, 'u', $2, $3, $4) RETURNING id";

/// Locks a project against deletion and change. $1 id.
pub(super) const LOCK: &str = "SELECT name FROM projects WHERE id = $1 FOR UPDATE";

/// Whether a project has repositories. $1 project.
pub(super) const ANY_REPOSITORY: &str = "SELECT id FROM repositories WHERE project_id = $1 LIMIT 1";

/// Removes a project; members and metadata go with it. $1 id.
pub(super) const DELETE: &str = "DELETE FROM projects WHERE id = $1";

/// Changes whether everybody may pull. $1 id, $2 public, null to leave it, $3 now.
pub(super) const UPDATE: &str = "\
    UPDATE projects SET public = COALESCE(CAST($2 AS BOOLEAN), public), updated_at = $3 \
    WHERE id = $1";

/// Sets one of a project's metadata. $1 project, $2 name, $3 value.
pub(super) const SET_METADATA: &str = "\
    INSERT INTO project_metadata (project_id, name, value) VALUES ($1, $2, $3) \
    ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value";

/// How many projects a caller sees. $1 whether it sees all, $2 its user, $3 pattern of
/// names, $4 public or not, $5 name of the owner, $6 its robot; $3 to $5 may be null.
pub(super) const COUNT: &str = "\
    SELECT COUNT(*) FROM projects AS p JOIN users AS o ON o.id = p.owner_id \
    WHERE (CAST($1 AS BOOLEAN) OR p.public OR EXISTS (SELECT 1 FROM members AS m \
    WHERE m.project_id = p.id AND m.entity_type = 'u' AND m.entity_id = $2) \
    OR EXISTS (SELECT 1 FROM robot_permissions AS g \
    WHERE g.project_id = p.id AND g.robot_id = $6)) \
    AND (CAST($3 AS TEXT) IS NULL OR lower(p.name) LIKE CAST($3 AS TEXT) ESCAPE '\\') \
    AND (CAST($4 AS BOOLEAN) IS NULL OR p.public = CAST($4 AS BOOLEAN)) \
    AND (CAST($5 AS TEXT) IS NULL OR o.username = CAST($5 AS TEXT))";

/// A page of the projects that [`COUNT`] counts, with what is shown of each. $7 how to
/// sort, $8 how many, $9 after how many.
pub(super) const PAGE: &str = "\
    SELECT p.id, p.name, p.owner_id, p.public, p.created_at, p.updated_at, o.username, \
    (SELECT COUNT(*) FROM repositories AS r WHERE r.project_id = p.id) \
    FROM projects AS p JOIN users AS o ON o.id = p.owner_id \
    WHERE (CAST($1 AS BOOLEAN) OR p.public OR EXISTS (SELECT 1 FROM members AS m \
    WHERE m.project_id = p.id AND m.entity_type = 'u' AND m.entity_id = $2) \
    OR EXISTS (SELECT 1 FROM robot_permissions AS g \
    WHERE g.project_id = p.id AND g.robot_id = $6)) \
    AND (CAST($3 AS TEXT) IS NULL OR lower(p.name) LIKE CAST($3 AS TEXT) ESCAPE '\\') \
    AND (CAST($4 AS BOOLEAN) IS NULL OR p.public = CAST($4 AS BOOLEAN)) \
    AND (CAST($5 AS TEXT) IS NULL OR o.username = CAST($5 AS TEXT)) \
    ORDER BY CASE WHEN CAST($7 AS TEXT) = '-name' THEN p.name END DESC, \
    CASE WHEN CAST($7 AS TEXT) = 'creation_time' THEN p.created_at END, \
    CASE WHEN CAST($7 AS TEXT) = '-creation_time' THEN p.created_at END DESC, \
    CASE WHEN CAST($7 AS TEXT) = 'update_time' THEN p.updated_at END, \
    CASE WHEN CAST($7 AS TEXT) = '-update_time' THEN p.updated_at END DESC, \
    p.name LIMIT $8 OFFSET $9";

/// What is shown of one project, with the columns of [`PAGE`]. $1 id.
pub(super) const DETAILS: &str = "\
    SELECT p.id, p.name, p.owner_id, p.public, p.created_at, p.updated_at, o.username, \
    (SELECT COUNT(*) FROM repositories AS r WHERE r.project_id = p.id) \
    FROM projects AS p JOIN users AS o ON o.id = p.owner_id WHERE p.id = $1";

/// Metadata of projects, out of a list.
pub(super) const METADATA_BEFORE: &str =
    "SELECT project_id, name, value FROM project_metadata WHERE project_id IN (";
/// See [`METADATA_BEFORE`].
pub(super) const METADATA_AFTER: &str = ")";

/// Roles of a user in projects, out of a list. $1 user.
pub(super) const ROLES_BEFORE: &str = "\
    SELECT project_id, role_id FROM members \
    WHERE entity_type = 'u' AND entity_id = $1 AND project_id IN (";
/// See [`ROLES_BEFORE`].
pub(super) const ROLES_AFTER: &str = ")";

/// How many members a project has. $1 project, $2 pattern of names, may be null.
pub(super) const COUNT_MEMBERS: &str = "\
    SELECT COUNT(*) FROM members AS m JOIN users AS u ON u.id = m.entity_id \
    WHERE m.project_id = $1 AND m.entity_type = 'u' AND u.deleted = FALSE \
    AND (CAST($2 AS TEXT) IS NULL OR lower(u.username) LIKE CAST($2 AS TEXT) ESCAPE '\\')";

/// A page of the members that [`COUNT_MEMBERS`] counts. $3 how many, $4 after how many.
pub(super) const MEMBERS: &str = "\
    SELECT m.id, m.project_id, m.entity_id, u.username, m.role_id \
    FROM members AS m JOIN users AS u ON u.id = m.entity_id \
    WHERE m.project_id = $1 AND m.entity_type = 'u' AND u.deleted = FALSE \
    AND (CAST($2 AS TEXT) IS NULL OR lower(u.username) LIKE CAST($2 AS TEXT) ESCAPE '\\') \
    ORDER BY u.username LIMIT $3 OFFSET $4";

/// A member, with the columns of [`MEMBERS`]. $1 project, $2 member.
pub(super) const MEMBER: &str = "\
    SELECT m.id, m.project_id, m.entity_id, u.username, m.role_id \
    FROM members AS m JOIN users AS u ON u.id = m.entity_id \
    WHERE m.project_id = $1 AND m.id = $2 AND m.entity_type = 'u' AND u.deleted = FALSE";

/// A member gets another role, which gives the member's user. $1 project, $2 member,
/// $3 role.
pub(super) const SET_ROLE: &str = "\
    UPDATE members SET role_id = $3 WHERE project_id = $1 AND id = $2 AND entity_type = 'u' \
    RETURNING entity_id";

/// Removes a member, which gives the member's user. $1 project, $2 member.
pub(super) const DELETE_MEMBER: &str = "\
    DELETE FROM members WHERE project_id = $1 AND id = $2 AND entity_type = 'u' \
    RETURNING entity_id";
