//! The store in a bucket of S3, or of a server that speaks its protocol.
//!
//! ```text
//! <prefix>
//! ├── haven/blobs/<2 hex>/<upload id>.<random>     a blob, once a row names it
//! ├── haven/uploads/<upload id>.<random>           bytes of an upload, too few for a part
//! └── docker/registry/v2/blobs/…                   blobs of an adopted store, where they lie
//! ```
//!
//! **Nothing is copied to be renamed.** A key is drawn when the object begins and never drawn
//! again; the row of the blob names it. An object appears whole or not at all, so a blob that
//! a crash kept from its row is only garbage: [`Entry::upload`] tells whose it was.
//!
//! **Any process can go on with an upload.** Its whole parts lie on the server as those of a
//! multipart upload, and what is too little for a part lies there as an object, before the
//! chunk is acknowledged. Two writers that go on from one state may both send the next part;
//! the server keeps the last and refuses to complete the upload with the tag of the other, so
//! the earlier writer fails and nothing mixed comes of it.

mod client;
mod read;
mod stale;
mod turns;
mod write;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use kit::{Error, Time};
use object_store::{
    BackoffConfig, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpClient, HttpConnector, HttpError},
    path::Path,
    signer::Signer,
};
use tokio::time::timeout;
use url::Url;

use client::BoundedHttp;
pub(crate) use read::ObjectReader;
use turns::Turns;
pub(crate) use write::ObjectWriter;

use crate::{
    Entry, Key, S3Place,
    error::missing,
    upload::{fresh_name, id_of},
};

const BLOBS: &str = "haven/blobs";
const UPLOADS: &str = "haven/uploads";
const ADOPTED: &str = "docker/registry/v2/blobs";

/// How long the answer to "are you there?", and to what is asked after a failure, may take.
const ANSWER: Duration = Duration::from_secs(3);

/// The store in a bucket; clones share it.
#[derive(Clone)]
pub(crate) struct Objects(Arc<Inner>);

struct Inner {
    bucket: AmazonS3,
    /// For the few requests that `object_store` does not know.
    client: HttpClient,
    prefix: String,
    redirect: bool,
    turns: Turns,
}

impl Objects {
    /// Opens the store and makes sure that the bucket can be written.
    ///
    /// # Errors
    /// Unavailable, with the bucket's name, if it cannot.
    pub(crate) async fn open(place: &S3Place, patience: Duration) -> kit::Result<Self> {
        let unusable = |error: object_store::Error| {
            Error::unavailable(format!("the bucket {} cannot be used", place.bucket)).because(error)
        };
        let bucket = connect(place, patience).map_err(unusable)?;
        let client = BoundedHttp.connect(&ClientOptions::new()).map_err(unusable)?;
        let prefix = place.prefix.trim_matches('/').to_owned();
        let objects = Self(Arc::new(Inner {
            bucket,
            client,
            prefix,
            redirect: place.redirect,
            turns: Turns::default(),
        }));
        let probe = objects.path(&Key::new(format!("{UPLOADS}/{}", fresh_name("probe")))?)?;
        objects.0.bucket.put(&probe, PutPayload::from_static(b"haven")).await.map_err(unusable)?;
        objects.0.bucket.delete(&probe).await.map_err(unusable)?;
        Ok(objects)
    }

    /// Whether the bucket answers and knows us.
    pub(crate) async fn check(&self) -> kit::Result<()> {
        let nothing = self.path(&Key::new(format!("{UPLOADS}/none"))?)?;
        match timeout(ANSWER, self.0.bucket.head(&nothing)).await {
            Ok(Ok(_) | Err(object_store::Error::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => Err(unavailable(error)),
            Err(elapsed) => {
                Err(Error::unavailable("the blob store does not answer").because(elapsed))
            }
        }
    }

    /// A signed link to a blob, if clients are to be sent to the server itself.
    pub(crate) async fn link(&self, key: &Key, lifetime: Duration) -> kit::Result<Option<Url>> {
        if !self.0.redirect {
            return Ok(None);
        }
        let path = self.path(key)?;
        let signed = self.0.bucket.signed_url(object_store::signer::Method::GET, &path, lifetime);
        signed.await.map(Some).map_err(Error::internal)
    }

    /// Removes blobs, up to 1000 with a request. One that is not there is fine.
    pub(crate) async fn delete(&self, keys: &[Key]) -> kit::Result<()> {
        let paths: Vec<_> = keys.iter().map(|key| self.path(key)).collect::<kit::Result<_>>()?;
        let mut deleted =
            self.0.bucket.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(())
    }

    /// Removes blobs that nobody waits for. What stays behind is swept some day.
    fn delete_later(&self, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let objects = self.clone();
        tokio::spawn(async move {
            if let Err(error) = objects.delete(&keys).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "left for the sweep");
            }
        });
    }

