-- The registry: who may, what there is, and what is being uploaded.

-- Values that the whole installation shares, such as the check value of the sealing key.
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Keys that sign registry tokens. The private half is sealed.
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    sealed_private_key TEXT NOT NULL,
    public_key BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE,
    email TEXT UNIQUE,
    realname TEXT NOT NULL DEFAULT '',
    comment TEXT NOT NULL DEFAULT '',
    password_hash TEXT,
    sysadmin BOOLEAN NOT NULL DEFAULT FALSE,
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner_id BIGINT NOT NULL REFERENCES users (id),
    public BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX projects_owner ON projects (owner_id);
CREATE INDEX projects_public ON projects (public);

-- Harbor's project metadata except `public`, which has a column of its own.
CREATE TABLE project_metadata (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
);

-- entity_type is 'u' for a user and 'g' for a group.
CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    entity_type TEXT NOT NULL,
    entity_id BIGINT NOT NULL,
    role_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, entity_type, entity_id)
);
CREATE INDEX members_entity ON members (entity_type, entity_id);

-- name is the full name, project included.
CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    pull_count BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX repositories_project ON repositories (project_id, name);

-- A blob exists when it has a row; place is where the store holds its bytes.
CREATE TABLE blobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    size BIGINT NOT NULL,
    place TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- Which repositories hold which blobs. unreferenced_at is when the last manifest of
-- the repository that needed the blob went (or when the blob came, as long as none
-- needs it); it is null while a manifest needs the blob.
CREATE TABLE repository_blobs (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    blob_id BIGINT NOT NULL REFERENCES blobs (id),
    unreferenced_at BIGINT,
    PRIMARY KEY (repository_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX repository_blobs_blob ON repository_blobs (blob_id);
CREATE INDEX repository_blobs_unreferenced ON repository_blobs (unreferenced_at) WHERE unreferenced_at IS NOT NULL;

-- The bytes of manifests as they were pushed, once for all repositories.
CREATE TABLE manifests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    content BLOB NOT NULL
);

-- A manifest in a repository. media_type is what it was pushed as; artifact_type is
-- what referrers are told; size counts the manifest and all it needs, each blob once.
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    manifest_id BIGINT NOT NULL REFERENCES manifests (id),
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    config_media_type TEXT,
    artifact_type TEXT,
    subject_digest TEXT,
    annotations TEXT,
    manifest_size BIGINT NOT NULL,
    size BIGINT NOT NULL,
    pushed_at BIGINT NOT NULL,
    pulled_at BIGINT,
    UNIQUE (repository_id, digest)
);
CREATE INDEX artifacts_project ON artifacts (project_id);
CREATE INDEX artifacts_manifest ON artifacts (manifest_id);
CREATE INDEX artifacts_pushed ON artifacts (repository_id, pushed_at, id);
CREATE INDEX artifacts_subject ON artifacts (repository_id, subject_digest, digest) WHERE subject_digest IS NOT NULL;

-- The blobs that an artifact needs. The foreign key to repository_blobs is the promise
-- that no manifest ever points to a blob its repository does not hold.
CREATE TABLE artifact_blobs (
    artifact_id BIGINT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    blob_id BIGINT NOT NULL,
    repository_id BIGINT NOT NULL,
    PRIMARY KEY (artifact_id, blob_id),
    FOREIGN KEY (repository_id, blob_id) REFERENCES repository_blobs (repository_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX artifact_blobs_blob ON artifact_blobs (repository_id, blob_id);

-- The manifests that an index lists, in its order. child_id is null for one that
-- was allowed to be missing.
CREATE TABLE artifact_children (
    parent_id BIGINT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    child_id BIGINT REFERENCES artifacts (id),
    child_digest TEXT NOT NULL,
    platform TEXT,
    annotations TEXT,
    PRIMARY KEY (parent_id, position)
) WITHOUT ROWID;
CREATE INDEX artifact_children_child ON artifact_children (child_id);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    artifact_id BIGINT NOT NULL REFERENCES artifacts (id),
    name TEXT NOT NULL,
    pushed_at BIGINT NOT NULL,
    pulled_at BIGINT,
    UNIQUE (repository_id, name)
);
CREATE INDEX tags_artifact ON tags (artifact_id);

-- Uploads that hold bytes (one without any is only its signed name). state is the
-- store's; epoch counts its writers; finished_digest marks one that became a blob
-- and cancelled one that was given up: both stay until their names expire.
CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    state TEXT,
    size BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    finished_digest TEXT,
    cancelled BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX uploads_created ON uploads (created_at);
CREATE INDEX uploads_open ON uploads (principal) WHERE state IS NOT NULL;
