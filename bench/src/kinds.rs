//! The kinds of request that are measured, with the figures they are held to.

use crate::Outcome;
use crate::content::{Family, unique_number};
use crate::http1::Method;
use crate::load::Work;
use crate::registry::{Fixtures, MANIFEST, Registry, expect};

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// What is requested.
    pub kind: Kind,
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in the table.
    pub title: &'static str,
    /// CPU of zot as a share of docker-registry's, measured once on a quiet machine.
    pub zot: f64,
    /// The highest share of docker-registry's CPU that Haven may take.
    pub limit: f64,
    /// The CPU per request that Haven aims at, in microseconds.
    pub aim: f64,
    /// The most requests of one run: pushes are bounded by the disk they fill.
    pub most: u64,
    /// The highest median latency allowed, in microseconds.
    pub median: Option<f64>,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Ping,
    HeadManifest,
    GetManifestByTag,
    GetManifestByDigest,
    HeadBlob,
    GetSmall,
    GetMedium,
    GetLarge,
    GetRange,
    PushSmall,
    PushMedium,
    PushLarge,
    PutManifest,
}

/// Size of the small blob, in bytes.
pub const SMALL: usize = 4 * 1024;
/// Size of the medium blob, in bytes.
pub const MEDIUM: usize = 1024 * 1024;
/// Size of the large blob, in bytes.
pub const LARGE: usize = 10 * 1024 * 1024;
/// Size of the blob that is compared with nginx and a bare receiver, in bytes.
pub const HUGE: usize = 256 * 1024 * 1024;

const ANY: u64 = u64::MAX;

/// Every line of the table, in its order.
pub const FIGURES: [Figure; 13] = [
    figure(Kind::Ping, "ping", "GET /v2/ with a token", 0.04, 0.03, 15.0, ANY),
    figure(Kind::HeadManifest, "head-manifest", "HEAD manifest by tag", 0.07, 0.035, 35.0, ANY),
    figure(
        Kind::GetManifestByTag,
        "get-manifest-tag",
        "GET manifest by tag",
        0.08,
        0.035,
        40.0,
        ANY,
    ),
    figure(
        Kind::GetManifestByDigest,
        "get-manifest-digest",
        "GET manifest by digest",
        0.08,
        0.035,
        40.0,
        ANY,
    ),
    figure(Kind::HeadBlob, "head-blob", "HEAD blob", 0.13, 0.035, 35.0, ANY),
    Figure {
        median: Some(1000.0),
        ..figure(Kind::GetSmall, "get-4k", "GET blob 4 KiB", 0.07, 0.03, 60.0, ANY)
    },
    figure(Kind::GetMedium, "get-1m", "GET blob 1 MiB", 0.17, 0.12, 250.0, ANY),
    figure(Kind::GetLarge, "get-10m", "GET blob 10 MiB", 0.54, 0.35, 2500.0, ANY),
    figure(Kind::GetRange, "get-range", "GET 64 KiB range of 10 MiB", 0.07, 0.03, 80.0, ANY),
    figure(Kind::PushSmall, "push-4k", "push 4 KiB (POST + PUT)", 0.18, 0.09, 700.0, 4000),
    figure(Kind::PushMedium, "push-1m", "push 1 MiB", 0.28, 0.12, 1500.0, 300),
    figure(Kind::PushLarge, "push-10m", "push 10 MiB", 0.54, 0.22, 9000.0, 32),
    figure(Kind::PutManifest, "put-manifest", "PUT manifest", 1.7, 0.2, 600.0, 4000),
];

const fn figure(
    kind: Kind,
    name: &'static str,
    title: &'static str,
    zot: f64,
    limit: f64,
    aim: f64,
    most: u64,
) -> Figure {
    Figure { kind, name, title, zot, limit, aim, most, median: None }
}

