//! Projects, repositories and artifacts with tags, labels and signatures: what a company has
//! after some years. One repository has a tenth of all artifacts.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{BASE, Database};
use crate::Outcome;

/// So many artifacts in a row are of one repository. The last is the signature of the one
/// before it, all others have a tag.
const GROUP: u64 = 9;
/// How many artifacts there are for each project.
const OF_A_PROJECT: u64 = 1_000;
/// How many labels a project has.
const LABELS: u64 = 5;
/// Over how many microseconds the pushes spread: a year.
const SPREAD: u64 = 365 * 86_400 * 1_000_000;

/// Every table that is filled.
const TABLES: [&str; 15] = [
    "projects",
    "members",
    "quota_usage",
    "labels",
    "repositories",
    "blobs",
    "repository_blobs",
    "manifests",
    "artifacts",
    "artifact_blobs",
    "accessories",
    "tags",
    "artifact_labels",
    "artifact_counts",
    "quota_contents",
];

/// What there is afterwards.
#[derive(Clone, Debug)]
pub struct Content {
    /// How many artifacts.
    pub artifacts: u64,
    /// How many repositories.
    pub repositories: u64,
    /// How many projects.
    pub projects: u64,
    /// How many artifacts the largest repository has.
    pub in_largest: u64,
    /// How many of them a list shows.
    pub roots_in_largest: u64,
    /// The project of the largest repository.
    pub project: String,
    /// The name of the largest repository in its project.
    pub repository: &'static str,
}

impl Content {
    /// What there is with so many artifacts, rounded to whole groups.
    pub fn of(artifacts: u64) -> Content {
        let in_largest = (artifacts / 10).div_ceil(GROUP) * GROUP;
        let others = artifacts.saturating_sub(in_largest).div_ceil(GROUP);
        Content {
            artifacts: in_largest + others * GROUP,
            repositories: 1 + others,
            projects: (artifacts / OF_A_PROJECT).max(1),
            in_largest,
            roots_in_largest: in_largest / GROUP * (GROUP - 1),
            project: "data-00001".to_owned(),
            repository: "app-000001",
        }
    }
}

/// Fills the database of a Haven that is not running.
pub fn fill(database: Database<'_>, artifacts: u64) -> Outcome<Content> {
    let content = Content::of(artifacts);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let start = u64::try_from(now.as_micros()).map_err(|error| error.to_string())? - SPREAD;
    let mut statements = places(database, &content, start);
    statements.extend(contents(database, &content, start));
    database.fill(&TABLES, &statements)?;
    Ok(content)
}

/// Projects, their labels, and repositories.
fn places(database: Database<'_>, content: &Content, start: u64) -> Vec<String> {
    let Content { projects, repositories, .. } = content;
    let each_project = database.numbers(*projects);
    let project = database.padded("n", 5);
    let of_repository = database.padded(&format!("1 + (n - 1) % {projects}"), 5);
    let repository = database.padded("n", 6);
    vec![
        format!(
            "INSERT INTO projects (id, name, owner_id, public, created_at, updated_at) \
             SELECT {BASE} + n, 'data-' || {project}, 1, n % 10 = 0, {start}, {start} \
             FROM {each_project}"
        ),
        format!(
            "INSERT INTO members (project_id, entity_type, entity_id, role_id, created_at) \
             SELECT {BASE} + n, 'u', 1, 1, {start} FROM {each_project}"
        ),
        format!(
            "INSERT INTO quota_usage (project_id, used, updated_at) \
             SELECT {BASE} + n, 0, {start} FROM {each_project}"
        ),
        format!(
            "INSERT INTO labels (id, project_id, name, color, created_at, updated_at) \
             SELECT {BASE} + n, {BASE} + 1 + (n - 1) / {LABELS}, 'label-' || (n % {LABELS}), \
             '#0065AB', {start}, {start} FROM {}",
            database.numbers(projects * LABELS)
        ),
        format!(
            "INSERT INTO repositories (id, project_id, name, created_at, updated_at) \
             SELECT {BASE} + n, {BASE} + 1 + (n - 1) % {projects}, \
             'data-' || {of_repository} || '/app-' || {repository}, {start}, {start} \
             FROM {}",
            database.numbers(*repositories)
        ),
    ]
}

