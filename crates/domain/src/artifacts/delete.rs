//! Deleting tags and artifacts.

use std::{
    collections::{HashMap, VecDeque},
    slice,
    sync::Arc,
};

use db::{Tx, args};
use kit::{Error, Kind, Result, Subject};
use oci::{Digest, Reference, RepositoryName, Tag};
use tokio::task;

use super::{
    locate::{Located, absent, find},
    pull::unknown,
    removal::{AT_ONCE, Going, Removal, Why, require_unlisted},
    sql,
    survey::{self, Surveyed},
};
use crate::{
    Context,
    access::{Action, Allowed, Resource, Right},
    audit::{self, Audit},
    repositories::{self, Repository},
};

/// Deletes a tag; the manifest stays.
///
/// # Errors
/// Not found when there is no such tag; immutable when a rule keeps it.
pub async fn untag(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    tag: &Tag,
) -> Result<()> {
    allowed.require(Right::DELETE)?;
    let repository = repositories::known(context, name).await?;
    let (tag, audit) = (tag.clone(), audit::by(context, allowed.by()).await?);
    let removal = removal(context, &repository, name, &audit);
    context
        .db
        .write(move |tx| {
            let (removal, tag) = (removal.clone(), tag.clone());
            Box::pin(async move {
                if !removal.untag(tx, None, &tag).await? {
                    return Err(unknown(&Reference::Tag(tag)));
                }
                Ok(())
            })
        })
        .await
}

