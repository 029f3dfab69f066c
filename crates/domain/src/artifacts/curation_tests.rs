//! Copying artifacts, and deleting them with what goes with them, on both engines.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use db::args;
use futures_util::{StreamExt as _, future::join_all, stream};
use kit::Kind;
use oci::{Algorithm, Digest, Reference, RepositoryName};

use super::{
    tests::{image, index, signature},
    *,
};
use crate::{
    access::{Action, Resource, Right},
    labels, repositories,
    testing::{add_project, keep_immutable, set_limit},
    verify,
    world::{ENGINES, World},
};

const READ: Right = Right::new(Resource::Artifact, Action::Read);
const COPY: Right = Right::new(Resource::Artifact, Action::Create);

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn tagged(text: &str) -> Reference {
    Reference::Tag(text.parse().unwrap())
}

/// Pushes a manifest under a tag, or by its digest if the tag is empty.
async fn put(world: &World, to: &str, tag: &str, content: &Bytes) -> kit::Result<Digest> {
    let name = name(to);
    let reference = match tag {
        "" => Reference::Digest(Digest::of(Algorithm::Sha256, content)),
        tag => tagged(tag),
    };
    let allowed = world.allowed(&name, Right::PUSH).await;
    let push = Push {
        name,
        reference,
        tags: Vec::new(),
        content_type: None,
        content: content.clone(),
        condition: Condition::Always,
    };
    super::push(&world.context, &allowed, push).await.map(|pushed| pushed.digest)
}

async fn has(world: &World, from: &str, reference: &Reference) -> bool {
    let name = name(from);
    let allowed = world.allowed(&name, Right::PULL).await;
    pull(&world.context, &allowed, &name, reference).await.is_ok()
}

async fn has_digest(world: &World, from: &str, digest: &Digest) -> bool {
    has(world, from, &Reference::Digest(*digest)).await
}

async fn delete(world: &World, from: &str, reference: Reference) -> kit::Result<()> {
    let name = name(from);
    let right = Right::new(Resource::Artifact, Action::Delete);
    let allowed = world.allowed(&name, right).await;
    delete_artifact(&world.context, &allowed, &name, &reference).await
}

async fn empty(world: &World, from: &str) -> kit::Result<()> {
    let name = name(from);
    let allowed = world.allowed(&name, Right::DELETE).await;
    delete_repository(&world.context, &allowed, &name).await
}

async fn copied(world: &World, from: &str, to: &str) -> kit::Result<()> {
    let source: Source = from.parse()?;
    let name = name(to);
    let read = world.allowed(&source.name, READ).await;
    let create = world.allowed(&name, COPY).await;
    copy(&world.context, (&read, &source), (&create, &name)).await
}

async fn is_sound(world: &World) {
    assert_eq!(verify::verify(&world.context).await.unwrap().problems, []);
}

async fn count(world: &World, sql: &'static str) -> i64 {
    world.context.db.one(sql, args![]).await.unwrap().unwrap().get(0).unwrap()
}

#[tokio::test]
async fn what_belongs_to_an_artifact_alone_goes_with_it() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        let blob = world.push_blob(&name(repository), b"blob").await;
        let push =
            async |tag: &str, content: Bytes| put(&world, repository, tag, &content).await.unwrap();
        let lonely = push("", image(&blob, "lonely")).await;
        let tagged_part = push("part", image(&blob, "tagged")).await;
        let shared = push("", image(&blob, "shared")).await;
        let inner = push("", index(&[&lonely])).await;
        let other = push("other", index(&[&shared, &tagged_part])).await;
        let outer = push("outer", index(&[&inner, &shared, &tagged_part])).await;
        push("outer-too", index(&[&inner, &shared, &tagged_part])).await;
        let signed = push("", signature(&blob, &outer)).await;
        let countersigned = push("", signature(&blob, &signed)).await;
        let part_signed = push("", signature(&blob, &lonely)).await;

        for part in [&lonely, &shared, &inner] {
            let refused = delete(&world, repository, Reference::Digest(*part)).await.unwrap_err();
            assert!(refused.is(Kind::Precondition), "{refused}");
            assert_eq!(refused.message, "the deleting artifact is referenced by others");
        }
        delete(&world, repository, tagged("outer")).await.unwrap();
        for gone in [outer, inner, lonely, signed, countersigned, part_signed] {
            assert!(!has_digest(&world, repository, &gone).await);
        }
        for kept in [&tagged_part, &shared, &other] {
            assert!(has_digest(&world, repository, kept).await);
        }
        for gone in ["outer", "outer-too"] {
            assert!(!has(&world, repository, &tagged(gone)).await);
            let absent = delete(&world, repository, tagged(gone)).await.unwrap_err();
            assert!(absent.is(Kind::NotFound));
        }
        is_sound(&world).await;
        let told = "SELECT COUNT(*) FROM audit_log
            WHERE operation = 'delete' AND resource_type = 'artifact'";
        assert_eq!(count(&world, told).await, 1);
        let told = "SELECT COUNT(*) FROM events WHERE event LIKE '%artifact_deleted%outer-too%'";
        assert_eq!(count(&world, told).await, 1);
    }
}

