//! Statements on `configuration`.

/// Everything that was set.
pub(super) const ALL: &str = "SELECT name, value FROM configuration";

/// Sets something. $1 name, $2 value.
pub(super) const SET: &str = "INSERT INTO configuration (name, value) VALUES ($1, $2) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
