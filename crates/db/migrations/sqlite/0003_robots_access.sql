-- Who may do what: custom roles, robots, and rights that reach some repositories only.

-- Custom roles; Harbor's five have the numbers below 100 and no rows. rights are words
-- such as repository:pull, with spaces between and around them.
CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    rights TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO sqlite_sequence (name, seq) VALUES ('roles', 100);

-- repositories is a JSON list of patterns that the membership reaches, null for all.
ALTER TABLE members ADD COLUMN repositories TEXT;
CREATE INDEX members_role ON members (role_id);

-- In bytes, -1 for none, null for what the settings say.
ALTER TABLE projects ADD COLUMN storage_limit BIGINT;

-- Robots. project_id is null for those of the system; name is as in Harbor's table:
-- without the prefix, and project+name for those of a project. duration is in days, -1
-- for ever; expires_at is null for never.
CREATE TABLE robots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL,
    duration BIGINT NOT NULL,
    expires_at BIGINT,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    visible BOOLEAN NOT NULL DEFAULT TRUE,
    creator_type TEXT NOT NULL,
    creator_ref BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX robots_project ON robots (project_id, name);

-- What a robot may do: with the system (kind 'system'), in one project, or in all
-- (kind 'project' without project_id). repositories as in members.
CREATE TABLE robot_permissions (
    robot_id BIGINT NOT NULL REFERENCES robots (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    rights TEXT NOT NULL,
    repositories TEXT,
    PRIMARY KEY (robot_id, position)
) WITHOUT ROWID;
CREATE INDEX robot_permissions_project ON robot_permissions (project_id, robot_id);

-- Whose tokens stand for a robot: those of an issuer, for an audience, whose claims are
-- what claims says, a JSON object of patterns.
CREATE TABLE robot_trusts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    robot_id BIGINT NOT NULL REFERENCES robots (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    audience TEXT NOT NULL,
    claims TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX robot_trusts_robot ON robot_trusts (robot_id, id);
CREATE INDEX robot_trusts_issuer ON robot_trusts (issuer);
