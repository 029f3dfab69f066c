//! The store in local files:
//!
//! ```text
//! <root>
//! ├── haven
//! │   ├── blobs
//! │   │   ├── sha256
//! │   │   │   └── ab                    the family: the first two hex digits
//! │   │   │       └── abcdef….<upload id>.<random>      all hex digits: a blob, complete and right
//! │   │   └── sha512 …
//! │   └── uploads
//! │       └── <upload id>.<random>      the bytes of an upload so far
//! └── docker/registry/v2/blobs/…        blobs of an adopted store, where they lie
//! ```
//!
//! **A place is never used twice.** Its name is drawn for each writer, as in a bucket: bytes that
//! no row names can be deleted while the same content is being pushed again.
//!
//! A blob has no folder of its own, as the distribution project gives it: that would cost
//! another block and inode of the disk, and each push another fsync.
//!
//! **A blob appears by rename**, after its bytes were forced to the disk; then every folder that
//! got a new entry is forced too. So whatever lies under `blobs` is whole, at any moment and
//! after any crash, and what was acknowledged stays.
//!
//! **Each writer has its own file.** A writer that goes on with an upload first takes its file
//! by giving it a new name; only one can. If the file is gone, another writer took it from the
//! same state and is late or dead: then the acknowledged bytes, which that one never touches,
//! are copied to a new file. A late writer can thus write whenever it wants: it reaches nobody.

mod read;
mod write;

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::{Stream, StreamExt, future::try_join_all, stream};
use kit::{Error, Time};
use oci::Digest;
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use tokio::{sync::mpsc, task::spawn_blocking};

pub(crate) use read::{Begun, FileReader};
pub(crate) use write::FileWriter;

use crate::{
    Entry, Key, Stored, Volume,
    error::{disk, lost_task},
    upload::{Progress, Upload, fresh_name, id_of},
};

const BLOBS: &str = "haven/blobs";
const UPLOADS: &str = "haven/uploads";
const ADOPTED: &str = "docker/registry/v2/blobs";

/// How many threads delete many blobs. Each waits mostly for the file system, which others write
/// to meanwhile: with two it takes half of the time, and they hardly notice.
const DELETERS: usize = 2;

/// The store in local files; clones share it.
#[derive(Clone)]
pub(crate) struct Files(Arc<Inner>);

struct Inner {
    root: PathBuf,
    /// The root, held open: paths are looked up from here.
    root_folder: std::os::fd::OwnedFd,
    /// Which boot of the machine this is.
    boot: String,
    /// Families whose own entry is known to be on the disk.
    families: Mutex<HashSet<PathBuf>>,
}

impl Files {
    /// Opens the store, laying its folders down if they are not there.
    ///
    /// # Errors
    /// Unavailable, with the folder's name, if it cannot be written.
    pub(crate) async fn open(root: PathBuf) -> kit::Result<Self> {
        let shown = root.display().to_string();
        let files = spawn_blocking(move || Self::open_now(root)).await.map_err(lost_task)?;
        let files = files.map_err(|error| {
            let kind = error.kind();
            Error::unavailable(format!("the blob store {shown} cannot be used: {kind}"))
                .because(error)
        })?;
        files.check().await?;
        Ok(files)
    }

