//! A registry as its client sees it: an address, a token, a repository, and the few requests
//! that a push is made of.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Outcome;
use crate::content::{Blob, Family, digest_of};
use crate::http1::{Answer, Connection, Method};
use crate::kinds::{HUGE, LARGE, MEDIUM, SMALL};

/// The Accept header of a client that asks for a manifest.
pub const MANIFEST: &str = "Accept: application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, */*\r\n";

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const BUFFER: usize = 256 * 1024;

/// Where and as whom requests are sent.
#[derive(Debug, Clone)]
pub struct Registry {
    /// The server's address.
    pub address: SocketAddr,
    /// The repository everything is pushed to.
    pub repository: &'static str,
    /// The `Authorization` line with its line end, or nothing.
    authorization: String,
}

impl Registry {
    /// A registry that asks for no credentials.
    pub fn open(address: SocketAddr) -> Registry {
        Registry { address, repository: "library/bench", authorization: String::new() }
    }

    /// A registry that gives `user` a bearer token at the realm of its challenge.
    pub fn log_in(address: SocketAddr, user: &str, password: &str) -> Outcome<Registry> {
        let mut registry = Registry::open(address);
        let mut connection = Connection::open(address, BUFFER)?;
        let ping = registry.request("GET", "/v2/", "");
        let challenge = connection.exchange(&[ping.as_bytes()], Method::Other)?;
        expect(&challenge, 401, "GET /v2/ without a token")?;
        let challenge = challenge.challenge.ok_or("a 401 without a Bearer challenge")?;
        let service = parameter(&challenge, "service").ok_or("a challenge without a service")?;
        let realm = parameter(&challenge, "realm").ok_or("a challenge without a realm")?;
        let path = realm.splitn(4, '/').nth(3).ok_or("a realm without a path")?;

        let basic = STANDARD.encode(format!("{user}:{password}"));
        let path = format!(
            "/{path}?service={}&scope=repository:{}:pull,push",
            service.replace(' ', "%20"),
            registry.repository
        );
        let ask = registry.request("GET", &path, &format!("Authorization: Basic {basic}\r\n"));
        let mut body = Vec::new();
        let answer = connection.exchange_into(&[ask.as_bytes()], Method::Other, |piece| {
            body.extend_from_slice(piece)
        })?;
        expect(&answer, 200, "GET a token")?;
        let body: serde_json::Value = serde_json::from_slice(&body)
            .map_err(|error| format!("the token's answer: {error}"))?;
        let token = body["token"].as_str().ok_or("an answer without a token")?;
        registry.authorization = format!("Authorization: Bearer {token}\r\n");
        Ok(registry)
    }

    /// A whole request without a body. `headers` are lines with their line ends.
    pub fn request(&self, method: &str, path: &str, headers: &str) -> String {
        format!("{}{headers}\r\n", self.request_line(method, path))
    }

    fn request_line(&self, method: &str, path: &str) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: haven-bench\r\n{}",
            self.address, self.authorization
        )
    }

    /// Pushes a blob by POST and PUT and checks the answers.
    pub fn push(&self, connection: &mut Connection, blob: &Blob) -> Outcome<()> {
        let request = self.put_blob_head(connection, &blob.digest, blob.size())?;
        let [common, signature] = blob.parts();
        let answer =
            connection.exchange(&[request.as_bytes(), common, signature], Method::Other)?;
        expect(&answer, 201, "PUT the blob")
    }

    /// Begins an upload; gives the head of the PUT that is to carry its `size` bytes.
    pub fn put_blob_head(
        &self,
        connection: &mut Connection,
        digest: &str,
        size: u64,
    ) -> Outcome<String> {
        let path = format!("/v2/{}/blobs/uploads/", self.repository);
        let begin = self.request("POST", &path, "Content-Length: 0\r\n");
        let answer = connection.exchange(&[begin.as_bytes()], Method::Other)?;
        expect(&answer, 202, "POST an upload")?;
        let location = answer.location.ok_or("an upload without a Location")?;
        let path = match location.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]).to_owned(),
            None => location,
        };
        let joint = if path.contains('?') { '&' } else { '?' };
        Ok(self.request(
            "PUT",
            &format!("{path}{joint}digest={digest}"),
            &format!("Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n"),
        ))
    }

    /// Puts a manifest under a tag or digest and checks the answer.
    pub fn put_manifest(
        &self,
        connection: &mut Connection,
        name: &str,
        manifest: &[u8],
    ) -> Outcome<()> {
        let path = format!("/v2/{}/manifests/{name}", self.repository);
        let headers =
            format!("Content-Type: {MANIFEST_TYPE}\r\nContent-Length: {}\r\n", manifest.len());
        let request = self.request("PUT", &path, &headers);
        let answer = connection.exchange(&[request.as_bytes(), manifest], Method::Other)?;
        expect(&answer, 201, "PUT a manifest")
    }

    /// Downloads a blob or manifest whole and checks that its bytes are those of `digest`.
    pub fn verify(&self, path: &str, digest: &str) -> Outcome<()> {
        use sha2::{Digest, Sha256};
        let mut connection = Connection::open(self.address, BUFFER)?;
        let request = self.request("GET", path, MANIFEST);
        let mut hash = Sha256::new();
        let answer = connection
            .exchange_into(&[request.as_bytes()], Method::Other, |piece| hash.update(piece))?;
        expect(&answer, 200, path)?;
        let got = crate::content::digest(&hash.finalize());
        if got == digest {
            Ok(())
        } else {
            Err(format!("{path}: the bytes are those of {got}, not {digest}"))
        }
    }
}

