//! Pushing, pulling and deleting manifests, on both engines.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use db::args;
use kit::{Kind, Subject};
use oci::{Digest, Reference, RepositoryName, Tag, media_type};

use super::*;
use crate::{
    access::{AllowedCatalog, Caller, Right, on_catalog},
    settings::Key,
    testing, uploads,
    world::{ENGINES, World},
};

mod addition_tests;
mod content_tests;
mod many_tags_tests;
mod root_tests;

fn name() -> RepositoryName {
    "library/x".parse().unwrap()
}

fn tag(text: &str) -> Reference {
    Reference::Tag(text.parse().unwrap())
}

/// An image of one blob, told apart by a note.
pub(super) fn image(blob: &Digest, note: &str) -> Bytes {
    let (config, layer) = (media_type::OCI_CONFIG, "application/vnd.oci.image.layer.v1.tar");
    Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{config}","digest":"{blob}","size":4}},"layers":[{{"mediaType":"{layer}","digest":"{blob}","size":4}}],"annotations":{{"note":"{note}"}}}}"#,
        media_type::OCI_MANIFEST
    ))
}

pub(super) fn index(children: &[&Digest]) -> Bytes {
    let kind = media_type::OCI_MANIFEST;
    let children: Vec<_> = children
        .iter()
        .map(|child| format!(r#"{{"mediaType":"{kind}","digest":"{child}","size":4}}"#))
        .collect();
    Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}}"#,
        media_type::OCI_INDEX,
        children.join(",")
    ))
}

pub(super) fn signature(blob: &Digest, subject: &Digest) -> Bytes {
    let kind = media_type::OCI_MANIFEST;
    Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","artifactType":"application/x-signature","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{blob}","size":4}},"layers":[],"subject":{{"mediaType":"{kind}","digest":"{subject}","size":4}}}}"#
    ))
}

async fn put(world: &World, reference: Reference, content: Bytes) -> kit::Result<Pushed> {
    put_if(world, reference, content, Condition::Always).await
}

async fn put_if(
    world: &World,
    reference: Reference,
    content: Bytes,
    condition: Condition,
) -> kit::Result<Pushed> {
    let allowed = world.allowed(&name(), Right::PUSH).await;
    let (tags, content_type) = (Vec::new(), None);
    let push = Push { name: name(), reference, tags, content_type, content, condition };
    super::push(&world.context, &allowed, push).await
}

async fn get(world: &World, reference: &Reference) -> kit::Result<std::sync::Arc<Stored>> {
    let allowed = world.allowed(&name(), Right::PULL).await;
    pull(&world.context, &allowed, &name(), reference).await
}

async fn delete_digest(world: &World, digest: &Digest) -> kit::Result<()> {
    let allowed = world.allowed(&name(), Right::DELETE).await;
    delete(&world.context, &allowed, &name(), digest).await
}

async fn tag_names(world: &World, last: &str, limit: u64) -> Names {
    let allowed = world.allowed(&name(), Right::PULL).await;
    tags(&world.context, &allowed, &name(), last, limit).await.unwrap()
}

#[tokio::test]
async fn bytes_come_back_as_they_were_and_a_tag_moves_at_once() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let (first, second) = (image(&blob, "first"), image(&blob, "second"));
        let one = put(&world, tag("latest"), first.clone()).await.unwrap();
        assert_eq!(get(&world, &tag("latest")).await.unwrap().content, first);
        put(&world, tag("latest"), second.clone()).await.unwrap();
        assert_eq!(get(&world, &tag("latest")).await.unwrap().content, second);
        let by_digest = get(&world, &Reference::Digest(one.digest)).await.unwrap();
        assert_eq!(
            (&by_digest.content, by_digest.media_type.as_str()),
            (&first, media_type::OCI_MANIFEST)
        );
        let wrong = Reference::Digest(Digest::of(oci::Algorithm::Sha256, b"other"));
        assert_eq!(put(&world, wrong, first).await.unwrap_err().subject, Subject::Digest);
        assert!(get(&world, &tag("none")).await.unwrap_err().is(Kind::NotFound));
    }
}

