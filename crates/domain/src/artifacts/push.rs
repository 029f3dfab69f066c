//! Pushing a manifest: check what it refers to, keep its bytes, point tags to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use db::{Sql, Tx, args};
use kit::{Error, Kind, Result, Subject, Time};
use oci::{
    Algorithm, Digest, Manifest, ManifestError, ManifestKind, Reference, RepositoryName, Tag,
    artifact::AccessoryKind,
};

use tokio::task::spawn_blocking;

use super::{
    content::{self, Content},
    pull::parse,
    references::Parts,
    sql,
};
use crate::{
    Context,
    access::{Allowed, Right},
    audit::{self, Audit, Entry, Event},
    cache::Pair,
    context::Caches,
    events::{self, Happened},
    immutability,
    quotas::Quota,
    repositories, uploads,
};

/// A manifest on its way in.
#[derive(Clone, Debug)]
pub struct Push {
    /// Where to.
    pub name: RepositoryName,
    /// The tag or digest it is pushed as.
    pub reference: Reference,
    /// More tags to point to it, all or none.
    pub tags: Vec<Tag>,
    /// The media type that the client says it is.
    pub content_type: Option<String>,
    /// Its bytes.
    pub content: Bytes,
    /// What must hold for what the reference names now.
    pub condition: Condition,
}

/// The condition of a conditional push (RFC 9110, section 13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// None.
    #[default]
    Always,
    /// The reference exists (If-Match: *).
    Exists,
    /// The reference does not exist (If-None-Match: *).
    Missing,
    /// The reference names one of these (If-Match).
    Is(Vec<Digest>),
    /// The reference names none of these (If-None-Match).
    IsNot(Vec<Digest>),
}

/// A manifest that was pushed.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Its digest.
    pub digest: Digest,
    /// What it refers to, if it has a subject.
    pub subject: Option<Digest>,
    /// Whether it refers to something that is not there, where that is allowed.
    pub incomplete: bool,
}

/// Pushes a manifest.
///
/// # Errors
/// Invalid when the manifest is not one, its digest is another, or it refers to what is
/// not there; precondition when the condition does not hold; immutable when a rule keeps a tag
/// where it is.
pub async fn push(context: &Context, allowed: &Allowed, push: Push) -> Result<Pushed> {
    allowed.require(Right::PUSH)?;
    let (push, manifest, digest) = read(push).await?;
    let subject = manifest.subject.as_ref().map(|subject| subject.digest);
    let named = match &push.reference {
        Reference::Tag(tag) => Some(tag),
        Reference::Digest(_) => None,
    };
    let quota = Quota::of(context, allowed.project().id).await?;
    let quota = quota.asked_by(allowed.by(), &push.name).with_manifest(&digest, named);
    let deed = Arc::new(Deed {
        quota: quota.clone(),
        content: content::read(context, &push.name, &manifest, &digest).await?,
        accessory_of: AccessoryKind::of(&manifest, named),
        tags: tags_of(&push),
        digest,
        manifest,
        push,
        now: context.clock.now(),
        allow_missing: context.settings.allow_missing_references,
        caches: context.caches.clone(),
        audit: audit::by(context, allowed.by()).await?,
    });
    let pushed = context
        .db
        .write(move |tx| {
            let deed = deed.clone();
            Box::pin(async move { deed.carry_out(tx).await })
        })
        .await;
    let incomplete = quota.tell(context, pushed).await?;
    Ok(Pushed { digest, subject, incomplete })
}

/// A manifest this large, in bytes, is parsed and hashed off the threads that serve: one of
/// 4 MiB takes tens of milliseconds.
const LARGE: usize = 128 * 1024;

/// What a push brings, understood.
async fn read(push: Push) -> Result<(Push, Manifest, Digest)> {
    let large = push.content.len() > LARGE;
    let read = move || {
        let manifest =
            Manifest::parse(&push.content, push.content_type.as_deref()).map_err(refused)?;
        let digest = digest_of(&push)?;
        Ok((push, manifest, digest))
    };
    if large { spawn_blocking(read).await.map_err(Error::internal)? } else { read() }
}

fn refused(cause: ManifestError) -> Error {
    let kind = match cause {
        ManifestError::TooLarge(_) => Kind::TooLarge,
        _ => Kind::Invalid,
    };
    Error::new(kind, cause.to_string()).about(Subject::Manifest)
}

/// The digest of the bytes, which a reference by digest must name.
fn digest_of(push: &Push) -> Result<Digest> {
    let Reference::Digest(expected) = &push.reference else {
        return Ok(Digest::of(Algorithm::Sha256, &push.content));
    };
    let actual = Digest::of(expected.algorithm(), &push.content);
    if actual == *expected {
        return Ok(actual);
    }
    Err(Error::invalid("provided digest did not match uploaded content")
        .about(Subject::Digest)
        .with(
            "provided digest did not match uploaded content",
            vec![("expected", expected.to_string()), ("actual", actual.to_string())],
        ))
}

