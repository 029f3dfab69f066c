//! Every statement on the repositories' table.

/// The row of a name.
pub(super) const FIND: &str = "SELECT id, project_id FROM repositories WHERE name = $1";

/// The row of a name, kept until the transaction ends.
pub(super) const KEEP: &str = "SELECT id FROM repositories WHERE name = $1 FOR KEY SHARE";

/// What is written about a repository. $1 id, $2 text, $3 now.
pub(super) const DESCRIBE: &str =
    "UPDATE repositories SET description = $2, updated_at = $3 WHERE id = $1";

/// Keeps everybody from putting something into a repository. $1 id.
pub(super) const LOCK: &str = "SELECT id FROM repositories WHERE id = $1 FOR UPDATE";

/// Deletes a repository that has no artifacts; what it holds goes with it. $1 id.
pub(super) const DELETE: &str = "DELETE FROM repositories WHERE id = $1";

/// A new repository, unless the name exists.
pub(super) const CREATE: &str =
    "INSERT INTO repositories (project_id, name, created_at, updated_at)
    VALUES ($1, $2, $3, $3) ON CONFLICT (name) DO NOTHING RETURNING id";

/// Names of a project's repositories. $1 project, $2 the name after which, $3 how many.
pub(super) const NAMES: &str = "SELECT name FROM repositories
    WHERE project_id = $1 AND name > $2 ORDER BY name LIMIT $3";

/// How many repositories there are.
pub(super) const TOTAL: &str = "SELECT COUNT(*) FROM repositories";
