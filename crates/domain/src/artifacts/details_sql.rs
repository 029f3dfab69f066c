//! Statements for what is shown of artifacts.

use crate::projects::seen;

/// What lists show of artifacts: annotations that are too long are only shown of one. No page
/// gets too large for that.
pub(super) const ARTIFACTS_SHOWN: &str = "\
    SELECT a.id, a.project_id, a.repository_id, r.name, a.digest, a.kind, a.config_media_type, \
    a.media_type, a.artifact_type, a.size, a.icon, a.pushed_at, a.pulled_at, a.extra_attrs, \
    CASE WHEN octet_length(a.annotations) <= 65536 THEN a.annotations END \
    FROM artifacts AS a JOIN repositories AS r ON r.id = a.repository_id WHERE a.id IN (";

/// What is shown of one artifact, with the columns of [`ARTIFACTS_SHOWN`]. $1 id.
pub(super) const ARTIFACT: &str = "\
    SELECT a.id, a.project_id, a.repository_id, r.name, a.digest, a.kind, a.config_media_type, \
    a.media_type, a.artifact_type, a.size, a.icon, a.pushed_at, a.pulled_at, a.extra_attrs, \
    a.annotations FROM artifacts AS a JOIN repositories AS r ON r.id = a.repository_id \
    WHERE a.id = $1";

/// What decides about who sees an artifact.
pub(super) const ARTIFACT_COLUMNS: &str = "a.id, s.name ";

/// The artifacts that a repository shows. $1 repository.
pub(super) const ROOTS_FROM: &str = "FROM artifacts AS a WHERE a.repository_id = $1 AND a.is_root";

/// The artifacts of a repository but for accessories, parts of indexes included. $1 repository.
pub(super) const EVERYTHING_FROM: &str = "\
    FROM artifacts AS a WHERE a.repository_id = $1 \
    AND NOT EXISTS (SELECT 1 FROM accessories AS c WHERE c.artifact_id = a.id)";

/// The artifacts that a project shows. $1 project.
pub(super) const PROJECT_ROOTS_FROM: &str =
    "FROM artifacts AS a WHERE a.project_id = $1 AND a.is_root";

/// The artifacts of a project but for accessories, parts of indexes included. $1 project.
pub(super) const PROJECT_EVERYTHING_FROM: &str = "\
    FROM artifacts AS a WHERE a.project_id = $1 \
    AND NOT EXISTS (SELECT 1 FROM accessories AS c WHERE c.artifact_id = a.id)";

/// The artifacts that a project shows, with their repositories. $1 project.
pub(super) const NAMED_ROOTS_FROM: &str = "\
    FROM artifacts AS a JOIN repositories AS s ON s.id = a.repository_id \
    WHERE a.project_id = $1 AND a.is_root";

/// The artifacts of a project but for accessories, with their repositories. $1 project.
pub(super) const NAMED_EVERYTHING_FROM: &str = "\
    FROM artifacts AS a JOIN repositories AS s ON s.id = a.repository_id \
    WHERE a.project_id = $1 \
    AND NOT EXISTS (SELECT 1 FROM accessories AS c WHERE c.artifact_id = a.id)";

/// Of each repository of a project, the artifact of a media type that was pushed last.
/// $1 project, $2 media type.
pub(super) const LATEST_OF_MEDIA_TYPE_FROM: &str = "\
    FROM repositories AS s JOIN artifacts AS a ON a.id = (\
        SELECT b.id FROM artifacts AS b \
        WHERE b.repository_id = s.id AND b.config_media_type = $2 \
        ORDER BY b.pushed_at DESC, b.id DESC LIMIT 1) \
    WHERE s.project_id = $1";

/// Of each repository of a project, the artifact of an artifact type that was pushed last.
/// $1 project, $2 artifact type.
pub(super) const LATEST_OF_ARTIFACT_TYPE_FROM: &str = "\
    FROM repositories AS s JOIN artifacts AS a ON a.id = (\
        SELECT b.id FROM artifacts AS b \
        WHERE b.repository_id = s.id AND b.artifact_type = $2 \
        ORDER BY b.pushed_at DESC, b.id DESC LIMIT 1) \
    WHERE s.project_id = $1";

/// The tags of a repository's artifacts: what stands around a condition on one.
pub(super) const TAGGED: (&str, &str) =
    ("a.id IN (SELECT t.artifact_id FROM tags AS t WHERE t.repository_id = $1 AND ", ")");

/// The tags of a project's artifacts: what stands around a condition on one.
pub(super) const TAGGED_IN_PROJECT: (&str, &str) =
    ("EXISTS (SELECT 1 FROM tags AS t WHERE t.artifact_id = a.id AND ", ")");

