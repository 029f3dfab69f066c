//! Uploads and who holds which blob, on both engines.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use db::Engine;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use kit::{Kind, Subject};
use oci::{Algorithm, Digest, RepositoryName};

use super::*;
use crate::world::{ENGINES, World, body};

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn chunk(range: std::ops::Range<u64>) -> Chunk {
    Chunk { range: Some(range) }
}

async fn begin(world: &World, name: &RepositoryName) -> (Allowed, Ticket) {
    let allowed = world.allowed(name, Right::PUSH).await;
    let ticket = super::begin(&world.context, &allowed, name, &Caller::system(), None).unwrap();
    (allowed, ticket)
}

async fn content(world: &World, name: &RepositoryName, digest: &Digest) -> Vec<u8> {
    let allowed = world.allowed(name, Right::PULL).await;
    let blob = known(&world.context, &allowed, name, digest).await.unwrap();
    let reader = read(&world.context, &blob, 0..blob.size).await.unwrap();
    reader.collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn a_blob_comes_in_chunks_and_is_read_back() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let (name, context) = (name("library/x"), &world.context);
        let (allowed, ticket) = begin(&world, &name).await;
        assert_eq!(size(context, &ticket).await.unwrap(), 0);

        let bytes: Vec<u8> = (0..30_000_u32).map(|i| i as u8).collect();
        let first = append(context, &ticket, chunk(0..10_000), body(&bytes[..10_000])).await;
        assert_eq!(first.unwrap(), Step::Done(10_000));
        // A gap and an overlap leave the upload as it was.
        for wrong in [11_000..12_000, 9_000..10_000] {
            let step = append(context, &ticket, chunk(wrong), body(&bytes[..1000])).await.unwrap();
            assert_eq!(step, Step::OutOfOrder { size: 10_000 });
        }
        let lying = append(context, &ticket, chunk(10_000..12_000), body(&bytes[..1000])).await;
        assert_eq!(lying.unwrap_err().subject, Subject::Size);
        assert_eq!(size(context, &ticket).await.unwrap(), 10_000);
        let second = append(context, &ticket, Chunk::default(), body(&bytes[10_000..20_000])).await;
        assert_eq!(second.unwrap(), Step::Done(20_000));

        let digest = Digest::of(Algorithm::Sha256, &bytes);
        let rest = body(&bytes[20_000..]);
        let last = chunk(20_000..30_000);
        let done = finish(context, &allowed, &name, &ticket, digest, last, rest).await.unwrap();
        assert_eq!(done, Step::Done(()));
        assert_eq!(content(&world, &name, &digest).await, bytes);

        // The answer may have been lost: asked again, it is the same; the upload is over.
        let again =
            finish(context, &allowed, &name, &ticket, digest, Chunk::default(), body(&[])).await;
        assert_eq!(again.unwrap(), Step::Done(()));
        assert!(size(context, &ticket).await.unwrap_err().is(Kind::NotFound));
        assert!(cancel(context, &ticket).await.unwrap_err().is(Kind::NotFound));
    }
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository_caller_and_time() {
    let world = World::new(Engine::Sqlite).await;
    let (x, y, context) = (name("library/x"), name("library/y"), &world.context);
    let (allowed, ticket) = begin(&world, &x).await;
    let by = Caller::system();
    assert!(open(context, &allowed, &x, &by, &ticket.id).is_ok());
    let unknown = |result: Result<Ticket>| result.unwrap_err().subject == Subject::Upload;
    assert!(unknown(open(context, &allowed, &y, &by, &ticket.id)));
    assert!(unknown(open(context, &allowed, &x, &Caller::anonymous(), &ticket.id)));
    for forged in ["", "x", &"0".repeat(64), &ticket.id[..62], &format!("{}00", ticket.id)] {
        assert!(unknown(open(context, &allowed, &x, &by, forged)), "{forged}");
    }
    context.clock.advance(context.settings.upload_max_age + Duration::from_secs(2));
    assert!(unknown(open(context, &allowed, &x, &by, &ticket.id)));
}

