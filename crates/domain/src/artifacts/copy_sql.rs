//! Statements for copies.

/// An artifact by its digest, with the digest. $1 repository, $2 digest.
pub(super) const BY_DIGEST: &str =
    "SELECT id, digest FROM artifacts WHERE repository_id = $1 AND digest = $2";

/// An artifact by a tag, with its digest. $1 repository, $2 tag.
pub(super) const BY_TAG: &str = "SELECT a.id, a.digest FROM tags AS t
    JOIN artifacts AS a ON a.id = t.artifact_id WHERE t.repository_id = $1 AND t.name = $2";

/// Whether an artifact is an accessory.
pub(super) const IS_ACCESSORY: &str = "SELECT 1 FROM accessories WHERE artifact_id = $1 LIMIT 1";

/// What indexes, out of a list, list: index and part.
pub(super) const PARTS_BEFORE: &str = "SELECT parent_id, child_id FROM artifact_children
    WHERE child_id IS NOT NULL AND parent_id IN (";
/// See [`PARTS_BEFORE`].
pub(super) const PARTS_AFTER: &str = ") ORDER BY parent_id, position";

/// The accessories of artifacts, out of a list.
pub(super) const ACCESSORIES_BEFORE: &str = "SELECT DISTINCT c.artifact_id
    FROM artifacts AS s
    JOIN accessories AS c ON c.repository_id = s.repository_id AND c.subject_digest = s.digest
    WHERE s.id IN (";
/// See [`ACCESSORIES_BEFORE`].
pub(super) const ACCESSORIES_AFTER: &str = ") ORDER BY c.artifact_id";

/// An artifact that is copied, which nobody deletes meanwhile. $1 id.
pub(super) const KEEP_SOURCE: &str =
    "SELECT digest, manifest_id, manifest_size FROM artifacts WHERE id = $1 FOR KEY SHARE";

/// How many parts an index has that are there. $1 index.
pub(super) const COUNT_PARTS: &str = "SELECT COUNT(DISTINCT child_id) FROM artifact_children
    WHERE parent_id = $1 AND child_id IS NOT NULL";

/// Keeps the parts of an index that another repository has. $1 index, $2 repository.
pub(super) const KEEP_PARTS: &str = "SELECT id FROM artifacts
    WHERE repository_id = $2 AND digest IN (
        SELECT c.child_digest FROM artifact_children AS c
        WHERE c.parent_id = $1 AND c.child_id IS NOT NULL)
    ORDER BY id FOR KEY SHARE";

/// The copy of an artifact, unless the repository has it. $1 artifact, $2 project,
/// $3 repository, $4 now.
pub(super) const COPY: &str = "INSERT INTO artifacts
        (project_id, repository_id, manifest_id, digest, media_type, config_media_type,
         artifact_type, subject_digest, annotations, manifest_size, size, pushed_at,
         kind, icon, extra_attrs)
    SELECT CAST($2 AS BIGINT), CAST($3 AS BIGINT), s.manifest_id, s.digest, s.media_type,
        s.config_media_type, s.artifact_type, s.subject_digest, s.annotations, s.manifest_size,
        s.size, CAST($4 AS BIGINT), s.kind, s.icon, s.extra_attrs
    FROM artifacts AS s WHERE s.id = $1
    ON CONFLICT (repository_id, digest) DO NOTHING RETURNING id";

/// A copy needs the blobs that its original needs. $1 artifact, $2 copy, $3 repository.
pub(super) const COPY_BLOBS: &str = "INSERT INTO artifact_blobs
        (artifact_id, repository_id, blob_id)
    SELECT CAST($2 AS BIGINT), CAST($3 AS BIGINT), s.blob_id
    FROM artifact_blobs AS s WHERE s.artifact_id = $1";

/// A copy lists what its original lists. $1 artifact, $2 copy, $3 repository.
pub(super) const COPY_PARTS: &str = "INSERT INTO artifact_children
        (parent_id, position, child_id, child_digest, platform, annotations, urls)
    SELECT CAST($2 AS BIGINT), s.position,
        (SELECT t.id FROM artifacts AS t
            WHERE t.repository_id = $3 AND t.digest = s.child_digest),
        s.child_digest, s.platform, s.annotations, s.urls
    FROM artifact_children AS s WHERE s.parent_id = $1";

/// A copy is an accessory of what its original is one of. $1 artifact, $2 copy, $3 repository,
/// $4 now.
pub(super) const COPY_SUBJECTS: &str =
    "INSERT INTO accessories (artifact_id, repository_id, subject_digest, kind, created_at)
    SELECT CAST($2 AS BIGINT), CAST($3 AS BIGINT), s.subject_digest, s.kind, CAST($4 AS BIGINT)
    FROM accessories AS s WHERE s.artifact_id = $1 ORDER BY s.id
    ON CONFLICT (artifact_id, subject_digest) DO NOTHING";

/// The tags of an artifact for its copy, but for those that are there. $1 artifact, $2 copy,
/// $3 repository, $4 now.
pub(super) const COPY_TAGS: &str = "INSERT INTO tags (repository_id, artifact_id, name, pushed_at)
    SELECT CAST($3 AS BIGINT), CAST($2 AS BIGINT), s.name, CAST($4 AS BIGINT)
    FROM tags AS s WHERE s.artifact_id = $1 ORDER BY s.name
    ON CONFLICT (repository_id, name) DO NOTHING RETURNING name";

/// The tags of a repository that an artifact has too and that point elsewhere than to its
/// copy, locked. $1 artifact, $2 copy, $3 repository.
pub(super) const TAGS_ELSEWHERE: &str = "SELECT t.name FROM tags AS t
    WHERE t.repository_id = $3 AND t.artifact_id <> $2
        AND t.name IN (SELECT s.name FROM tags AS s WHERE s.artifact_id = $1)
    ORDER BY t.name FOR UPDATE";

/// These tags point to the copy. $1 artifact, $2 copy, $3 repository, $4 now.
pub(super) const MOVE_TAGS: &str = "UPDATE tags SET artifact_id = $2, pushed_at = $4
    WHERE repository_id = $3 AND artifact_id <> $2
        AND name IN (SELECT s.name FROM tags AS s WHERE s.artifact_id = $1)";
