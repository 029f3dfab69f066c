//! Two replicas at work on the same things.

use crate::{at, seen_at};
use bytes::Bytes;
use haven_tests::{
    Answer, Blob, Image, Repository, Role, Server, Settings, content, repository::with_digest,
};
use serde_json::json;
use std::time::{Duration, Instant};

/// Within this time what was moved, deleted or forbidden shows everywhere.
const WITHIN: Duration = Duration::from_secs(1);

pub struct Pair {
    pub first: Server,
    pub second: Server,
}

pub async fn pair() -> Pair {
    let first = Server::start(&Settings::cluster()).await;
    let second = first.replica().await;
    Pair { first, second }
}

/// Asks until the answer is as it should be; panics when that takes longer than
/// the promise, counted from now.
pub async fn within_a_second<F: Future<Output = Answer>>(
    what: &str,
    ask: impl Fn() -> F,
    as_wanted: impl Fn(&Answer) -> bool,
) {
    let begun = Instant::now();
    loop {
        let asked = begun.elapsed();
        let answer = ask().await;
        if as_wanted(&answer) {
            return println!("{what}: after {asked:?}");
        }
        assert!(asked < WITHIN, "{what}: not after {asked:?}: {}", answer.describe());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_upload_may_change_replica_between_any_two_requests() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    let here = project.repository(&user, "app");
    let there = seen_at(&here, &second.anonymous);
    let bytes = Bytes::from(content::random(13_000_000));
    let location = here.begin().await;
    let cuts = [0, 10, 5_000_000, 5_000_001, 12_000_000];
    for (n, cut) in cuts.windows(2).enumerate() {
        let repository = if n % 2 == 0 { &there } else { &here };
        let answer = repository.chunk(&location, cut[0], &bytes[cut[0]..cut[1]]).await;
        assert_eq!(answer.expect(202).header("range"), format!("0-{}", cut[1] - 1));
        let other = if n % 2 == 0 { &here } else { &there };
        let status = other.client.get(&location).await.expect(204);
        assert_eq!(status.header("range"), format!("0-{}", cut[1] - 1));
        // An offset that the other replica has already passed is refused.
        let stale = other.chunk(&location, cut[0], b"late").await.expect(416);
        assert_eq!(stale.header("range"), format!("0-{}", cut[1] - 1));
    }
    let digest = content::sha256(&bytes);
    let rest = Blob::new(bytes.slice(12_000_000..));
    here.finish(&location, &digest, &rest).await.expect(201);
    for repository in [&here, &there] {
        assert!(repository.blob(&digest).await.expect(200).body == bytes);
    }
}

#[tokio::test]
async fn of_two_replicas_that_end_one_upload_only_one_does() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    let here = project.repository(&user, "app");
    let there = seen_at(&here, &second.anonymous);
    for _ in 0..10 {
        let blob = Blob::random(200_000);
        let location = here.begin().await;
        let put = with_digest(&location, &blob.digest);
        let finish = |repository: &Repository| {
            let request = repository.client.request("PUT", &put);
            tokio::spawn(request.body(blob.bytes.clone()).send())
        };
        let (one, two) = (finish(&here), finish(&there));
        let mut statuses = [one.await.unwrap().status, two.await.unwrap().status];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 201);
        assert!([201, 404, 409, 416].contains(&statuses[1]), "{statuses:?}");
        assert!(there.blob(&blob.digest).await.expect(200).body == blob.bytes);
    }
}

#[tokio::test]
async fn what_is_new_shows_at_once() {
    let Pair { first, second } = pair().await;
    for _ in 0..10 {
        // Ask for it before it is there: a remembered miss must not hide it.
        let name = content::unique("project");
        let here = Repository::new(&first.admin, &format!("{name}/app"));
        let there = seen_at(&here, &second.anonymous);
        let early = there.manifest("latest").await;
        assert!(early.status >= 400);
        first.admin.create_project(&name, false).await;
        let early = there.manifest("latest").await;
        early.refused(404, "MANIFEST_UNKNOWN");
        let image = Image::random(&[1000]);
        here.push("latest", &image).await;
        there.assert_holds("latest", &image).await;
        assert_eq!(there.tags().await, ["latest"]);
        let user = first.admin.user().await;
        let stranger = there.seen_by(&at(&user, &second.anonymous));
        stranger.manifest("latest").await.refused(403, "DENIED");
        let project = haven_tests::api::Project { name, admin: first.admin.clone() };
        project.add(&user, Role::Guest).await;
        // A refusal is no miss: a right that is given shows within the second.
        within_a_second(
            "a new member",
            || stranger.manifest("latest"),
            |answer| answer.status == 200,
        )
        .await;
    }
}

