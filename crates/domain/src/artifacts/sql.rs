//! Every statement on the tables of artifacts, their manifests, parts and tags.

use crate::projects::seen;

/// A tag and the manifest that it points to.
pub(super) const TAG_TARGET: &str = "SELECT a.digest, t.id FROM tags AS t
    JOIN artifacts AS a ON a.id = t.artifact_id
    WHERE t.repository_id = $1 AND t.name = $2";

/// A manifest of a repository with its bytes.
pub(super) const STORED: &str = "SELECT a.media_type, a.subject_digest, m.content, a.id
    FROM artifacts AS a JOIN manifests AS m ON m.id = a.manifest_id
    WHERE a.repository_id = $1 AND a.digest = $2";

/// Blobs that a repository holds, out of a list, kept until the transaction ends.
pub(super) const HELD_BLOBS_BEFORE: &str = "SELECT b.digest, b.id, b.size
    FROM repository_blobs AS h JOIN blobs AS b ON b.id = h.blob_id
    WHERE h.repository_id = $1 AND b.digest IN (";
/// See [`HELD_BLOBS_BEFORE`].
pub(super) const HELD_BLOBS_AFTER: &str = ") ORDER BY b.id FOR KEY SHARE";

/// Manifests that a repository has, out of a list, kept until the transaction ends.
pub(super) const KNOWN_MANIFESTS_BEFORE: &str = "SELECT digest, id, size
    FROM artifacts WHERE repository_id = $1 AND digest IN (";
/// See [`KNOWN_MANIFESTS_BEFORE`].
pub(super) const KNOWN_MANIFESTS_AFTER: &str = ") FOR KEY SHARE";

/// The bytes of a manifest, unless they are there.
pub(super) const ADD_CONTENT: &str = "INSERT INTO manifests (digest, content) VALUES ($1, $2)
    ON CONFLICT (digest) DO NOTHING RETURNING id";

/// Where the bytes of a manifest are, kept until the transaction ends.
pub(super) const CONTENT: &str = "SELECT id FROM manifests WHERE digest = $1 FOR KEY SHARE";

/// A new artifact, unless the repository has it.
pub(super) const ADD_ARTIFACT: &str = "INSERT INTO artifacts
        (project_id, repository_id, manifest_id, digest, media_type, config_media_type,
         artifact_type, subject_digest, annotations, manifest_size, size, pushed_at,
         kind, icon, extra_attrs)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    ON CONFLICT (repository_id, digest) DO NOTHING RETURNING id";

/// An artifact of a repository, locked.
pub(super) const ARTIFACT: &str = "SELECT id, media_type FROM artifacts
    WHERE repository_id = $1 AND digest = $2 FOR UPDATE";

/// An artifact of a repository, as it is now.
pub(super) const FIND_ARTIFACT: &str =
    "SELECT id, digest FROM artifacts WHERE repository_id = $1 AND digest = $2";

/// An artifact of a repository, kept until the transaction ends.
pub(super) const KEEP_ARTIFACT: &str = "SELECT id, digest FROM artifacts
    WHERE repository_id = $1 AND digest = $2 FOR KEY SHARE";

/// What was read of the content of an artifact of a kind. $1 repository, $2 digest, $3 kind.
pub(super) const KNOWN_CONTENT: &str = "SELECT extra_attrs, icon FROM artifacts
    WHERE repository_id = $1 AND digest = $2 AND kind = $3 AND extra_attrs IS NOT NULL";

/// The artifact is pushed once more, perhaps under another media type.
pub(super) const PUSHED_AGAIN: &str = "UPDATE artifacts SET media_type = $2, pushed_at = $3,
        config_media_type = $4, kind = $5, icon = $6, extra_attrs = $7
    WHERE id = $1";

/// An artifact is an accessory of a subject from now on, if it is not already.
pub(super) const ATTACH: &str =
    "INSERT INTO accessories (artifact_id, repository_id, subject_digest, kind, created_at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (artifact_id, subject_digest) DO NOTHING";

/// The blobs that an artifact needs: its repository and id, then the blobs.
pub(super) const NEED_BLOBS_BEFORE: &str = "INSERT INTO artifact_blobs
        (artifact_id, repository_id, blob_id)
    SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), id FROM blobs WHERE id IN (";
/// See [`NEED_BLOBS_BEFORE`].
pub(super) const NEED_BLOBS_AFTER: &str = ")";

/// A manifest that an index lists.
pub(super) const ADD_CHILD: &str = "INSERT INTO artifact_children
        (parent_id, position, child_id, child_digest, platform, annotations, urls)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// A manifest that was allowed to be missing has come.
pub(super) const ADOPT_CHILD: &str = "UPDATE artifact_children SET child_id = $1
    WHERE child_digest = $2 AND child_id IS NULL
        AND parent_id IN (SELECT id FROM artifacts WHERE repository_id = $3)";

/// A tag, locked, and the digest that it points to.
pub(super) const TAG: &str = "SELECT a.digest FROM tags AS t
    JOIN artifacts AS a ON a.id = t.artifact_id
    WHERE t.repository_id = $1 AND t.name = $2 FOR UPDATE";

/// A tag points to an artifact from now on.
pub(super) const SET_TAG: &str = "INSERT INTO tags (repository_id, artifact_id, name, pushed_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (repository_id, name) DO UPDATE
        SET artifact_id = excluded.artifact_id, pushed_at = excluded.pushed_at";

/// A tag points to an artifact, unless it exists.
pub(super) const NEW_TAG: &str = "INSERT INTO tags (repository_id, artifact_id, name, pushed_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT (repository_id, name) DO NOTHING";

/// Tags of a repository after a name, in byte order.
pub(super) const TAGS: &str = "SELECT name FROM tags
    WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3";

/// Deletes a tag, and gives the digest that it pointed to.
pub(super) const DELETE_TAG: &str = "DELETE FROM tags WHERE repository_id = $1 AND name = $2
    RETURNING (SELECT a.digest FROM artifacts AS a WHERE a.id = artifact_id)";

/// Deletes a tag of an artifact, and gives its digest.
pub(super) const DELETE_TAG_OF: &str = "DELETE FROM tags
    WHERE repository_id = $1 AND name = $2 AND artifact_id = $3
    RETURNING (SELECT a.digest FROM artifacts AS a WHERE a.id = artifact_id)";

/// The number of an artifact by its digest.
pub(super) const BY_DIGEST: &str =
    "SELECT id FROM artifacts WHERE repository_id = $1 AND digest = $2";

/// The number of an artifact by a tag.
pub(super) const BY_TAG: &str =
    "SELECT artifact_id FROM tags WHERE repository_id = $1 AND name = $2";

/// Artifacts, out of a list, were pulled. $1 when.
pub(super) const ARTIFACTS_PULLED_BEFORE: &str = "UPDATE artifacts SET pulled_at = $1
    WHERE (pulled_at IS NULL OR pulled_at < $1) AND id IN (";
/// See [`ARTIFACTS_PULLED_BEFORE`].
pub(super) const ARTIFACTS_PULLED_AFTER: &str = ")";

/// Tags, out of a list, were pulled. $1 when.
pub(super) const TAGS_PULLED_BEFORE: &str = "UPDATE tags SET pulled_at = $1
    WHERE (pulled_at IS NULL OR pulled_at < $1) AND id IN (";
/// See [`TAGS_PULLED_BEFORE`].
pub(super) const TAGS_PULLED_AFTER: &str = ")";

/// Repositories, out of a list, were pulled from so many times. $1 how many, $2 when last.
pub(super) const COUNT_PULLS_BEFORE: &str = "UPDATE repositories
    SET pull_count = pull_count + $1, updated_at = $2 WHERE id IN (";
/// See [`COUNT_PULLS_BEFORE`].
pub(super) const COUNT_PULLS_AFTER: &str = ")";

/// Deletes all tags of artifacts, out of a list.
pub(super) const DELETE_TAGS_BEFORE: &str = "DELETE FROM tags WHERE artifact_id IN (";
/// See [`DELETE_TAGS_BEFORE`].
pub(super) const DELETE_TAGS_AFTER: &str = ") RETURNING artifact_id, name";

/// An index that lists an artifact.
pub(super) const PARENT: &str = "SELECT p.digest FROM artifact_children AS c
    JOIN artifacts AS p ON p.id = c.parent_id
    WHERE c.child_id = $1 ORDER BY p.id LIMIT 1";

/// Artifacts of a repository, out of a list: their digests, and where their bytes are.
pub(super) const FIND_BEFORE: &str =
    "SELECT id, digest, manifest_id FROM artifacts WHERE repository_id = $1 AND id IN (";
/// See [`FIND_BEFORE`].
pub(super) const FIND_AFTER: &str = ")";

/// Locks artifacts out of a list.
pub(super) const LOCK_BEFORE: &str = "SELECT id FROM artifacts WHERE id IN (";
/// See [`LOCK_BEFORE`].
pub(super) const LOCK_AFTER: &str = ") ORDER BY id FOR UPDATE";

/// Those of artifacts, out of a list, that have tags.
pub(super) const TAGGED_BEFORE: &str =
    "SELECT DISTINCT artifact_id FROM tags WHERE artifact_id IN (";
/// See [`TAGGED_BEFORE`].
pub(super) const TAGGED_AFTER: &str = ")";

/// Those of artifacts, out of a list, that an index lists.
pub(super) const LISTED_BEFORE: &str =
    "SELECT DISTINCT child_id FROM artifact_children WHERE child_id IN (";
/// See [`LISTED_BEFORE`].
pub(super) const LISTED_AFTER: &str = ")";

/// What indexes, out of a list, list and is there.
pub(super) const PARTS_BEFORE: &str =
    "SELECT DISTINCT parent_id, child_id FROM artifact_children WHERE parent_id IN (";
/// See [`PARTS_BEFORE`].
pub(super) const PARTS_AFTER: &str = ") AND child_id IS NOT NULL ORDER BY parent_id, child_id";

/// Some of the accessories of artifacts, out of a list of digests, that are no accessories of
/// another one that is there. $1 repository, $2 the accessory after which, $3 how many.
pub(super) const ACCESSORIES_BEFORE: &str = "SELECT c.id, c.artifact_id FROM accessories AS c
    WHERE c.id > $2 AND (SELECT o.id FROM accessories AS o JOIN artifacts AS s
            ON s.repository_id = o.repository_id AND s.digest = o.subject_digest
        WHERE o.artifact_id = c.artifact_id AND o.subject_digest <> c.subject_digest
            AND s.id <> o.artifact_id LIMIT 1) IS NULL
        AND c.repository_id = $1 AND c.subject_digest IN (";
/// See [`ACCESSORIES_BEFORE`].
pub(super) const ACCESSORIES_AFTER: &str = ") ORDER BY c.id LIMIT $3";

/// The artifact of a repository that has the highest number, 0 for none.
pub(super) const NEWEST: &str =
    "SELECT COALESCE(MAX(id), 0) FROM artifacts WHERE repository_id = $1";

/// The artifacts of a repository from the last pushed on. $1 repository, $2 and $3 the time of
/// push and the number after which, $4 the highest number, $5 how many.
pub(super) const LAST_PUSHED: &str = "SELECT id, pushed_at FROM artifacts
    WHERE repository_id = $1 AND (pushed_at, id) < ($2, $3) AND id <= $4
    ORDER BY pushed_at DESC, id DESC LIMIT $5";

/// Whether a repository has artifacts.
pub(super) const HAS_ARTIFACTS: &str = "SELECT 1 FROM artifacts WHERE repository_id = $1 LIMIT 1";

/// Locks the bytes of manifests, out of a list, against whoever wants to point to them.
pub(super) const LOCK_CONTENTS_BEFORE: &str = "SELECT id FROM manifests WHERE id IN (";
/// See [`LOCK_CONTENTS_BEFORE`].
pub(super) const LOCK_CONTENTS_AFTER: &str = ") ORDER BY id FOR UPDATE";

/// Artifacts out of a list need no blobs any more.
pub(super) const DELETE_NEEDS_BEFORE: &str = "DELETE FROM artifact_blobs WHERE artifact_id IN (";
/// See [`DELETE_NEEDS_BEFORE`].
pub(super) const DELETE_NEEDS_AFTER: &str = ")";

/// Deletes artifacts out of a list; what they list goes with them.
pub(super) const DELETE_ARTIFACTS_BEFORE: &str = "DELETE FROM artifacts WHERE id IN (";
/// See [`DELETE_ARTIFACTS_BEFORE`].
pub(super) const DELETE_ARTIFACTS_AFTER: &str = ")";

/// Deletes the bytes of manifests, out of a list, that no repository has any more.
pub(super) const DELETE_CONTENTS_BEFORE: &str = "DELETE FROM manifests
    WHERE (SELECT a.id FROM artifacts AS a WHERE a.manifest_id = manifests.id LIMIT 1) IS NULL
        AND id IN (";
/// See [`DELETE_CONTENTS_BEFORE`].
pub(super) const DELETE_CONTENTS_AFTER: &str = ")";

/// What refers to a subject, after a digest.
pub(super) const REFERRERS: &str =
    "SELECT digest, media_type, manifest_size, artifact_type, annotations
    FROM artifacts WHERE repository_id = $1 AND subject_digest = $2 AND digest > $3
    ORDER BY digest LIMIT $4";

/// What of some types refers to a subject, after a digest.
pub(super) const REFERRERS_OF_TYPES_BEFORE: &str =
    "SELECT digest, media_type, manifest_size, artifact_type, annotations
    FROM artifacts WHERE repository_id = $1 AND subject_digest = $2 AND digest > $3
        AND artifact_type IN (";
/// See [`REFERRERS_OF_TYPES_BEFORE`].
pub(super) const REFERRERS_OF_TYPES_AFTER: &str = ") ORDER BY digest LIMIT $4";

/// The names of repositories with something in them that a caller sees, in byte order,
/// with their projects and whether those are public. $1 after which, $2 whether the caller
/// sees all, $3 its user, $4 its robot, $5 how many.
pub(super) const CATALOG: &str = concat!(
    "SELECT r.name, r.project_id, p.public FROM repositories AS r
    JOIN projects AS p ON p.id = r.project_id
    WHERE r.name > $1
        AND (SELECT a.id FROM artifacts AS a WHERE a.repository_id = r.id LIMIT 1) IS NOT NULL
        AND (CAST($2 AS BOOLEAN) OR ",
    seen!("$3", "$4"),
    ") ORDER BY r.name LIMIT $5"
);

/// The last of some artifacts after one. $1 after which, $2 how many.
pub(super) const END_OF_RANGE: &str =
    "SELECT MAX(id) FROM (SELECT id FROM artifacts WHERE id > $1 ORDER BY id LIMIT $2) AS ranged";

/// Artifacts of a range that were pushed before a moment, have no tag, are not listed by an
/// index, and are about nothing that is there. $1 after which, $2 up to which, $3 moment.
///
/// A look for a row as a value: PostgreSQL asks an index for each artifact of the range, where
/// it may go through whole tables for `NOT EXISTS`.
pub(super) const UNTAGGED: &str = "SELECT a.id, a.project_id, a.repository_id, r.name,
        a.media_type, a.digest, a.manifest_size
    FROM artifacts AS a JOIN repositories AS r ON r.id = a.repository_id
    WHERE a.id > $1 AND a.id <= $2 AND a.pushed_at < $3
        AND (SELECT t.id FROM tags AS t WHERE t.artifact_id = a.id LIMIT 1) IS NULL
        AND (SELECT c.child_id FROM artifact_children AS c WHERE c.child_id = a.id LIMIT 1)
            IS NULL
        AND (a.subject_digest IS NULL OR (SELECT s.id FROM artifacts AS s
            WHERE s.repository_id = a.repository_id AND s.digest = a.subject_digest LIMIT 1)
            IS NULL)
    ORDER BY a.id";

/// Those of artifacts, out of a list, that are still as for [`UNTAGGED`]. $1 moment.
pub(super) const STILL_UNTAGGED_BEFORE: &str = "SELECT a.id FROM artifacts AS a
    WHERE a.pushed_at < $1
        AND (SELECT t.id FROM tags AS t WHERE t.artifact_id = a.id LIMIT 1) IS NULL
        AND (SELECT c.child_id FROM artifact_children AS c WHERE c.child_id = a.id LIMIT 1)
            IS NULL
        AND (a.subject_digest IS NULL OR (SELECT s.id FROM artifacts AS s
            WHERE s.repository_id = a.repository_id AND s.digest = a.subject_digest LIMIT 1)
            IS NULL)
        AND a.id IN (";
/// See [`STILL_UNTAGGED_BEFORE`].
pub(super) const STILL_UNTAGGED_AFTER: &str = ")";
