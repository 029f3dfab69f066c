//! Writing an upload to objects.
//!
//! Bytes are gathered to parts. The content of an upload is, in this order: the whole parts on
//! the server, the tail (an object of less than a part), and what is gathered here. There is
//! never both a tail and gathered bytes: before more is gathered, the tail is fetched back.
//!
//! A part has to be complete before it is sent, so a writer needs memory for all of it. It
//! begins with little and takes more of the pool as bytes come, without waiting. If it cannot
//! have more, it makes a tail of what it has, lets go of its share, and then waits for the
//! share of a whole part: who waits holds nothing, and who has a whole part waits for nobody.

use bytes::Bytes;
use kit::{Error, Subject};
use object_store::{
    ObjectStoreExt, PutPayload,
    multipart::{MultipartStore, PartId},
};
use tokio::{runtime::Handle, task::JoinHandle, time::timeout};

use super::{ANSWER, Objects, UPLOADS, unavailable};
use crate::{
    Key, Stored,
    batch::{Batch, Gather},
    error::{lost_task, unknown_upload},
    pool::Pool,
    upload::{Parts, Progress, Tail, Upload, fresh_name},
};

const MIB: usize = 1024 * 1024;

/// The sizes of parts and how many there are of each. S3 takes parts of at least 5 MiB and at
/// most 10,000 of them: together about 370 GiB. The first are as small as can be, because
/// each upload under way needs memory for one.
const PARTS: [(usize, usize); 3] = [(2000, 5 * MIB), (3000, 16 * MIB), (5000, 64 * MIB)];

/// What a writer begins with. Blobs up to this size never need more.
const FIRST_SHARE: usize = 256 * 1024;

/// How large the next part is, after so many.
fn part_size(count: usize) -> kit::Result<usize> {
    let mut before = 0;
    for (parts, size) in PARTS {
        before += parts;
        if count < before {
            return Ok(size);
        }
    }
    Err(Error::new(kit::Kind::TooLarge, "the blob is larger than the object store can hold")
        .about(Subject::Size))
}

/// One writer of an upload.
pub(crate) struct ObjectWriter {
    objects: Objects,
    pool: Pool,
    id: String,
    parts: Option<Parts>,
    tail: Option<Tail>,
    gathered: Batch,
    under_way: Option<JoinHandle<object_store::Result<PartId>>>,
    failed: bool,
    /// Tails that are no longer needed, but which the kept state may name.
    stale: Vec<Key>,
    /// Whether the multipart upload was begun by this writer, so that no kept state names it.
    began_parts: bool,
    /// Tails that this writer made.
    made: Vec<Key>,
    done: bool,
}

impl ObjectWriter {
    /// Goes on with an upload. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// Not found (upload) if it was begun in another kind of store.
    pub(crate) fn resume(objects: &Objects, pool: &Pool, upload: &Upload) -> kit::Result<Self> {
        let (parts, tail) = match &upload.progress {
            Progress::Nothing => (None, None),
            Progress::Object { parts, tail, stale } => {
                // That this state was kept means that no earlier one will be used again.
                objects.delete_later(stale.clone());
                (parts.clone(), tail.clone())
            }
            Progress::File { .. } => return Err(unknown_upload("it was begun in local files")),
        };
        Ok(Self {
            objects: objects.clone(),
            pool: pool.clone(),
            id: upload.id.clone(),
            parts,
            tail,
            gathered: Batch::new(Gather::Copied, pool.clone()),
            under_way: None,
            failed: false,
            stale: Vec::new(),
            began_parts: false,
            made: Vec::new(),
            done: false,
        })
    }

    /// The store it writes to.
    pub(crate) fn objects(&self) -> Objects {
        self.objects.clone()
    }