#[tokio::test]
async fn what_is_missing_is_named_and_nothing_is_kept() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = Digest::of(oci::Algorithm::Sha256, b"never pushed");
        let refused = put(&world, tag("latest"), image(&blob, "")).await.unwrap_err();
        assert_eq!(refused.subject, Subject::ManifestReference);
        assert_eq!(refused.details.len(), 1);
        assert_eq!(refused.details[0].facts[0].1, blob.to_string());
        let refused = put(&world, tag("latest"), index(&[&blob])).await.unwrap_err();
        assert_eq!(refused.subject, Subject::ManifestReference);
        assert!(get(&world, &tag("latest")).await.unwrap_err().is(Kind::NotFound));
        // A blob of another repository is as good as none.
        let elsewhere = world.push_blob(&"library/y".parse().unwrap(), b"elsewhere").await;
        assert!(put(&world, tag("latest"), image(&elsewhere, "")).await.is_err());
    }
}

#[tokio::test]
async fn missing_content_may_be_allowed_and_is_adopted_when_it_comes() {
    for engine in ENGINES {
        let settings = crate::Settings { allow_missing_references: true, ..Default::default() };
        let world = World::with(engine, settings).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let child = image(&blob, "late");
        let digest = Digest::of(oci::Algorithm::Sha256, &child);
        assert!(put(&world, tag("index"), index(&[&digest])).await.unwrap().incomplete);
        put(&world, Reference::Digest(digest), child).await.unwrap();
        assert!(delete_digest(&world, &digest).await.unwrap_err().is(Kind::Precondition));
    }
}

#[tokio::test]
async fn an_index_keeps_its_children_and_may_list_blobs() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let child = put(&world, tag("child"), image(&blob, "")).await.unwrap().digest;
        // As BuildKit's caches do, the index lists a layer beside a manifest.
        let parent = put(&world, tag("parent"), index(&[&child, &blob])).await.unwrap().digest;
        assert!(delete_digest(&world, &child).await.unwrap_err().is(Kind::Precondition));
        delete_digest(&world, &parent).await.unwrap();
        assert!(get(&world, &tag("parent")).await.unwrap_err().is(Kind::NotFound));
        delete_digest(&world, &child).await.unwrap();
        assert_eq!(tag_names(&world, "", 10).await, Names::default());
    }
}

#[tokio::test]
async fn a_blob_is_let_go_only_when_no_manifest_needs_it() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let image = put(&world, tag("latest"), image(&blob, "")).await.unwrap().digest;
        let allowed = world.allowed(&name(), Right::DELETE).await;
        let refused = uploads::delete(&world.context, &allowed, &name(), &blob).await.unwrap_err();
        assert!(refused.is(Kind::Unsupported), "{engine}");
        delete_digest(&world, &image).await.unwrap();
        uploads::delete(&world.context, &allowed, &name(), &blob).await.unwrap();
    }
}

#[tokio::test]
async fn conditions_hold_or_nothing_changes() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let (first, second) = (image(&blob, "first"), image(&blob, "second"));
        let failed = |result: kit::Result<Pushed>| result.unwrap_err().is(Kind::Precondition);
        let latest = || tag("latest");
        assert!(failed(put_if(&world, latest(), first.clone(), Condition::Exists).await));
        let one = put_if(&world, latest(), first, Condition::Missing).await.unwrap().digest;
        assert!(failed(put_if(&world, latest(), second.clone(), Condition::Missing).await));
        assert!(failed(
            put_if(&world, latest(), second.clone(), Condition::IsNot(vec![one])).await
        ));
        assert!(failed(put_if(&world, latest(), second.clone(), Condition::Is(vec![blob])).await));
        assert_eq!(get(&world, &latest()).await.unwrap().digest, one);
        let two = put_if(&world, latest(), second, Condition::Is(vec![one])).await.unwrap().digest;
        assert_eq!(get(&world, &latest()).await.unwrap().digest, two);
    }
}

