//! Statements on `immutable_rules`.

/// What is shown of rules.
pub(super) const RULES_SHOWN: &str = "\
    SELECT i.id, i.rule, i.disabled, i.created_at FROM immutable_rules AS i WHERE i.id IN (";

/// The rules of a project. $1 project.
pub(super) const OF_PROJECT_FROM: &str = "FROM immutable_rules AS i WHERE i.project_id = $1";

/// The rules of a project that count. $1 project.
pub(super) const IN_FORCE: &str =
    "SELECT rule FROM immutable_rules WHERE project_id = $1 AND NOT disabled ORDER BY id";

/// A new rule, unless there are too many. $1 project, $2 rule, $3 fingerprint, $4 whether it
/// does not count, $5 now, $6 how many there may be.
pub(super) const INSERT: &str = "\
    INSERT INTO immutable_rules (project_id, rule, fingerprint, disabled, created_at) \
    SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BOOLEAN), CAST($5 AS BIGINT) \
    WHERE (SELECT COUNT(*) FROM immutable_rules WHERE project_id = $1) < $6 RETURNING id";

/// Changes a rule. $1 project, $2 id, $3 rule, $4 fingerprint, $5 whether it does not count.
pub(super) const UPDATE: &str = "\
    UPDATE immutable_rules SET rule = $3, fingerprint = $4, disabled = $5 \
    WHERE project_id = $1 AND id = $2";

/// Removes a rule. $1 project, $2 id.
pub(super) const DELETE: &str = "DELETE FROM immutable_rules WHERE project_id = $1 AND id = $2";
