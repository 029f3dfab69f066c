//! Checking the whole house: every blob's bytes against its digest, every reference of
//! the database against what it refers to, every object of the store against its row.
//!
//! Owns no table and changes nothing. It may run beside a serving Haven; what is pushed
//! or deleted meanwhile may or may not be seen.

mod sql;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use db::{Args, Sql, args};
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use kit::{Error, Kind, Result};
use oci::{Digest, Hasher, Manifest};

use crate::Context;

/// How many rows are looked at together.
const BATCH: i64 = 200;

/// How many blobs are read at the same time.
const READERS: usize = 4;

/// How many findings of one kind are listed.
const LISTED: i64 = 100;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The store has no bytes for a blob.
    BlobMissing(Digest),
    /// The bytes of a blob do not have its digest or size.
    BlobCorrupt(Digest),
    /// The bytes of a manifest do not have its digest.
    ManifestCorrupt(String, Digest),
    /// A manifest refers to content that the database does not list for it.
    ReferenceMissing(String, Digest, Digest),
    /// A row refers to a row that is not there.
    RowAstray(&'static str, i64, i64),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlobMissing(digest) => write!(f, "blob {digest}: no bytes in the store"),
            Self::BlobCorrupt(digest) => {
                write!(f, "blob {digest}: the bytes in the store have another digest or size")
            }
            Self::ManifestCorrupt(repository, digest) => {
                write!(f, "manifest {repository}@{digest}: its bytes have another digest")
            }
            Self::ReferenceMissing(repository, digest, part) => {
                write!(f, "manifest {repository}@{digest}: refers to {part}, which is not there")
            }
            Self::RowAstray(what, left, right) => write!(f, "{what}: rows {left} and {right}"),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many blobs were read.
    pub blobs: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many manifests of repositories were checked.
    pub manifests: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Objects of the store that belong to no blob, such as a crash between store and
    /// database leaves. They cost space and nothing else.
    pub leftovers: Vec<String>,
}

/// Checks everything.
///
/// # Errors
/// Those of the database and the store; a blob that cannot be read is a finding.
pub async fn verify(context: &Context) -> Result<Report> {
    let mut report = Report::default();
    check_blobs(context, &mut report).await?;
    check_manifests(context, &mut report).await?;
    check_rows(context, &mut report).await?;
    find_leftovers(context, &mut report).await?;
    Ok(report)
}

struct Blob {
    digest: Digest,
    size: u64,
    place: ::blobs::Key,
}

async fn check_blobs(context: &Context, report: &mut Report) -> Result<()> {
    let mut last = 0_i64;
    loop {
        let rows = context.db.all(sql::BLOBS, args![last, BATCH]).await?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = end.get(0)?;
        let mut blobs = Vec::with_capacity(rows.len());
        for row in &rows {
            let size: i64 = row.get(2)?;
            blobs.push(Blob {
                digest: parse(&row.get::<String>(1)?)?,
                size: u64::try_from(size).map_err(Error::internal)?,
                place: ::blobs::Key::new(row.get::<String>(3)?)?,
            });
        }
        report.blobs += blobs.len() as u64;
        report.bytes += blobs.iter().map(|blob| blob.size).sum::<u64>();
        let findings = futures_util::stream::iter(blobs)
            .map(|blob| async move { check_blob(context, &blob).await })
            .buffer_unordered(READERS)
            .try_collect::<Vec<_>>()
            .await?;
        report.problems.extend(findings.into_iter().flatten());
    }
}

async fn check_blob(context: &Context, blob: &Blob) -> Result<Option<Problem>> {
    let mut reader = match context.blobs.read(&blob.place, blob.size, 0..blob.size).await {
        Ok(reader) => reader,
        Err(error) if error.is(Kind::NotFound) => {
            return Ok(Some(Problem::BlobMissing(blob.digest)));
        }
        Err(error) => return Err(error),
    };
    let mut hasher = Hasher::new(blob.digest.algorithm());
    while let Some(frame) = reader.frame().await {
        // Fewer bytes than the row says end in an error.
        let Ok(frame) = frame else { return Ok(Some(Problem::BlobCorrupt(blob.digest))) };
        if let Ok(bytes) = frame.into_data() {
            hasher.update(&bytes);
        }
    }
    Ok((hasher.finish() != blob.digest).then_some(Problem::BlobCorrupt(blob.digest)))
}