#[tokio::test]
async fn what_several_list_goes_once_all_of_them_have_gone() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        let blob = world.push_blob(&name(repository), b"blob").await;
        let push =
            async |tag: &str, content: Bytes| put(&world, repository, tag, &content).await.unwrap();
        let child = push("", image(&blob, "child")).await;
        let inner = push("", index(&[&child])).await;
        push("outer", index(&[&child, &inner])).await;
        push("", signature(&blob, &inner)).await;
        delete(&world, repository, tagged("outer")).await.unwrap();
        assert_eq!(count(&world, "SELECT COUNT(*) FROM artifacts").await, 0, "{engine:?}");
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn artifacts_that_are_deleted_together_go_all_or_none() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let repository = "library/x";
        let name = name(repository);
        let blob = world.push_blob(&name, b"blob").await;
        let own = world.push_blob(&name, b"of one only").await;
        let push =
            async |tag: &str, content: Bytes| put(&world, repository, tag, &content).await.unwrap();
        push("a", image(&own, "a")).await;
        let part = push("", image(&blob, "part")).await;
        let listing = push("b", index(&[&part])).await;
        let signed = push("c", image(&blob, "c")).await;
        push("", signature(&blob, &signed)).await;
        push("d", image(&blob, "d")).await;
        let id = repositories::known(context, &name).await.unwrap().id;
        let survey = async || survey(context, id, || false).await.unwrap().unwrap();
        let surveyed = survey().await;
        assert_eq!(surveyed.len(), 4);
        let may_delete = world.allowed(&name, Right::new(Resource::Artifact, Action::Delete)).await;
        let delete =
            async |these: Vec<Surveyed>| delete_together(context, &may_delete, &name, these).await;

        push("d-too", image(&blob, "d")).await;
        assert!(delete(surveyed.clone()).await.unwrap_err().is(Kind::Conflict));
        push("new", index(&[&listing])).await;
        let parts: Vec<Surveyed> =
            surveyed.iter().filter(|artifact| artifact.digest == listing).cloned().collect();
        assert!(delete(parts).await.unwrap_err().is(Kind::Precondition));
        assert_eq!(count(&world, "SELECT COUNT(*) FROM tags").await, 6, "{engine:?}");

        super::delete(context, &world.allowed(&name, Right::DELETE).await, &name, &signed)
            .await
            .unwrap();
        let rest: Vec<Surveyed> = survey()
            .await
            .into_iter()
            .chain(surveyed.into_iter().filter(|artifact| artifact.digest == signed))
            .filter(|artifact| artifact.digest != listing)
            .collect();
        assert_eq!(rest.len(), 4, "one of them is gone already");
        delete(rest).await.unwrap();
        assert_eq!(count(&world, "SELECT COUNT(*) FROM tags").await, 1, "{engine:?}");
        assert!(has_digest(&world, repository, &part).await);
        let told = "SELECT COUNT(*) FROM events WHERE event LIKE '%artifact_deleted%'";
        assert_eq!(count(&world, told).await, 4);
        let told = "SELECT COUNT(*) FROM audit_log
            WHERE operation = 'delete' AND resource_type = 'artifact'";
        assert_eq!(count(&world, told).await, 4);
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn more_accessories_than_a_transaction_takes_go_first() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        let blob = world.push_blob(&name(repository), b"blob").await;
        let image = image(&blob, "signed");
        let digest = put(&world, repository, "v1", &image).await.unwrap();
        let pushes = (0..removal::AT_ONCE as i64 + 30).map(|i| {
            let note = format!(r#""annotations":{{"n":"{i}"}},"layers":[]"#);
            let signature = String::from_utf8(signature(&blob, &digest).to_vec()).unwrap();
            let signature = Bytes::from(signature.replace(r#""layers":[]"#, &note));
            let world = &world;
            async move { put(world, repository, "", &signature).await.unwrap() }
        });
        // Not all of them at once: they would wait too long for a connection.
        stream::iter(pushes).buffer_unordered(16).collect::<Vec<_>>().await;
        delete(&world, repository, tagged("v1")).await.unwrap();
        assert_eq!(count(&world, "SELECT COUNT(*) FROM artifacts").await, 0);
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn a_repository_goes_with_all_that_is_in_it() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        let blob = world.push_blob(&name(repository), b"blob").await;
        world.push_blob(&name(repository), b"needed by nothing").await;
        let mut parts = Vec::new();
        for i in 0..removal::AT_ONCE + 20 {
            let tag = if i % 7 == 0 { format!("t{i}") } else { String::new() };
            let content = image(&blob, &i.to_string());
            parts.push(put(&world, repository, &tag, &content).await.unwrap());
        }
        let some: Vec<&Digest> = parts.iter().take(50).collect();
        let inner = put(&world, repository, "", &index(&some)).await.unwrap();
        put(&world, repository, "all", &index(&[&inner, &parts[60]])).await.unwrap();
        put(&world, repository, "", &signature(&blob, &inner)).await.unwrap();
        put(&world, "library/other", "", &image(&blob, "x")).await.unwrap_err();
        let kept = world.push_blob(&name("library/other"), b"blob").await;
        let kept = put(&world, "library/other", "x", &image(&kept, "0")).await.unwrap();

        empty(&world, repository).await.unwrap();
        assert_eq!(count(&world, "SELECT COUNT(*) FROM artifacts").await, 1);
        assert_eq!(count(&world, "SELECT COUNT(*) FROM repositories").await, 1);
        assert!(has_digest(&world, "library/other", &kept).await);
        assert!(!has(&world, repository, &tagged("all")).await);
        assert!(empty(&world, repository).await.unwrap_err().is(Kind::NotFound));
        is_sound(&world).await;
        for (told, expected) in [
            ("SELECT COUNT(*) FROM audit_log WHERE resource_type = 'repository'", 1),
            ("SELECT COUNT(*) FROM events WHERE event LIKE '%repository_deleted%'", 1),
            (
                "SELECT COUNT(*) FROM events WHERE event LIKE '%artifact_deleted%'",
                removal::AT_ONCE as i64 + 23,
            ),
        ] {
            assert_eq!(count(&world, told).await, expected, "{told}");
        }
        // Its name can be taken again, and what it held is to be uploaded anew.
        assert!(put(&world, repository, "v1", &image(&blob, "new")).await.is_err());
        let blob = world.push_blob(&name(repository), b"blob").await;
        put(&world, repository, "v1", &image(&blob, "new")).await.unwrap();
        assert!(has(&world, repository, &tagged("v1")).await);
    }
}

#[tokio::test]
async fn what_is_pushed_while_its_repository_goes_is_whole_or_refused() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        for round in 0..6 {
            let blob = world.push_blob(&name(repository), b"blob").await;
            for i in 0..20 {
                put(&world, repository, "", &image(&blob, &i.to_string())).await.unwrap();
            }
            let world = &world;
            let pushes = (0..8).map(|i| async move {
                let blob = match world.try_push_blob(&name(repository), b"blob").await {
                    Ok(blob) => blob,
                    Err(error) => return Err(error),
                };
                put(world, repository, &format!("t{i}"), &image(&blob, &format!("{round}-{i}")))
                    .await
            });
            let (deleted, pushed) = tokio::join!(empty(world, repository), join_all(pushes));
            deleted.unwrap();
            for (i, outcome) in pushed.into_iter().enumerate() {
                match outcome {
                    // It was deleted after, or it came after.
                    Ok(_) => {}
                    Err(error) => assert!(
                        error.is(Kind::Invalid) || error.is(Kind::Unavailable),
                        "{i}: {error} {:?}",
                        error.source
                    ),
                }
            }
            is_sound(world).await;
        }
    }
}