#[tokio::test]
async fn what_is_moved_deleted_or_forbidden_shows_within_a_second() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(true).await;
    let user = project.member(Role::Guest).await;
    let here = project.repository(&first.admin, "app");
    let there = seen_at(&here, &second.anonymous);
    let member = there.seen_by(&at(&user, &second.anonymous));
    let stranger = there.seen_by(&at(&first.admin.user().await, &second.anonymous));
    let (old, new) = (Image::random(&[10]), Image::random(&[10]));
    here.push("moving", &old).await;
    here.push("doomed", &old).await;
    // Warm every memory of the other replica.
    for repository in [&there, &member, &stranger] {
        repository.assert_holds("moving", &old).await;
        repository.assert_holds("doomed", &old).await;
    }

    here.push("moving", &new).await;
    within_a_second(
        "a moved tag",
        || there.manifest("moving"),
        |answer| answer.body == new.manifest.bytes,
    )
    .await;
    let path = here.path("manifests/doomed");
    here.client.delete(&path).await.expect(202);
    let gone = |answer: &Answer| answer.status == 404;
    within_a_second("a deleted tag", || there.manifest("doomed"), gone).await;
    let path = here.path(&format!("manifests/{}", old.manifest.digest));
    here.client.delete(&path).await.expect(202);
    let ask = || there.manifest(&old.manifest.digest);
    within_a_second("a deleted manifest", ask, gone).await;
    let blob = &old.layers[0].digest;
    let path = here.path(&format!("blobs/{blob}"));
    here.client.delete(&path).await.expect(202);
    within_a_second("a deleted blob", || there.head_blob(blob), gone).await;

    stranger.assert_holds("moving", &new).await;
    let path = format!("/api/v2.0/projects/{}", project.name);
    let private = json!({"metadata": {"public": "false"}});
    let answer = first.admin.request("PUT", &path).json(&private).send().await;
    answer.expect(200);
    let forbidden = |answer: &Answer| answer.status == 403;
    let ask = || stranger.manifest("moving");
    within_a_second("a project made private", ask, forbidden).await;
    member.assert_holds("moving", &new).await;
    project.remove(&user).await;
    let ask = || member.manifest("moving");
    within_a_second("a removed member", ask, forbidden).await;
}

#[tokio::test]
async fn one_replica_goes_on_when_the_other_is_killed() {
    let Pair { mut first, second } = pair().await;
    let project = second.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    let there = project.repository(&user, "app");
    let here = seen_at(&there, &first.anonymous);
    let bytes = Bytes::from(content::random(6_000_000));
    let location = here.begin().await;
    here.chunk(&location, 0, &bytes[..5_500_000]).await.expect(202);
    let image = Image::random(&[100]);
    here.push("latest", &image).await;
    first.kill();
    there.assert_holds("latest", &image).await;
    let digest = content::sha256(&bytes);
    let rest = Blob::new(bytes.slice(5_500_000..));
    there.finish(&location, &digest, &rest).await.expect(201);
    there.push("newer", &image).await;
    first.start_again().await;
    here.assert_holds("newer", &image).await;
    assert!(here.blob(&digest).await.expect(200).body == bytes);
}

#[tokio::test]
async fn a_token_of_one_replica_opens_the_other() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(false).await;
    let user = project.member(Role::Developer).await;
    let here = project.repository(&user, "app");
    let image = Image::random(&[10]);
    here.push("latest", &image).await;
    let scope = format!("repository:{}:pull", here.name);
    let bearer = user.with_token(&[&scope]).await;
    let there = here.seen_by(&at(&bearer, &second.anonymous));
    there.assert_holds("latest", &image).await;
}