#[tokio::test]
async fn of_many_that_want_to_be_first_one_is() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let pushes = (0..12).map(|i| {
            let content = image(&blob, &i.to_string());
            put_if(&world, tag("latest"), content, Condition::Missing)
        });
        let outcomes = futures_util::future::join_all(pushes).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{engine}");
    }
}

#[tokio::test]
async fn many_writers_of_one_tag_and_one_manifest_all_succeed() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let pushes =
            (0..24).map(|i| put(&world, tag("latest"), image(&blob, &(i % 6).to_string())));
        for outcome in futures_util::future::join_all(pushes).await {
            outcome.unwrap();
        }
        let report = crate::verify::verify(&world.context).await.unwrap();
        assert_eq!((report.manifests, report.problems), (6, Vec::new()), "{engine}");
    }
}

#[tokio::test]
async fn referrers_are_found_filtered_and_paged() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        // The subject may come after what refers to it.
        let content = image(&blob, "subject");
        let subject = Digest::of(oci::Algorithm::Sha256, &content);
        let signed = put(&world, tag("s"), signature(&blob, &subject)).await.unwrap();
        assert_eq!(signed.subject, Some(subject));
        put(&world, tag("subject"), content).await.unwrap();
        let allowed = world.allowed(&name(), Right::PULL).await;
        let find = async |types: &[&str], last: &str, limit| {
            let types: Vec<String> = types.iter().map(|&of_type| of_type.to_owned()).collect();
            referrers(&world.context, &allowed, &name(), &subject, &types, last, limit)
                .await
                .unwrap()
        };
        let all = find(&[], "", 10).await;
        assert_eq!(all.found.len(), 1);
        assert_eq!(all.found[0].digest, signed.digest.to_string());
        assert_eq!(all.found[0].artifact_type.as_deref(), Some("application/x-signature"));
        assert_eq!(find(&["application/x-signature", "b"], "", 10).await.found.len(), 1);
        assert!(find(&["b"], "", 10).await.found.is_empty());
        put(&world, tag("t"), signature(&world.push_blob(&name(), b"more").await, &subject))
            .await
            .unwrap();
        let page = find(&[], "", 1).await;
        assert!(page.more);
        let rest = find(&[], &page.found[0].digest, 1).await;
        assert_eq!((rest.found.len(), rest.more), (1, false));
        // What refers to a subject outlives it.
        delete_digest(&world, &subject).await.unwrap();
        assert_eq!(find(&[], "", 10).await.found.len(), 2);
    }
}

#[tokio::test]
async fn names_are_listed_in_byte_order_page_by_page() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        for text in ["a", "B", "_z", "10", "9"] {
            put(&world, tag(text), image(&blob, "")).await.unwrap();
        }
        let names = |names: &[&str], more| Names {
            names: names.iter().map(|&n| n.to_owned()).collect(),
            more,
        };
        assert_eq!(tag_names(&world, "", 10).await, names(&["10", "9", "B", "_z", "a"], false));
        assert_eq!(tag_names(&world, "", 2).await, names(&["10", "9"], true));
        assert_eq!(tag_names(&world, "A", 3).await, names(&["B", "_z", "a"], false));
        assert_eq!(tag_names(&world, "", 0).await, names(&[], false));
        // A repository that only holds a blob is in no catalog.
        world.push_blob(&"library/only-a-blob".parse().unwrap(), b"blob").await;
        let allowed: AllowedCatalog = on_catalog(&world.context, &Caller::system()).await.unwrap();
        let catalog = catalog(&world.context, &allowed, "", 10).await.unwrap();
        assert_eq!(catalog, names(&["library/x"], false));
    }
}