#[tokio::test]
async fn an_index_that_is_pushed_while_its_part_goes_is_whole_or_refused() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        let blob = world.push_blob(&name(repository), b"blob").await;
        let (mut listed, mut gone) = (0, 0);
        for round in 0..30 {
            let part = image(&blob, &round.to_string());
            let part = put(&world, repository, "", &part).await.unwrap();
            let content = index(&[&part]);
            let (pushed, deleted) = tokio::join!(
                put(&world, repository, "index", &content),
                delete(&world, repository, Reference::Digest(part)),
            );
            match (pushed, deleted) {
                (Ok(_), Err(refused)) => {
                    assert!(refused.is(Kind::Precondition), "{refused}");
                    assert!(has_digest(&world, repository, &part).await);
                    listed += 1;
                }
                (Err(refused), Ok(())) => {
                    assert!(refused.is(Kind::Invalid), "{refused}");
                    gone += 1;
                }
                (pushed, deleted) => panic!("{pushed:?} {deleted:?}"),
            }
            is_sound(&world).await;
        }
        println!("{engine}: {listed} parts were listed first, {gone} had gone first");
    }
}

#[tokio::test]
async fn a_copy_is_whole_and_costs_no_byte() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        add_project(&world.context, "p", false).await;
        let (from, to) = ("library/x", "p/deep/y");
        let blob = world.push_blob(&name(from), b"blob").await;
        let push =
            async |tag: &str, content: Bytes| put(&world, from, tag, &content).await.unwrap();
        let part = push("part", image(&blob, "part")).await;
        let inner = push("", index(&[&part])).await;
        let outer = push("v1", index(&[&inner, &part])).await;
        push("latest", index(&[&inner, &part])).await;
        let signed = push("", signature(&blob, &outer)).await;
        let part_signed = push("", signature(&blob, &part)).await;
        let before = count(&world, "SELECT COUNT(*) FROM blobs").await;

        copied(&world, "library/x:v1", to).await.unwrap();
        assert_eq!(count(&world, "SELECT COUNT(*) FROM blobs").await, before);
        for digest in [&outer, &inner, &part, &signed, &part_signed] {
            assert!(has_digest(&world, to, digest).await);
        }
        assert!(has(&world, to, &tagged("v1")).await && has(&world, to, &tagged("latest")).await);
        assert!(!has(&world, to, &tagged("part")).await, "only the artifact's own tags");
        is_sound(&world).await;

        // Once more, and onto itself: nothing changes.
        let listed = "SELECT COUNT(*) FROM artifacts AS a JOIN repositories AS r
            ON r.id = a.repository_id WHERE r.name = 'p/deep/y' AND a.is_root";
        assert_eq!(count(&world, listed).await, 1, "parts and accessories are not shown");
        let subjects = "SELECT COUNT(*) FROM accessories";
        assert_eq!(count(&world, subjects).await, 4);
        let rows = count(&world, "SELECT COUNT(*) FROM artifacts").await;
        copied(&world, &format!("library/x@{outer}"), to).await.unwrap();
        copied(&world, "library/x:latest", from).await.unwrap();
        assert_eq!(count(&world, "SELECT COUNT(*) FROM artifacts").await, rows);

        // Tags move, as by a push.
        push("v1", image(&blob, "newer")).await;
        let allowed = world.allowed(&name(to), Right::PULL).await;
        let before = pull(&world.context, &allowed, &name(to), &tagged("v1")).await.unwrap();
        assert_eq!(before.digest, outer);
        copied(&world, "library/x:v1", to).await.unwrap();
        let moved = pull(&world.context, &allowed, &name(to), &tagged("v1")).await.unwrap();
        assert_ne!(moved.digest, outer);

        // It stands on its own.
        empty(&world, from).await.unwrap();
        for digest in [&outer, &inner, &part, &signed] {
            assert!(has_digest(&world, to, digest).await);
        }
        let held = crate::uploads::held(&world.context, &name(to), &blob).await.unwrap();
        assert!(held.is_some_and(|held| held.unreferenced_at.is_none()));
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn what_cannot_be_copied_leaves_nothing_behind() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let project = add_project(&world.context, "p", false).await;
        let from = "library/x";
        let blob = world.push_blob(&name(from), &[7; 5000]).await;
        let digest = put(&world, from, "v1", &image(&blob, "one")).await.unwrap();
        put(&world, from, "sig", &signature(&blob, &digest)).await.unwrap();

        let refused = copied(&world, "library/x:sig", "p/y").await.unwrap_err();
        assert!(refused.is(Kind::Denied), "{refused}");
        let message = "the operation isn't supported for an artifact accessory";
        assert_eq!(refused.message, message);
        for absent in ["library/x:v2", "library/none:v1"] {
            let absent = copied(&world, absent, "p/y").await.unwrap_err();
            assert!(absent.is(Kind::NotFound), "{absent}");
        }
        set_limit(&world.context, project, 1000).await;
        let refused = copied(&world, "library/x:v1", "p/y").await.unwrap_err();
        assert!(refused.is(Kind::QuotaExceeded), "{refused}");
        let made = "SELECT COUNT(*) FROM repositories WHERE name = 'p/y'";
        assert_eq!(count(&world, made).await, 0);
        let told = "SELECT event FROM events WHERE repository = 'p/y'";
        let told = world.context.db.all(told, args![]).await.unwrap();
        assert_eq!(told.len(), 1);
        let event: serde_json::Value =
            serde_json::from_str(&told[0].get::<String>(0).unwrap()).unwrap();
        assert_eq!((&event["kind"], &event["tag"]), (&"quota_exceeded".into(), &().into()));
        assert_eq!(event["digest"], digest.to_string());
        is_sound(&world).await;
        set_limit(&world.context, project, -1).await;
        copied(&world, "library/x:v1", "p/y").await.unwrap();
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn of_several_who_delete_the_same_at_once_one_does() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name("library/x"), b"blob").await;
        for round in 0..5 {
            let content = image(&blob, &format!("round {round}"));
            let digest = put(&world, "library/x", "v1", &content).await.unwrap();
            let by = [tagged("v1"), Reference::Digest(digest)];
            let deletes = (0..8).map(|n| delete(&world, "library/x", by[n % 2].clone()));
            let ends = join_all(deletes).await;
            let (done, failed): (Vec<_>, Vec<_>) = ends.into_iter().partition(Result::is_ok);
            assert_eq!(done.len(), 1, "{engine:?}: {failed:?}");
            for end in failed {
                assert!(end.as_ref().is_err_and(|error| error.is(Kind::NotFound)), "{end:?}");
            }
        }
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn a_copy_of_what_is_being_deleted_is_whole_or_refused() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let (mut whole, mut refused) = (0, 0);
        for round in 0..20 {
            let from = "library/x";
            let to = format!("library/y{round}");
            let blob = world.push_blob(&name(from), format!("blob {round}").as_bytes()).await;
            let part = put(&world, from, "", &image(&blob, "part")).await.unwrap();
            let outer = put(&world, from, "v1", &index(&[&part])).await.unwrap();
            put(&world, from, "", &signature(&blob, &outer)).await.unwrap();
            let (copying, deleted) = tokio::join!(
                copied(&world, "library/x:v1", &to),
                delete(&world, from, tagged("v1")),
            );
            deleted.unwrap();
            match copying {
                Ok(()) => {
                    assert!(has_digest(&world, &to, &outer).await);
                    assert!(has_digest(&world, &to, &part).await);
                    whole += 1;
                }
                Err(error) => {
                    let is_expected = error.is(Kind::NotFound) || error.is(Kind::Unavailable);
                    assert!(is_expected, "{error} {:?}", error.source);
                    refused += 1;
                }
            }
            is_sound(&world).await;
        }
        println!("{engine}: {whole} copies were whole, {refused} refused");
    }
}