    /// Takes the next bytes.
    pub(crate) async fn write(&mut self, mut bytes: Bytes) -> kit::Result<()> {
        while !bytes.is_empty() {
            let part = part_size(self.part_count())?;
            self.make_room(part).await?;
            let fitting = bytes.len().min(self.gathered.room()).min(part - self.gathered.len());
            self.gathered.push(bytes.split_to(fitting));
            if self.gathered.len() == part {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// How many parts are on the server or on their way.
    fn part_count(&self) -> usize {
        let there = self.parts.as_ref().map_or(0, |parts| parts.etags.len());
        there + usize::from(self.under_way.is_some())
    }

    /// Gets memory for at least one more byte of a part.
    async fn make_room(&mut self, part: usize) -> kit::Result<()> {
        if self.tail.is_none() {
            if self.gathered.room() > 0 {
                return Ok(());
            }
            let covered = self.gathered.covered();
            let more = match (covered, self.part_count()) {
                (0, 0) => FIRST_SHARE,
                (0, _) => part,
                _ => covered.min(part - covered),
            };
            if let Some(share) = self.pool.try_take(more) {
                self.gathered.cover(share, more);
                return Ok(());
            }
            if covered == 0 {
                self.gathered.cover(self.pool.take(more).await?, more);
                return Ok(());
            }
            self.spill().await?;
        }
        // A part under way gives its share back by itself.
        let share = self.pool.take(part).await?;
        self.gathered.cover(share, part);
        let Some(tail) = self.tail.take() else {
            return Ok(());
        };
        self.failed = true;
        let bytes = self.objects.fetch(&tail.key).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => unknown_upload("its last bytes are gone"),
            error => unavailable(error),
        })?;
        if bytes.len() as u64 != tail.size {
            return Err(unknown_upload("its last bytes are others"));
        }
        self.failed = false;
        self.gathered.push(bytes);
        self.stale.push(tail.key);
        Ok(())
    }

    /// Makes a tail of what is gathered.
    async fn spill(&mut self) -> kit::Result<()> {
        if self.gathered.len() == 0 {
            return Ok(());
        }
        // Without parts before it, the tail is all there is: should nothing follow, it is the
        // blob, so it goes where blobs are.
        let key = match (&self.parts, &self.under_way) {
            (None, None) => Objects::new_blob(&self.id)?,
            _ => Key::new(format!("{UPLOADS}/{}", fresh_name(&self.id)))?,
        };
        let size = self.gathered.len() as u64;
        self.made.push(key.clone());
        self.put_gathered(&key).await?;
        self.tail = Some(Tail { key, size });
        Ok(())
    }

    /// Stores what is gathered as an object.
    async fn put_gathered(&mut self, key: &Key) -> kit::Result<()> {
        let path = self.objects.path(key)?;
        let (pieces, share) = self.gathered.take();
        self.failed = true;
        self.objects
            .0
            .bucket
            .put(&path, PutPayload::from_iter(pieces))
            .await
            .map_err(unavailable)?;
        self.failed = false;
        drop(share);
        Ok(())
    }

    /// Sends what is gathered as the next part; its end is awaited later.
    async fn send_part(&mut self) -> kit::Result<()> {
        self.settle().await?;
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => {
                let key = Objects::new_blob(&self.id)?;
                let path = self.objects.path(&key)?;
                let multipart =
                    self.objects.0.bucket.create_multipart(&path).await.map_err(unavailable)?;
                self.began_parts = true;
                self.parts.insert(Parts { key, multipart, etags: Vec::new(), size: 0 })
            }
        };
        let path = self.objects.path(&parts.key)?;
        let (objects, multipart, index) =
            (self.objects.clone(), parts.multipart.clone(), parts.etags.len());
        let turn = objects.0.turns.take(&self.id).await;
        parts.size += self.gathered.len() as u64;
        let (pieces, share) = self.gathered.take();
        self.under_way = Some(tokio::spawn(async move {
            let payload = PutPayload::from_iter(pieces);
            let sent = objects.0.bucket.put_part(&path, &multipart, index, payload).await;
            drop((share, turn));
            sent
        }));
        Ok(())
    }

    /// Waits for the end of the part under way.
    async fn settle(&mut self) -> kit::Result<()> {
        if self.failed {
            return Err(Error::unavailable("the blob store is not available")
                .because("an earlier part of the upload failed"));
        }
        let Some(task) = &mut self.under_way else {
            return Ok(());
        };
        let ended = task.await;
        self.under_way = None;
        self.failed = true;
        let part = ended.map_err(lost_task)?.map_err(|error| match error {
            object_store::Error::NotFound { .. } => unknown_upload("the server has dropped it"),
            error => unavailable(error),
        })?;
        self.failed = false;
        if let Some(parts) = &mut self.parts {
            parts.etags.push(part.content_id);
        }
        Ok(())
    }

    /// Brings all bytes to the server and tells where they are.
    pub(crate) async fn pause(mut self) -> kit::Result<Progress> {
        self.settle().await?;
        self.spill().await?;
        self.done = true;
        let (parts, tail) = (self.parts.take(), self.tail.take());
        if parts.is_none() && tail.is_none() {
            return Ok(Progress::Nothing);
        }
        Ok(Progress::Object { parts, tail, stale: std::mem::take(&mut self.stale) })
    }

