-- What administrators set, who did what, and the CVEs that are allowed.

-- Settings by Harbor's names, secrets sealed. What is not here has its default.
CREATE TABLE configuration (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Who did what. project_id is 0 for what belongs to none; no foreign key, since the log
-- outlives the project. hash stands for the texts that name a person (username, address,
-- and of events about users and members resource and description); forgetting somebody
-- empties them and takes the salt away. mac binds the hash to the rest of the entry,
-- forgotten is the proof that it was Haven who forgot. block_id is null until the entry is
-- sealed.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    operation TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource TEXT NOT NULL,
    username TEXT NOT NULL,
    description TEXT NOT NULL,
    address TEXT NOT NULL,
    succeeded BOOLEAN NOT NULL,
    salt BLOB,
    hash BLOB NOT NULL,
    mac BLOB NOT NULL,
    forgotten BLOB,
    block_id BIGINT
);
CREATE INDEX audit_log_occurred ON audit_log (occurred_at, id);
CREATE INDEX audit_log_project ON audit_log (project_id, occurred_at, id);
CREATE INDEX audit_log_username ON audit_log (username, occurred_at, id);
CREATE INDEX audit_log_event ON audit_log (resource_type, operation, occurred_at, id);
CREATE INDEX audit_log_block ON audit_log (block_id, id) WHERE block_id IS NOT NULL;
CREATE INDEX audit_log_unsealed ON audit_log (id) WHERE block_id IS NULL;

-- Sealed blocks of entries, a chain: head binds the block to the one before. A block
-- whose entries were purged stays, with the proof that Haven did so.
CREATE TABLE audit_blocks (
    id BIGINT NOT NULL PRIMARY KEY,
    entries BIGINT NOT NULL,
    content BLOB NOT NULL,
    head BLOB NOT NULL,
    newest BIGINT NOT NULL,
    sealed_at BIGINT NOT NULL,
    purged BLOB
);
CREATE INDEX audit_blocks_newest ON audit_blocks (newest) WHERE purged IS NULL;

-- How many sealed entries there are of each hour, by project, and under -1 of all.
CREATE TABLE audit_counts (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour)
) WITHOUT ROWID;

-- CVEs that do not count: project_id 0 is the system's list. items is JSON.
CREATE TABLE cve_allowlists (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL UNIQUE,
    expires_at BIGINT,
    items TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