async fn check_manifests(context: &Context, report: &mut Report) -> Result<()> {
    let mut last = 0_i64;
    loop {
        let rows = context.db.all(sql::ARTIFACTS, args![last, BATCH]).await?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = end.get(0)?;
        for row in &rows {
            report.manifests += 1;
            let (repository, digest) = (row.get::<String>(1)?, parse(&row.get::<String>(2)?)?);
            let content: Vec<u8> = row.get(5)?;
            if Digest::of(digest.algorithm(), &content) != digest {
                report.problems.push(Problem::ManifestCorrupt(repository, digest));
                continue;
            }
            let media_type: String = row.get(3)?;
            let Ok(manifest) = Manifest::parse(&content, Some(&media_type)) else {
                report.problems.push(Problem::ManifestCorrupt(repository, digest));
                continue;
            };
            let wanted: BTreeSet<Digest> = manifest
                .blob_references()
                .chain(&manifest.manifests)
                .map(|part| part.digest)
                .collect();
            let known = row.get::<i64>(6)? + row.get::<i64>(7)?;
            if wanted.is_empty() || context.settings.allow_missing_references {
                continue;
            }
            let found =
                if known == 0 { BTreeSet::new() } else { parts(context, row.get(0)?).await? };
            for missing in wanted.difference(&found) {
                let problem = Problem::ReferenceMissing(repository.clone(), digest, *missing);
                report.problems.push(problem);
            }
        }
    }
}

async fn parts(context: &Context, artifact_id: i64) -> Result<BTreeSet<Digest>> {
    let rows = context.db.all(sql::PARTS, args![artifact_id]).await?;
    rows.iter().map(|row| parse(&row.get::<String>(0)?)).collect()
}

async fn check_rows(context: &Context, report: &mut Report) -> Result<()> {
    let checks = [
        ("an artifact needs a blob that its repository does not hold", sql::NEEDS_WITHOUT_HOLD),
        ("a repository holds a blob that is not there", sql::HOLDS_WITHOUT_BLOB),
        ("a tag points to no artifact of its repository", sql::TAGS_ASTRAY),
        ("an artifact has no bytes", sql::ARTIFACTS_WITHOUT_CONTENT),
        ("no artifact has the bytes of a manifest", sql::CONTENT_WITHOUT_ARTIFACT),
        ("a manifest needs a blob that is marked as not needed", sql::NEEDED_BUT_MARKED),
        ("no manifest needs a blob that is not marked so", sql::NOT_NEEDED_NOT_MARKED),
        ("a blob counts in a project that does not hold it", sql::BLOBS_COUNT_ASTRAY),
        ("a project holds a blob that does not count in it", sql::BLOBS_NOT_COUNTED),
        ("a blob counts in the project of another repository", sql::COUNTED_ELSEWHERE),
        ("a manifest counts in a project that does not have it", sql::MANIFESTS_COUNT_ASTRAY),
        ("a project has a manifest that does not count in it", sql::MANIFESTS_NOT_COUNTED),
        ("a project uses another amount than what counts in it", sql::USAGE_WRONG),
        ("an artifact is shown in lists or hidden by mistake", sql::ROOTS_ASTRAY),
        ("a repository and its project: its artifacts were miscounted", sql::COUNTS_ASTRAY),
    ];
    for (what, statement) in checks {
        for row in context.db.all(statement, args![LISTED]).await? {
            report.problems.push(Problem::RowAstray(what, row.get(0)?, row.get(1)?));
        }
    }
    Ok(())
}

/// The store is listed first and the rows are asked for after, so that a blob which is
/// pushed meanwhile is not taken for a leftover.
async fn find_leftovers(context: &Context, report: &mut Report) -> Result<()> {
    let mut chunks = std::pin::pin!(context.blobs.list().chunks(BATCH as usize));
    while let Some(chunk) = chunks.next().await {
        let entries = chunk.into_iter().collect::<Result<Vec<_>>>()?;
        let mut arguments: Args = args![];
        for entry in &entries {
            arguments.push(entry.key.as_str());
        }
        let places = Sql::list(sql::PLACES_BEFORE, entries.len(), sql::PLACES_AFTER);
        let rows = context.db.all(places, arguments).await?;
        let known: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        let unknown =
            entries.iter().map(|entry| entry.key.as_str()).filter(|key| !known.contains(*key));
        report.leftovers.extend(unknown.map(str::to_owned));
    }
    Ok(())
}

fn parse(digest: &str) -> Result<Digest> {
    digest.parse().map_err(Error::internal)
}
