//! Statements on what counts in projects.

/// Blobs count in a project, out of a list; gives those that did not. $1 project.
pub(super) const ADD_BLOBS_BEFORE: &str = "\
    INSERT INTO quota_contents (project_id, kind, content_id, size) \
    SELECT CAST($1 AS BIGINT), 0, id, size FROM blobs WHERE id IN (";
/// See [`ADD_BLOBS_BEFORE`].
pub(super) const ADD_BLOBS_AFTER: &str =
    ") ORDER BY id ON CONFLICT DO NOTHING RETURNING content_id, size";

/// A manifest counts in a project; gives a row if it did not. $1 project, $2 manifest, $3 its
/// size.
pub(super) const ADD_MANIFEST: &str = "\
    INSERT INTO quota_contents (project_id, kind, content_id, size) VALUES ($1, 1, $2, $3) \
    ON CONFLICT DO NOTHING RETURNING content_id, size";

/// Blobs that count in a project, out of a list, kept until the transaction ends. $1 project.
pub(super) const KEEP_BLOBS_BEFORE: &str = "\
    SELECT content_id FROM quota_contents \
    WHERE project_id = $1 AND kind = 0 AND content_id IN (";
/// See [`KEEP_BLOBS_BEFORE`].
pub(super) const KEEP_BLOBS_AFTER: &str = ") ORDER BY content_id FOR KEY SHARE";

/// A manifest that counts in a project, kept until the transaction ends. $1 project,
/// $2 manifest.
pub(super) const KEEP_MANIFEST: &str = "\
    SELECT content_id FROM quota_contents \
    WHERE project_id = $1 AND kind = 1 AND content_id = $2 FOR KEY SHARE";

/// Locks blobs that count in a project, out of a list. $1 project.
pub(super) const LOCK_BLOBS_BEFORE: &str = "\
    SELECT content_id FROM quota_contents \
    WHERE project_id = $1 AND kind = 0 AND content_id IN (";
/// See [`LOCK_BLOBS_BEFORE`].
pub(super) const LOCK_BLOBS_AFTER: &str = ") ORDER BY content_id FOR UPDATE";

/// Locks manifests that count in a project, out of a list. $1 project.
pub(super) const LOCK_MANIFESTS_BEFORE: &str = "\
    SELECT content_id FROM quota_contents \
    WHERE project_id = $1 AND kind = 1 AND content_id IN (";
/// See [`LOCK_MANIFESTS_BEFORE`].
pub(super) const LOCK_MANIFESTS_AFTER: &str = ") ORDER BY content_id FOR UPDATE";

/// Blobs out of a list that no repository of a project holds any more in a way that counts
/// count no longer; gives their sizes. $1 project.
///
/// A look for a row as a value, here and below: PostgreSQL asks an index for each of the few
/// in the list, where it may go through the whole other table for `NOT EXISTS`.
pub(super) const REMOVE_BLOBS_BEFORE: &str = "\
    DELETE FROM quota_contents WHERE project_id = $1 AND kind = 0 \
    AND (SELECT h.blob_id FROM repository_blobs AS h WHERE h.counted_in = $1 \
        AND h.blob_id = quota_contents.content_id LIMIT 1) IS NULL \
    AND content_id IN (";
/// See [`REMOVE_BLOBS_BEFORE`].
pub(super) const REMOVE_BLOBS_AFTER: &str = ") RETURNING size";

/// Manifests out of a list that no artifact of a project is any more count no longer; gives
/// their sizes. $1 project.
pub(super) const REMOVE_MANIFESTS_BEFORE: &str = "\
    DELETE FROM quota_contents WHERE project_id = $1 AND kind = 1 \
    AND (SELECT a.id FROM artifacts AS a WHERE a.manifest_id = quota_contents.content_id \
        AND a.project_id = $1 LIMIT 1) IS NULL \
    AND content_id IN (";
/// See [`REMOVE_MANIFESTS_BEFORE`].
pub(super) const REMOVE_MANIFESTS_AFTER: &str = ") RETURNING size";

/// A change of what a project uses. $1 project, $2 bytes.
pub(super) const ADD_CHANGE: &str =
    "INSERT INTO quota_changes (project_id, change) VALUES ($1, $2)";

/// A change of what a project uses, if it has no limit. $1 project, $2 bytes.
pub(super) const ADD_CHANGE_WITHOUT_LIMIT: &str = "\
    INSERT INTO quota_changes (project_id, change) SELECT id, CAST($2 AS BIGINT) FROM projects \
    WHERE id = $1 AND COALESCE(storage_limit, -1) < 0";

/// Begins to keep what a project uses, if that is not kept yet. $1 project, $2 now.
pub(super) const BEGIN_USAGE: &str = "\
    INSERT INTO quota_usage (project_id, used, updated_at) \
    SELECT id, 0, CAST($2 AS BIGINT) FROM projects WHERE id = $1 ON CONFLICT DO NOTHING";

/// Locks what a project uses. $1 project.
pub(super) const LOCK_USAGE: &str = "SELECT used FROM quota_usage WHERE project_id = $1 FOR UPDATE";

/// How much a project may store and does. $1 project.
pub(super) const STANDING: &str = "\
    SELECT COALESCE(p.storage_limit, -1), COALESCE(u.used, 0) + \
    CAST(COALESCE((SELECT SUM(c.change) FROM quota_changes AS c WHERE c.project_id = p.id), 0) \
        AS BIGINT) \
    FROM projects AS p LEFT JOIN quota_usage AS u ON u.project_id = p.id WHERE p.id = $1";

