//! Statements for what is shown of repositories and artifacts in lists.

/// How many repositories a caller sees. $1 the project, null for all; $2 whether the
/// caller sees all, $3 its user; $4 pattern of names, may be null; $5 its robot.
pub(super) const COUNT_REPOSITORIES: &str = "\
    SELECT COUNT(*) FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
    WHERE (CAST($1 AS BIGINT) IS NULL OR r.project_id = CAST($1 AS BIGINT)) \
    AND (CAST($2 AS BOOLEAN) OR p.public OR EXISTS (SELECT 1 FROM members AS m \
    WHERE m.project_id = p.id AND m.entity_type = 'u' AND m.entity_id = $3) \
    OR EXISTS (SELECT 1 FROM robot_permissions AS g \
    WHERE g.project_id = p.id AND g.robot_id = $5)) \
    AND (CAST($4 AS TEXT) IS NULL OR lower(r.name) LIKE CAST($4 AS TEXT) ESCAPE '\\')";

/// A page of the repositories that [`COUNT_REPOSITORIES`] counts, the newest first.
/// $6 how many, $7 after how many.
pub(super) const REPOSITORIES: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = r.id) \
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
    WHERE (CAST($1 AS BIGINT) IS NULL OR r.project_id = CAST($1 AS BIGINT)) \
    AND (CAST($2 AS BOOLEAN) OR p.public OR EXISTS (SELECT 1 FROM members AS m \
    WHERE m.project_id = p.id AND m.entity_type = 'u' AND m.entity_id = $3) \
    OR EXISTS (SELECT 1 FROM robot_permissions AS g \
    WHERE g.project_id = p.id AND g.robot_id = $5)) \
    AND (CAST($4 AS TEXT) IS NULL OR lower(r.name) LIKE CAST($4 AS TEXT) ESCAPE '\\') \
    ORDER BY r.created_at DESC, r.id DESC LIMIT $6 OFFSET $7";

/// The names of the repositories that [`COUNT_REPOSITORIES`] counts, the newest first, with
/// their projects and whether those are public. $6 how many.
pub(super) const REPOSITORY_NAMES: &str = "\
    SELECT r.id, r.name, r.project_id, p.public \
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
    WHERE (CAST($1 AS BIGINT) IS NULL OR r.project_id = CAST($1 AS BIGINT)) \
    AND (CAST($2 AS BOOLEAN) OR p.public OR EXISTS (SELECT 1 FROM members AS m \
    WHERE m.project_id = p.id AND m.entity_type = 'u' AND m.entity_id = $3) \
    OR EXISTS (SELECT 1 FROM robot_permissions AS g \
    WHERE g.project_id = p.id AND g.robot_id = $5)) \
    AND (CAST($4 AS TEXT) IS NULL OR lower(r.name) LIKE CAST($4 AS TEXT) ESCAPE '\\') \
    ORDER BY r.created_at DESC, r.id DESC LIMIT $6";

/// Repositories with the columns of [`REPOSITORIES`], the newest first, out of a list.
pub(super) const REPOSITORIES_BEFORE: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = r.id) \
    FROM repositories AS r WHERE r.id IN (";
/// See [`REPOSITORIES_BEFORE`].
pub(super) const REPOSITORIES_AFTER: &str = ") ORDER BY r.created_at DESC, r.id DESC";

/// One repository, with the columns of [`REPOSITORIES`]. $1 id.
pub(super) const REPOSITORY: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = r.id) \
    FROM repositories AS r WHERE r.id = $1";

/// How many artifacts a repository shows: not those that are only parts of an index.
/// $1 repository.
pub(super) const COUNT_ARTIFACTS: &str = "\
    SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = $1 \
    AND (EXISTS (SELECT 1 FROM tags AS t WHERE t.artifact_id = a.id) \
    OR NOT EXISTS (SELECT 1 FROM artifact_children AS c WHERE c.child_id = a.id))";

/// A page of the artifacts that [`COUNT_ARTIFACTS`] counts, the last pushed first.
/// $2 how many, $3 after how many.
pub(super) const ARTIFACTS: &str = "\
    SELECT a.id, a.project_id, a.repository_id, a.digest, a.media_type, a.config_media_type, \
    a.artifact_type, a.annotations, a.size, a.pushed_at, a.pulled_at \
    FROM artifacts AS a WHERE a.repository_id = $1 \
    AND (EXISTS (SELECT 1 FROM tags AS t WHERE t.artifact_id = a.id) \
    OR NOT EXISTS (SELECT 1 FROM artifact_children AS c WHERE c.child_id = a.id)) \
    ORDER BY a.pushed_at DESC, a.id DESC LIMIT $2 OFFSET $3";

/// An artifact, with the columns of [`ARTIFACTS`]. $1 repository, $2 digest.
pub(super) const BY_DIGEST: &str = "\
    SELECT a.id, a.project_id, a.repository_id, a.digest, a.media_type, a.config_media_type, \
    a.artifact_type, a.annotations, a.size, a.pushed_at, a.pulled_at \
    FROM artifacts AS a WHERE a.repository_id = $1 AND a.digest = $2";

/// An artifact, with the columns of [`ARTIFACTS`]. $1 repository, $2 tag.
pub(super) const BY_TAG: &str = "\
    SELECT a.id, a.project_id, a.repository_id, a.digest, a.media_type, a.config_media_type, \
    a.artifact_type, a.annotations, a.size, a.pushed_at, a.pulled_at \
    FROM artifacts AS a JOIN tags AS t ON t.artifact_id = a.id \
    WHERE t.repository_id = $1 AND t.name = $2";

/// The tags of artifacts, out of a list.
pub(super) const TAGS_BEFORE: &str = "\
    SELECT artifact_id, id, repository_id, name, pushed_at, pulled_at FROM tags \
    WHERE artifact_id IN (";
/// See [`TAGS_BEFORE`].
pub(super) const TAGS_AFTER: &str = ") ORDER BY pushed_at DESC, name";

/// What indexes list, out of a list of indexes.
pub(super) const CHILDREN_BEFORE: &str = "\
    SELECT parent_id, child_id, child_digest, platform, annotations FROM artifact_children \
    WHERE parent_id IN (";
/// See [`CHILDREN_BEFORE`].
pub(super) const CHILDREN_AFTER: &str = ") ORDER BY parent_id, position";