#[tokio::test]
async fn a_wrong_digest_ends_an_upload_and_leaves_nothing() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let (name, context) = (name("library/x"), &world.context);
        let (allowed, ticket) = begin(&world, &name).await;
        append(context, &ticket, Chunk::default(), body(b"some")).await.unwrap();
        let other = Digest::of(Algorithm::Sha256, b"other");
        let refused =
            finish(context, &allowed, &name, &ticket, other, Chunk::default(), body(b"thing"))
                .await;
        assert_eq!(refused.unwrap_err().subject, Subject::Digest);
        assert!(size(context, &ticket).await.unwrap_err().is(Kind::NotFound));
        assert!(held(context, &name, &other).await.unwrap().is_none());
        let left: Vec<_> = context.blobs.list().collect().await;
        assert!(left.is_empty(), "{engine}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_keeps_what_came() {
    let world = World::new(Engine::Sqlite).await;
    let (name, context) = (name("library/x"), &world.context);
    let (allowed, ticket) = begin(&world, &name).await;
    let broken = stream::iter([
        Ok(Bytes::from_static(b"first ")),
        Err(std::io::Error::other("the client went away")),
    ]);
    assert!(append(context, &ticket, Chunk::default(), broken).await.is_err());
    assert_eq!(size(context, &ticket).await.unwrap(), 6);
    let digest = Digest::of(Algorithm::Sha256, b"first second");
    let rest = body(b"second");
    finish(context, &allowed, &name, &ticket, digest, chunk(6..12), rest).await.unwrap();
    assert_eq!(content(&world, &name, &digest).await, b"first second");
}

#[tokio::test]
async fn a_newer_request_stops_an_older_one_that_hangs() {
    let world = World::new(Engine::Sqlite).await;
    let (name, context) = (name("library/x"), &world.context);
    let (_, ticket) = begin(&world, &name).await;
    append(context, &ticket, Chunk::default(), body(b"kept ")).await.unwrap();
    let (started, starts) = tokio::sync::oneshot::channel();
    let mut started = Some(started);
    let hanging = stream::iter([Ok(Bytes::from_static(b"lost"))]).chain(Box::pin(stream::poll_fn(
        move |_| {
            if let Some(started) = started.take() {
                started.send(()).unwrap();
            }
            std::task::Poll::Pending
        },
    )));
    let (other, hangs) = (context.clone(), ticket.clone());
    let old = tokio::spawn(async move { append(&other, &hangs, Chunk::default(), hanging).await });
    starts.await.unwrap();
    let new = append(context, &ticket, chunk(5..8), body(b"new")).await.unwrap();
    assert_eq!(new, Step::Done(8));
    assert!(old.await.unwrap().unwrap_err().is(Kind::Conflict));
    assert_eq!(context.metrics.uploads().get(), 0);
}

#[tokio::test]
async fn many_writers_of_one_blob_all_succeed_and_it_is_stored_once() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let bytes = vec![7; 100_000];
        let pushes = (0..16).map(|i| {
            let (world, bytes) = (&world, &bytes);
            async move { world.push_blob(&name(&format!("library/r{}", i % 4)), bytes).await }
        });
        let digests = futures_util::future::join_all(pushes).await;
        assert!(digests.iter().all(|digest| *digest == digests[0]));
        let stored: Vec<_> = world.context.blobs.list().collect().await;
        assert_eq!(stored.len(), 1, "{engine}");
        for i in 0..4 {
            let held = held(&world.context, &name(&format!("library/r{i}")), &digests[0]).await;
            assert!(held.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn a_mount_needs_the_right_to_pull_and_a_delete_stays_in_its_repository() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let (a, b, context) = (name("library/a"), name("library/b"), &world.context);
        let digest = world.push_blob(&a, b"shared").await;
        let into = world.allowed(&b, Right::PUSH).await;
        assert!(held(context, &b, &digest).await.unwrap().is_none(), "held by its repository only");

        let public = Caller::anonymous();
        let mounted = mount(context, &public, &into, &b, &digest, Some(&a)).await.unwrap();
        assert_eq!(mounted, Mounted::Yes);
        assert!(held(context, &b, &digest).await.unwrap().is_some());
        let deleting = world.allowed(&b, Right::DELETE).await;
        delete(context, &deleting, &b, &digest).await.unwrap();
        assert!(held(context, &b, &digest).await.unwrap().is_none());
        assert!(held(context, &a, &digest).await.unwrap().is_some());
        assert!(delete(context, &deleting, &b, &digest).await.unwrap_err().is(Kind::NotFound));

        // Without a source it is searched for; what nobody has is not found.
        let found = mount(context, &public, &into, &b, &digest, None).await.unwrap();
        assert_eq!(found, Mounted::Yes);
        let missing = Digest::of(Algorithm::Sha256, b"missing");
        for source in [None, Some(&a)] {
            let nothing = mount(context, &public, &into, &b, &missing, source).await.unwrap();
            assert_eq!(nothing, Mounted::No);
        }
    }
}

