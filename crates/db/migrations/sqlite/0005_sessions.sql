-- Sessions of the portal. Of what the client's cookie holds there is only a hash. One is good
-- as long as its user has the password of the time when it began.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    password_version TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, used_at);
CREATE INDEX sessions_used ON sessions (used_at);
