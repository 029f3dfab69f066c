-- People from elsewhere, the groups that they are in, and what these make them members of.

-- Whether another source than the database made the user a sysadmin when it signed in last.
ALTER TABLE users ADD COLUMN admin_by_source BOOLEAN NOT NULL DEFAULT FALSE;

-- Groups as other sources know them. kind is Harbor's: 1 LDAP, 2 HTTP, 3 OIDC. dn is null
-- for kinds that have none; dn_key is the same text for the same dn, however it is written.
CREATE TABLE user_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind BIGINT NOT NULL,
    dn TEXT,
    dn_key TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (name, kind)
);

-- Who is in which group, as of the last time that somebody signed in.
CREATE TABLE group_users (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
) WITHOUT ROWID;
CREATE INDEX group_users_group ON group_users (group_id, user_id);

-- Every way in which a user is a member of a project: in person, and by each group.
CREATE VIEW user_memberships (project_id, user_id, role_id, repositories) AS
    SELECT project_id, entity_id, role_id, repositories FROM members WHERE entity_type = 'u'
    UNION ALL
    SELECT m.project_id, g.user_id, m.role_id, m.repositories FROM group_users AS g
    JOIN members AS m ON m.entity_id = g.group_id WHERE m.entity_type = 'g';
