//! Writing an upload to its file.
//!
//! Chunks are not copied: they are gathered as they came from the network and handed to one
//! vectored write on a blocking thread, while the next ones are already hashed. What is
//! gathered or under way is covered by shares of the pool.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, IoSlice, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use oci::{Algorithm, Digest, Hasher};
use tokio::{
    runtime::Handle,
    task::{JoinHandle, spawn_blocking},
};

use super::{Files, remove_file};
use crate::{
    Stored,
    batch::{Batch, Gather},
    error::{disk, lost_task, unknown_upload},
    pool::{Pool, Pressure},
    upload::{Progress, Upload, fresh_name},
};

/// How many bytes are gathered for one write while there is room.
const BATCH: usize = 512 * 1024;

/// The least share of the pool taken at a time, in bytes.
const AT_A_TIME: usize = 64 * 1024;

/// How often the file of an upload is looked for before it counts as gone.
const LOOKS: usize = 4;

/// How many pieces Linux takes in one vectored write.
const PIECES: usize = 1024;

/// One writer's own file.
pub(crate) struct FileWriter {
    files: Files,
    pool: Pool,
    name: String,
    file: Option<Arc<File>>,
    /// Bytes in the file or on their way to it.
    written: u64,
    batch: Batch,
    under_way: Option<JoinHandle<io::Result<Arc<File>>>>,
    failed: bool,
    when_dropped: WhenDropped,
}

/// What becomes of the file of a writer that is dropped unfinished.
enum WhenDropped {
    /// It holds nothing acknowledged and goes away.
    Remove,
    /// It gets its old name back, under which the kept state knows it.
    GiveBack(String),
    /// It has found its place.
    Keep,
}

impl FileWriter {
    /// Goes on with an upload. Nothing happens on the disk for a new one.
    ///
    /// # Errors
    /// Not found (upload) if the bytes of its state are gone.
    pub(crate) async fn resume(files: &Files, pool: &Pool, upload: &Upload) -> kit::Result<Self> {
        let new = |name, file, written, when_dropped| Self {
            files: files.clone(),
            pool: pool.clone(),
            name,
            file,
            written,
            batch: Batch::new(Gather::AsTheyCame, pool.clone()),
            under_way: None,
            failed: false,
            when_dropped,
        };
        let old = match &upload.progress {
            Progress::Nothing => {
                return Ok(new(fresh_name(&upload.id), None, 0, WhenDropped::Remove));
            }
            Progress::File { name, .. } => name.clone(),
            Progress::Object { .. } => {
                return Err(unknown_upload("it was begun in an object store"));
            }
        };
        let take = {
            let (files, id, old, size) =
                (files.clone(), upload.id.clone(), old.clone(), upload.size);
            move || files.take_over(&id, &old, size)
        };
        let taken = spawn_blocking(take).await.map_err(lost_task)?;
        let (name, file) = taken
            .map_err(disk("go on with an upload"))?
            .ok_or_else(|| unknown_upload("its bytes are gone"))?;
        Ok(new(name, Some(Arc::new(file)), upload.size, WhenDropped::GiveBack(old)))
    }

