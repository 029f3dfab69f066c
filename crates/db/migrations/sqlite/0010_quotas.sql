-- What quotas count, and bytes that are to leave the store.

-- The project in which a blob counts because this repository holds it: from upload, mount or
-- first manifest until the last manifest that needs it goes. Null while the blob only waits
-- for the end of its window.
ALTER TABLE repository_blobs ADD COLUMN counted_in BIGINT;
UPDATE repository_blobs SET counted_in =
    (SELECT r.project_id FROM repositories AS r WHERE r.id = repository_blobs.repository_id);
CREATE INDEX repository_blobs_counted ON repository_blobs (counted_in, blob_id)
    WHERE counted_in IS NOT NULL;

-- What counts in a project, once each: kind 0 is a blob, 1 a manifest. Who inserts or
-- removes a row owns the change of what the project uses.
CREATE TABLE quota_contents (
    project_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (project_id, kind, content_id)
);
INSERT INTO quota_contents (project_id, kind, content_id, size)
    SELECT DISTINCT h.counted_in, 0, b.id, b.size
    FROM repository_blobs AS h JOIN blobs AS b ON b.id = h.blob_id;
INSERT INTO quota_contents (project_id, kind, content_id, size)
    SELECT project_id, 1, manifest_id, MAX(manifest_size) FROM artifacts
    GROUP BY project_id, manifest_id;

-- What a project uses, but for the changes in quota_changes, which are added up from time
-- to time.
CREATE TABLE quota_usage (
    project_id BIGINT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    used BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO quota_usage (project_id, used, updated_at)
    SELECT p.id,
        COALESCE((SELECT CAST(SUM(c.size) AS BIGINT) FROM quota_contents AS c
            WHERE c.project_id = p.id), 0),
        p.created_at
    FROM projects AS p;
CREATE TABLE quota_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    change BIGINT NOT NULL
);
CREATE INDEX quota_changes_project ON quota_changes (project_id);

-- Bytes that no row names any more and that are yet to be deleted from the store. A place is
-- never used twice.
CREATE TABLE doomed_places (
    place TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL
);
