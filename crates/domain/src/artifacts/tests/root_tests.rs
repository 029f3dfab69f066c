//! Which artifacts a repository shows: roots, in whatever order things come and go.

use kit::Selection;
use oci::Algorithm;

use super::*;
use crate::{
    rights::{Action, Resource},
    testing::selection,
    verify::verify,
};

const ALL: With = With { tags: true, labels: true, accessories: true, inherited: true };

/// What the list shows: the names of artifacts, each of which is its note or `index`.
async fn shown(world: &World, q: &str) -> Vec<Details> {
    let right = Right::new(Resource::Artifact, Action::List);
    let allowed = crate::testing::allowed(&world.context, "library", right).await;
    let selection = Selection { page: kit::Page { page: 1, page_size: 100 }, ..selection(q, "id") };
    let found = list(&world.context, &allowed, &name(), &selection, ALL).await.unwrap();
    assert_eq!(found.total, i64::try_from(found.items.len()).unwrap());
    found.items
}

async fn digests(world: &World, q: &str) -> Vec<String> {
    shown(world, q).await.into_iter().map(|artifact| artifact.digest).collect()
}

async fn untag(world: &World, text: &str) {
    let allowed = world.allowed(&name(), Right::DELETE).await;
    super::untag(&world.context, &allowed, &name(), &text.parse().unwrap()).await.unwrap();
}

async fn is_sound(world: &World) {
    let report = verify(&world.context).await.unwrap();
    assert_eq!(report.problems, Vec::new(), "{:?}", world.context.db.engine());
}

fn digest_of(content: &Bytes) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

/// The manifest of a signature that cosign finds by its tag.
fn cosign(blob: &Digest) -> Bytes {
    let (config, layer) = (media_type::OCI_CONFIG, media_type::COSIGN_SIMPLE_SIGNING);
    Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{config}","digest":"{blob}","size":4}},"layers":[{{"mediaType":"{layer}","digest":"{blob}","size":4}}]}}"#,
        media_type::OCI_MANIFEST
    ))
}

fn signature_tag(of: &Digest) -> Reference {
    tag(&format!("{}.sig", of.to_string().replace(':', "-")))
}

#[tokio::test]
async fn a_part_of_an_index_is_shown_while_it_has_a_tag() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let part = image(&blob, "part");
        let part_digest = digest_of(&part);
        put(&world, Reference::Digest(part_digest), part.clone()).await.unwrap();
        let alone = vec![part_digest.to_string()];
        assert_eq!(digests(&world, "").await, alone);
        let whole = put(&world, tag("whole"), index(&[&part_digest])).await.unwrap().digest;
        let listed = vec![whole.to_string()];
        assert_eq!(digests(&world, "").await, listed);
        let both = vec![part_digest.to_string(), whole.to_string()];
        assert_eq!(digests(&world, "base=*").await, both);
        // Tagged, moved away, tagged again, untagged.
        put(&world, tag("part"), part.clone()).await.unwrap();
        assert_eq!(digests(&world, "").await, both);
        put(&world, tag("part"), image(&blob, "other")).await.unwrap();
        assert_eq!(shown(&world, "").await.len(), 2);
        assert!(!digests(&world, "").await.contains(&part_digest.to_string()));
        put(&world, tag("again"), part.clone()).await.unwrap();
        assert_eq!(digests(&world, "tags=again").await, alone);
        untag(&world, "again").await;
        assert_eq!(digests(&world, "tags=nil").await, Vec::<String>::new());
        assert_eq!(digests(&world, "tags=~HOL").await, listed);
        is_sound(&world).await;
        // Two indexes list it; it comes back with the last of them.
        let second = put(&world, tag("second"), index(&[&part_digest, &blob])).await.unwrap();
        delete_digest(&world, &whole).await.unwrap();
        assert!(!digests(&world, "").await.contains(&part_digest.to_string()));
        delete_digest(&world, &second.digest).await.unwrap();
        assert!(digests(&world, "").await.contains(&part_digest.to_string()));
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn an_accessory_is_shown_with_its_subject_whichever_comes_first() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let subject = image(&blob, "subject");
        let subject_digest = digest_of(&subject);
        // A signature that names its subject before that is there, with a tag of its own.
        let early = put(&world, tag("early"), signature(&blob, &subject_digest)).await.unwrap();
        assert_eq!(shown(&world, "").await.len(), 0);
        assert_eq!(shown(&world, "base=*").await.len(), 0);
        put(&world, tag("subject"), subject).await.unwrap();
        let late = put(&world, signature_tag(&subject_digest), cosign(&blob)).await.unwrap();
        let shown_now = shown(&world, "").await;
        assert_eq!(shown_now.len(), 1);
        let accessories: Vec<_> = shown_now[0]
            .accessories
            .iter()
            .map(|a| (a.digest.clone(), a.kind.as_str(), a.subject_id, a.icon.is_empty()))
            .collect();
        let id = Some(shown_now[0].id);
        let expected = vec![
            (early.digest.to_string(), "subject.accessory", id, true),
            (late.digest.to_string(), "signature.cosign", id, false),
        ];
        assert_eq!(accessories, expected);
        // By itself an accessory can be looked at, and has what is about it in turn.
        let right = Right::new(Resource::Accessory, Action::List);
        let allowed = crate::testing::allowed(&world.context, "library", right).await;
        let list = async |q: &str| {
            let subject = Reference::Digest(subject_digest);
            let selection = selection(q, "-creation_time");
            accessories_of(&world, &allowed, &subject, &selection).await
        };
        assert_eq!(list("").await.len(), 2);
        assert_eq!(list("type=signature.cosign").await, [late.digest.to_string()]);
        is_sound(&world).await;
        // The accessory goes, and an artifact whose only reason to hide it was comes back.
        delete_digest(&world, &late.digest).await.unwrap();
        assert_eq!(shown(&world, "").await[0].accessories.len(), 1);
        is_sound(&world).await;
    }
}