    fn open_now(root: PathBuf) -> io::Result<Self> {
        create_folder(&root.join(BLOBS))?;
        create_folder(&root.join(UPLOADS))?;
        let root_folder = rustix::fs::open(
            &root,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        // Without a boot id nothing is taken for written in this boot: a new one each time.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| uuid::Uuid::new_v4().to_string(), |text| text.trim().to_owned());
        Ok(Self(Arc::new(Inner { root, root_folder, boot, families: Mutex::default() })))
    }

    /// Whether the store can be written: lays a small file down and takes it away.
    pub(crate) async fn check(&self) -> kit::Result<()> {
        let probe = self.uploads().join(fresh_name("probe"));
        let write = move || fs::write(&probe, b"haven").and_then(|()| fs::remove_file(&probe));
        let written = spawn_blocking(write).await.map_err(lost_task)?;
        written.map_err(disk("write to the folder of uploads"))
    }

    /// The free part of the disk, in thousandths of what this user may fill.
    pub(crate) async fn free_thousandths(&self) -> kit::Result<u64> {
        let volume = self.volume().await?;
        Ok(volume.free.saturating_mul(1000) / volume.total.max(1))
    }

    /// The disk that the files lie on, as far as it may be used.
    pub(crate) async fn volume(&self) -> kit::Result<Volume> {
        let files = self.clone();
        let measure = move || rustix::fs::statvfs(files.0.root.as_path());
        let disk_space = spawn_blocking(measure).await.map_err(lost_task)?;
        let space = disk_space.map_err(|error| disk("measure the free space")(error.into()))?;
        let usable =
            space.f_blocks.saturating_sub(space.f_bfree - space.f_bavail.min(space.f_bfree));
        let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
        Ok(Volume { total: bytes(usable), free: bytes(space.f_bavail) })
    }

    /// The key of a new blob that was written under a name: its digest says in which folder
    /// it lies, and the name makes it one of its own.
    fn key(digest: &Digest, name: &str) -> kit::Result<Key> {
        Key::new(format!("{}/{}.{name}", Self::family(digest), digest.hex()))
    }

    /// The folder of a blob.
    fn family(digest: &Digest) -> String {
        format!("{BLOBS}/{}/{}", digest.algorithm(), &digest.hex()[..2])
    }

    /// Whether the bytes of an upload were written since this machine started, so that they
    /// are sure to be what the running hash has seen.
    pub(crate) fn wrote(&self, upload: &Upload) -> bool {
        match &upload.progress {
            Progress::File { boot, .. } => *boot == self.0.boot,
            Progress::Nothing | Progress::Object { .. } => true,
        }
    }

    fn uploads(&self) -> PathBuf {
        self.0.root.join(UPLOADS)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.root.join(key.as_str())
    }

    /// Makes a finished file a blob: moves it to its place and forces every new entry to the
    /// disk.
    fn publish(&self, file: &Path, key: &Key) -> io::Result<()> {
        let data = self.path(key);
        let Some(family) = data.parent() else {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a blob's key has folders"));
        };
        match fs::rename(file, &data) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create_folder(family)?;
                fs::rename(file, &data)?;
            }
            renamed => renamed?,
        }
        self.force_entries(family)
    }

    /// The blob that an upload has become, forced to the disk, if it has this size.
    ///
    /// # Errors
    /// Unavailable if the disk fails.
    pub(crate) async fn published(
        &self,
        id: &str,
        digest: &Digest,
        size: u64,
    ) -> kit::Result<Option<Stored>> {
        let files = self.clone();
        let (family, name) = (Self::family(digest), format!("{}.{id}.", digest.hex()));
        let look = move || -> io::Result<Option<Entry>> {
            for found in files.names_in(&family)?.iter().filter(|found| found.starts_with(&name)) {
                if let Some(entry) = files.entry(format!("{family}/{found}"))?
                    && entry.size == size
                {
                    files.force_entries(&files.0.root.join(&family))?;
                    return Ok(Some(entry));
                }
            }
            Ok(None)
        };
        let found = spawn_blocking(look).await.map_err(lost_task)?.map_err(disk("find a blob"))?;
        Ok(found.map(|entry| Stored { key: entry.key, size }))
    }

    /// The same bytes came again and lie elsewhere: they take the place of those that are there,
    /// which heals damaged ones.
    pub(crate) async fn replace(&self, place: &Key, with: &Key) -> kit::Result<()> {
        let (old, new) = (self.path(place), self.path(with));
        let replace = move || fs::rename(new, old);
        spawn_blocking(replace).await.map_err(lost_task)?.map_err(disk("replace a blob"))
    }

    /// Forces the entries that lead to a blob to the disk.
    fn force_entries(&self, family: &Path) -> io::Result<()> {
        sync_folder(family)?;
        if !self.0.families.lock().contains(family) {
            if let Some(families) = family.parent() {
                sync_folder(families)?;
            }
            self.0.families.lock().insert(family.to_owned());
        }
        Ok(())
    }

    /// Removes blobs, on a few threads. One that is not there is fine.
    pub(crate) async fn delete(&self, keys: &[Key]) -> kit::Result<()> {
        let share = keys.len().div_ceil(DELETERS).max(1);
        let deleting = keys.chunks(share).map(|some| self.delete_some(some.to_vec()));
        try_join_all(deleting).await.map(drop)
    }

    async fn delete_some(&self, keys: Vec<Key>) -> kit::Result<()> {
        let files = self.clone();
        let delete = move || keys.iter().try_for_each(|key| files.delete_now(key));
        let deleted = spawn_blocking(delete).await.map_err(lost_task)?;
        deleted.map_err(disk("delete a blob"))
    }

    fn delete_now(&self, key: &Key) -> io::Result<()> {
        let data = self.path(key);
        remove_file(&data)?;
        // The folder that an adopted blob has to itself goes with it.
        if key.as_str().starts_with(ADOPTED)
            && let Some(folder) = data.parent()
        {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    /// Removes whatever an upload left.
    pub(crate) async fn abort(&self, upload: &Upload) -> kit::Result<()> {
        let Progress::File { name, .. } = &upload.progress else {
            return Ok(());
        };
        let files = self.clone();
        let (id, name) = (upload.id.clone(), name.clone());
        let remove = move || match fs::remove_file(files.uploads().join(name)) {
            // A later writer has taken it and given it another name.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                files.files_of(&id)?.iter().try_for_each(|path| remove_file(path))
            }
            done => done,
        };
        let removed = spawn_blocking(remove).await.map_err(lost_task)?;
        removed.map_err(disk("remove an upload"))
    }

    /// All files of an upload.
    fn files_of(&self, id: &str) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.uploads())? {
            let entry = entry?;
            if entry.file_name().to_str().and_then(id_of) == Some(id) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Removes the files of uploads that nobody knows and nobody has written since a moment.
    pub(crate) async fn sweep_uploads(
        &self,
        before: Time,
        keep: HashSet<String>,
    ) -> kit::Result<u64> {
        let files = self.clone();
        let sweep = move || files.sweep_now(before, &keep);
        let swept = spawn_blocking(sweep).await.map_err(lost_task)?;
        swept.map_err(disk("sweep the uploads"))
    }

    fn sweep_now(&self, before: Time, keep: &HashSet<String>) -> io::Result<u64> {
        let mut swept = 0;
        for entry in fs::read_dir(self.uploads())? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().and_then(id_of).is_some_and(|id| keep.contains(id)) {
                continue;
            }
            let modified = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => time_of(metadata.modified()?),
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => continue,
            };
            if modified < before {
                remove_file(&entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// All blobs. A blocking thread walks over them, a family ahead of who asks.
    pub(crate) fn list(&self) -> impl Stream<Item = kit::Result<Entry>> + Send + use<> {
        let (sender, receiver) = mpsc::channel(1);
        let files = self.clone();
        spawn_blocking(move || {
            let send = |family: Vec<Entry>| sender.blocking_send(Ok(family)).is_ok();
            if let Err(error) = files.walk(send) {
                let _ = sender.blocking_send(Err(disk("list the blobs")(error)));
            }
        });
        let families = stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|family| (family, receiver))
        });
        families.flat_map(|family| match family {
            Ok(entries) => stream::iter(entries).map(Ok).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        })
    }

    /// Sends all blobs, a family at a time, until it is told that nobody takes them.
    fn walk(&self, mut send: impl FnMut(Vec<Entry>) -> bool) -> io::Result<()> {
        for (blobs, file) in [(BLOBS, ""), (ADOPTED, "/data")] {
            for algorithm in ["sha256", "sha512"] {
                let is_blob = |name: &String| {
                    let hex = name.split('.').next().unwrap_or_default();
                    format!("{algorithm}:{hex}").parse::<Digest>().is_ok()
                };
                let folder = format!("{blobs}/{algorithm}");
                for family in self.names_in(&folder)? {
                    let family = format!("{folder}/{family}");
                    let mut found = Vec::new();
                    for name in self.names_in(&family)?.iter().filter(|name| is_blob(name)) {
                        found.extend(self.entry(format!("{family}/{name}{file}"))?);
                    }
                    if !found.is_empty() && !send(found) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The names in a folder, in order; none if it is not there or is no folder.
    fn names_in(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.0.root.join(folder)) {
            Ok(entries) => entries,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn entry(&self, path: String) -> io::Result<Option<Entry>> {
        let metadata = match fs::metadata(self.0.root.join(&path)) {
            Ok(metadata) => metadata,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // Behind the digest stands the name of the writer, which begins with the upload's.
        let upload = path.rsplit('/').next().and_then(|name| name.split('.').nth(1));
        let upload = upload.map(str::to_owned);
        let Ok(key) = Key::new(path) else {
            return Ok(None);
        };
        let modified = time_of(metadata.modified()?);
        let size = metadata.len();
        Ok(metadata.is_file().then_some(Entry { key, size, modified, upload }))
    }
}

/// Removes a file; one that is not there is fine.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(())
        }
        done => done,
    }
}

/// Forces the entries of a folder to the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Lays down a folder and those above it, and forces their entries to the disk.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent()
        && !parent.as_os_str().is_empty()
    {
        create_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

fn time_of(time: SystemTime) -> Time {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
