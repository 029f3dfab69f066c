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
    SELECT role_id, repositories FROM user_memberships WHERE project_id = $1 AND user_id = $2";

/// The memberships of a user, with the columns of [`ROLES`] and the project, in those
/// projects where one of them is narrowed or of a custom role. $1 user.
pub(super) const NARROWED: &str = "\
    SELECT role_id, repositories, project_id FROM user_memberships \
    WHERE user_id = $1 AND project_id IN (SELECT project_id FROM user_memberships \
    WHERE user_id = $1 AND (repositories IS NOT NULL OR role_id > 100))";

/// Whether a user has a role in some project. $1 user, $2 role.
pub(super) const ANY_WITH_ROLE: &str = "\
    SELECT project_id FROM user_memberships WHERE user_id = $1 AND role_id = $2 LIMIT 1";

/// The memberships of a user, with the columns of [`NARROWED`], that may be of an
/// administrator or of a custom role. $1 user, $2 how many.
pub(super) const POWERFUL: &str = "\
    SELECT role_id, repositories, project_id FROM user_memberships WHERE user_id = $1 \
    AND (role_id = 1 OR role_id > 100) ORDER BY project_id DESC LIMIT $2";

/// All projects. $1 how many.
pub(super) const NUMBERS: &str = "SELECT id FROM projects ORDER BY id DESC LIMIT $1";

/// The robots of a project. $1 project.
pub(super) const ROBOTS: &str = "SELECT id FROM robots WHERE project_id = $1";

/// A new project. $1 name, $2 owner, $3 public, $4 now, $5 how much it may store.
pub(super) const INSERT: &str = "\
    INSERT INTO projects (name, owner_id, public, created_at, updated_at, storage_limit) \
    VALUES ($1, $2, $3, $4, $4, $5) RETURNING id";

/// The first project. $1 id, $2 name, $3 owner, $4 now.
pub(super) const INSERT_FIRST: &str = "\
    INSERT INTO projects (id, name, owner_id, public, created_at, updated_at) \
    VALUES ($1, $2, $3, TRUE, $4, $4) ON CONFLICT DO NOTHING";

/// A user or a group becomes a member. $1 project, $2 which of them, $3 its number, $4 role,
/// $5 now, $6 the repositories that it is for.
pub(super) const INSERT_MEMBER: &str = "\
    INSERT INTO members (project_id, entity_type, entity_id, role_id, created_at, repositories) \
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";

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

/// What is set for a project, and whether it is public; nothing if it is gone. $1 project.
pub(super) const METADATA: &str = "\
    SELECT 'public', CASE WHEN public THEN 'true' ELSE 'false' END FROM projects WHERE id = $1 \
    UNION ALL SELECT name, value FROM project_metadata WHERE project_id = $1";

/// Sets one of a project's metadata that is not set. $1 project, $2 name, $3 value.
pub(super) const ADD_METADATA: &str = "\
    INSERT INTO project_metadata (project_id, name, value) VALUES ($1, $2, $3) \
    ON CONFLICT (project_id, name) DO NOTHING";

/// Takes one of a project's metadata away. $1 project, $2 name.
pub(super) const DELETE_METADATA: &str =
    "DELETE FROM project_metadata WHERE project_id = $1 AND name = $2";

/// What is shown of projects.
pub(super) const LIST_SHOWN: &str = "\
    SELECT p.id, p.name, p.owner_id, p.public, p.created_at, p.updated_at, o.username, \
    (SELECT COUNT(*) FROM repositories AS r WHERE r.project_id = p.id) \
    FROM projects AS p JOIN users AS o ON o.id = p.owner_id WHERE p.id IN (";

/// Every project.
pub(super) const EVERY_FROM: &str = "FROM projects AS p WHERE TRUE";

/// How many projects there are.
pub(super) const TOTAL: &str = "SELECT COUNT(*) FROM projects";

