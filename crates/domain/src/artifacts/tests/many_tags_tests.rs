//! An artifact with ten thousand tags: shown, copied, kept and deleted as any other.

use std::time::{Duration, Instant};

use super::*;
use crate::{
    rights::{Action, Resource},
    testing::{keep_immutable, selection},
    verify::verify,
};

const MANY: i64 = 10_000;

/// How many of them a list shows.
const SHOWN: usize = 1000;

/// How long one deed with all of them may take, without optimisation and on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives an artifact tags, as many pushes would.
async fn add_tags(world: &World, id: i64) {
    const ADD: &str = "\
        WITH RECURSIVE n(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < $2) \
        INSERT INTO tags (repository_id, artifact_id, name, pushed_at) \
        SELECT a.repository_id, a.id, 't' || n.n, 1 FROM artifacts AS a CROSS JOIN n \
        WHERE a.id = $1";
    let add = world.context.db.write(move |tx| {
        Box::pin(async move { tx.execute(ADD, args![id, MANY - 1]).await.map(drop) })
    });
    add.await.unwrap();
}

/// Gives all tags of one artifact to another.
async fn move_tags(world: &World, from: i64, to: i64) {
    const MOVE: &str = "UPDATE tags SET artifact_id = $2 WHERE artifact_id = $1";
    let moving = world.context.db.write(move |tx| {
        Box::pin(async move { tx.execute(MOVE, args![from, to]).await.map(drop) })
    });
    moving.await.unwrap();
}

async fn number(world: &World, digest: &Digest) -> i64 {
    const NUMBER: &str = "SELECT id FROM artifacts WHERE digest = $1 ORDER BY id LIMIT 1";
    let row = world.context.db.one(NUMBER, args![digest.to_string()]).await.unwrap().unwrap();
    row.get(0).unwrap()
}

/// Does something, and says how long it took.
async fn timed<T>(what: &str, deed: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let outcome = deed.await;
    println!("{what} with {MANY} tags: {:?}", start.elapsed());
    assert!(start.elapsed() < PATIENCE, "{what}: {:?}", start.elapsed());
    outcome
}

/// The tags that the list shows of each artifact of a repository.
async fn shown(world: &World, of: &RepositoryName) -> Vec<usize> {
    let right = Right::new(Resource::Artifact, Action::List);
    let allowed = testing::allowed(&world.context, "library", right).await;
    let with = With { tags: true, labels: false, accessories: false, inherited: false };
    let found = list(&world.context, &allowed, of, &selection("", "id"), with).await.unwrap();
    found.items.iter().map(|artifact| artifact.tags.len()).collect()
}

async fn copied(world: &World, to: &RepositoryName) -> kit::Result<()> {
    let right = |action| Right::new(Resource::Artifact, action);
    let read = world.allowed(&name(), right(Action::Read)).await;
    let create = world.allowed(to, right(Action::Create)).await;
    let source = Source { name: name(), reference: tag("t1") };
    copy(&world.context, (&read, &source), (&create, to)).await
}

async fn deleted(world: &World, from: &RepositoryName) -> kit::Result<()> {
    let right = Right::new(Resource::Artifact, Action::Delete);
    let allowed = world.allowed(from, right).await;
    delete_artifact(&world.context, &allowed, from, &tag("t5")).await
}

#[tokio::test]
async fn ten_thousand_tags_are_a_burden_to_nobody() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let other: RepositoryName = "library/y".parse().unwrap();
        let blob = world.push_blob(&name(), b"blob").await;
        let first = put(&world, tag("v1"), image(&blob, "first")).await.unwrap().digest;
        add_tags(&world, number(&world, &first).await).await;

        assert_eq!(timed("a list", shown(&world, &name())).await, [SHOWN]);
        let page = timed("a page of tags", tag_names(&world, "t4999", 100)).await;
        assert_eq!((page.names.len(), page.names[0].as_str()), (100, "t5"));
        let second = image(&blob, "second");
        let second = timed("a push", put(&world, tag("t9999"), second)).await.unwrap().digest;
        assert_eq!(shown(&world, &name()).await, [SHOWN, 1]);

        timed("a copy", copied(&world, &other)).await.unwrap();
        assert_eq!(shown(&world, &other).await, [SHOWN]);
        let there = async |text: &str| {
            let allowed = world.allowed(&other, Right::PULL).await;
            pull(&world.context, &allowed, &other, &tag(text)).await.map(|found| found.digest)
        };
        for text in ["t77", "v1"] {
            assert_eq!(there(text).await.unwrap(), first);
        }
        assert!(there("t9999").await.is_err(), "it had moved on before");

        // All of them move, unless a rule keeps one where it is.
        let (from, to) = (number(&world, &first).await, number(&world, &second).await);
        move_tags(&world, from, to).await;
        keep_immutable(&world.context, "library", "y", "t7777").await;
        let refused = timed("a copy that is refused", copied(&world, &other)).await.unwrap_err();
        assert!(refused.is(Kind::Immutable), "{refused}");
        assert_eq!(there("t77").await.unwrap(), first);
        keep_immutable(&world.context, "library", "x", "t123").await;
        let refused = timed("a delete that is refused", deleted(&world, &name())).await;
        let refused = refused.unwrap_err();
        assert!(refused.is(Kind::Immutable), "{refused}");
        assert_eq!(shown(&world, &name()).await, [0, SHOWN]);

        let third: RepositoryName = "library/z".parse().unwrap();
        timed("another copy", copied(&world, &third)).await.unwrap();
        timed("a delete", deleted(&world, &third)).await.unwrap();
        assert_eq!(shown(&world, &third).await, [] as [usize; 0]);
        assert_eq!(verify(&world.context).await.unwrap().problems, Vec::new());
    }
}

#[tokio::test]
async fn ten_thousand_tags_move_with_a_copy() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let other: RepositoryName = "library/y".parse().unwrap();
        let blob = world.push_blob(&name(), b"blob").await;
        let first = put(&world, tag("v1"), image(&blob, "first")).await.unwrap().digest;
        add_tags(&world, number(&world, &first).await).await;
        copied(&world, &other).await.unwrap();
        let there = async |text: &str| {
            let allowed = world.allowed(&other, Right::PULL).await;
            pull(&world.context, &allowed, &other, &tag(text)).await.unwrap().digest
        };
        // Remembered from now on.
        assert_eq!((there("t77").await, there("t9999").await), (first, first));
        let second = put(&world, tag("t1"), image(&blob, "second")).await.unwrap().digest;
        let (from, to) = (number(&world, &first).await, number(&world, &second).await);
        move_tags(&world, from, to).await;
        timed("a copy", copied(&world, &other)).await.unwrap();
        assert_eq!((there("t77").await, there("t9999").await), (second, second), "at once");
        assert_eq!(shown(&world, &other).await, [0, SHOWN]);
        assert_eq!(verify(&world.context).await.unwrap().problems, Vec::new());
    }
}
