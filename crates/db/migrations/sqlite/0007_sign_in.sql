-- Who needs a second factor to sign in.
ALTER TABLE users ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE;

-- The secret that a user's phone shares, sealed; it counts once it is confirmed. last_step is
-- the step of the last code that was right, so that none is right twice.
CREATE TABLE second_factors (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0,
    wrong BIGINT NOT NULL DEFAULT 0,
    refused_until BIGINT NOT NULL DEFAULT 0
);

-- Codes for when the phone is lost, as hashes; one that is used goes.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
) WITHOUT ROWID;

-- What users show in place of their password, as hashes.
CREATE TABLE personal_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    all_projects BOOLEAN NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    UNIQUE (user_id, name)
);

-- The projects of a token that is not for all of them. Without any left it is for none.
CREATE TABLE personal_token_projects (
    token_id BIGINT NOT NULL REFERENCES personal_tokens (id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    PRIMARY KEY (token_id, project_id)
) WITHOUT ROWID;
CREATE INDEX personal_token_projects_project ON personal_token_projects (project_id);

-- What a user from elsewhere shows on a command line, sealed.
CREATE TABLE cli_secrets (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