/// Artifacts, each with a blob of its own, and all that belongs to them.
fn contents(database: Database<'_>, content: &Content, start: u64) -> Vec<String> {
    let Content { artifacts, projects, in_largest, .. } = content;
    let each = database.numbers(*artifacts);
    let digest = database.digest("n");
    let blob = database.digest(&format!("n + {}", 1_u64 << 40));
    let subject = database.digest("n - 1");
    let repository = format!(
        "({BASE} + CASE WHEN n <= {in_largest} THEN 1 ELSE 2 + (n - {in_largest} - 1) / {GROUP} END)"
    );
    let project = format!("({BASE} + 1 + ({repository} - {BASE} - 1) % {projects})");
    let is_signature = format!("n % {GROUP} = 0");
    let step = SPREAD / artifacts;
    let signature = "application/vnd.dev.cosign.artifact.sig.v1+json";
    let attributes = "{\"architecture\":\"amd64\",\"author\":\"\",\"config\":{\"Cmd\":[\"/bin/app\"],\
         \"Env\":[\"PATH=/usr/local/bin:/usr/bin:/bin\"],\"WorkingDir\":\"/srv\"},\
         \"created\":\"2026-01-01T00:00:00Z\",\"os\":\"linux\"}";
    vec![
        format!(
            "INSERT INTO blobs (id, digest, size, place, created_at) \
             SELECT {BASE} + n, {blob}, 50000000, 'bench/' || n, {start} FROM {each}"
        ),
        format!(
            "INSERT INTO repository_blobs (repository_id, blob_id, counted_in) \
             SELECT {repository}, {BASE} + n, {project} FROM {each}"
        ),
        format!(
            "INSERT INTO manifests (id, digest, content) SELECT {BASE} + n, {digest}, {} \
             FROM {each}",
            database.bytes(64)
        ),
        format!(
            "INSERT INTO artifacts (id, project_id, repository_id, manifest_id, digest, \
             media_type, config_media_type, artifact_type, subject_digest, manifest_size, size, \
             pushed_at, kind, extra_attrs, is_root) \
             SELECT {BASE} + n, {project}, {repository}, {BASE} + n, {digest}, \
             'application/vnd.oci.image.manifest.v1+json', \
             'application/vnd.oci.image.config.v1+json', \
             CASE WHEN {is_signature} THEN '{signature}' END, \
             CASE WHEN {is_signature} THEN {subject} END, \
             700, 50000700, {start} + n * {step}, 'IMAGE', '{attributes}', n % {GROUP} <> 0 \
             FROM {each}"
        ),
        format!(
            "INSERT INTO artifact_blobs (artifact_id, blob_id, repository_id) \
             SELECT {BASE} + n, {BASE} + n, {repository} FROM {each}"
        ),
        format!(
            "INSERT INTO accessories (artifact_id, repository_id, subject_digest, kind, created_at) \
             SELECT {BASE} + n, {repository}, {subject}, 'signature.cosign', {start} \
             FROM {each} WHERE {is_signature}"
        ),
        format!(
            "INSERT INTO tags (repository_id, artifact_id, name, pushed_at) \
             SELECT {repository}, {BASE} + n, 'v' || n, {start} + n * {step} \
             FROM {each} WHERE NOT {is_signature}"
        ),
        format!(
            "INSERT INTO tags (repository_id, artifact_id, name, pushed_at) \
             SELECT {repository}, {BASE} + n, 'latest', {start} + n * {step} \
             FROM {each} WHERE n > {in_largest} AND n % {GROUP} = {GROUP} - 1"
        ),
        format!(
            "INSERT INTO artifact_labels (artifact_id, label_id, created_at) \
             SELECT {BASE} + n, {BASE} + ({project} - {BASE} - 1) * {LABELS} + 1 + n % {LABELS}, \
             {start} FROM {each} WHERE NOT {is_signature}"
        ),
        format!(
            "INSERT INTO artifact_counts (repository_id, shard, roots) \
             SELECT repository_id, 0, COUNT(*) FROM artifacts WHERE id > {BASE} AND is_root \
             GROUP BY repository_id"
        ),
        format!(
            "INSERT INTO quota_contents (project_id, kind, content_id, size) \
             SELECT {project}, 0, {BASE} + n, 50000000 FROM {each}"
        ),
        format!(
            "INSERT INTO quota_contents (project_id, kind, content_id, size) \
             SELECT {project}, 1, {BASE} + n, 700 FROM {each}"
        ),
        format!(
            "UPDATE quota_usage SET used = (SELECT CAST(SUM(size) AS BIGINT) FROM quota_contents \
             WHERE quota_contents.project_id = quota_usage.project_id) WHERE project_id > {BASE}"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_whole() {
        let content = Content::of(1_000_000);
        assert!(content.artifacts >= 1_000_000 && content.artifacts.is_multiple_of(GROUP));
        assert!(content.in_largest >= 100_000 && content.in_largest.is_multiple_of(GROUP));
        assert!(content.repositories >= 100_000);
        assert_eq!(content.projects, 1_000);
    }
}
