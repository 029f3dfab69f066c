-- Rules that make tags immutable. rule is JSON; two that say the same have one fingerprint.
CREATE TABLE immutable_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, fingerprint)
);