/// Fails unless the answer has `status`.
pub fn expect(answer: &Answer, status: u16, what: &str) -> Outcome<()> {
    if answer.status == status {
        return Ok(());
    }
    Err(format!("{what}: status {}, not {status}", answer.status))
}

/// What is pushed before anything is measured.
#[derive(Clone)]
pub struct Fixtures {
    /// Digest of the blob of 4 KiB.
    pub small: String,
    /// Digest of the blob of 1 MiB.
    pub medium: String,
    /// Digest of the blob of 10 MiB.
    pub large: String,
    /// Digest of the blob of 256 MiB.
    pub huge: String,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The manifest's digest.
    pub manifest_digest: String,
    /// The manifest's tag.
    pub tag: String,
    /// New blobs of 4 KiB.
    pub small_family: Family,
    /// New blobs of 1 MiB.
    pub medium_family: Family,
    /// New blobs of 10 MiB.
    pub large_family: Family,
    small_size: u64,
}

/// The blobs that fixtures are made of, shared by all servers of a session.
pub struct Material {
    small: Family,
    medium: Family,
    large: Family,
    huge: Family,
}

impl Material {
    /// Makes the bytes and hashes them.
    pub fn new() -> Material {
        Material {
            small: Family::new(SMALL),
            medium: Family::new(MEDIUM),
            large: Family::new(LARGE),
            huge: Family::new(HUGE),
        }
    }

    /// The family of the blobs of 256 MiB.
    pub fn huge(&self) -> &Family {
        &self.huge
    }

    /// Pushes an image of one small blob; gives its tag.
    pub fn push_manifest(registry: &Registry) -> Outcome<&'static str> {
        let blob = Family::new(SMALL).unique();
        let mut connection = Connection::open(registry.address, BUFFER)?;
        registry.push(&mut connection, &blob)?;
        let part = format!(
            r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}}"#,
            blob.digest,
            blob.size(),
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","config":{part},"layers":[]}}"#
        );
        registry.put_manifest(&mut connection, "small", manifest.as_bytes())?;
        Ok("small")
    }

    /// Pushes blobs of every size and a manifest, reads all of it back and checks it.
    pub fn push_to(&self, registry: &Registry) -> Outcome<Fixtures> {
        let mut connection = Connection::open(registry.address, BUFFER)?;
        let mut push = |family: &Family| -> Outcome<Blob> {
            let blob = family.unique();
            registry.push(&mut connection, &blob)?;
            registry.verify(
                &format!("/v2/{}/blobs/{}", registry.repository, blob.digest),
                &blob.digest,
            )?;
            Ok(blob)
        };
        let (small, medium) = (push(&self.small)?, push(&self.medium)?);
        let (large, huge) = (push(&self.large)?, push(&self.huge)?);
        let mut fixtures = Fixtures {
            small_size: small.size(),
            small: small.digest,
            medium: medium.digest,
            large: large.digest,
            huge: huge.digest,
            manifest: Vec::new(),
            manifest_digest: String::new(),
            tag: "bench".to_owned(),
            small_family: self.small.clone(),
            medium_family: self.medium.clone(),
            large_family: self.large.clone(),
        };
        fixtures.manifest = fixtures.marked_manifest("fixture");
        fixtures.manifest_digest = digest_of(&fixtures.manifest);
        registry.put_manifest(&mut connection, &fixtures.tag, &fixtures.manifest)?;
        let path = format!("/v2/{}/manifests/{}", registry.repository, fixtures.tag);
        registry.verify(&path, &fixtures.manifest_digest)?;
        Ok(fixtures)
    }
}

impl Fixtures {
    /// An image manifest over blobs that are there, made different by an annotation.
    pub fn marked_manifest(&self, mark: &str) -> Vec<u8> {
        let layer = |digest: &str, size: usize| {
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{digest}","size":{size}}}"#
            )
        };
        let config = format!(
            r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}}"#,
            self.small, self.small_size
        );
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","config":{config},"layers":[{},{}],"annotations":{{"bench.mark":"{mark}"}}}}"#,
            layer(&self.medium, MEDIUM),
            layer(&self.large, LARGE),
        )
        .into_bytes()
    }
}

/// A parameter of a challenge: `name="value"`.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let start = challenge.find(&format!("{name}=\""))? + name.len() + 2;
    let value = &challenge[start..];
    value.find('"').map(|end| &value[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_names_realm_and_service() {
        let challenge =
            r#"Bearer realm="http://127.0.0.1:1/service/token",service="harbor-registry""#;
        assert_eq!(parameter(challenge, "realm"), Some("http://127.0.0.1:1/service/token"));
        assert_eq!(parameter(challenge, "service"), Some("harbor-registry"));
        assert_eq!(parameter(challenge, "scope"), None);
    }
}