    /// All blobs, our own and adopted ones.
    pub(crate) fn list(&self) -> BoxStream<'static, kit::Result<Entry>> {
        let objects = self.clone();
        stream::iter([BLOBS, ADOPTED])
            .flat_map(move |folder| objects.list_folder(folder))
            .try_filter_map(|entry| async move {
                let adopted = entry.key.as_str().starts_with(ADOPTED);
                Ok((!adopted || entry.key.as_str().ends_with("/data")).then_some(entry))
            })
            .boxed()
    }

    /// All objects in a folder.
    fn list_folder(&self, folder: &str) -> BoxStream<'static, kit::Result<Entry>> {
        let objects = self.clone();
        let folder = match Key::new(folder).and_then(|folder| self.path(&folder)) {
            Ok(folder) => folder,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        self.0
            .bucket
            .list(Some(&folder))
            .map_err(unavailable)
            .try_filter_map(move |object| {
                let entry = objects.entry(&object);
                async move { Ok(entry) }
            })
            .boxed()
    }

    /// None for a key that we could not have written and do not serve.
    fn entry(&self, object: &ObjectMeta) -> Option<Entry> {
        let key = self.key(object.location.as_ref())?;
        let modified = Time(object.last_modified.timestamp_micros());
        let upload = upload_of(&key);
        Some(Entry { key, size: object.size, modified, upload })
    }

    /// Draws the key of a new blob.
    fn new_blob(id: &str) -> kit::Result<Key> {
        let name = fresh_name(id);
        // The end of the name is random: it spreads the keys, as servers like it.
        let spread = &name[name.len() - 2..];
        Key::new(format!("{BLOBS}/{spread}/{name}"))
    }

    /// The path of a key in the bucket.
    fn path(&self, key: &Key) -> kit::Result<Path> {
        let text = match self.0.prefix.as_str() {
            "" => key.as_str().to_owned(),
            prefix => format!("{prefix}/{key}"),
        };
        Path::parse(text).map_err(Error::internal)
    }

    /// The key of a path in the bucket.
    fn key(&self, path: &str) -> Option<Key> {
        let text = match self.0.prefix.as_str() {
            "" => path,
            prefix => path.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Key::new(text).ok()
    }
}

/// The upload that an object of ours came from, by its key.
fn upload_of(key: &Key) -> Option<String> {
    let ours = [BLOBS, UPLOADS].iter().any(|folder| key.as_str().starts_with(folder));
    let name = key.as_str().rsplit('/').next()?;
    id_of(name).filter(|_| ours).map(str::to_owned)
}

fn connect(place: &S3Place, patience: Duration) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::new()
        .with_region(&place.region)
        .with_bucket_name(&place.bucket)
        .with_access_key_id(&place.access_key)
        .with_secret_access_key(place.secret_key.reveal())
        .with_virtual_hosted_style_request(!place.path_style)
        // Content is checked against its digest; a second hash of every part only costs.
        .with_unsigned_payload(true)
        .with_http_connector(BoundedHttp)
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            // The time decides, not the count.
            max_retries: 100,
            retry_timeout: patience,
        });
    if let Some(endpoint) = &place.endpoint {
        builder = builder
            .with_endpoint(endpoint.as_str().trim_end_matches('/'))
            .with_allow_http(endpoint.scheme() == "http");
    }
    builder.build()
}

/// A request that failed, after it was tried again for a while.
fn unavailable(error: object_store::Error) -> Error {
    Error::unavailable("the blob store is not available").because(error)
}

/// Whether the server gave no answer at all.
fn is_out_of_reach(error: &object_store::Error) -> bool {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    chain.into_iter().any(|cause| cause.is::<HttpError>())
}

/// Like [`unavailable`], for an object that ought to be there.
fn unreadable(key: &Key, error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => missing(key),
        error => unavailable(error),
    }
}
