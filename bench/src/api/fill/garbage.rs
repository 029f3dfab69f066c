//! A repository of many artifacts, and twice as many blobs that nothing needs any more, with
//! their bytes in the store.

use std::fs;
use std::path::Path;

use super::{BASE, Database};
use crate::Outcome;

/// How many artifacts there are, each with a blob of its own.
pub const ARTIFACTS: u64 = 100_000;
/// How many blobs there are.
pub const BLOBS: u64 = 300_000;

/// The project `library`.
const PROJECT: u64 = 1;
/// A moment long ago.
const LONG_AGO: u64 = 1_000_000;
/// How many folders the blobs lie in, by the first digits of their digests.
const FAMILIES: u64 = 256;
/// What each blob holds.
const CONTENT: [u8; 64] = [b'x'; 64];

const TABLES: [&str; 8] = [
    "repositories",
    "blobs",
    "repository_blobs",
    "manifests",
    "artifacts",
    "artifact_blobs",
    "artifact_counts",
    "quota_contents",
];

/// Fills the database and the store of a Haven that is not running.
pub fn fill(database: Database<'_>, data: &Path) -> Outcome<()> {
    lay_down(data).map_err(|error| format!("{}: {error}", data.display()))?;
    database.fill(&TABLES, &rows(database))
}

/// The bytes of all blobs.
fn lay_down(data: &Path) -> std::io::Result<()> {
    for family in 0..FAMILIES {
        fs::create_dir_all(data.join(format!("haven/blobs/sha256/{family:02x}")))?;
    }
    (1..=BLOBS).try_for_each(|number| fs::write(data.join(place(number)), CONTENT))
}

/// Where a blob lies.
fn place(number: u64) -> String {
    let family = number % FAMILIES;
    format!("haven/blobs/sha256/{family:02x}/{family:02x}{number:062x}.bench")
}

fn rows(database: Database<'_>) -> Vec<String> {
    let (blobs, artifacts) = (database.numbers(BLOBS), database.numbers(ARTIFACTS));
    let manifest = database.digest(&format!("n + {}", 1_u64 << 40));
    let (family, rest) = (database.hex(&format!("n % {FAMILIES}"), 2), database.hex("n", 62));
    let hex = format!("{family} || {rest}");
    let size = CONTENT.len();
    vec![
        format!(
            "INSERT INTO repositories (id, project_id, name, created_at, updated_at) \
             VALUES ({BASE}, {PROJECT}, 'library/garbage', {LONG_AGO}, {LONG_AGO})"
        ),
        format!(
            "INSERT INTO blobs (id, digest, size, place, created_at) \
             SELECT {BASE} + n, 'sha256:' || {hex}, {size}, \
             'haven/blobs/sha256/' || {family} || '/' || {hex} || '.bench', {LONG_AGO} \
             FROM {blobs}"
        ),
        format!(
            "INSERT INTO repository_blobs (repository_id, blob_id, unreferenced_at, counted_in) \
             SELECT {BASE}, {BASE} + n, CASE WHEN n > {ARTIFACTS} THEN {LONG_AGO} END, \
             CASE WHEN n <= {ARTIFACTS} THEN {PROJECT} END FROM {blobs}"
        ),
        format!(
            "INSERT INTO manifests (id, digest, content) SELECT {BASE} + n, {manifest}, {} \
             FROM {artifacts}",
            database.bytes(64)
        ),
        format!(
            "INSERT INTO artifacts (id, project_id, repository_id, manifest_id, digest, \
             media_type, config_media_type, manifest_size, size, pushed_at, kind) \
             SELECT {BASE} + n, {PROJECT}, {BASE}, {BASE} + n, {manifest}, \
             'application/vnd.oci.image.manifest.v1+json', \
             'application/vnd.oci.image.config.v1+json', 64, 64 + {size}, {LONG_AGO} + n, 'IMAGE' \
             FROM {artifacts}"
        ),
        format!(
            "INSERT INTO artifact_blobs (artifact_id, blob_id, repository_id) \
             SELECT {BASE} + n, {BASE} + n, {BASE} FROM {artifacts}"
        ),
        format!(
            "INSERT INTO artifact_counts (repository_id, shard, roots) \
             VALUES ({BASE}, 0, {ARTIFACTS})"
        ),
        format!(
            "INSERT INTO quota_contents (project_id, kind, content_id, size) \
             SELECT {PROJECT}, 0, {BASE} + n, {size} FROM {artifacts} \
             UNION ALL SELECT {PROJECT}, 1, {BASE} + n, 64 FROM {artifacts}"
        ),
    ]
}