/// How much a project stores. $1 project.
pub(super) const STORED_IN: &str = "SELECT CAST(\
    COALESCE((SELECT used FROM quota_usage WHERE project_id = $1), 0) + \
    COALESCE((SELECT SUM(change) FROM quota_changes WHERE project_id = $1), 0) AS BIGINT)";

/// How much all projects store.
pub(super) const STORED: &str = "SELECT CAST(\
    COALESCE((SELECT SUM(used) FROM quota_usage), 0) + \
    COALESCE((SELECT SUM(change) FROM quota_changes), 0) AS BIGINT)";

/// Changes that nobody else is adding up. $1 how many.
pub(super) const CHANGES: &str =
    "SELECT id, project_id, change FROM quota_changes ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED";

/// Removes changes, out of a list.
pub(super) const REMOVE_CHANGES_BEFORE: &str = "DELETE FROM quota_changes WHERE id IN (";
/// See [`REMOVE_CHANGES_BEFORE`].
pub(super) const REMOVE_CHANGES_AFTER: &str = ")";

/// Adds to what a project uses, if there is the project. $1 project, $2 bytes, $3 now.
pub(super) const ADD_UP: &str = "\
    INSERT INTO quota_usage (project_id, used, updated_at) \
    SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM projects WHERE id = $1 \
    ON CONFLICT (project_id) DO UPDATE \
    SET used = quota_usage.used + excluded.used, updated_at = excluded.updated_at";

/// Projects after one. $1 after which, $2 how many.
pub(super) const PROJECTS: &str = "SELECT id FROM projects WHERE id > $1 ORDER BY id LIMIT $2";

/// What counts in a project though nothing of the project has it any more. $1 project.
pub(super) const REMOVE_ASTRAY: &str = "\
    DELETE FROM quota_contents WHERE project_id = $1 AND ( \
    (kind = 0 AND NOT EXISTS (SELECT 1 FROM repository_blobs AS h \
        WHERE h.counted_in = $1 AND h.blob_id = quota_contents.content_id)) \
    OR (kind = 1 AND NOT EXISTS (SELECT 1 FROM artifacts AS a \
        WHERE a.manifest_id = quota_contents.content_id AND a.project_id = $1)))";

/// Blobs that a manifest of a project needs and that do not count. $1 project.
pub(super) const COUNT_NEEDED: &str = "\
    UPDATE repository_blobs SET counted_in = $1, unreferenced_at = NULL \
    WHERE counted_in IS NULL AND repository_id IN (SELECT id FROM repositories \
        WHERE project_id = $1) AND EXISTS (SELECT 1 FROM artifact_blobs AS n \
        WHERE n.repository_id = repository_blobs.repository_id \
            AND n.blob_id = repository_blobs.blob_id)";

/// What a project has and that does not count yet: blobs. $1 project.
pub(super) const ADD_MISSING_BLOBS: &str = "\
    INSERT INTO quota_contents (project_id, kind, content_id, size) \
    SELECT CAST($1 AS BIGINT), 0, b.id, b.size FROM blobs AS b \
    WHERE b.id IN (SELECT h.blob_id FROM repository_blobs AS h WHERE h.counted_in = $1) \
    ON CONFLICT DO NOTHING";

/// What a project has and that does not count yet: manifests. $1 project.
pub(super) const ADD_MISSING_MANIFESTS: &str = "\
    INSERT INTO quota_contents (project_id, kind, content_id, size) \
    SELECT CAST($1 AS BIGINT), 1, manifest_id, MAX(manifest_size) FROM artifacts \
    WHERE project_id = $1 GROUP BY manifest_id \
    ON CONFLICT DO NOTHING";

/// How much too little a project is said to use, all in one look. $1 project.
pub(super) const DIFFERENCE: &str = "\
    SELECT CAST(COALESCE((SELECT SUM(size) FROM quota_contents WHERE project_id = $1), 0) \
    - COALESCE((SELECT SUM(change) FROM quota_changes WHERE project_id = $1), 0) \
    - COALESCE((SELECT used FROM quota_usage WHERE project_id = $1), 0) AS BIGINT)";

/// What is shown of quotas.
pub(super) const LIST_SHOWN: &str = "\
    SELECT p.id, p.name, o.username, COALESCE(p.storage_limit, -1), COALESCE(u.used, 0) + \
    CAST(COALESCE((SELECT SUM(c.change) FROM quota_changes AS c WHERE c.project_id = p.id), 0) \
        AS BIGINT), \
    p.created_at, COALESCE(u.updated_at, p.created_at) \
    FROM projects AS p JOIN users AS o ON o.id = p.owner_id \
    LEFT JOIN quota_usage AS u ON u.project_id = p.id WHERE p.id IN (";

/// Every project's quota.
pub(super) const LIST_FROM: &str =
    "FROM projects AS p LEFT JOIN quota_usage AS u ON u.project_id = p.id WHERE TRUE";

/// Sets how much a project may store, and gives its name. $1 project, $2 bytes, -1 for no limit.
pub(super) const SET_LIMIT: &str =
    "UPDATE projects SET storage_limit = $2 WHERE id = $1 RETURNING name";

/// Remembers that the quota was changed. $1 project, $2 now.
pub(super) const TOUCH: &str = "UPDATE quota_usage SET updated_at = $2 WHERE project_id = $1";