#[tokio::test]
async fn what_is_pulled_while_it_is_deleted_is_whole_or_gone() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let repository = "library/x";
        let blob = world.push_blob(&name(repository), b"blob").await;
        let (mut whole, mut gone) = (0, 0);
        for round in 0..20 {
            let content = image(&blob, &round.to_string());
            let digest = put(&world, repository, "v1", &content).await.unwrap();
            let world = &world;
            let pulls = (0..6).map(|n| async move {
                let by = if n % 2 == 0 { tagged("v1") } else { Reference::Digest(digest) };
                let allowed = world.allowed(&name(repository), Right::PULL).await;
                pull(&world.context, &allowed, &name(repository), &by).await
            });
            let deleting = delete(world, repository, Reference::Digest(digest));
            let (deleted, pulled) = tokio::join!(deleting, join_all(pulls));
            deleted.unwrap();
            for pulled in pulled {
                match pulled {
                    Ok(found) => {
                        assert_eq!(found.content, content);
                        whole += 1;
                    }
                    Err(error) => {
                        assert!(error.is(Kind::NotFound), "{error} {:?}", error.source);
                        gone += 1;
                    }
                }
            }
            // Nobody remembers it, whenever it was asked for.
            assert!(!has(world, repository, &tagged("v1")).await);
            assert!(!has_digest(world, repository, &digest).await);
        }
        is_sound(&world).await;
        println!("{engine}: {whole} pulls were whole, {gone} came too late");
    }
}

