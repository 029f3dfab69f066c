//! Statements on `cve_allowlists`.

/// Lists, out of a list of projects, with 0 for the system.
pub(super) const OF_BEFORE: &str = "\
    SELECT project_id, id, expires_at, items, created_at, updated_at \
    FROM cve_allowlists WHERE project_id IN (";
/// See [`OF_BEFORE`].
pub(super) const OF_AFTER: &str = ")";

/// Sets a list. $1 project, $2 when it expires, may be null, $3 items, $4 now.
pub(super) const SET: &str = "INSERT INTO cve_allowlists \
    (project_id, expires_at, items, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) \
    ON CONFLICT (project_id) DO UPDATE SET expires_at = excluded.expires_at, \
    items = excluded.items, updated_at = excluded.updated_at";

/// Removes a list. $1 project.
pub(super) const DELETE: &str = "DELETE FROM cve_allowlists WHERE project_id = $1";
