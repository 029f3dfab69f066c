//! Every statement on the repositories' table.

/// The row of a name.
pub(super) const FIND: &str = "SELECT id, project_id FROM repositories WHERE name = $1";

/// A new repository, unless the name exists.
pub(super) const CREATE: &str =
    "INSERT INTO repositories (project_id, name, created_at, updated_at)
    VALUES ($1, $2, $3, $3) ON CONFLICT (name) DO NOTHING RETURNING id";
