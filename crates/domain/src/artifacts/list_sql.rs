//! Statements for what is shown of repositories in lists.

use crate::projects::seen;

/// What is shown of repositories.
pub(super) const REPOSITORIES_SHOWN: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT CAST(COALESCE(SUM(c.roots), 0) AS BIGINT) FROM artifact_counts AS c \
    WHERE c.repository_id = r.id), p.public \
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id WHERE r.id IN (";

/// What decides about who sees a repository.
pub(super) const REPOSITORY_COLUMNS: &str = "\
    r.id, r.name, r.project_id, \
    (SELECT o.public FROM projects AS o WHERE o.id = r.project_id) ";

/// Every repository.
pub(super) const EVERY_REPOSITORY_FROM: &str = "FROM repositories AS r WHERE TRUE";

/// The repositories of a project. $1 project.
pub(super) const PROJECT_REPOSITORIES_FROM: &str = "FROM repositories AS r WHERE r.project_id = $1";

/// The repositories of the projects that a user or a robot sees. $1 user, $2 robot; 0 for
/// nobody.
pub(super) const VISIBLE_REPOSITORIES_FROM: &str = concat!(
    "FROM repositories AS r JOIN projects AS p ON p.id = r.project_id \
    WHERE ",
    seen!("$1", "$2")
);

/// One repository, with the columns of [`REPOSITORIES_SHOWN`]. $1 id.
pub(super) const REPOSITORY: &str = "\
    SELECT r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at, \
    (SELECT CAST(COALESCE(SUM(c.roots), 0) AS BIGINT) FROM artifact_counts AS c \
    WHERE c.repository_id = r.id), p.public \
    FROM repositories AS r JOIN projects AS p ON p.id = r.project_id WHERE r.id = $1";

/// What is shown of the tags of one artifact.
pub(super) const TAGS_SHOWN: &str = "\
    SELECT t.artifact_id, t.id, t.repository_id, t.name, t.pushed_at, t.pulled_at \
    FROM tags AS t WHERE t.id IN (";

/// The tags of an artifact. $1 artifact.
pub(super) const TAGS_FROM: &str = "FROM tags AS t WHERE t.artifact_id = $1";
