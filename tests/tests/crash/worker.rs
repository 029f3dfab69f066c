//! One client: pushes by every road, pulls, mounts, deletes, and never gives up.

use crate::journal::Journal;
use haven_tests::{
    Answer, Blob, Image, Manifest, Repository, Request, content, repository::with_digest,
};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// How long one deed may take, restarts of the server and all.
const PATIENCE: Duration = Duration::from_secs(120);

/// Layers that every client pushes, so that many push the same at once.
const COMMON_LAYERS: u64 = 6;

/// A client with a repository of its own.
pub struct Worker {
    random: StdRng,
    repository: Repository,
    journal: Arc<Journal>,
}

impl Worker {
    /// A client whose deeds follow from the seed.
    pub fn new(seed: u64, repository: Repository, journal: Arc<Journal>) -> Worker {
        Worker { random: StdRng::seed_from_u64(seed), repository, journal }
    }

    /// Works until the journal says that it is over.
    pub async fn work(mut self) {
        while !self.journal.over.load(Ordering::Relaxed) {
            match self.random.random_range(0..10) {
                0 | 1 => self.push_image().await,
                2 => {
                    let blob = self.blob();
                    self.push_whole(&blob).await;
                }
                3 | 4 => {
                    let blob = self.blob();
                    self.push_in_chunks(&blob).await;
                }
                5 => self.push_streamed().await,
                6 => self.mount().await,
                7 => self.pull().await,
                8 => self.delete_tag().await,
                _ => self.cancel().await,
            }
        }
    }

    fn blob(&mut self) -> Blob {
        let length = *[0, 500, 4_000, 70_000, 400_000].get(self.random.random_range(0..5)).unwrap();
        let seed = self.random.random();
        Blob::new(seeded(seed, length))
    }

    async fn push_image(&mut self) {
        let common = self.random.random_range(0..COMMON_LAYERS);
        let layers = vec![Blob::new(seeded(common, 50_000)), self.blob()];
        let image = Image::of(layers, serde_json::json!({}));
        for blob in image.blobs() {
            match self.random.random_range(0..2) {
                0 => self.push_whole(blob).await,
                _ => self.push_in_chunks(blob).await,
            }
        }
        let tag = format!("t{}", self.random.random_range(0..5));
        self.put_manifest(&tag, &image.manifest).await;
    }

    async fn put_manifest(&mut self, tag: &str, manifest: &Manifest) {
        let put = || {
            let path = self.repository.path(&format!("manifests/{tag}"));
            let request = self.repository.client.request("PUT", &path);
            let request = request.header("content-type", &manifest.media_type);
            request.body(manifest.bytes.clone())
        };
        self.insist(put).await.expect(201);
        let name = self.repository.name.clone();
        let digest = manifest.digest.clone();
        let key = (name.clone(), digest.clone());
        self.journal.manifests.lock().unwrap().insert(key, manifest.clone());
        let tags = &self.journal.tags;
        tags.lock().unwrap().insert((name, tag.to_owned()), Some(digest));
    }

    async fn delete_tag(&mut self) {
        let tag = format!("t{}", self.random.random_range(0..5));
        let key = (self.repository.name.clone(), tag.clone());
        let known = self.journal.tags.lock().unwrap().get(&key).cloned();
        let Some(Some(_)) = known else { return };
        let path = self.repository.path(&format!("manifests/{tag}"));
        let answer = self.insist(|| self.repository.client.request("DELETE", &path)).await;
        // 404 when an earlier try did it and its answer was lost.
        assert!([202, 404].contains(&answer.status), "{}", answer.describe());
        self.journal.tags.lock().unwrap().insert(key, None);
    }