/// Deletes an artifact with all its tags, as the registry protocol has it: its blobs stay for
/// a window, and what it lists and what refers to it stay.
///
/// # Errors
/// Not found when there is none; precondition while an index lists it; immutable when a rule
/// keeps one of its tags.
pub async fn delete(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<()> {
    allowed.require(Right::DELETE)?;
    let repository = repositories::known(context, name).await?;
    let (digest, audit) = (*digest, audit::by(context, allowed.by()).await?);
    let removal = removal(context, &repository, name, &audit);
    context
        .db
        .write(move |tx| {
            let removal = removal.clone();
            Box::pin(async move {
                let gone = || unknown(&Reference::Digest(digest));
                let found = args![removal.repository_id, digest.to_string()];
                let id = tx.one(sql::BY_DIGEST, found).await?.ok_or_else(gone)?.get(0)?;
                let removed = removal.remove(tx, (id, Why::Asked)).await?.ok_or_else(gone)?;
                removal.tell(tx, vec![removed]).await
            })
        })
        .await
}

/// Deletes an artifact with all its tags, its accessories, and what it lists and nothing else
/// keeps. It goes on when whoever asked has gone; what has more accessories than one
/// transaction takes loses them first, and if that is broken off, deleting again goes on.
///
/// # Errors
/// Not found when there is none; precondition while an index lists it; immutable when a rule
/// keeps one of its tags.
pub async fn delete_artifact(
    context: &Arc<Context>,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<()> {
    delete_as(context, allowed, name, reference, None).await
}

/// Deletes as [`delete_artifact`] does an artifact that is as it was surveyed: neither it nor one
/// of its tags was pushed since, and it has no other tags.
///
/// # Errors
/// As [`delete_artifact`]; Conflict when it was pushed or tagged since.
pub(crate) async fn delete_surveyed(
    context: &Arc<Context>,
    allowed: &Allowed,
    name: &RepositoryName,
    surveyed: &Surveyed,
) -> Result<()> {
    let reference = Reference::Digest(surveyed.digest);
    delete_as(context, allowed, name, &reference, Some(Arc::new(surveyed.clone()))).await
}

/// Deletes artifacts as [`delete_surveyed`] does, all in one transaction, or none.
///
/// # Errors
/// As [`delete_surveyed`], for one of them; Conflict when too much goes with them for one
/// transaction.
pub(crate) async fn delete_together(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    surveyed: Vec<Surveyed>,
) -> Result<()> {
    allowed.require(Right::new(Resource::Artifact, Action::Delete))?;
    let repository = repositories::allowed(context, allowed, name).await?;
    let audit = audit::by(context, allowed.by()).await?;
    let removal = removal(context, &repository, name, &audit);
    let surveyed = Arc::new(surveyed);
    context
        .db
        .write(move |tx| {
            let (removal, surveyed) = (removal.clone(), surveyed.clone());
            Box::pin(async move {
                survey::require_unchanged(tx, &surveyed).await?;
                let ids: Vec<i64> = surveyed.iter().map(|artifact| artifact.id).collect();
                let removed = removal.remove_all(tx, &ids, Why::Asked).await?;
                let known: HashMap<i64, &Surveyed> =
                    surveyed.iter().map(|artifact| (artifact.id, artifact)).collect();
                for gone in &removed {
                    if let Some(artifact) = known.get(&gone.id) {
                        artifact.require_tags(&gone.tags)?;
                    }
                }
                let waiting = removal.along(tx, &removed).await?;
                if !removal.remove_along(tx, waiting.into()).await?.is_empty() {
                    return Err(Error::new(Kind::Conflict, "too much goes with the artifacts"));
                }
                removal.tell(tx, removed).await
            })
        })
        .await
}

async fn delete_as(
    context: &Arc<Context>,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    surveyed: Option<Arc<Surveyed>>,
) -> Result<()> {
    allowed.require(Right::new(Resource::Artifact, Action::Delete))?;
    let repository = repositories::allowed(context, allowed, name).await?;
    let audit = audit::by(context, allowed.by()).await?;
    let deletion = Deletion {
        context: context.clone(),
        removal: removal(context, &repository, name, &audit),
        reference: reference.clone(),
        surveyed,
    };
    task::spawn(deletion.carry_out()).await.map_err(Error::internal)?
}

/// The removal of artifacts of a repository by somebody.
pub(super) fn removal(
    context: &Context,
    repository: &Repository,
    name: &RepositoryName,
    audit: &Audit,
) -> Removal {
    Removal {
        caches: context.caches.clone(),
        project_id: repository.project_id,
        repository_id: repository.id,
        name: name.clone(),
        audit: audit.clone(),
    }
}

struct Deletion {
    context: Arc<Context>,
    removal: Removal,
    reference: Reference,
    /// What it was when somebody decided that it goes.
    surveyed: Option<Arc<Surveyed>>,
}

impl Deletion {
    async fn carry_out(self) -> Result<()> {
        while self.remove_accessories().await? {}
        let mut waiting = self.remove_artifact().await?;
        while !waiting.is_empty() {
            waiting = self.remove_rest(waiting).await?;
        }
        Ok(())
    }

    /// Removes some accessories of an artifact that has many. False when there is no need.
    async fn remove_accessories(&self) -> Result<bool> {
        let (removal, reference) = (self.removal.clone(), self.reference.clone());
        let surveyed = self.surveyed.clone();
        self.context
            .db
            .write(move |tx| {
                let (removal, reference) = (removal.clone(), reference.clone());
                let surveyed = surveyed.clone();
                Box::pin(async move {
                    let artifact = located(tx, &removal, &reference).await?;
                    if let Some(surveyed) = &surveyed {
                        survey::require_unchanged(tx, slice::from_ref(surveyed.as_ref())).await?;
                    }
                    let digest = [artifact.digest.to_string()];
                    let found = removal.accessories(tx, &digest, 0).await?;
                    if found.len() <= AT_ONCE {
                        return Ok(false);
                    }
                    let some = found.into_iter().take(AT_ONCE).map(|(_, artifact)| artifact);
                    let some: Vec<i64> = some.collect();
                    let removed = removal.remove_all(tx, &some, Why::Accessory).await?;
                    Ok(!removed.is_empty())
                })
            })
            .await
    }

    /// Removes the artifact and, as far as one transaction takes it, what goes with it.
    async fn remove_artifact(&self) -> Result<VecDeque<Going>> {
        let (removal, reference) = (self.removal.clone(), self.reference.clone());
        let surveyed = self.surveyed.clone();
        self.context
            .db
            .write(move |tx| {
                let (removal, reference) = (removal.clone(), reference.clone());
                let surveyed = surveyed.clone();
                Box::pin(async move {
                    let artifact = located(tx, &removal, &reference).await?;
                    if let Some(surveyed) = &surveyed {
                        survey::require_unchanged(tx, slice::from_ref(surveyed.as_ref())).await?;
                    }
                    let removed = removal.remove(tx, (artifact.id, Why::Asked)).await?;
                    let removed = removed.ok_or_else(|| absent(&removal.name, &reference))?;
                    // It is locked now: a tag that came since was seen.
                    if let Some(surveyed) = &surveyed {
                        surveyed.require_tags(&removed.tags)?;
                    }
                    let removed = vec![removed];
                    let waiting = removal.along(tx, &removed).await?;
                    let waiting = removal.remove_along(tx, waiting.into()).await?;
                    removal.tell(tx, removed).await?;
                    Ok(waiting)
                })
            })
            .await
    }

    async fn remove_rest(&self, waiting: VecDeque<Going>) -> Result<VecDeque<Going>> {
        let removal = self.removal.clone();
        self.context
            .db
            .write(move |tx| {
                let (removal, waiting) = (removal.clone(), waiting.clone());
                Box::pin(async move { removal.remove_along(tx, waiting).await })
            })
            .await
    }
}

/// The artifact that is to be deleted, if it may be.
async fn located(tx: &mut Tx, removal: &Removal, reference: &Reference) -> Result<Located> {
    let artifact = find(tx, removal.repository_id, &removal.name, reference).await?;
    require_unlisted(tx, artifact.id, &artifact.digest).await.map_err(|_listed| {
        Error::new(Kind::Precondition, "the deleting artifact is referenced by others")
            .about(Subject::ManifestReference)
    })?;
    Ok(artifact)
}
