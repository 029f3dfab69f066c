//! Tags of an artifact as the API has them: a page of them, a new one, one less.

use db::args;
use kit::{Error, Result, Selection, Subject, query::Direction};
use oci::{Reference, RepositoryName, Tag};

use super::{
    delete::removal,
    list::known,
    list_sql,
    locate::{absent, locate},
    parts::{TagDetails, read_tag},
    sql,
};
use crate::{
    Context,
    access::{Action, Allowed, Resource, Right},
    audit::{self, Entry, Event},
    events::{self, Happened},
    listing::{Field, List, Listing},
    repositories,
};

/// The tags of one artifact are found by the index that ends in the time of push.
pub(super) const TAGS: List = List {
    id: "t.id",
    shown: list_sql::TAGS_SHOWN,
    fields: &[
        Field::text("name", "t.name"),
        Field::number("id", "t.id"),
        Field::time("push_time", "t.pushed_at"),
        Field::time("pull_time", "t.pulled_at"),
    ],
    order: ("t.pushed_at", Direction::Descending),
};

/// A page of the tags of an artifact, the last pushed first if nothing else is asked for.
///
/// # Errors
/// NotFound when there is no such artifact; Invalid when a value to look for is none of its
/// field's.
pub async fn artifact_tags(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    selection: &Selection,
) -> Result<Listing<TagDetails>> {
    allowed.require(Right::new(Resource::Tag, Action::List))?;
    let repository_id = known(context, allowed, name).await?;
    let row = match reference {
        Reference::Digest(digest) => {
            context.db.one(sql::BY_DIGEST, args![repository_id, digest.to_string()]).await?
        }
        Reference::Tag(tag) => {
            context.db.one(sql::BY_TAG, args![repository_id, tag.as_str()]).await?
        }
    };
    let id: i64 = row.ok_or_else(|| absent(name, reference))?.get(0)?;
    TAGS.page(&context.db, list_sql::TAGS_FROM, args![id], selection, read_tag).await
}

/// Gives an artifact one more tag.
///
/// # Errors
/// NotFound when there is no such artifact; Conflict when its repository has the tag.
pub async fn create_tag(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    tag: Tag,
) -> Result<()> {
    allowed.require(Right::new(Resource::Tag, Action::Create))?;
    let repository_id = known(context, allowed, name).await?;
    let (project_id, audit) = (allowed.project().id, audit::by(context, allowed.by()).await?);
    let (name, reference) = (name.clone(), reference.clone());
    context
        .db
        .write(move |tx| {
            let (audit, name) = (audit.clone(), name.clone());
            let (reference, tag) = (reference.clone(), tag.clone());
            Box::pin(async move {
                let artifact = locate(tx, repository_id, &name, &reference).await?;
                let row = args![repository_id, artifact.id, tag.as_str(), audit.now()];
                if tx.execute(sql::NEW_TAG, row).await? == 0 {
                    let message = format!("tag {tag} already exists in the repository {name}");
                    return Err(Error::conflict(message).about(Subject::Tag));
                }
                let entry = Entry::new(Event::CreateTag, format!("{name}:{tag}"))
                    .described(format!("create tag: {name}:{tag} at {}", artifact.digest));
                audit.record(tx, entry.in_project(project_id)).await?;
                let digest = artifact.digest.to_string();
                let event = events::Event::TagCreated { tag: tag.to_string(), digest };
                let happened = Happened::by(&audit, event);
                let happened = happened.in_project(project_id).in_repository(name.as_str());
                events::record(tx, &happened).await
            })
        })
        .await
}

/// Deletes a tag of an artifact, which stays.
///
/// # Errors
/// NotFound when there is no such artifact, or the tag is none of its own; Immutable when a rule
/// keeps it.
pub async fn delete_tag(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    reference: &Reference,
    tag: Tag,
) -> Result<()> {
    allowed.require(Right::new(Resource::Tag, Action::Delete))?;
    let repository = repositories::allowed(context, allowed, name).await?;
    let audit = audit::by(context, allowed.by()).await?;
    let removal = removal(context, &repository, name, &audit);
    let reference = reference.clone();
    context
        .db
        .write(move |tx| {
            let (removal, reference, tag) = (removal.clone(), reference.clone(), tag.clone());
            Box::pin(async move {
                let id = removal.repository_id;
                let artifact = locate(tx, id, &removal.name, &reference).await?;
                if !removal.untag(tx, Some(artifact.id), &tag).await? {
                    let id = artifact.id;
                    let message = format!("tag {tag} attached to artifact {id} not found");
                    return Err(Error::not_found(Subject::Tag, message));
                }
                Ok(())
            })
        })
        .await
}
