//! Statements on `identity_sources`, `user_links` and `sign_in_steps`.

/// All sources in their order.
pub(super) const ALL: &str = "\
    SELECT id, name, kind, position, enabled, settings, secret, created_at, updated_at \
    FROM identity_sources ORDER BY position, id";

/// How many there are.
pub(super) const COUNT: &str = "SELECT COUNT(*) FROM identity_sources";

/// A new source, last if no place is given. $1 name, $2 kind, $3 position, may be null, $4
/// enabled, $5 settings, $6 now.
pub(super) const INSERT: &str = "\
    INSERT INTO identity_sources (name, kind, position, enabled, settings, created_at, updated_at) \
    VALUES ($1, $2, COALESCE(CAST($3 AS BIGINT), \
    (SELECT COALESCE(MAX(position), 0) + 1 FROM identity_sources)), $4, $5, $6, $6) RETURNING id";

/// Sets the secret of a source. $1 id, $2 secret, sealed.
pub(super) const SET_SECRET: &str = "UPDATE identity_sources SET secret = $2 WHERE id = $1";

/// What is set of a source. $1 id, $2 name, $3 position, null to leave it, $4 enabled, $5
/// settings, $6 now.
pub(super) const UPDATE: &str = "\
    UPDATE identity_sources SET name = $2, position = COALESCE(CAST($3 AS BIGINT), position), \
    enabled = $4, settings = $5, updated_at = $6 WHERE id = $1";

/// Locks a source against change, and tells its name and kind. $1 id.
pub(super) const LOCK: &str = "SELECT name, kind FROM identity_sources WHERE id = $1 FOR UPDATE";

/// How many users that were not deleted are from a source. $1 source.
pub(super) const COUNT_USERS: &str = "\
    SELECT COUNT(*) FROM user_links AS l JOIN users AS u ON u.id = l.user_id \
    WHERE l.source_id = $1 AND u.deleted = FALSE";

/// Removes what links deleted users to a source. $1 source.
pub(super) const DELETE_LINKS: &str = "DELETE FROM user_links WHERE source_id = $1";

/// Removes a source. $1 id.
pub(super) const DELETE: &str = "DELETE FROM identity_sources WHERE id = $1";

/// The user that is somebody of a source. $1 source, $2 subject.
pub(super) const USER_OF: &str = "\
    SELECT l.user_id FROM user_links AS l JOIN users AS u ON u.id = l.user_id \
    WHERE l.source_id = $1 AND l.subject = $2 AND u.deleted = FALSE";

/// The users that people of a source, out of a list of subjects, are. $1 source.
pub(super) const USERS_OF_BEFORE: &str = "\
    SELECT l.subject, l.user_id FROM user_links AS l JOIN users AS u ON u.id = l.user_id \
    WHERE l.source_id = $1 AND u.deleted = FALSE AND l.subject IN (";
/// See [`USERS_OF_BEFORE`].
pub(super) const USERS_OF_AFTER: &str = ")";

/// The sources that users, out of a list, are from.
pub(super) const SOURCES_OF_BEFORE: &str =
    "SELECT DISTINCT user_id, source_id FROM user_links WHERE user_id IN (";
/// See [`SOURCES_OF_BEFORE`].
pub(super) const SOURCES_OF_AFTER: &str = ")";

/// Who a user is in which sources. $1 user.
pub(super) const LINKS_OF: &str =
    "SELECT source_id, subject FROM user_links WHERE user_id = $1 ORDER BY id";

/// Links somebody of a source to a user; who was linked to a deleted one is linked anew. $1
/// source, $2 its kind, $3 subject, $4 user, $5 now.
pub(super) const LINK: &str = "\
    INSERT INTO user_links (source_id, kind, subject, user_id, checked_at, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $5, $5) ON CONFLICT (source_id, subject) DO UPDATE \
    SET user_id = excluded.user_id, refresh_token = NULL, id_token = NULL, \
    checked_at = excluded.checked_at, created_at = excluded.created_at, \
    updated_at = excluded.updated_at";

/// Keeps the tokens that a provider gave, sealed. $1 source, $2 subject, $3 refresh token,
/// null to leave the one there is, $4 ID token, may be null, $5 now.
pub(super) const SET_TOKENS: &str = "\
    UPDATE user_links SET refresh_token = COALESCE(CAST($3 AS TEXT), refresh_token), \
    id_token = $4, checked_at = $5, updated_at = $5 \
    WHERE source_id = $1 AND subject = $2";

/// The link of a user to an OpenID provider. $1 user.
pub(super) const ACCOUNT: &str = "\
    SELECT id, source_id, subject, id_token, created_at, updated_at FROM user_links \
    WHERE user_id = $1 AND kind = 'oidc' ORDER BY id LIMIT 1";

/// Links with a refresh token that was not tried for a while. $1 tried before, $2 how many.
pub(super) const TO_CHECK: &str = "\
    SELECT source_id, subject, user_id, refresh_token, checked_at FROM user_links \
    WHERE refresh_token IS NOT NULL AND checked_at < $1 ORDER BY checked_at LIMIT $2";

/// Takes on the check of a link, unless another replica did. $1 source, $2 subject, $3 last
/// check, $4 now.
pub(super) const CLAIM: &str = "\
    UPDATE user_links SET checked_at = $4 WHERE source_id = $1 AND subject = $2 AND checked_at = $3";

/// Another refresh token, if it is still the old one's place. $1 source, $2 subject, $3 the
/// time of the check, $4 refresh token, may be null.
pub(super) const SET_REFRESH: &str = "\
    UPDATE user_links SET refresh_token = $4 WHERE source_id = $1 AND subject = $2 \
    AND checked_at = $3";

/// A step of a sign-in that may be taken once. $1 id, $2 content, $3 end.
pub(super) const INSERT_STEP: &str =
    "INSERT INTO sign_in_steps (id, content, expires_at) VALUES ($1, $2, $3)";

/// Reads a step. $1 id, $2 now.
pub(super) const STEP: &str = "SELECT content FROM sign_in_steps WHERE id = $1 AND expires_at > $2";

/// Takes a step. $1 id.
pub(super) const TAKE_STEP: &str = "DELETE FROM sign_in_steps WHERE id = $1";

/// Removes steps that nobody takes any more. $1 now.
pub(super) const DELETE_STEPS: &str = "DELETE FROM sign_in_steps WHERE expires_at <= $1";
