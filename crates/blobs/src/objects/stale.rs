//! Sweeping what uploads have left in a bucket.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt, TryStreamExt};
use kit::{Error, Time};
use object_store::{
    client::{HttpRequest, HttpRequestBody},
    multipart::MultipartStore,
    path::Path,
    signer::{Method, SignedUrlOptions, Signer},
};
use serde::Deserialize;

use super::{BLOBS, Objects, UPLOADS, unavailable, upload_of};
use crate::Key;

/// The longest answer to a listing that is read, in bytes: 1000 uploads with long keys.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// The answer to `ListMultipartUploads`, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    #[serde(default, rename = "Upload")]
    uploads: Vec<Begun>,
    #[serde(default)]
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
}

/// A multipart upload that was neither completed nor aborted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    key: String,
    upload_id: String,
    /// In RFC 3339.
    initiated: String,
}

impl Objects {
    /// Removes tails and multipart uploads that nobody knows and that began before a moment.
    ///
    /// Some servers (MinIO) list multipart uploads only by their exact key: they remove old
    /// ones by themselves.
    pub(crate) async fn sweep_uploads(
        &self,
        before: Time,
        keep: &HashSet<String>,
    ) -> kit::Result<u64> {
        let is_stale = |key: &Key, at: Time| {
            at < before && upload_of(key).is_some_and(|id| !keep.contains(&id))
        };
        let mut swept = 0;
        let mut tails = self.list_folder(UPLOADS).try_ready_chunks(1000);
        while let Some(entries) = tails.try_next().await.map_err(|error| error.1)? {
            let keys: Vec<Key> = entries
                .into_iter()
                .filter(|entry| is_stale(&entry.key, entry.modified))
                .map(|entry| entry.key)
                .collect();
            self.delete(&keys).await?;
            swept += keys.len() as u64;
        }
        let mut after = None;
        loop {
            let listing = self.multipart_uploads(after).await?;
            for upload in &listing.uploads {
                let at = upload.initiated.parse::<jiff::Timestamp>().map_err(not_listed)?;
                let at = Time(at.as_microsecond());
                let Some(key) = self.key(&upload.key) else {
                    continue;
                };
                if is_stale(&key, at) {
                    self.abort_multipart(&key, &upload.upload_id).await?;
                    swept += 1;
                }
            }
            after = match (listing.next_key_marker, listing.next_upload_id_marker) {
                (Some(key), Some(id)) if listing.is_truncated => Some((key, id)),
                _ => return Ok(swept),
            };
        }
    }
}

impl Objects {
    async fn abort_multipart(&self, key: &Key, id: &str) -> kit::Result<()> {
        match self.0.bucket.abort_multipart(&self.path(key)?, &id.to_owned()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// One page of the multipart uploads under way, after a key and an upload's id.
    async fn multipart_uploads(&self, after: Option<(String, String)>) -> kit::Result<Listing> {
        let folder = self.path(&Key::new(BLOBS)?)?;
        let mut query = vec![("uploads", String::new()), ("prefix", format!("{folder}/"))];
        if let Some((key, id)) = after {
            query.extend([("key-marker", key), ("upload-id-marker", id)]);
        }
        let options = SignedUrlOptions::new().with_query(query);
        let lifetime = Duration::from_secs(60);
        let bucket = Path::default();
        let signed = self.0.bucket.signed_url_opts(Method::GET, &bucket, lifetime, &options);
        let url = signed.await.map_err(Error::internal)?;
        let request = http::Request::get(url.as_str()).body(HttpRequestBody::empty());
        let request: HttpRequest = request.map_err(Error::internal)?;
        let answer = self.0.client.execute(request).await.map_err(not_listed)?;
        let status = answer.status();
        let mut body = answer.into_body().bytes_stream();
        let mut text = Vec::new();
        while let Some(bytes) = body.next().await {
            text.extend_from_slice(&bytes.map_err(not_listed)?);
            if text.len() > LONGEST_ANSWER {
                return Err(not_listed("the answer is too long"));
            }
        }
        if !status.is_success() {
            let text = String::from_utf8_lossy(&text[..text.len().min(1000)]).into_owned();
            return Err(not_listed(format!("{status}: {text}")));
        }
        quick_xml::de::from_reader(text.as_slice()).map_err(not_listed)
    }
}

fn not_listed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable("the multipart uploads of the blob store cannot be listed").because(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_the_answer_of_a_server() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Bucket>b</Bucket><KeyMarker></KeyMarker><UploadIdMarker/>
              <NextKeyMarker>k2</NextKeyMarker><NextUploadIdMarker>i2</NextUploadIdMarker>
              <MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>
              <Upload><Key>k1</Key><UploadId>i1</UploadId>
                <Initiator><ID>x</ID></Initiator><StorageClass>STANDARD</StorageClass>
                <Initiated>2026-11-10T20:48:33.000Z</Initiated></Upload>
              <Upload><Key>k2</Key><UploadId>i2</UploadId>
                <Initiated>2026-11-10T20:48:34Z</Initiated></Upload>
            </ListMultipartUploadsResult>"#;
        let listing: Listing = quick_xml::de::from_str(text).unwrap();
        let ids: Vec<_> = listing.uploads.iter().map(|upload| upload.upload_id.as_str()).collect();
        assert_eq!(ids, ["i1", "i2"]);
        assert_eq!(listing.uploads[0].initiated, "2026-11-10T20:48:33.000Z");
        assert!(listing.is_truncated);
        assert_eq!(listing.next_upload_id_marker.as_deref(), Some("i2"));

        let none = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
        assert!(quick_xml::de::from_str::<Listing>(none).unwrap().uploads.is_empty());
    }
}