    async fn push_whole(&self, blob: &Blob) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let location = self.begin().await;
            let put = with_digest(&location, &blob.digest);
            let request = self.repository.client.request("PUT", &put);
            match attempt(request.body(blob.bytes.clone())).await {
                Some(answer) => {
                    answer.expect(201);
                    return self.acknowledged(blob);
                }
                None => self.abandon(&location).await,
            }
            assert!(Instant::now() < deadline, "cannot push {}", blob.digest);
        }
    }

    async fn push_streamed(&mut self) {
        let blob = self.blob();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let location = self.begin().await;
            let request = self.repository.client.request("PATCH", &location);
            if let Some(answer) = attempt(request.stream(&blob.bytes, 8_000)).await {
                let location = answer.expect(202).location();
                return self.finish(&location, &blob).await;
            }
            self.abandon(&location).await;
            assert!(Instant::now() < deadline, "cannot push {}", blob.digest);
        }
    }

    async fn push_in_chunks(&self, blob: &Blob) {
        let mut location = self.begin().await;
        let size = blob.bytes.len();
        let mut acknowledged = 0;
        let deadline = Instant::now() + PATIENCE;
        while acknowledged < size {
            let end = (acknowledged + size.div_ceil(4)).min(size);
            let request = self
                .repository
                .client
                .request("PATCH", &location)
                .header("content-range", format!("{acknowledged}-{}", end - 1))
                .body(blob.bytes.slice(acknowledged..end));
            let answer = match attempt(request).await {
                Some(answer) if answer.status == 202 => answer,
                // What became of the chunk only the server knows.
                other => {
                    let described = other.map(|answer| answer.describe());
                    let status = || self.repository.client.request("GET", &location);
                    let answer = self.insist(status).await;
                    assert!(
                        answer.status == 204,
                        "an acknowledged upload is lost: {} after {described:?}",
                        answer.describe()
                    );
                    answer
                }
            };
            let kept = kept(&answer);
            assert!(
                (acknowledged..=end).contains(&kept),
                "{acknowledged} bytes were acknowledged: {}",
                answer.describe()
            );
            acknowledged = kept;
            location = answer.location();
            assert!(Instant::now() < deadline, "cannot push {}", blob.digest);
        }
        self.finish(&location, blob).await;
    }

    /// Ends an upload whose bytes are all there.
    async fn finish(&self, location: &str, blob: &Blob) {
        let put = with_digest(location, &blob.digest);
        let answer = self.insist(|| self.repository.client.request("PUT", &put)).await;
        if answer.status == 404 {
            // An earlier try did it and its answer was lost; then the blob is there.
            let path = self.repository.path(&format!("blobs/{}", blob.digest));
            let head = || self.repository.client.request("HEAD", &path);
            let head = self.insist(head).await;
            assert!(head.status == 200, "neither upload nor blob: {}", answer.describe());
        } else {
            answer.expect(201);
        }
        self.acknowledged(blob);
    }

    async fn mount(&mut self) {
        let found = {
            let blobs = self.journal.blobs.lock().unwrap();
            if blobs.is_empty() {
                return;
            }
            let at = self.random.random_range(0..blobs.len());
            blobs.iter().nth(at).unwrap().clone()
        };
        let (from, digest) = found;
        let query = format!("blobs/uploads/?mount={digest}&from={from}");
        let path = self.repository.path(&query);
        let answer =
            self.insist(|| self.repository.client.request("POST", &path)).await.expect(201);
        assert_eq!(answer.header("docker-content-digest"), digest);
        let key = (self.repository.name.clone(), digest);
        self.journal.blobs.lock().unwrap().insert(key);
    }

    async fn pull(&mut self) {
        let found = {
            let blobs = self.journal.blobs.lock().unwrap();
            if blobs.is_empty() {
                return;
            }
            let at = self.random.random_range(0..blobs.len());
            blobs.iter().nth(at).unwrap().clone()
        };
        let source = Repository::new(&self.repository.client, &found.0);
        let path = source.path(&format!("blobs/{}", found.1));
        let answer = self.insist(|| source.client.request("GET", &path)).await;
        assert_eq!(content::sha256(&answer.expect(200).body), found.1);
    }

    async fn cancel(&mut self) {
        let location = self.begin().await;
        let request = self.repository.client.request("PATCH", &location);
        let _ = attempt(request.body("never to be finished")).await;
        self.abandon(&location).await;
    }

    async fn begin(&self) -> String {
        let path = self.repository.path("blobs/uploads/");
        let post = || self.repository.client.request("POST", &path);
        self.insist(post).await.expect(202).location()
    }

    /// Cancels an upload that may have ended already.
    async fn abandon(&self, location: &str) {
        let answer = self.insist(|| self.repository.client.request("DELETE", location)).await;
        assert!([204, 404].contains(&answer.status), "{}", answer.describe());
    }

    fn acknowledged(&self, blob: &Blob) {
        let key = (self.repository.name.clone(), blob.digest.clone());
        self.journal.blobs.lock().unwrap().insert(key);
    }

    /// Tries again until the server answers.
    async fn insist(&self, request: impl Fn() -> Request) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = attempt(request()).await {
                return answer;
            }
            assert!(Instant::now() < deadline, "no answer in {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// One try; none when the connection broke or the server asked to come back.
async fn attempt(request: Request) -> Option<Answer> {
    match request.timeout(Duration::from_secs(30)).try_send().await {
        Ok(answer) if answer.status == 503 => None,
        Ok(answer) => {
            assert!(answer.status < 500, "{}", answer.describe());
            Some(answer)
        }
        Err(_) => None,
    }
}

/// How many bytes a `Range: 0-n` header says are there. `0-0` may say none or one;
/// here no chunk has a single byte.
fn kept(answer: &Answer) -> usize {
    let range = answer.header("range");
    let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
    if last == 0 { 0 } else { last + 1 }
}

fn seeded(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
