//! Statements on `labels` and `artifact_labels`.

/// A label. $1 id.
pub(super) const BY_ID: &str = "\
    SELECT l.id, l.project_id, l.name, l.description, l.color, l.created_at, l.updated_at \
    FROM labels AS l WHERE l.id = $1";

/// Keeps a label from being deleted until the transaction ends, with the columns of
/// [`BY_ID`]. $1 id.
pub(super) const KEEP: &str = "\
    SELECT l.id, l.project_id, l.name, l.description, l.color, l.created_at, l.updated_at \
    FROM labels AS l WHERE l.id = $1 FOR KEY SHARE";

/// A new label. $1 project, $2 name, $3 description, $4 color, $5 now.
pub(super) const INSERT: &str = "\
    INSERT INTO labels (project_id, name, description, color, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";

/// Changes a label. $1 id, $2 name, $3 description, $4 color, $5 now.
pub(super) const UPDATE: &str = "\
    UPDATE labels SET name = $2, description = $3, color = $4, updated_at = $5 WHERE id = $1";

/// Deletes a label; what still carries it loses it. $1 id.
pub(super) const DELETE: &str = "DELETE FROM labels WHERE id = $1";

/// Labels with the columns of [`BY_ID`].
pub(super) const LIST_SHOWN: &str = "\
    SELECT l.id, l.project_id, l.name, l.description, l.color, l.created_at, l.updated_at \
    FROM labels AS l WHERE l.id IN (";

/// The labels of all projects.
pub(super) const GLOBAL_FROM: &str = "FROM labels AS l WHERE l.project_id IS NULL";

/// The labels of one project. $1 project.
pub(super) const PROJECT_FROM: &str = "FROM labels AS l WHERE l.project_id = $1";

/// The labels of artifacts, out of a list: the artifact, then the columns of [`BY_ID`].
pub(super) const OF_BEFORE: &str = "\
    SELECT c.artifact_id, l.id, l.project_id, l.name, l.description, l.color, l.created_at, \
    l.updated_at FROM artifact_labels AS c JOIN labels AS l ON l.id = c.label_id \
    WHERE c.artifact_id IN (";
/// See [`OF_BEFORE`].
pub(super) const OF_AFTER: &str = ") ORDER BY l.name, l.id";

/// How many labels an artifact carries. $1 artifact.
pub(super) const COUNT: &str = "SELECT COUNT(*) FROM artifact_labels WHERE artifact_id = $1";

/// An artifact carries a label, unless it does. $1 artifact, $2 label, $3 now.
pub(super) const ATTACH: &str = "\
    INSERT INTO artifact_labels (artifact_id, label_id, created_at) VALUES ($1, $2, $3) \
    ON CONFLICT (artifact_id, label_id) DO NOTHING";

/// An artifact carries a label no more. $1 artifact, $2 label.
pub(super) const DETACH: &str =
    "DELETE FROM artifact_labels WHERE artifact_id = $1 AND label_id = $2";

/// Some of what carries a label loses it. $1 label, $2 how many.
pub(super) const DETACH_SOME: &str = "\
    DELETE FROM artifact_labels WHERE label_id = $1 AND artifact_id IN (\
    SELECT c.artifact_id FROM artifact_labels AS c WHERE c.label_id = $1 \
    ORDER BY c.artifact_id LIMIT $2)";