/// The condition that a user or a robot sees the project `p`: it is public, or the user is a
/// member, or the robot was given something in it. By the placeholders of the two, which are 0
/// for nobody. All statements that are about what somebody sees are put together with it.
macro_rules! seen {
    ($user:literal, $robot:literal) => {
        concat!(
            "(p.public OR p.id IN (SELECT m.project_id FROM user_memberships AS m \
                WHERE m.user_id = ",
            $user,
            ") OR p.id IN (SELECT g.project_id FROM robot_permissions AS g WHERE g.robot_id = ",
            $robot,
            "))"
        )
    };
}
pub(crate) use seen;

/// The projects that a user or a robot sees. $1 user, $2 robot; 0 for nobody.
pub(super) const VISIBLE_FROM: &str = concat!("FROM projects AS p WHERE ", seen!("$1", "$2"));

/// The projects that a user is a member of. $1 user.
pub(super) const OWN_FROM: &str = "\
    FROM projects AS p WHERE p.id IN (SELECT m.project_id FROM user_memberships AS m \
    WHERE m.user_id = $1)";

/// The owner of a project: what stands around a condition on the user.
pub(super) const OWNER: (&str, &str) = ("p.owner_id IN (SELECT u.id FROM users AS u WHERE ", ")");

/// What is shown of one project, with the columns of [`LIST_SHOWN`]. $1 id.
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
    SELECT project_id, role_id FROM user_memberships WHERE user_id = $1 AND project_id IN (";
/// See [`ROLES_BEFORE`].
pub(super) const ROLES_AFTER: &str = ")";

/// What is shown of members.
pub(super) const MEMBERS_SHOWN: &str = "\
    SELECT m.id, m.project_id, m.entity_type, m.entity_id, COALESCE(u.username, g.name), \
    m.role_id, r.name, m.repositories FROM members AS m \
    LEFT JOIN users AS u ON m.entity_type = 'u' AND u.id = m.entity_id \
    LEFT JOIN user_groups AS g ON m.entity_type = 'g' AND g.id = m.entity_id \
    LEFT JOIN roles AS r ON r.id = m.role_id WHERE m.id IN (";

/// The members of a project. $1 project.
pub(super) const MEMBERS_FROM: &str = "\
    FROM members AS m \
    LEFT JOIN users AS u ON m.entity_type = 'u' AND u.id = m.entity_id \
    LEFT JOIN user_groups AS g ON m.entity_type = 'g' AND g.id = m.entity_id \
    WHERE m.project_id = $1 AND (u.id IS NOT NULL OR g.id IS NOT NULL)";

/// A member, with the columns of [`MEMBERS_SHOWN`]. $1 project, $2 member.
pub(super) const MEMBER: &str = "\
    SELECT m.id, m.project_id, m.entity_type, m.entity_id, COALESCE(u.username, g.name), \
    m.role_id, r.name, m.repositories FROM members AS m \
    LEFT JOIN users AS u ON m.entity_type = 'u' AND u.id = m.entity_id \
    LEFT JOIN user_groups AS g ON m.entity_type = 'g' AND g.id = m.entity_id \
    LEFT JOIN roles AS r ON r.id = m.role_id \
    WHERE m.project_id = $1 AND m.id = $2 AND (u.id IS NOT NULL OR g.id IS NOT NULL)";

/// Who a member is. $1 project, $2 member.
pub(super) const ENTITY: &str =
    "SELECT entity_type, entity_id FROM members WHERE project_id = $1 AND id = $2";

/// Locks a member. $1 project, $2 member.
pub(super) const LOCK_MEMBER: &str =
    "SELECT id FROM members WHERE project_id = $1 AND id = $2 FOR UPDATE";

/// A member gets another role. $1 member, $2 role.
pub(super) const SET_ROLE: &str = "UPDATE members SET role_id = $2 WHERE id = $1";

/// A member is one for other repositories. $1 member, $2 the repositories.
pub(super) const SET_REPOSITORIES: &str = "UPDATE members SET repositories = $2 WHERE id = $1";

/// Removes a member. $1 member.
pub(super) const DELETE_MEMBER: &str = "DELETE FROM members WHERE id = $1";
