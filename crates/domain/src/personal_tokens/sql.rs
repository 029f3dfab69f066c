//! Statements on `personal_tokens`, `personal_token_projects` and `cli_secrets`.

/// A token. $1 id.
pub(super) const BY_ID: &str = "\
    SELECT id, user_id, name, scope, all_projects, expires_at, created_at, used_at, hash \
    FROM personal_tokens WHERE id = $1";

/// The number of the token with a hash. $1 hash.
pub(super) const ID_BY_HASH: &str = "SELECT id FROM personal_tokens WHERE hash = $1";

/// A user's tokens, the newest first, with the columns of [`BY_ID`]. $1 user, $2 how many.
pub(super) const OF_USER: &str = "\
    SELECT id, user_id, name, scope, all_projects, expires_at, created_at, used_at, hash \
    FROM personal_tokens WHERE user_id = $1 ORDER BY id DESC LIMIT $2";

/// The projects that tokens are for, out of a list of tokens.
pub(super) const PROJECTS_BEFORE: &str =
    "SELECT token_id, project_id FROM personal_token_projects WHERE token_id IN (";
/// See [`PROJECTS_BEFORE`].
pub(super) const PROJECTS_AFTER: &str = ") ORDER BY token_id, project_id";

/// How many tokens a user has. $1 user.
pub(super) const COUNT: &str = "SELECT COUNT(*) FROM personal_tokens WHERE user_id = $1";

/// A new token. $1 user, $2 name, $3 scope, $4 whether for all projects, $5 hash, $6 end,
/// $7 now.
pub(super) const INSERT: &str = "\
    INSERT INTO personal_tokens \
    (user_id, name, scope, all_projects, hash, expires_at, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";

/// The projects that a token is for.
pub(super) const INSERT_PROJECTS_ROWS: &str =
    "INSERT INTO personal_token_projects (token_id, project_id) VALUES ";

/// That a token is used. $1 id, $2 now.
pub(super) const MARK: &str = "UPDATE personal_tokens SET used_at = $2 WHERE id = $1";

/// Revokes a user's token. $1 user, $2 id.
pub(super) const DELETE: &str =
    "DELETE FROM personal_tokens WHERE user_id = $1 AND id = $2 RETURNING name";

/// Revokes all of a user's tokens. $1 user.
pub(super) const DELETE_ALL: &str = "DELETE FROM personal_tokens WHERE user_id = $1 RETURNING id";

/// A user's CLI secret. $1 user.
pub(super) const CLI_OF_USER: &str =
    "SELECT secret, created_at, updated_at FROM cli_secrets WHERE user_id = $1";

/// The user with a name that has a CLI secret. $1 name.
pub(super) const CLI_BY_NAME: &str = "\
    SELECT s.user_id FROM cli_secrets AS s JOIN users AS u ON u.id = s.user_id \
    WHERE u.username = $1 AND u.deleted = FALSE";

/// Sets a user's CLI secret. $1 user, $2 sealed secret, $3 now.
pub(super) const SET_CLI: &str = "\
    INSERT INTO cli_secrets (user_id, secret, created_at, updated_at) VALUES ($1, $2, $3, $3) \
    ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, updated_at = excluded.updated_at";

/// Ends a user's CLI secret. $1 user.
pub(super) const DELETE_CLI: &str = "DELETE FROM cli_secrets WHERE user_id = $1";
