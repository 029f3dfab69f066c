//! What a manifest refers to, as far as its repository has it: blobs and other manifests.

use std::collections::{BTreeMap, BTreeSet};

use db::{Args, Sql, Tx, args};
use kit::{Error, Result, Subject};
use oci::{Descriptor, Digest, Manifest};

use super::{pull::parse, sql};

/// How many references are looked up with one statement.
const LOOKED_UP_AT_ONCE: usize = 500;

/// A blob or manifest of the repository that the manifest refers to.
pub(super) struct Part {
    pub(super) id: i64,
    size: i64,
}

/// What of the manifest's references the repository has.
pub(super) struct Parts {
    pub(super) blobs: BTreeMap<Digest, Part>,
    pub(super) manifests: BTreeMap<Digest, Part>,
    /// What the manifest needs and the repository does not have.
    missing: BTreeSet<Digest>,
}

impl Parts {
    /// Looks up everything that a manifest refers to.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn of(tx: &mut Tx, repository_id: i64, manifest: &Manifest) -> Result<Self> {
        let wanted: BTreeSet<Digest> = blobs_of(manifest).map(|blob| blob.digest).collect();
        let children: BTreeSet<Digest> =
            manifest.manifests.iter().map(|child| child.digest).collect();
        let known = (sql::KNOWN_MANIFESTS_BEFORE, sql::KNOWN_MANIFESTS_AFTER);
        let manifests = find(tx, repository_id, &children, known).await?;
        // BuildKit once wrote caches as indexes that list layers: what is no manifest of
        // the repository may be a blob of it.
        let perhaps_blobs = children.iter().filter(|child| !manifests.contains_key(child));
        let wanted = wanted.iter().chain(perhaps_blobs).copied().collect();
        let held = (sql::HELD_BLOBS_BEFORE, sql::HELD_BLOBS_AFTER);
        let blobs = find(tx, repository_id, &wanted, held).await?;
        let needed = manifest.blob_references().filter(|blob| !blobs.contains_key(&blob.digest));
        let listed = manifest.manifests.iter().filter(|child| {
            !manifests.contains_key(&child.digest) && !blobs.contains_key(&child.digest)
        });
        let missing = needed.chain(listed).map(|missing| missing.digest).collect();
        Ok(Self { blobs, manifests, missing })
    }

    /// Whether the manifest refers to something that is not there.
    pub(super) fn are_incomplete(&self) -> bool {
        !self.missing.is_empty()
    }

    /// That everything must be there.
    ///
    /// # Errors
    /// Invalid, with each that is not there.
    pub(super) fn require_all(&self) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let error = Error::invalid("the manifest refers to content that is not in the repository")
            .about(Subject::ManifestReference);
        Err(self.missing.iter().fold(error, |error, digest| {
            error.with("blob unknown to registry", vec![("digest", digest.to_string())])
        }))
    }

    /// How much the artifact takes as Harbor counts it: what the manifest lists, as often as
    /// it lists it.
    pub(super) fn size(&self, manifest: &Manifest, manifest_size: i64) -> i64 {
        let listed = blobs_of(manifest).chain(&manifest.manifests);
        let sizes = listed.map(|part| {
            let known = self.blobs.get(&part.digest).or_else(|| self.manifests.get(&part.digest));
            known.map_or(i64::try_from(part.size).unwrap_or(i64::MAX), |part| part.size)
        });
        sizes.fold(manifest_size, i64::saturating_add)
    }
}

/// Config and layers, those that may live elsewhere included.
fn blobs_of(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    manifest.config.iter().chain(&manifest.layers)
}

async fn find(
    tx: &mut Tx,
    repository_id: i64,
    digests: &BTreeSet<Digest>,
    (before, after): (&'static str, &'static str),
) -> Result<BTreeMap<Digest, Part>> {
    let mut parts = BTreeMap::new();
    let digests: Vec<String> = digests.iter().map(Digest::to_string).collect();
    for some in digests.chunks(LOOKED_UP_AT_ONCE) {
        let mut arguments: Args = args![repository_id];
        for digest in some {
            arguments.push(digest.as_str());
        }
        for row in tx.all(Sql::list(before, some.len(), after), arguments).await? {
            let part = Part { id: row.get(1)?, size: row.get(2)? };
            parts.insert(parse(&row.get::<String>(0)?)?, part);
        }
    }
    Ok(parts)
}