/// How many artifacts a repository shows.
pub(super) const ROOTS: &str = "SELECT CAST(COALESCE(SUM(roots), 0) AS BIGINT) \
    FROM artifact_counts WHERE repository_id = $1";

/// How many artifacts a project shows.
pub(super) const PROJECT_ROOTS: &str = "SELECT CAST(COALESCE(SUM(c.roots), 0) AS BIGINT) \
    FROM repositories AS r JOIN artifact_counts AS c ON c.repository_id = r.id \
    WHERE r.project_id = $1";

/// The tags of artifacts, out of a list; of each artifact the thousand that were pushed last.
pub(super) const TAGS_BEFORE: &str = "\
    SELECT artifact_id, id, repository_id, name, pushed_at, pulled_at FROM (\
        SELECT t.artifact_id, t.id, t.repository_id, t.name, t.pushed_at, t.pulled_at, \
        ROW_NUMBER() OVER (PARTITION BY t.artifact_id ORDER BY t.pushed_at DESC, t.id DESC) \
            AS place \
        FROM tags AS t WHERE t.artifact_id IN (";
/// See [`TAGS_BEFORE`].
pub(super) const TAGS_AFTER: &str = ")) AS found WHERE place <= 1000 ORDER BY pushed_at DESC, name";

/// What indexes list, out of a list of indexes.
pub(super) const CHILDREN_BEFORE: &str = "\
    SELECT parent_id, child_id, child_digest, platform, annotations, urls \
    FROM artifact_children WHERE parent_id IN (";
/// See [`CHILDREN_BEFORE`].
pub(super) const CHILDREN_AFTER: &str = ") ORDER BY parent_id, position";

/// The accessories of artifacts, out of a list, of each the first thousand, with the columns of
/// [`ACCESSORIES_SHOWN`].
pub(super) const ACCESSORIES_BEFORE: &str = "\
    SELECT c.id, c.artifact_id, c.subject_id, c.subject_digest, r.name, a.digest, a.size, c.kind, \
    c.created_at FROM (\
        SELECT n.id, n.artifact_id, s.id AS subject_id, n.subject_digest, n.repository_id, n.kind, \
        n.created_at, ROW_NUMBER() OVER (PARTITION BY s.id ORDER BY n.id) AS place \
        FROM artifacts AS s JOIN accessories AS n \
            ON n.repository_id = s.repository_id AND n.subject_digest = s.digest \
        WHERE s.id IN (";
/// See [`ACCESSORIES_BEFORE`].
pub(super) const ACCESSORIES_AFTER: &str = ")) AS c \
    JOIN artifacts AS a ON a.id = c.artifact_id \
    JOIN repositories AS r ON r.id = c.repository_id WHERE c.place <= 1000 ORDER BY c.id";

/// The indexes that list artifacts, out of a list: a thousand in all.
pub(super) const PARENTS_BEFORE: &str = "\
    SELECT DISTINCT child_id, parent_id FROM artifact_children WHERE child_id IN (";
/// See [`PARENTS_BEFORE`].
pub(super) const PARENTS_AFTER: &str = ") ORDER BY child_id, parent_id LIMIT 1000";

/// What is shown of accessories.
pub(super) const ACCESSORIES_SHOWN: &str = "\
    SELECT c.id, c.artifact_id, s.id, c.subject_digest, r.name, a.digest, a.size, c.kind, \
    c.created_at FROM accessories AS c \
    JOIN artifacts AS a ON a.id = c.artifact_id \
    JOIN repositories AS r ON r.id = c.repository_id \
    LEFT JOIN artifacts AS s ON s.repository_id = c.repository_id AND s.digest = c.subject_digest \
    WHERE c.id IN (";

/// The accessories of a subject. $1 repository, $2 its digest.
pub(super) const ACCESSORIES_FROM: &str = "\
    FROM accessories AS c JOIN artifacts AS a ON a.id = c.artifact_id \
    WHERE c.repository_id = $1 AND c.subject_digest = $2";

/// Repositories with an artifact that has an icon, their projects and whether those are public.
/// $1 digest of the icon, $2 whether the caller sees all, $3 its user, $4 its robot, $5 how
/// many.
pub(super) const WITH_ICON: &str = concat!(
    "SELECT r.name, r.project_id, p.public FROM artifacts AS a \
    JOIN repositories AS r ON r.id = a.repository_id JOIN projects AS p ON p.id = r.project_id \
    WHERE a.icon = $1 AND (CAST($2 AS BOOLEAN) OR ",
    seen!("$3", "$4"),
    ") LIMIT $5"
);