/// All tags to set, in the order in which every writer locks them.
fn tags_of(push: &Push) -> BTreeSet<Tag> {
    let mut tags: BTreeSet<Tag> = push.tags.iter().cloned().collect();
    if let Reference::Tag(tag) = &push.reference {
        tags.insert(tag.clone());
    }
    tags
}

/// Everything that the transaction needs.
struct Deed {
    quota: Quota,
    push: Push,
    manifest: Manifest,
    content: Content,
    accessory_of: Vec<(AccessoryKind, Digest)>,
    digest: Digest,
    tags: BTreeSet<Tag>,
    now: Time,
    allow_missing: bool,
    caches: Arc<Caches>,
    audit: Audit,
}

/// What a push has added to the repository.
struct Added {
    artifact_id: i64,
    /// The manifest and its size.
    manifest: (i64, i64),
    /// Blobs that count again because the manifest needs them.
    uncounted: Vec<i64>,
}

impl Deed {
    /// Whether the manifest refers to something that is not there.
    async fn carry_out(&self, tx: &mut Tx) -> Result<bool> {
        let project_id = self.quota.project_id();
        let repository_id = repositories::ensure(tx, project_id, &self.push.name, self.now).await?;
        self.check_condition(tx, repository_id).await?;
        let parts = Parts::of(tx, repository_id, &self.manifest).await?;
        if !self.allow_missing {
            parts.require_all()?;
        }
        let added = self.add(tx, repository_id, &parts).await?;
        let artifact_id = match &added {
            Some(added) => added.artifact_id,
            None => self.push_again(tx, repository_id).await?,
        };
        self.attach(tx, repository_id, artifact_id).await?;
        self.set_tags(tx, repository_id, artifact_id).await?;
        let entry =
            Entry::new(Event::CreateArtifact, self.push.reference.in_repository(&self.push.name));
        self.audit.record(tx, entry.in_project(project_id)).await?;
        if let Some(Added { manifest, uncounted, .. }) = added {
            self.quota.add(tx, &uncounted, &[manifest]).await?;
        }
        events::record(tx, &self.happened()).await?;
        Ok(parts.are_incomplete())
    }

    /// What is told of it to those who act on it later.
    fn happened(&self) -> Happened {
        let tags = self.tags.iter().map(ToString::to_string).collect();
        let pushed = events::Event::ArtifactPushed { digest: self.digest.to_string(), tags };
        Happened::by(&self.audit, pushed)
            .in_project(self.quota.project_id())
            .in_repository(self.push.name.as_str())
    }

    async fn check_condition(&self, tx: &mut Tx, repository_id: i64) -> Result<()> {
        if self.push.condition == Condition::Always {
            return Ok(());
        }
        let row = match &self.push.reference {
            Reference::Tag(tag) => tx.one(sql::TAG, args![repository_id, tag.as_str()]).await?,
            Reference::Digest(digest) => {
                let found = tx.one(sql::ARTIFACT, args![repository_id, digest.to_string()]).await?;
                return self.hold(found.map(|_| *digest));
            }
        };
        self.hold(row.map(|row| parse(&row.get::<String>(0)?)).transpose()?)
    }

    fn hold(&self, current: Option<Digest>) -> Result<()> {
        let holds = match &self.push.condition {
            Condition::Always => true,
            Condition::Exists => current.is_some(),
            Condition::Missing => current.is_none(),
            Condition::Is(wanted) => current.is_some_and(|digest| wanted.contains(&digest)),
            Condition::IsNot(unwanted) => !current.is_some_and(|digest| unwanted.contains(&digest)),
        };
        if holds { Ok(()) } else { Err(changed(&self.push.reference)) }
    }

    /// Adds the artifact with what it needs; none if the repository has it.
    async fn add(&self, tx: &mut Tx, repository_id: i64, parts: &Parts) -> Result<Option<Added>> {
        let manifest = &self.manifest;
        let manifest_size = i64::try_from(self.push.content.len()).map_err(Error::internal)?;
        let size = parts.size(manifest, manifest_size);
        let manifest_id = self.keep_content(tx).await?;
        let arguments = args![
            self.quota.project_id(),
            repository_id,
            manifest_id,
            self.digest.to_string(),
            manifest.media_type.as_str(),
            self.content.content_type.as_str(),
            manifest.artifact_type.clone(),
            manifest.subject.as_ref().map(|subject| subject.digest.to_string()),
            json_of(&manifest.annotations)?,
            manifest_size,
            size,
            self.now,
            self.content.kind.name(),
            self.content.icon.clone(),
            self.content.attributes.clone(),
        ];
        let Some(row) = tx.one(sql::ADD_ARTIFACT, arguments).await? else { return Ok(None) };
        let artifact_id = row.get(0)?;
        let uncounted = self.need_blobs(tx, repository_id, artifact_id, parts).await?;
        self.list_children(tx, artifact_id, parts).await?;
        if self.allow_missing {
            let arguments = args![artifact_id, self.digest.to_string(), repository_id];
            tx.execute(sql::ADOPT_CHILD, arguments).await?;
        }
        Ok(Some(Added { artifact_id, manifest: (manifest_id, manifest_size), uncounted }))
    }

