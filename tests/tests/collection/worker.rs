//! Clients that push, mount, copy and delete the same content, and know what they may rely on.

use haven_tests::{Answer, Blob, Client, Image, Repository, Request, repository::with_digest};
use rand::{RngExt as _, rngs::StdRng};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::SURE;

/// How long after a start a connection of the life before may still be met.
const HANGOVER: Duration = Duration::from_secs(2);

/// A server that may be killed: how often it came and went, odd while it is away, and when last.
pub struct Life {
    turns: AtomicU64,
    last: Mutex<Instant>,
}

impl Life {
    pub fn new() -> Life {
        Life { turns: AtomicU64::new(0), last: Mutex::new(Instant::now()) }
    }

    /// It goes, or is back.
    pub fn turn(&self) {
        *self.last.lock().unwrap() = Instant::now();
        self.turns.fetch_add(1, Ordering::SeqCst);
    }

    fn is_away(&self) -> bool {
        self.turns.load(Ordering::SeqCst) % 2 == 1
    }

    /// Whether it may have died in the middle of what was begun at a moment.
    fn died_since(&self, began: Instant) -> bool {
        let last = *self.last.lock().unwrap();
        self.is_away() || (self.turns.load(Ordering::SeqCst) > 0 && last + HANGOVER > began)
    }
}

/// What has come of it so far.
#[derive(Default)]
pub struct Counts {
    pub pushed: AtomicU64,
    pub deleted: AtomicU64,
    pub mounted: AtomicU64,
    pub copied: AtomicU64,
    pub refused: AtomicU64,
    /// Requests that nobody answered because the server was killed.
    pub broken: AtomicU64,
}

/// What is shared by all clients.
pub struct Shared {
    pub images: Vec<Image>,
    /// Where everybody pushes and deletes.
    pub repositories: Vec<String>,
    /// Where nobody deletes.
    pub kept_in: String,
    /// Copies that were acknowledged there.
    pub kept: Mutex<Vec<Image>>,
    pub lives: Vec<Life>,
    pub over: AtomicBool,
    pub counts: Counts,
}

impl Shared {
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// A client with chance of its own, of one of the servers.
pub struct Worker {
    pub random: StdRng,
    pub shared: Arc<Shared>,
    pub client: Client,
    /// Which of the servers it is.
    pub at: usize,
}

impl Worker {
    fn repository(&mut self) -> Repository {
        let n = self.random.random_range(0..self.shared.repositories.len());
        Repository::new(&self.client, &self.shared.repositories[n])
    }

    fn image(&mut self) -> Image {
        let n = self.random.random_range(0..self.shared.images.len());
        self.shared.images[n].clone()
    }

    fn count(&self, of: impl Fn(&Counts) -> &AtomicU64) {
        of(&self.shared.counts).fetch_add(1, Ordering::Relaxed);
    }

    /// The answer to a request; none when the server was killed before it could give one.
    async fn ask(&self, request: Request) -> Option<Answer> {
        let (life, began) = (&self.shared.lives[self.at], Instant::now());
        match request.try_send().await {
            Ok(answer) => Some(answer),
            Err(error) => {
                assert!(life.died_since(began), "{error:?}");
                self.count(|counts| &counts.broken);
                while life.is_away() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                None
            }
        }
    }

    async fn get(&self, path: &str) -> Option<Answer> {
        self.ask(self.client.request("GET", path)).await
    }

    async fn head(&self, path: &str) -> Option<Answer> {
        self.ask(self.client.request("HEAD", path)).await
    }

    /// Pushes as docker does: asks for each blob and uploads what is not there.
    pub async fn push(mut self) {
        while !self.shared.is_over() {
            let (repository, image) = (self.repository(), self.image());
            if self.random.random_bool(0.1) && !self.bring(&repository, &Blob::random(500)).await {
                continue;
            }
            let by_tag = self.random.random_bool(0.5);
            let tag = format!("t{}", self.random.random_range(0..20));
            let reference = if by_tag { &tag } else { &image.manifest.digest };
            let before = Instant::now();
            if self.put(&repository, reference, &image).await {
                self.count(|counts| &counts.pushed);
                self.is_there(&repository, &image, before).await;
            }
        }
    }

    /// Pushes an image. False if it was refused for a reason that it may be refused for.
    async fn put(&mut self, repository: &Repository, reference: &str, image: &Image) -> bool {
        if !self.bring_blobs(repository, image).await {
            return false;
        }
        let path = repository.path(&format!("manifests/{reference}"));
        let request = self.client.request("PUT", &path);
        let request = request.header("content-type", &image.manifest.media_type);
        let Some(answer) = self.ask(request.body(image.manifest.bytes.clone())).await else {
            return false;
        };
        match answer.status {
            201 => return true,
            // It took longer than the window since its blobs were brought.
            400 => assert_eq!(code(&answer), "MANIFEST_BLOB_UNKNOWN", "{}", answer.describe()),
            403 => self.is_denied(&answer),
            _ => is_busy(&answer),
        }
        false
    }

