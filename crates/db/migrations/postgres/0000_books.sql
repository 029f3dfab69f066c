-- What ran, and which programs may still use the schema. Made by every program that
-- migrates, before it looks at anything else.
CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    checksum TEXT COLLATE "C" NOT NULL,
    serves BIGINT NOT NULL
);

-- What transactions changed, for other replicas; rows live for a minute or two. SQLite has
-- one process and needs none of it.
CREATE TABLE IF NOT EXISTS changes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid BIGINT NOT NULL,
    replica TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL
);
CREATE INDEX IF NOT EXISTS changes_xid ON changes (xid);
