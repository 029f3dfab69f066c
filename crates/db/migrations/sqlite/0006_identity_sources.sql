-- Where people come from.

-- Servers outside that know people, in the order of position and id, beside the one that
-- Harbor's settings describe, whose number is 0. settings is JSON without the secret, which
-- is sealed.
CREATE TABLE identity_sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    position BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    settings TEXT NOT NULL,
    secret TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Who of a source is which user. subject is what the source calls somebody and never
-- another: of OpenID providers the issuer, a space and its subject, of others the name in
-- lower case. Tokens are sealed; checked_at is when the account was last known to be there.
CREATE TABLE user_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    refresh_token TEXT,
    id_token TEXT,
    checked_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (source_id, subject)
);
CREATE INDEX user_links_user ON user_links (user_id, id);
CREATE INDEX user_links_checked ON user_links (checked_at) WHERE refresh_token IS NOT NULL;

-- Steps of signing in by a browser that may be taken once, by a hash of what names them;
-- content is sealed, or empty for one that was taken.
CREATE TABLE sign_in_steps (
    id TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_steps_expires ON sign_in_steps (expires_at);
