-- What ran, and which programs may still use the schema. Made by every program that
-- migrates, before it looks at anything else.
CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    serves BIGINT NOT NULL
);