    /// The number of the manifest's bytes, which all repositories share.
    async fn keep_content(&self, tx: &mut Tx) -> Result<i64> {
        let digest = self.digest.to_string();
        let new = || args![digest.as_str(), self.push.content.to_vec()];
        let find = (sql::CONTENT, args![digest.as_str()]);
        let row = tx.add_or_find((sql::ADD_CONTENT, new), find).await?;
        row.ok_or_else(|| Error::unavailable("the same manifest is being deleted"))?.get(0)
    }

    async fn need_blobs(
        &self,
        tx: &mut Tx,
        repository_id: i64,
        artifact_id: i64,
        parts: &Parts,
    ) -> Result<Vec<i64>> {
        if parts.blobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments = args![artifact_id, repository_id];
        for part in parts.blobs.values() {
            arguments.push(part.id);
        }
        let need = Sql::list(sql::NEED_BLOBS_BEFORE, parts.blobs.len(), sql::NEED_BLOBS_AFTER);
        tx.execute(need, arguments).await?;
        uploads::reference(tx, &self.quota, repository_id, artifact_id).await
    }

    async fn list_children(&self, tx: &mut Tx, artifact_id: i64, parts: &Parts) -> Result<()> {
        if self.manifest.kind != ManifestKind::Index {
            return Ok(());
        }
        for (position, child) in (0_i64..).zip(&self.manifest.manifests) {
            let arguments = args![
                artifact_id,
                position,
                parts.manifests.get(&child.digest).map(|part| part.id),
                child.digest.to_string(),
                child
                    .platform
                    .as_ref()
                    .map(serde_json::to_string)
                    .transpose()
                    .map_err(Error::internal)?,
                json_of(&child.annotations)?,
                (!child.urls.is_empty())
                    .then(|| serde_json::to_string(&child.urls))
                    .transpose()
                    .map_err(Error::internal)?,
            ];
            tx.execute(sql::ADD_CHILD, arguments).await?;
        }
        Ok(())
    }

    /// The repository has the artifact: only the time, and perhaps the type, are new.
    async fn push_again(&self, tx: &mut Tx, repository_id: i64) -> Result<i64> {
        let arguments = args![repository_id, self.digest.to_string()];
        let row = tx
            .one(sql::ARTIFACT, arguments)
            .await?
            .ok_or_else(|| Error::unavailable("the same manifest is being deleted"))?;
        let (artifact_id, media_type): (i64, String) = (row.get(0)?, row.get(1)?);
        if media_type != self.manifest.media_type {
            self.caches.manifests.changes(tx, &Pair(repository_id, self.digest));
        }
        let arguments = args![
            artifact_id,
            self.manifest.media_type.as_str(),
            self.now,
            self.content.content_type.as_str(),
            self.content.kind.name(),
            self.content.icon.clone(),
            self.content.attributes.clone(),
        ];
        tx.execute(sql::PUSHED_AGAIN, arguments).await?;
        Ok(artifact_id)
    }

    /// Notes what the artifact is an accessory of, whether that is there or not.
    async fn attach(&self, tx: &mut Tx, repository_id: i64, artifact_id: i64) -> Result<()> {
        for (kind, subject) in &self.accessory_of {
            let arguments =
                args![artifact_id, repository_id, subject.to_string(), kind.name(), self.now];
            tx.execute(sql::ATTACH, arguments).await?;
        }
        Ok(())
    }

    async fn set_tags(&self, tx: &mut Tx, repository_id: i64, artifact_id: i64) -> Result<()> {
        // Asked for only when a tag is there already.
        let mut rules = None;
        for tag in &self.tags {
            let arguments = args![repository_id, artifact_id, tag.as_str(), self.now];
            if tx.execute(sql::NEW_TAG, arguments).await? > 0 {
                // What is new was in nobody's memory.
                continue;
            }
            if rules.is_none() {
                rules = Some(immutability::rules(tx, self.quota.project_id()).await?);
            }
            let repository = self.push.name.rest().unwrap_or_default();
            if rules.as_ref().is_some_and(|rules| rules.cover(repository, tag.as_str())) {
                return Err(immutability::refused_push(&self.push.name, tag.as_str()));
            }
            let named = matches!(&self.push.reference, Reference::Tag(named) if named == tag);
            if named && self.push.condition == Condition::Missing {
                return Err(changed(&self.push.reference));
            }
            let arguments = args![repository_id, artifact_id, tag.as_str(), self.now];
            tx.execute(sql::SET_TAG, arguments).await?;
            self.caches.tags.changes(tx, &Pair(repository_id, tag.clone()));
        }
        Ok(())
    }
}

fn changed(reference: &Reference) -> Error {
    Error::new(
        Kind::Precondition,
        format!("{reference} is not in the state that the request asks for"),
    )
    .about(Subject::Manifest)
}

fn json_of(pairs: &BTreeMap<String, String>) -> Result<Option<String>> {
    if pairs.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(pairs).map(Some).map_err(Error::internal)
}
