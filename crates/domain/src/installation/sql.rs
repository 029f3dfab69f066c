//! Statements on `settings`.

/// Everything that is set.
pub(super) const ALL: &str = "SELECT name, value FROM settings";

/// Sets something that is not set yet. $1 name, $2 value.
pub(super) const INSERT: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

/// What is set, locked. $1 name.
pub(super) const LOCK: &str = "SELECT value FROM settings WHERE name = $1 FOR UPDATE";
