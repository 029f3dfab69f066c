-- Labels, the artifacts that carry them, and the orders of lists.

-- project_id is null for a label of all projects.
CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    color TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (project_id, name)
);
-- Two nulls are two, so that the names of these need an index of their own.
CREATE UNIQUE INDEX labels_global ON labels (name) WHERE project_id IS NULL;

CREATE TABLE artifact_labels (
    artifact_id BIGINT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    label_id BIGINT NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (artifact_id, label_id)
) WITHOUT ROWID;
CREATE INDEX artifact_labels_label ON artifact_labels (label_id, artifact_id);

-- The order of the tags of one artifact.
DROP INDEX tags_artifact;
CREATE INDEX tags_artifact ON tags (artifact_id, pushed_at, id);

-- The orders of repositories.
CREATE INDEX repositories_created ON repositories (created_at, id);
CREATE INDEX repositories_project_created ON repositories (project_id, created_at, id);
