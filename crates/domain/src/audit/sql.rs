//! Statements on `audit_log`, `audit_blocks` and `audit_counts`.

/// New entries. Columns: project, time, operation, kind of thing, thing, user,
/// description, address, success, salt, hash.
pub(super) const INSERT_ROWS: &str = "INSERT INTO audit_log (project_id, occurred_at, operation, \
    resource_type, resource, username, description, address, succeeded, salt, hash) VALUES ";