    /// Takes the next bytes. They are on the disk's way when this returns, not yet on it.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> kit::Result<()> {
        self.make_room(bytes.len()).await?;
        self.batch.push(bytes);
        let enough = match self.pool.pressure() {
            Pressure::Low => BATCH,
            Pressure::Some => BATCH / 4,
            Pressure::High => 0,
        };
        if self.batch.len() >= enough {
            self.submit().await?;
        }
        Ok(())
    }

    /// Gets a share of the pool for more bytes. If it has to wait, it first passes on what it
    /// holds, so that all who wait hold nothing.
    async fn make_room(&mut self, bytes: usize) -> kit::Result<()> {
        if bytes <= self.batch.room() {
            return Ok(());
        }
        let lacking = (bytes - self.batch.room()).max(AT_A_TIME);
        if let Some(share) = self.pool.try_take(lacking) {
            self.batch.cover(share, lacking);
            return Ok(());
        }
        self.submit().await?;
        let needed = bytes.max(AT_A_TIME);
        self.batch.cover(self.pool.take(needed).await?, needed);
        Ok(())
    }

    /// Brings all bytes into the file and tells where they are.
    pub(crate) async fn pause(mut self) -> kit::Result<Progress> {
        self.submit().await?;
        self.settle().await?;
        if self.file.is_none() {
            return Ok(Progress::Nothing);
        }
        self.when_dropped = WhenDropped::Keep;
        let name = std::mem::take(&mut self.name);
        Ok(Progress::File { name, boot: self.files.0.boot.clone() })
    }

    /// Reads everything back and computes its digest.
    pub(crate) async fn digest(&mut self, algorithm: Algorithm) -> kit::Result<Digest> {
        self.submit().await?;
        self.settle().await?;
        let Some(file) = self.file.clone() else {
            return Ok(Digest::of(algorithm, b""));
        };
        let hash = move || hash_file(&file, algorithm);
        let hashed = spawn_blocking(hash).await.map_err(lost_task)?;
        hashed.map_err(disk("read an upload back"))
    }

    /// Makes the file a blob, durably. All of it happens in one visit to a blocking thread.
    pub(crate) async fn finish(mut self, digest: &Digest) -> kit::Result<Stored> {
        self.settle().await?;
        let key = Files::key(digest, &self.name)?;
        let size = self.written + self.batch.len() as u64;
        let (pieces, share) = self.batch.take();
        let (files, key_there, path) = (self.files.clone(), key.clone(), self.path());
        let (file, offset) = (self.file.clone(), self.written);
        // The task stays with the writer, so that its end is awaited even if the writer is
        // dropped meanwhile.
        self.under_way = Some(spawn_blocking(move || {
            let file = file.map_or_else(|| create(&path), Ok)?;
            write_all(&file, &pieces, offset)?;
            drop((pieces, share));
            file.sync_data()?;
            files.publish(&path, &key_there)?;
            Ok(file)
        }));
        self.settle().await?;
        self.when_dropped = WhenDropped::Keep;
        Ok(Stored { key, size })
    }

    /// Gives the upload up.
    pub(crate) async fn discard(mut self) -> kit::Result<()> {
        let settled = self.settle().await;
        self.when_dropped = WhenDropped::Keep;
        let path = self.path();
        let removed = spawn_blocking(move || remove_file(&path)).await.map_err(lost_task)?;
        removed.map_err(disk("remove an upload"))?;
        settled
    }

    fn path(&self) -> PathBuf {
        self.files.uploads().join(&self.name)
    }

    /// Hands what was gathered to a blocking thread.
    async fn submit(&mut self) -> kit::Result<()> {
        self.settle().await?;
        if self.batch.len() == 0 {
            return Ok(());
        }
        let (file, path, offset) = (self.file.clone(), self.path(), self.written);
        self.written += self.batch.len() as u64;
        let (pieces, share) = self.batch.take();
        self.under_way = Some(spawn_blocking(move || {
            let file = file.map_or_else(|| create(&path), Ok)?;
            write_all(&file, &pieces, offset)?;
            drop((pieces, share));
            Ok(file)
        }));
        Ok(())
    }

    /// Waits for the end of what is under way. After a failure nothing goes on: a gap in the
    /// file must not be written past.
    async fn settle(&mut self) -> kit::Result<()> {
        if self.failed {
            return Err(disk("write an upload")(ErrorKind::BrokenPipe.into()));
        }
        let Some(task) = &mut self.under_way else {
            return Ok(());
        };
        let ended = task.await;
        self.under_way = None;
        self.failed = true;
        self.file = Some(ended.map_err(lost_task)?.map_err(disk("write an upload"))?);
        self.failed = false;
        Ok(())
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        let path = self.path();
        let give_back = match std::mem::replace(&mut self.when_dropped, WhenDropped::Keep) {
            WhenDropped::Keep => return,
            WhenDropped::Remove if self.file.is_none() && self.under_way.is_none() => return,
            WhenDropped::Remove => None,
            WhenDropped::GiveBack(old) => Some(self.files.uploads().join(old)),
        };
        // Without a runtime the process is ending; the sweep finds the file.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let under_way = self.under_way.take();
        runtime.spawn(async move {
            if let Some(task) = under_way {
                let _ = task.await;
            }
            let undo = move || match give_back {
                Some(old) => fs::rename(&path, old),
                None => remove_file(&path),
            };
            match spawn_blocking(undo).await {
                Ok(Err(error)) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!(%error, "an unfinished upload could not be put back");
                }
                _ => {}
            }
        });
    }
}

impl Files {
    /// Takes the file of an upload under a new name and cuts it to the acknowledged size.
    /// None if these bytes are nowhere.
    fn take_over(&self, id: &str, old: &str, size: u64) -> io::Result<Option<(String, File)>> {
        let name = fresh_name(id);
        let path = self.uploads().join(&name);
        if !self.take_or_copy(id, old, &path, size)? {
            return Ok(None);
        }
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let length = file.metadata()?.len();
        if length < size {
            remove_file(&path)?;
            return Ok(None);
        }
        if length > size {
            file.set_len(size)?;
        }
        Ok(Some((name, file)))
    }

    /// Renames the file of an upload, or copies it if another writer has it. A writer that is
    /// dropped meanwhile gives it back its old name, so one look may miss it.
    fn take_or_copy(&self, id: &str, old: &str, to: &Path, size: u64) -> io::Result<bool> {
        for _ in 0..LOOKS {
            match fs::rename(self.uploads().join(old), to) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if self.copy_taken(id, to, size)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Copies the acknowledged bytes out of a file that another writer has taken, and removes
    /// that one. Each writer only appends to them, so they are the same in all of its files.
    fn copy_taken(&self, id: &str, to: &Path, size: u64) -> io::Result<bool> {
        for taken in self.files_of(id)? {
            let source = match File::open(&taken) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if source.metadata()?.len() < size {
                continue;
            }
            io::copy(&mut source.take(size), &mut &*create(to)?)?;
            remove_file(&taken)?;
            return Ok(true);
        }
        Ok(false)
    }
}

fn create(path: &Path) -> io::Result<Arc<File>> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path).map(Arc::new)
}

/// Writes all pieces one after the other from an offset on.
fn write_all(file: &File, pieces: &[Bytes], mut offset: u64) -> io::Result<()> {
    for pieces in pieces.chunks(PIECES) {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match rustix::io::pwritev(file, rest, offset) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn hash_file(file: &File, algorithm: Algorithm) -> io::Result<Digest> {
    use std::os::unix::fs::FileExt;
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; BATCH / 4];
    let mut offset = 0;
    loop {
        match file.read_at(&mut buffer, offset) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                offset += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