#[tokio::test]
async fn lists_understand_everything_that_can_be_asked() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let db = &world.context.db;
        let artifacts = details::ARTIFACTS;
        artifacts.try_everything(db, details_sql::ROOTS_FROM, args![1]).await;
        artifacts.try_everything(db, details_sql::EVERYTHING_FROM, args![1]).await;
        let artifacts = details::PROJECT_ARTIFACTS;
        artifacts.try_everything(db, details_sql::PROJECT_ROOTS_FROM, args![1]).await;
        artifacts.try_everything(db, details_sql::PROJECT_EVERYTHING_FROM, args![1]).await;
        artifacts.try_everything(db, details_sql::LATEST_OF_MEDIA_TYPE_FROM, args![1, "a"]).await;
        let accessories = details::ACCESSORIES;
        accessories.try_everything(db, details_sql::ACCESSORIES_FROM, args![1, "a"]).await;
        tagging::TAGS.try_everything(db, list_sql::TAGS_FROM, args![1]).await;
        let repositories = list::REPOSITORIES;
        repositories.try_everything(db, list_sql::EVERY_REPOSITORY_FROM, args![]).await;
        repositories.try_everything(db, list_sql::PROJECT_REPOSITORIES_FROM, args![1]).await;
        repositories.try_everything(db, list_sql::VISIBLE_REPOSITORIES_FROM, args![1, 1]).await;
    }
}

#[tokio::test]
async fn a_tag_goes_alone_and_a_manifest_takes_its_tags() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let allowed = world.allowed(&name(), Right::PUSH).await;
        let push = Push {
            name: name(),
            reference: tag("a"),
            tags: vec!["b".parse().unwrap(), "c".parse().unwrap()],
            content_type: None,
            content: image(&blob, ""),
            condition: Condition::Always,
        };
        let digest = super::push(&world.context, &allowed, push).await.unwrap().digest;
        let deleting = world.allowed(&name(), Right::DELETE).await;
        let b: Tag = "b".parse().unwrap();
        untag(&world.context, &deleting, &name(), &b).await.unwrap();
        assert!(
            untag(&world.context, &deleting, &name(), &b).await.unwrap_err().is(Kind::NotFound)
        );
        assert!(get(&world, &tag("b")).await.is_err());
        assert!(get(&world, &tag("a")).await.is_ok());
        delete_digest(&world, &digest).await.unwrap();
        for gone in ["a", "c"] {
            assert!(get(&world, &tag(gone)).await.unwrap_err().is(Kind::NotFound));
        }
        assert!(delete_digest(&world, &digest).await.unwrap_err().is(Kind::NotFound));
    }
}

#[tokio::test]
async fn pulls_leave_no_mark_where_that_is_switched_off() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        put(&world, tag("latest"), image(&blob, "")).await.unwrap();
        let context = &world.context;
        let marks = async || {
            let allowed = world.allowed(&name(), Right::PULL).await;
            let stored = get(&world, &tag("latest")).await.unwrap();
            pulled(context, &allowed, &name(), &tag("latest"), &stored).await.unwrap();
            write_pulls(context).await.unwrap();
            let marks = "SELECT r.pull_count, COALESCE(a.pulled_at, 0), COALESCE(t.pulled_at, 0)
                FROM repositories AS r JOIN artifacts AS a ON a.repository_id = r.id
                JOIN tags AS t ON t.artifact_id = a.id";
            let row = context.db.one(marks, args![]).await.unwrap().unwrap();
            let get = |column: usize| row.get::<i64>(column).unwrap();
            (get(0), get(1), get(2))
        };
        testing::set(context, Key::PullTimeUpdateDisable, "true").await;
        assert_eq!(marks().await, (1, 0, 0));
        testing::set(context, Key::PullTimeUpdateDisable, "false").await;
        testing::set(context, Key::PullCountUpdateDisable, "true").await;
        let now = context.clock.now().0;
        assert_eq!(marks().await, (1, now, now));
    }
}