    /// Whether all blobs of an image are there; no if the quota is exhausted.
    async fn bring_blobs(&mut self, repository: &Repository, image: &Image) -> bool {
        for blob in image.blobs() {
            let path = repository.path(&format!("blobs/{}", blob.digest));
            let before = Instant::now();
            let Some(found) = self.head(&path).await else { return false };
            if found.status == 200 {
                if self.random.random_bool(0.2) {
                    let Some(read) = self.get(&path).await else { return false };
                    if before.elapsed() < SURE {
                        assert!(read.expect(200).body == blob.bytes, "other bytes");
                    }
                }
                continue;
            }
            if found.status != 404 {
                is_busy(&found);
                continue;
            }
            if !self.bring(repository, blob).await {
                return false;
            }
        }
        true
    }

    /// Uploads a blob. False if the quota is exhausted, or the server is busy or gone.
    async fn bring(&self, repository: &Repository, blob: &Blob) -> bool {
        let begun = self.client.request("POST", &repository.path("blobs/uploads/"));
        let Some(begun) = self.ask(begun).await else { return false };
        if begun.status != 202 {
            is_busy(&begun);
            return false;
        }
        let location = with_digest(&begun.location(), &blob.digest);
        let before = Instant::now();
        let request = self.client.request("PUT", &location);
        let request = request.header("content-type", "application/octet-stream");
        let Some(answer) = self.ask(request.body(blob.bytes.clone())).await else { return false };
        match answer.status {
            201 => {
                let path = repository.path(&format!("blobs/{}", blob.digest));
                let found = self.head(&path).await;
                if let Some(found) = found.filter(|_| before.elapsed() < SURE) {
                    found.expect(200);
                }
                return true;
            }
            403 => self.is_denied(&answer),
            _ => is_busy(&answer),
        }
        false
    }

    /// What was accepted is there, unless somebody deleted it since; then its blobs stay for the
    /// window.
    async fn is_there(&self, repository: &Repository, image: &Image, before: Instant) {
        for blob in image.blobs() {
            let path = repository.path(&format!("blobs/{}", blob.digest));
            let read = self.get(&path).await;
            if let Some(read) = read.filter(|_| before.elapsed() < SURE) {
                assert!(read.expect(200).body == blob.bytes, "other bytes");
            }
        }
    }

    fn is_denied(&self, answer: &Answer) {
        let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("will exceed the configured upper limit"), "{message}");
        self.count(|counts| &counts.refused);
    }

    /// Deletes what there is.
    pub async fn delete(mut self) {
        while !self.shared.is_over() {
            let (repository, image) = (self.repository(), self.image());
            self.remove(&repository, &image).await;
        }
    }

    async fn remove(&self, repository: &Repository, image: &Image) {
        let path = repository.path(&format!("manifests/{}", image.manifest.digest));
        let Some(answer) = self.ask(self.client.request("DELETE", &path)).await else { return };
        match answer.status {
            202 => self.count(|counts| &counts.deleted),
            404 => {}
            _ => is_busy(&answer),
        }
    }

    /// Mounts blobs from one repository into another.
    pub async fn mount(mut self) {
        while !self.shared.is_over() {
            let (from, to, image) = (self.repository(), self.repository(), self.image());
            let digest = &image.layers[0].digest;
            let path = to.path(&format!("blobs/uploads/?mount={digest}&from={}", from.name));
            let before = Instant::now();
            let Some(answer) = self.ask(self.client.request("POST", &path)).await else { continue };
            match answer.status {
                201 => {
                    self.count(|counts| &counts.mounted);
                    let found = self.head(&to.path(&format!("blobs/{digest}"))).await;
                    if let Some(found) = found.filter(|_| before.elapsed() < SURE) {
                        found.expect(200);
                    }
                }
                202 => {}
                403 => self.is_denied(&answer),
                _ => is_busy(&answer),
            }
        }
    }

    /// Copies artifacts from one repository into another, mostly across projects. Some are its own,
    /// which it deletes where they came from: then the copy alone keeps their blobs.
    pub async fn copy(mut self) {
        while !self.shared.is_over() {
            let (from, to, image) = (self.repository(), self.repository(), self.image());
            let before = Instant::now();
            if self.copy_one(&from, &to.name, &image).await {
                self.is_there(&to, &image, before).await;
            }
            // Without what everybody pushes, which would be needed for ever.
            let own = Image::of(vec![Blob::random(700)], json!({}));
            let kept_in = self.shared.kept_in.clone();
            if self.put(&from, &own.manifest.digest, &own).await
                && self.copy_one(&from, &kept_in, &own).await
            {
                self.shared.kept.lock().unwrap().push(own.clone());
            }
            self.remove(&from, &own).await;
        }
    }

    /// Copies an artifact. False when there is none, or it may be refused.
    async fn copy_one(&self, from: &Repository, to: &str, image: &Image) -> bool {
        let (project, rest) = to.split_once('/').unwrap();
        let source = format!("{}@{}", from.name, image.manifest.digest);
        let path =
            format!("/api/v2.0/projects/{project}/repositories/{rest}/artifacts?from={source}");
        let Some(answer) = self.ask(self.client.request("POST", &path)).await else {
            return false;
        };
        match answer.status {
            201 => {
                self.count(|counts| &counts.copied);
                return true;
            }
            // Somebody has deleted it.
            404 => {}
            403 => self.is_denied(&answer),
            _ => is_busy(&answer),
        }
        false
    }
}

fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
}

/// Nothing else may come of overload than a wish to come back.
fn is_busy(answer: &Answer) {
    assert!([429, 503].contains(&answer.status), "{}", answer.describe());
}