impl Kind {
    /// The work of one connection for this kind.
    pub fn work(self, registry: &Registry, fixtures: &Fixtures) -> Work {
        let blob = |digest: &str| format!("/v2/{}/blobs/{digest}", registry.repository);
        let manifest = |of: &str| format!("/v2/{}/manifests/{of}", registry.repository);
        match self {
            Kind::Ping => repeat(registry, "GET", "/v2/", "", 200, None),
            Kind::HeadManifest => {
                repeat(registry, "HEAD", &manifest(&fixtures.tag), MANIFEST, 200, None)
            }
            Kind::GetManifestByTag => repeat(
                registry,
                "GET",
                &manifest(&fixtures.tag),
                MANIFEST,
                200,
                Some(fixtures.manifest.len()),
            ),
            Kind::GetManifestByDigest => repeat(
                registry,
                "GET",
                &manifest(&fixtures.manifest_digest),
                MANIFEST,
                200,
                Some(fixtures.manifest.len()),
            ),
            Kind::HeadBlob => {
                repeat(registry, "HEAD", &blob(&fixtures.medium), "", 200, Some(MEDIUM))
            }
            Kind::GetSmall => repeat(registry, "GET", &blob(&fixtures.small), "", 200, Some(SMALL)),
            Kind::GetMedium => {
                repeat(registry, "GET", &blob(&fixtures.medium), "", 200, Some(MEDIUM))
            }
            Kind::GetLarge => repeat(registry, "GET", &blob(&fixtures.large), "", 200, Some(LARGE)),
            Kind::GetRange => repeat(
                registry,
                "GET",
                &blob(&fixtures.large),
                "Range: bytes=3145728-3211263\r\n",
                206,
                Some(64 * 1024),
            ),
            Kind::PushSmall => push(registry, &fixtures.small_family),
            Kind::PushMedium => push(registry, &fixtures.medium_family),
            Kind::PushLarge => push(registry, &fixtures.large_family),
            Kind::PutManifest => put_manifest(registry, fixtures),
        }
    }
}

impl Kind {
    /// The blobs that requests of this kind bring, if they bring any.
    pub fn pushed(self, fixtures: &Fixtures) -> Option<&Family> {
        match self {
            Kind::PushSmall => Some(&fixtures.small_family),
            Kind::PushMedium => Some(&fixtures.medium_family),
            Kind::PushLarge => Some(&fixtures.large_family),
            _ => None,
        }
    }
}

/// Downloads a blob, over and over.
pub fn get(registry: &Registry, path: &str, size: usize) -> Work {
    repeat(registry, "GET", path, "", 200, Some(size))
}

/// Pushes new blobs of a family.
pub fn push(registry: &Registry, family: &Family) -> Work {
    let (registry, family) = (registry.clone(), family.clone());
    Box::new(move |connection| registry.push(connection, &family.unique()).map(drop))
}

/// The same request over and over; its bytes are made once.
fn repeat(
    registry: &Registry,
    method: &'static str,
    path: &str,
    headers: &str,
    status: u16,
    length: Option<usize>,
) -> Work {
    let request = registry.request(method, path, headers);
    let kind = if method == "HEAD" { Method::Head } else { Method::Other };
    let what = format!("{method} {path}");
    Box::new(move |connection| {
        let answer = connection.exchange(&[request.as_bytes()], kind)?;
        expect(&answer, status, &what)?;
        check_length(length, answer.length, &what)
    })
}

fn check_length(wanted: Option<usize>, got: u64, what: &str) -> Outcome<()> {
    match wanted {
        Some(wanted) if wanted as u64 != got => Err(format!("{what}: {got} bytes, not {wanted}")),
        _ => Ok(()),
    }
}

fn put_manifest(registry: &Registry, fixtures: &Fixtures) -> Work {
    let (registry, fixtures) = (registry.clone(), fixtures.clone());
    Box::new(move |connection| {
        let mark = format!("{:x}", unique_number());
        let manifest = fixtures.marked_manifest(&mark);
        registry.put_manifest(connection, &mark, &manifest)
    })
}
