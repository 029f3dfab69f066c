//! The state of an upload between two chunks.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kit::Error;
use oci::{Algorithm, Hasher};
use serde::{Deserialize, Serialize};

use crate::{Key, error::unknown_upload};

/// An upload in the state that is worth going on from. It is kept as JSON text in the database
/// between chunks, so any replica and any later process can take the next one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    /// The name that the domain gave it: ASCII letters, digits, `-` and `_`, at most 64.
    pub id: String,
    /// How many bytes are safely in the store.
    pub size: u64,
    /// The running hash over these bytes, in base64; none if nothing was hashed yet.
    pub(crate) hash: Option<String>,
    /// Where these bytes lie.
    pub(crate) progress: Progress,
}

/// Where the bytes of an unfinished upload lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Nowhere: no byte has come yet.
    Nothing,
    /// In a file of the folder of uploads.
    File {
        /// Its name.
        name: String,
        /// The boot of the machine that wrote it. After another boot the file may hold less
        /// or other bytes than were written, so it is measured and hashed again.
        boot: String,
    },
    /// In an object store.
    Object {
        /// A multipart upload, once there was a whole part.
        parts: Option<Parts>,
        /// The bytes after the last whole part.
        tail: Option<Tail>,
        /// Tails that this one replaced; deleted once this state is known to be kept.
        stale: Vec<Key>,
    },
}

/// A multipart upload of S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    /// The key of the object that it will become.
    pub(crate) key: Key,
    /// The id that the server gave it.
    pub(crate) multipart: String,
    /// The entity tags of its parts, in order.
    pub(crate) etags: Vec<String>,
    /// How many bytes these parts hold.
    pub(crate) size: u64,
}

/// Bytes too few for a part, in an object of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tail {
    /// The object.
    pub(crate) key: Key,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl Upload {
    /// An upload without any bytes.
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), size: 0, hash: None, progress: Progress::Nothing }
    }

    /// Refuses a state that nobody here has written: it could lead to the files of others.
    pub(crate) fn check(&self) -> kit::Result<()> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(is_allowed) {
            return Err(Error::internal(format!("not the id of an upload: {:?}", self.id)));
        }
        match &self.progress {
            Progress::File { name, .. } if id_of(name) != Some(&self.id) => {
                Err(unknown_upload("its state names the file of another upload"))
            }
            _ => Ok(()),
        }
    }

    /// The running hash, to go on with. A new upload begins with the algorithm announced. None
    /// if the kept state is of no use; then the content is hashed again at the end.
    pub(crate) fn hasher(&self, algorithm: Algorithm) -> Option<Hasher> {
        if self.size == 0 {
            return Some(Hasher::new(algorithm));
        }
        self.hasher_so_far()
    }

    /// The running hash over the bytes that came so far, if it was kept.
    pub(crate) fn hasher_so_far(&self) -> Option<Hasher> {
        Hasher::restore(&BASE64.decode(self.hash.as_ref()?).ok()?)
    }

    /// Keeps the running hash.
    pub(crate) fn keep_hasher(&mut self, hasher: Option<&Hasher>) {
        self.hash = hasher.map(|hasher| BASE64.encode(hasher.save()));
    }
}

/// A new name for something that belongs to an upload. Nobody else draws the same one, so two
/// writers of one upload never write to one thing.
pub(crate) fn fresh_name(id: &str) -> String {
    format!("{id}.{:016x}", uuid::Uuid::new_v4().as_u64_pair().0)
}

/// Whose a thing is, by its name.
pub(crate) fn id_of(name: &str) -> Option<&str> {
    name.split_once('.').map(|(id, _)| id)
}
