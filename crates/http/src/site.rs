//! The portal's files: what its build left, embedded in the binary.
//!
//! Paths that belong to nothing else are pages of the portal, which finds out itself what to
//! show there: a browser that asks for one is given `index.html`. Other clients are told that
//! there is nothing.

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
            REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use crate::{Route, api};

/// A file, as it is and as it was compressed when it was built.
struct File {
    /// Its address, without the slash at the beginning.
    path: &'static str,
    /// Stands for its content.
    tag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/portal_files.rs"));

/// What is shown in place of a portal that was not built.
const NOT_BUILT: File = File {
    path: "index.html",
    tag: "not-built",
    plain: include_bytes!("site/not_built.html"),
    brotli: None,
    gzip: None,
};

/// The page that shows every page.
const INDEX: &str = "index.html";

/// The files below it are named by their content.
const BY_CONTENT: &str = "assets/";

/// What belongs to others, whether or not it is there.
const OTHERS: [&str; 4] = ["/api", "/c", "/service", "/v2"];

/// What a page may load and do: nothing but what comes from here, and no script but the files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Answers what no operation does.
pub(crate) async fn serve(request: Request) -> Response {
    let found = match *request.method() {
        Method::GET | Method::HEAD => find(FILES, request.uri().path(), request.headers()),
        _ => None,
    };
    match found {
        Some(file) => answer(file, request.method(), request.headers()),
        None => api::not_found().await.into_response(),
    }
}

/// The file for a path.
fn find<'f>(files: &'f [File], path: &str, headers: &HeaderMap) -> Option<&'f File> {
    let is_of = |other: &str| {
        path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if OTHERS.iter().any(|other| is_of(other)) {
        return None;
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = files.iter().find(|file| file.path == name) {
        return Some(file);
    }
    let is_page = path == "/" || !name.starts_with(BY_CONTENT) && wants_page(headers);
    is_page.then(|| files.iter().find(|file| file.path == INDEX).unwrap_or(&NOT_BUILT))
}

/// Whether a browser asks for something to show.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

fn answer(file: &File, method: &Method, headers: &HeaderMap) -> Response {
    let (content, encoding) = choose(file, headers);
    let tag = format!("\"{}{}\"", file.tag, encoding.map_or("", |(suffix, _)| suffix));
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|own| own.trim().trim_start_matches("W/") == tag || own.trim() == "*");
    let is_head = *method == Method::HEAD;
    let body = if known || is_head { Bytes::new() } else { Bytes::from_static(content) };
    let mut response = Response::new(Body::from(body));
    response.extensions_mut().insert(Route("portal"));
    let fixed = HeaderValue::from_static;
    let answer = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        answer.insert(ETAG, tag);
    }
    answer.insert(VARY, fixed("accept-encoding"));
    let lasting = file.path.starts_with(BY_CONTENT);
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer.insert(CACHE_CONTROL, fixed(cache));
    answer.insert(CONTENT_SECURITY_POLICY, fixed(POLICY));
    answer.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    answer.insert(X_FRAME_OPTIONS, fixed("DENY"));
    answer.insert(REFERRER_POLICY, fixed("same-origin"));
    answer.insert(OPENER_POLICY, fixed("same-origin"));
    answer.insert(PERMISSIONS_POLICY, fixed("camera=(), geolocation=(), microphone=()"));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    answer.insert(CONTENT_TYPE, fixed(media_type(file.path)));
    answer.insert(CONTENT_LENGTH, content.len().into());
    if let Some((_, encoding)) = encoding {
        answer.insert(CONTENT_ENCODING, fixed(encoding));
    }
    response
}

/// What a client is sent: compressed as it can read it, with what tells that apart.
fn choose(
    file: &File,
    headers: &HeaderMap,
) -> (&'static [u8], Option<(&'static str, &'static str)>) {
    match (file.brotli, file.gzip) {
        (Some(content), _) if accepts(headers, "br") => (content, Some(("-br", "br"))),
        (_, Some(content)) if accepts(headers, "gzip") => (content, Some(("-gz", "gzip"))),
        _ => (file.plain, None),
    }
}

/// Whether a client reads an encoding (RFC 9110, 12.5.3).
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0));
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PORTAL: &[File] = &[
        File {
            path: "assets/main-1.js",
            tag: "a",
            plain: b"plain",
            brotli: Some(b"br"),
            gzip: Some(b"gzip"),
        },
        File { path: "index.html", tag: "b", plain: b"<html>", brotli: None, gzip: None },
        File { path: "mark.svg", tag: "c", plain: b"<svg>", brotli: None, gzip: None },
    ];

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn pages_are_for_browsers_and_the_rest_is_for_others() {
        let browser = headers(&[(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")]);
        let client = headers(&[(ACCEPT, "*/*")]);
        for (path, of_browser, of_client) in [
            ("/", Some("index.html"), Some("index.html")),
            ("/projects/a%2Fb", Some("index.html"), None),
            ("/harbor/projects", Some("index.html"), None),
            ("/catalogue", Some("index.html"), None),
            ("/apidocs", Some("index.html"), None),
            ("/mark.svg", Some("mark.svg"), Some("mark.svg")),
            ("/assets/main-1.js", Some("assets/main-1.js"), Some("assets/main-1.js")),
            ("/assets/main-0.js", None, None),
            ("/api", None, None),
            ("/api/v2.0/nothing", None, None),
            ("/c/nothing", None, None),
            ("/service/nothing", None, None),
            ("/v2/", None, None),
        ] {
            let found = |headers| find(PORTAL, path, headers).map(|file| file.path);
            assert_eq!(found(&browser), of_browser, "a browser at {path}");
            assert_eq!(found(&client), of_client, "a client at {path}");
        }
        assert_eq!(find(&[], "/", &client).unwrap().tag, NOT_BUILT.tag);
    }

    #[test]
    fn what_is_sent_is_compressed_as_the_client_reads_it() {
        for (accepted, content, tag) in [
            ("", "plain", "\"a\""),
            ("gzip, deflate, br", "br", "\"a-br\""),
            ("gzip", "gzip", "\"a-gz\""),
            ("GZIP;q=0.5", "gzip", "\"a-gz\""),
            ("br;q=0, gzip", "gzip", "\"a-gz\""),
            ("br; q=0.0", "plain", "\"a\""),
            ("brotli", "plain", "\"a\""),
        ] {
            let asked = headers(&[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(choose(&PORTAL[0], &asked).0, content.as_bytes(), "{accepted}");
            let response = answer(&PORTAL[0], &Method::GET, &asked);
            assert_eq!(response.headers()[ETAG], tag, "{accepted}");
            assert_eq!(response.headers()[CONTENT_LENGTH], content.len().to_string());
        }
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let known = [(IF_NONE_MATCH, "\"x\", W/\"a-br\""), (ACCEPT_ENCODING, "br")];
        let response = answer(&PORTAL[0], &Method::GET, &headers(&known));
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        let other = [(IF_NONE_MATCH, "\"a-br\"")];
        assert_eq!(answer(&PORTAL[0], &Method::GET, &headers(&other)).status(), StatusCode::OK);
    }

    #[test]
    fn only_what_is_named_by_its_content_lasts() {
        let cache =
            |file| answer(file, &Method::GET, &HeaderMap::new()).headers()[CACHE_CONTROL].clone();
        assert!(cache(&PORTAL[0]).to_str().unwrap().contains("immutable"));
        assert_eq!(cache(&PORTAL[1]), "no-cache");
    }
}
