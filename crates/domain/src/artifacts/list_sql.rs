//! Statements for what is shown of repositories and artifacts in lists.

/// What is shown of repositories.
pub(super) const REPOSITORIES_SHOWN: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = r.id), p.public \
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id WHERE r.id IN (";

/// What decides about who sees a repository.
pub(super) const REPOSITORY_COLUMNS: &str = "r.id, r.name, r.project_id, p.public ";

/// Every repository.
pub(super) const EVERY_REPOSITORY_FROM: &str =
    "FROM repositories AS r JOIN projects AS p ON p.id = r.project_id WHERE TRUE";

/// The repositories of a project. $1 project.
pub(super) const PROJECT_REPOSITORIES_FROM: &str =
    "FROM repositories AS r JOIN projects AS p ON p.id = r.project_id WHERE r.project_id = $1";

/// The repositories of the projects that a user or a robot sees. $1 user, $2 robot; 0 for
/// nobody.
pub(super) const VISIBLE_REPOSITORIES_FROM: &str = "\
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
    WHERE (p.public OR p.id IN (SELECT m.project_id FROM user_memberships AS m \
    WHERE m.user_id = $1) \
    OR p.id IN (SELECT g.project_id FROM robot_permissions AS g WHERE g.robot_id = $2))";

/// One repository, with the columns of [`REPOSITORIES_SHOWN`]. $1 id.
pub(super) const REPOSITORY: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT COUNT(*) FROM artifacts AS a WHERE a.repository_id = r.id), p.public \
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id WHERE r.id = $1";

/// What is shown of artifacts.
pub(super) const ARTIFACTS_SHOWN: &str = "\
    SELECT a.id, a.project_id, a.repository_id, a.digest, a.media_type, a.config_media_type, \
    a.artifact_type, a.annotations, a.size, a.pushed_at, a.pulled_at \
    FROM artifacts AS a WHERE a.id IN (";

/// The artifacts that a repository shows: not those that are only parts of an index.
/// $1 repository.
pub(super) const ARTIFACTS_FROM: &str = "\
    FROM artifacts AS a WHERE a.repository_id = $1 \
    AND (EXISTS (SELECT 1 FROM tags AS t WHERE t.artifact_id = a.id) \
    OR NOT EXISTS (SELECT 1 FROM artifact_children AS c WHERE c.child_id = a.id))";

/// The tags of an artifact: what stands around a condition on one.
pub(super) const TAGGED: (&str, &str) =
    ("EXISTS (SELECT 1 FROM tags AS t WHERE t.artifact_id = a.id AND ", ")");

/// An artifact, with the columns of [`ARTIFACTS_SHOWN`]. $1 repository, $2 digest.
pub(super) const BY_DIGEST: &str = "\
    SELECT a.id, a.project_id, a.repository_id, a.digest, a.media_type, a.config_media_type, \
    a.artifact_type, a.annotations, a.size, a.pushed_at, a.pulled_at \
    FROM artifacts AS a WHERE a.repository_id = $1 AND a.digest = $2";

/// An artifact, with the columns of [`ARTIFACTS_SHOWN`]. $1 repository, $2 tag.
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

/// What is shown of the tags of one artifact.
pub(super) const TAGS_SHOWN: &str = "\
    SELECT t.artifact_id, t.id, t.repository_id, t.name, t.pushed_at, t.pulled_at \
    FROM tags AS t WHERE t.id IN (";

/// The tags of an artifact. $1 artifact.
pub(super) const TAGS_FROM: &str = "FROM tags AS t WHERE t.artifact_id = $1";
