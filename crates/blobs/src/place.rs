//! Where a store is, and how it is to behave.

use std::{path::PathBuf, time::Duration};

use kit::{Secret, metrics::Metrics};
use url::Url;

use crate::room::FreeSpace;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a folder of the local disk.
    Files {
        /// The folder; made if it is not there.
        root: PathBuf,
    },
    /// In a bucket of S3 or a server that speaks its protocol.
    S3(S3Place),
}

/// A bucket, and how to get at it.
#[derive(Clone, Debug)]
pub struct S3Place {
    /// The server. None means Amazon's, by region.
    pub endpoint: Option<Url>,
    /// The region.
    pub region: String,
    /// The bucket; it must exist.
    pub bucket: String,
    /// What all keys begin with; empty, or a path without `/` at its ends.
    pub prefix: String,
    /// The access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
    /// Whether the bucket is named in the path of a request, not in its host name.
    pub path_style: bool,
    /// Whether clients are sent to the server with a signed link instead of being served.
    pub redirect: bool,
}

/// How a store is to behave.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much memory bytes on their way may take together, in bytes.
    pub buffers: usize,
    /// Where the free space of the disk is learnt from.
    pub free_space: FreeSpace,
    /// How long a request that an object store has failed is tried again. It is short enough
    /// for a client to wait for the answer that the store is away, and long enough for a
    /// store that is started anew.
    pub patience: Duration,
    /// Where it is counted how long things take.
    pub metrics: Metrics,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            buffers: 64 * 1024 * 1024,
            free_space: FreeSpace::Measured,
            patience: Duration::from_secs(10),
            metrics: Metrics::default(),
        }
    }
}