#[tokio::test]
async fn open_uploads_are_bounded_and_old_ones_go() {
    for engine in ENGINES {
        let settings = crate::Settings { uploads_per_caller: 2, ..Default::default() };
        let world = World::with(engine, settings).await;
        let (name, context) = (name("library/x"), &world.context);
        for _ in 0..2 {
            let (_, ticket) = begin(&world, &name).await;
            append(context, &ticket, Chunk::default(), body(b"x")).await.unwrap();
        }
        let (_, third) = begin(&world, &name).await;
        let refused = append(context, &third, Chunk::default(), body(b"x")).await.unwrap_err();
        assert!(refused.is(Kind::TooMany));
        assert_eq!(purge(context).await.unwrap(), 0);
        context.clock.advance(context.settings.upload_max_age + Duration::from_secs(2));
        assert_eq!(purge(context).await.unwrap(), 2);
        let (_, ticket) = begin(&world, &name).await;
        append(context, &ticket, Chunk::default(), body(b"x")).await.unwrap();
        cancel(context, &ticket).await.unwrap();
        assert!(size(context, &ticket).await.unwrap_err().is(Kind::NotFound));
        let (_, empty) = begin(&world, &name).await;
        cancel(context, &empty).await.unwrap();
        assert!(size(context, &empty).await.unwrap_err().is(Kind::NotFound));
    }
}

#[tokio::test]
async fn looking_at_a_blob_that_nothing_needs_lets_it_stay_longer() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let (name, context) = (name("library/x"), &world.context);
        let digest = world.push_blob(&name, b"early").await;
        let before = held(context, &name, &digest).await.unwrap().unwrap().unreferenced_at.unwrap();
        context.clock.advance(Duration::from_secs(3600));
        held(context, &name, &digest).await.unwrap().unwrap();
        let after = held(context, &name, &digest).await.unwrap().unwrap().unreferenced_at.unwrap();
        assert_eq!(after, before.after(Duration::from_secs(3600)), "{engine}");
    }
}

#[tokio::test]
async fn an_upload_that_became_a_blob_unrecorded_can_still_be_finished() {
    let world = World::new(Engine::Sqlite).await;
    let (name, context) = (name("library/x"), &world.context);
    let (allowed, ticket) = begin(&world, &name).await;
    append(context, &ticket, Chunk::default(), body(b"acknowledged ")).await.unwrap();
    let State::Open { upload, .. } = load(context, &ticket).await.unwrap() else { panic!() };
    // As if the process had ended between the store and the database.
    let digest = Digest::of(Algorithm::Sha256, b"acknowledged and last");
    let mut writer = context.blobs.resume(upload, Algorithm::Sha256).await.unwrap();
    writer.write(Bytes::from_static(b"and last")).await.unwrap();
    writer.finish(&digest).await.unwrap();
    assert!(held(context, &name, &digest).await.unwrap().is_none());

    // Who does not have the bytes does not get the blob.
    let guess = world.push_blob(&"library/y".parse().unwrap(), b"of another").await;
    let refused =
        finish(context, &allowed, &name, &ticket, guess, Chunk::default(), body(b"")).await;
    assert_eq!(refused.unwrap_err().subject, Subject::Digest);

    let (allowed, ticket) = begin(&world, &name).await;
    append(context, &ticket, Chunk::default(), body(b"acknowledged ")).await.unwrap();
    let State::Open { upload, .. } = load(context, &ticket).await.unwrap() else { panic!() };
    let mut writer = context.blobs.resume(upload, Algorithm::Sha256).await.unwrap();
    writer.write(Bytes::from_static(b"and last")).await.unwrap();
    writer.finish(&digest).await.unwrap();
    let last = body(b"and last");
    let done =
        finish(context, &allowed, &name, &ticket, digest, chunk(13..21), last).await.unwrap();
    assert_eq!(done, Step::Done(()));
    assert_eq!(content(&world, &name, &digest).await, b"acknowledged and last");
}

#[tokio::test]
async fn bytes_that_come_again_heal_the_old_and_leave_nothing_where_no_row_leads() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let (name, context) = (name("library/x"), &world.context);
        let digest = world.push_blob(&name, b"whole").await;
        let place = held(context, &name, &digest).await.unwrap().unwrap().place.clone();
        let file = |key: &blobs::Key| world.storage().join(key.as_str());
        let come = |text: &str| {
            let came = blobs::Key::new(format!("{place}{text}")).unwrap();
            std::fs::write(file(&came), b"whole").unwrap();
            came
        };
        std::fs::write(file(&place), b"wrong").unwrap();
        let came = come("a");
        super::finish::take_place(context, &place, &came).await.unwrap();
        assert!(!file(&came).exists());
        assert_eq!(content(&world, &name, &digest).await, b"whole");

        // It was collected before they came to take its place.
        let gone = context.db.write(|tx| {
            Box::pin(async move {
                for statement in [
                    "DELETE FROM quota_contents",
                    "DELETE FROM repository_blobs",
                    "DELETE FROM blobs",
                ] {
                    tx.execute(statement, args![]).await?;
                }
                Ok(())
            })
        });
        gone.await.unwrap();
        context.blobs.delete(std::slice::from_ref(&place)).await.unwrap();
        let came = come("b");
        super::finish::take_place(context, &place, &came).await.unwrap();
        assert!(!file(&came).exists() && !file(&place).exists());
    }
}