async fn accessories_of(
    world: &World,
    allowed: &crate::projects::Allowed,
    subject: &Reference,
    selection: &Selection,
) -> Vec<String> {
    let found = accessories(&world.context, allowed, &name(), subject, selection).await.unwrap();
    found.items.into_iter().map(|accessory| accessory.digest).collect()
}

#[tokio::test]
async fn a_part_is_covered_by_the_signature_of_its_index() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let one = put(&world, tag("one"), image(&blob, "one")).await.unwrap().digest;
        let two = put(&world, tag("two"), image(&blob, "two")).await.unwrap().digest;
        let whole = put(&world, tag("whole"), index(&[&one, &two])).await.unwrap().digest;
        let signed = put(&world, signature_tag(&whole), cosign(&blob)).await.unwrap().digest;
        // Not a signature: nothing that parts inherit.
        put(&world, tag("other"), signature(&blob, &whole)).await.unwrap();
        let own = Bytes::from(
            String::from_utf8(cosign(&blob).to_vec())
                .unwrap()
                .replace(r#""size":4"#, r#""size":04"#),
        );
        assert!(put(&world, signature_tag(&two), own).await.is_err(), "no JSON number");
        let own = signature_of(&blob, &two);
        put(&world, tag("own"), own).await.unwrap();
        let shown = shown(&world, "").await;
        let of = |digest: &Digest| {
            shown.iter().find(|artifact| artifact.digest == digest.to_string()).unwrap()
        };
        let inherited: Vec<_> = of(&one).inherited.iter().map(|a| a.digest.as_str()).collect();
        assert_eq!(inherited, [signed.to_string()]);
        assert_eq!(of(&one).inherited[0].subject_digest, whole.to_string());
        assert!(of(&one).accessories.is_empty());
        assert!(of(&two).inherited.is_empty(), "it has one of its own");
        assert!(of(&whole).inherited.is_empty());
        assert_eq!((of(&whole).accessories.len(), of(&two).accessories.len()), (2, 1));
    }
}

