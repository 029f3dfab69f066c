//! Statements on `audit_log`, `audit_blocks` and `audit_counts`.

/// New entries. Columns: project, time, operation, kind of thing, thing, user,
/// description, address, success, salt, hash, mac.
pub(super) const INSERT_ROWS: &str = "INSERT INTO audit_log (project_id, occurred_at, operation, \
    resource_type, resource, username, description, address, succeeded, salt, hash, mac) \
    VALUES ";

/// The last block. It is no lock: who comes second fails at the block's number.
pub(super) const LAST_BLOCK: &str = "SELECT id, head FROM audit_blocks ORDER BY id DESC LIMIT 1";

/// Entries that no block holds, the oldest first. $1 how many.
pub(super) const UNSEALED: &str = "SELECT id, project_id, occurred_at, mac FROM audit_log \
    WHERE block_id IS NULL ORDER BY id LIMIT $1";

/// A new block. $1 id, $2 how many entries, $3 their digest, $4 head, $5 when the newest of
/// them happened, $6 now.
pub(super) const INSERT_BLOCK: &str = "INSERT INTO audit_blocks \
    (id, entries, content, head, newest, sealed_at) VALUES ($1, $2, $3, $4, $5, $6)";

/// Entries get their block. $1 the block, then the entries.
pub(super) const SET_BLOCK_BEFORE: &str = "UPDATE audit_log SET block_id = $1 WHERE id IN (";
/// See [`SET_BLOCK_BEFORE`].
pub(super) const SET_BLOCK_AFTER: &str = ")";

/// Adds to how many entries there are of an hour. $1 project, $2 hour, $3 how many more.
pub(super) const COUNT: &str = "INSERT INTO audit_counts (project_id, hour, entries) \
    VALUES ($1, $2, $3) ON CONFLICT (project_id, hour) \
    DO UPDATE SET entries = audit_counts.entries + excluded.entries";

/// Blocks after one. $1 the one, $2 how many.
pub(super) const BLOCKS: &str = "SELECT id, entries, content, head, newest, sealed_at, purged, \
    removed, removed_proof FROM audit_blocks WHERE id > $1 ORDER BY id LIMIT $2";

/// The entries of a block with all that proves them. $1 the block.
pub(super) const OF_BLOCK: &str = "SELECT id, project_id, occurred_at, operation, \
    resource_type, resource, username, description, address, succeeded, salt, hash, mac, \
    forgotten FROM audit_log WHERE block_id = $1 ORDER BY id";

/// Entries that no block holds yet, with the columns of [`OF_BLOCK`]. $1 after which,
/// $2 how many.
pub(super) const NOT_SEALED: &str = "SELECT id, project_id, occurred_at, operation, \
    resource_type, resource, username, description, address, succeeded, salt, hash, mac, \
    forgotten FROM audit_log WHERE block_id IS NULL AND id > $1 ORDER BY id LIMIT $2";

/// Entries whose block is not there.
pub(super) const ASTRAY: &str = "SELECT e.id, e.block_id FROM audit_log AS e \
    WHERE e.block_id IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM audit_blocks AS b WHERE b.id = e.block_id) \
    ORDER BY e.id LIMIT $1";

/// Blocks that hold nothing newer than a moment. $1 the moment, $2 how many.
pub(super) const OLD_BLOCKS: &str = "SELECT id, head FROM audit_blocks \
    WHERE purged IS NULL AND newest < $1 ORDER BY newest, id LIMIT $2";

/// The entries of a block go; tells of which hours and projects. $1 the block.
pub(super) const DELETE_OF_BLOCK: &str =
    "DELETE FROM audit_log WHERE block_id = $1 RETURNING project_id, occurred_at";

/// A block's entries were purged. $1 the block, $2 the proof.
pub(super) const SET_PURGED: &str = "UPDATE audit_blocks SET purged = $2, removed = NULL, \
    removed_proof = NULL WHERE id = $1 AND purged IS NULL";

/// How many entries of a kind are older than a moment. $1 kind of thing, $2 operation, $3 the
/// moment.
pub(super) const COUNT_OLD: &str = "SELECT COUNT(*) FROM audit_log \
    WHERE resource_type = $1 AND operation = $2 AND occurred_at < $3";

/// Sealed entries of a kind that are older than a moment, and their blocks. $1 kind of thing,
/// $2 operation, $3 the moment, $4 and $5 time and number of the last one seen, $6 how many.
pub(super) const OLD_OF_KIND: &str = "SELECT occurred_at, id, block_id FROM audit_log \
    WHERE resource_type = $1 AND operation = $2 AND occurred_at < $3 AND block_id IS NOT NULL \
    AND (occurred_at > $4 OR occurred_at = $4 AND id > $5) ORDER BY occurred_at, id LIMIT $6";

/// A block that was not purged whole, locked. $1 the block.
pub(super) const LOCK_BLOCK: &str = "SELECT entries, head, removed FROM audit_blocks \
    WHERE id = $1 AND purged IS NULL FOR UPDATE";

/// Entries of a block that are older than a moment and of some kinds go. $1 the block, $2 the
/// moment, then the kinds.
pub(super) const DELETE_SOME_BEFORE: &str = "DELETE FROM audit_log WHERE block_id = $1 \
    AND occurred_at < $2 AND operation || '_' || resource_type IN (";
/// See [`DELETE_SOME_BEFORE`].
pub(super) const DELETE_SOME_AFTER: &str = ") RETURNING id, mac, project_id, occurred_at";

/// Entries of a block were removed. $1 the block, $2 what stands for all that were, $3 the
/// proof.
pub(super) const SET_REMOVED: &str =
    "UPDATE audit_blocks SET removed = $2, removed_proof = $3 WHERE id = $1";

/// Entries that name somebody, by who did it or by whom it was done to. $1 the name,
/// $2 how many.
pub(super) const NAMING: &str = "SELECT id, hash FROM audit_log WHERE forgotten IS NULL \
    AND (username = $1 OR resource_type IN ('user', 'member') AND resource = $1) \
    ORDER BY id LIMIT $2";

/// Forgets who an entry is about. $1 the entry, $2 the proof, $3 what stands in place of
/// the name, $4 what of a thing that is a person.
pub(super) const FORGET: &str = "UPDATE audit_log SET username = $3, address = '', salt = NULL, \
    forgotten = $2, \
    resource = CASE WHEN resource_type IN ('user', 'member') THEN $4 ELSE resource END, \
    description = CASE WHEN resource_type IN ('user', 'member') THEN '' ELSE description END \
    WHERE id = $1";

/// What is shown of entries.
pub(super) const LIST_SHOWN: &str = "\
    SELECT e.id, e.username, e.resource, e.resource_type, e.operation, e.description, \
    e.succeeded, e.occurred_at FROM audit_log AS e WHERE e.id IN (";

/// Every entry.
pub(super) const LIST_FROM: &str = "FROM audit_log AS e WHERE TRUE";

/// Every entry that no block holds.
pub(super) const UNSEALED_FROM: &str = "FROM audit_log AS e WHERE e.block_id IS NULL";

/// How many entries the hours have.
pub(super) const COUNTS_FROM: &str = "FROM audit_counts AS c WHERE TRUE";

/// The order of the log.
pub(super) const NEWEST_FIRST_AFTER: &str = " ORDER BY e.occurred_at DESC, e.id DESC";
/// The order of the log, backwards.
pub(super) const OLDEST_FIRST_AFTER: &str = " ORDER BY e.occurred_at, e.id";