    /// Makes an object of all bytes.
    pub(crate) async fn finish(mut self) -> kit::Result<Stored> {
        self.settle().await?;
        let stored = match (self.parts.is_some(), self.tail.take()) {
            (true, tail) => {
                self.tail = tail;
                self.complete().await?
            }
            (false, Some(tail)) => Stored { key: tail.key, size: tail.size },
            (false, None) => {
                let (key, size) = (Objects::new_blob(&self.id)?, self.gathered.len() as u64);
                self.put_gathered(&key).await?;
                Stored { key, size }
            }
        };
        self.done = true;
        let mut left = std::mem::take(&mut self.stale);
        left.retain(|key| *key != stored.key);
        self.objects.delete_later(left);
        Ok(stored)
    }

    /// Sends the last part, of any size, and has the server join them all.
    async fn complete(&mut self) -> kit::Result<Stored> {
        if self.tail.is_some() {
            let part = part_size(self.part_count())?;
            self.make_room(part).await?;
        }
        if self.gathered.len() > 0 {
            self.send_part().await?;
            self.settle().await?;
        }
        let parts = self.parts.take().ok_or_else(|| Error::internal("an upload without parts"))?;
        let path = self.objects.path(&parts.key)?;
        let bucket = &self.objects.0.bucket;
        let ids = parts.etags.iter().map(|etag| PartId { content_id: etag.clone() }).collect();
        if let Err(error) = bucket.complete_multipart(&path, &parts.multipart, ids).await {
            // Perhaps only the answer was lost, and the second attempt found nothing to do.
            // The key is nobody else's, so the object tells.
            let there = timeout(ANSWER, bucket.head(&path)).await;
            if !matches!(there, Ok(Ok(object)) if object.size == parts.size) {
                self.parts = Some(parts);
                return Err(match names_other_parts(&error) {
                    true => unknown_upload("another writer has replaced its parts"),
                    false => unavailable(error),
                });
            }
        }
        Ok(Stored { key: parts.key, size: parts.size })
    }

    /// Gives the upload up.
    pub(crate) async fn discard(mut self) -> kit::Result<()> {
        let settled = self.settle().await;
        self.done = true;
        let mut keys = std::mem::take(&mut self.stale);
        keys.extend(self.tail.take().map(|tail| tail.key));
        let progress = Progress::Object { parts: self.parts.take(), tail: None, stale: keys };
        self.objects.abort(&progress).await?;
        settled
    }
}

/// Whether the server refused to join parts because they are not those it has. A process
/// that was killed, or another one, has sent its own after ours; to try again is of no use.
fn names_other_parts(error: &object_store::Error) -> bool {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    chain.into_iter().any(|cause| cause.to_string().contains("<Code>InvalidPart</Code>"))
}

impl Objects {
    /// Removes whatever an upload left.
    pub(crate) async fn abort(&self, progress: &Progress) -> kit::Result<()> {
        let Progress::Object { parts, tail, stale } = progress else {
            return Ok(());
        };
        if let Some(parts) = parts {
            let path = self.path(&parts.key)?;
            match self.0.bucket.abort_multipart(&path, &parts.multipart).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        let mut keys = stale.clone();
        keys.extend(tail.iter().map(|tail| tail.key.clone()));
        self.delete(&keys).await
    }
}

impl Drop for ObjectWriter {
    /// An unfinished writer takes back what only it knows of.
    fn drop(&mut self) {
        // A part under way is not stopped: nobody could tell whether the server has it.
        let under_way = self.under_way.take();
        let parts = if self.began_parts { self.parts.take() } else { None };
        let made = std::mem::take(&mut self.made);
        if self.done || (parts.is_none() && made.is_empty()) {
            return;
        }
        // Without a runtime the process is ending; the sweep finds what is left.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let objects = self.objects.clone();
        runtime.spawn(async move {
            if let Some(task) = under_way {
                let _ = task.await;
            }
            let left = Progress::Object { parts, tail: None, stale: made };
            if let Err(error) = objects.abort(&left).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "left for the sweep");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ten_thousand_parts_hold_a_large_blob() {
        let total: u64 = (0..10_000).map(|count| part_size(count).unwrap() as u64).sum();
        assert!(total > 350 << 30, "{total}");
        assert!(part_size(10_000).is_err());
    }
}