#[tokio::test]
async fn many_who_copy_the_same_make_one_copy() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name("library/x"), b"blob").await;
        let part = put(&world, "library/x", "", &image(&blob, "part")).await.unwrap();
        put(&world, "library/x", "v1", &index(&[&part])).await.unwrap();
        let copies = (0..12).map(|_| copied(&world, "library/x:v1", "library/y"));
        for outcome in join_all(copies).await {
            outcome.unwrap();
        }
        assert_eq!(count(&world, "SELECT COUNT(*) FROM artifacts").await, 4);
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn what_a_rule_keeps_is_neither_deleted_nor_copied_over() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name("library/x"), b"blob").await;
        put(&world, "library/x", "v1", &image(&blob, "one")).await.unwrap();
        put(&world, "library/x", "other", &image(&blob, "two")).await.unwrap();
        copied(&world, "library/x:v1", "library/y").await.unwrap();
        put(&world, "library/x", "v1", &image(&blob, "three")).await.unwrap();
        keep_immutable(&world.context, "library", "y", "v*").await;

        let before = count(&world, "SELECT COUNT(*) FROM artifacts").await;
        let over = copied(&world, "library/x:v1", "library/y").await.unwrap_err();
        let alone = delete(&world, "library/y", tagged("v1")).await.unwrap_err();
        let all = empty(&world, "library/y").await.unwrap_err();
        let said = "the tag v1 configured as immutable, cannot be updated";
        assert_eq!((over.kind, over.message.as_ref()), (Kind::Immutable, said));
        let said = "the tag v1 configured as immutable, cannot be deleted";
        for refused in [alone, all] {
            assert_eq!((refused.kind, refused.message.as_ref()), (Kind::Immutable, said));
        }
        assert_eq!(count(&world, "SELECT COUNT(*) FROM artifacts").await, before);
        copied(&world, "library/x:other", "library/y").await.unwrap();
        delete(&world, "library/y", tagged("other")).await.unwrap();
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn a_description_is_kept_escaped() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let from = name("library/x");
        world.push_blob(&from, b"blob").await;
        let right = Right::new(Resource::Repository, Action::Update);
        let allowed = world.allowed(&from, right).await;
        let context: &Arc<crate::Context> = &world.context;
        repositories::describe(context, &allowed, &from, "<b> & 'c'").await.unwrap();
        let kept = "SELECT description FROM repositories";
        let kept: String = context.db.one(kept, args![]).await.unwrap().unwrap().get(0).unwrap();
        assert_eq!(kept, "&lt;b&gt; &amp; &#39;c&#39;");
        for bad in ["\0".to_owned(), "x".repeat(64 * 1024 + 1)] {
            let refused = repositories::describe(context, &allowed, &from, &bad).await;
            assert!(refused.unwrap_err().is(Kind::Invalid));
        }
        let none = name("library/none");
        let absent = repositories::describe(context, &allowed, &none, "x").await.unwrap_err();
        assert!(absent.is(Kind::NotFound), "{absent}");
    }
}