/// A signature of notation's.
fn signature_of(blob: &Digest, subject: &Digest) -> Bytes {
    let text = String::from_utf8(signature(blob, subject).to_vec()).unwrap();
    Bytes::from(text.replace("application/x-signature", media_type::NOTATION_SIGNATURE))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_right_after_everything_at_once() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        let parts: Vec<Bytes> = (0..4).map(|n| image(&blob, &n.to_string())).collect();
        let parts: Vec<(Digest, Bytes)> =
            parts.into_iter().map(|part| (digest_of(&part), part)).collect();
        for (digest, content) in &parts {
            put(&world, Reference::Digest(*digest), content.clone()).await.unwrap();
        }
        let workers = (0..8_usize).map(|worker| {
            let (world, parts) = (&world, &parts);
            async move {
                for step in 0..12_usize {
                    let (digest, content) = &parts[(worker + step) % parts.len()];
                    let name_of = format!("t{}", (worker * step) % 3);
                    let deleting = world.allowed(&name(), Right::DELETE).await;
                    // What is refused because another was faster is fine.
                    let _refused = match (worker + step * 7) % 5 {
                        0 => put(world, tag(&name_of), content.clone()).await.map(drop),
                        1 => {
                            let listed = [digest, &parts[step % parts.len()].0];
                            put(world, tag(&format!("i{}", step % 3)), index(&listed))
                                .await
                                .map(drop)
                        }
                        2 => {
                            let name_of = name_of.parse().unwrap();
                            super::untag(&world.context, &deleting, &name(), &name_of).await
                        }
                        3 => {
                            let listed = [digest, &parts[step % parts.len()].0];
                            delete_digest(world, &digest_of(&index(&listed))).await
                        }
                        _ => {
                            put(world, Reference::Digest(*digest), content.clone()).await.map(drop)
                        }
                    };
                }
            }
        });
        futures_util::future::join_all(workers).await;
        is_sound(&world).await;
    }
}

#[tokio::test]
async fn a_far_page_is_the_page_that_it_would_be() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        for n in 0..7 {
            put(&world, tag(&n.to_string()), image(&blob, &n.to_string())).await.unwrap();
        }
        let right = Right::new(Resource::Artifact, Action::List);
        let allowed = crate::testing::allowed(&world.context, "library", right).await;
        let page = async |sort: &str, page, page_size| {
            let page = kit::Page { page, page_size };
            let selection = Selection { page, ..selection("", sort) };
            let found = list(&world.context, &allowed, &name(), &selection, ALL).await.unwrap();
            assert_eq!(found.total, 7);
            found.items.into_iter().map(|a| a.tags[0].name.clone()).collect::<Vec<_>>().join("")
        };
        for (number, expected) in [(1, "654"), (2, "321"), (3, "0"), (4, ""), (1_000_000, "")] {
            assert_eq!(page("", number, 3).await, expected, "{engine} page {number}");
        }
        for (number, expected) in [(1, "01"), (2, "23"), (3, "45"), (4, "6"), (5, "")] {
            assert_eq!(page("push_time", number, 2).await, expected, "{engine} page {number}");
        }
        assert_eq!(page("-id", 1, 100).await, "6543210");
    }
}

#[tokio::test]
async fn what_a_page_shows_of_one_artifact_is_bounded() {
    const TAGS: &str = "\
        WITH RECURSIVE n(n) AS (\
            SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < 1100) \
        INSERT INTO tags (repository_id, artifact_id, name, pushed_at) \
        SELECT t.repository_id, t.artifact_id, 't' || n, 0 FROM n, tags AS t \
        WHERE t.name = 'long'";
    for engine in ENGINES {
        let world = World::new(engine).await;
        let blob = world.push_blob(&name(), b"blob").await;
        put(&world, tag("long"), image(&blob, &"x".repeat(70_000))).await.unwrap();
        put(&world, tag("other"), image(&blob, "other")).await.unwrap();
        let insert = world.context.db.write(|tx| Box::pin(tx.execute(TAGS, db::args![])));
        assert_eq!(insert.await.unwrap(), 1100);

        let found = shown(&world, "").await;
        let [long, other] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((long.tags.len(), long.tags[0].name.as_str()), (1000, "long"), "{engine:?}");
        assert!(long.annotations.is_none());
        assert_eq!(other.tags.len(), 1);
        assert!(other.annotations.is_some());
        let right = Right::new(Resource::Artifact, Action::Read);
        let allowed = crate::testing::allowed(&world.context, "library", right).await;
        let one = details(&world.context, &allowed, &name(), &tag("long"), ALL).await.unwrap();
        assert!(one.annotations.is_some());
    }
}