#[tokio::test]
async fn labels_on_artifacts_are_told_of() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let from = "library/x";
        let blob = world.push_blob(&name(from), b"blob").await;
        let digest = put(&world, from, "v1", &image(&blob, "one")).await.unwrap();
        let admin = crate::testing::admin(&world.context).await;
        let scope = labels::allowed(&world.context, &admin, None, Action::Create).await.unwrap();
        let new = labels::NewLabel { name: "stable".to_owned(), ..labels::NewLabel::default() };
        let label = labels::create(&world.context, &scope, new).await.unwrap();
        let (of, reference) = (name(from), tagged("v1"));
        let right = |action| Right::new(Resource::ArtifactLabel, action);
        let add = world.allowed(&of, right(Action::Create)).await;
        let remove = world.allowed(&of, right(Action::Delete)).await;
        let context = &world.context;
        add_label(context, &add, &of, &reference, label).await.unwrap();
        assert!(add_label(context, &add, &of, &reference, label).await.is_err());
        remove_label(context, &remove, &of, &reference, label).await.unwrap();
        assert!(remove_label(context, &remove, &of, &reference, label).await.is_err());
        let told = "SELECT event FROM events WHERE repository = 'library/x' \
            AND event LIKE '%label%' ORDER BY id";
        let told = context.db.all(told, args![]).await.unwrap();
        let told: Vec<serde_json::Value> = told
            .iter()
            .map(|row| serde_json::from_str(&row.get::<String>(0).unwrap()).unwrap())
            .collect();
        let event = |kind: &str| {
            serde_json::json!({"kind": kind, "digest": digest.to_string(), "label_id": label,
                "label": "stable"})
        };
        assert_eq!(told, [event("label_added"), event("label_removed")]);
    }
}
