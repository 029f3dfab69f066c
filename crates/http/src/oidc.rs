//! `/c/oidc/…`: a browser signs in by an OpenID provider.
//!
//! To the provider and back: `login` sends it there with a cookie that holds the attempt,
//! sealed; `callback` takes it back. Who is new chooses a name on the portal's page
//! `/oidc-onboard`, which sends it to `onboard`. `logout` ends the session here, and at the
//! provider if that is wanted.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract,
    http::{
        HeaderValue, Response, StatusCode, Uri,
        header::{CACHE_CONTROL, LOCATION, SET_COOKIE},
        request::Parts,
    },
    response::IntoResponse,
    routing::{get, post},
};
use domain::{
    access::Caller,
    sessions,
    sources::{self, Finished},
    users::User,
};
use kit::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Principal, State,
    api::{ApiError, named, parse_body, read_body},
    auth,
    portal::agent,
    site::wants_page,
};

/// Where the provider sends the browser back to.
const CALLBACK: &str = "/c/oidc/callback";

/// Where a session ends here and at the provider.
const LOGOUT: &str = "/c/oidc/logout";

/// The page that says that the provider's way did not lead here, and offers it again.
const FAILED_PAGE: &str = "/sign-in?failed=provider";

/// The page where somebody new chooses a name.
const ONBOARD_PAGE: &str = "/oidc-onboard";

/// The cookie that holds an attempt begins so and ends with the beginning of its state, so
/// that one in another tab stays.
const ATTEMPT: &str = "haven_oidc_";
const STATE_SHOWN: usize = 12;

/// The cookie of somebody new.
const TICKET: &str = "haven_oidc_new";

/// The longest address to go back to, and what of a provider's complaint is passed on, in
/// bytes and characters.
const LONGEST_BACK_TO: usize = 1024;
const LONGEST_COMPLAINT: usize = 200;

/// The routes of this file.
pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/c/oidc/login", named("oidc_login", get(login)))
        .route(CALLBACK, named("oidc_callback", get(callback)))
        .route("/c/oidc/onboard", named("oidc_onboard", post(onboard)))
        .route(LOGOUT, named("oidc_logout", get(logout)))
}

async fn login(
    extract::State(state): extract::State<Arc<State>>,
    parts: Parts,
) -> Result<Response<Body>, ApiError> {
    Ok(send_there(&state, &parts).await.or_else(|error| refuse(&parts, error))?)
}

async fn send_there(state: &State, parts: &Parts) -> Result<Response<Body>> {
    let source = match first(&parts.uri, "source") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Error::invalid("source must be a number"))?),
    };
    let back_to = first(&parts.uri, "redirect_url").unwrap_or(Cow::Borrowed("/"));
    if !is_own_path(&back_to) {
        return Err(Error::invalid("cannot redirect to other site"));
    }
    let callback = format!("{}{CALLBACK}", auth::origin(state, parts));
    let begun = sources::begin(&state.domain, source, callback, back_to.into_owned()).await?;
    let mut response = redirect(begun.url.as_str())?;
    let attempt = &begun.attempt;
    let name = attempt_cookie(&attempt.state);
    keep(state, parts, &mut response, (&name, &attempt.sealed), attempt.patience)?;
    Ok(response)
}

/// What came of an attempt that failed: a browser that shows pages is led to where it can try
/// again, others are told why.
fn refuse(parts: &Parts, error: Error) -> Result<Response<Body>> {
    if !wants_page(&parts.headers) {
        return Ok(ApiError::from(error).into_answer());
    }
    let cause = error.source.as_deref().map(tracing::field::display);
    tracing::warn!(%error, cause, "signing in by a provider failed");
    redirect(FAILED_PAGE)
}

async fn callback(
    extract::State(state): extract::State<Arc<State>>,
    parts: Parts,
) -> Result<Response<Body>, ApiError> {
    let shown = first(&parts.uri, "state").unwrap_or_default();
    let name = attempt_cookie(&shown);
    let sealed = auth::cookie(&parts.headers, &name).unwrap_or_default().to_owned();
    let answered = come_back(&state, &parts, &sealed, &shown).await;
    // Whatever came of it, the attempt is over.
    let mut response = answered.or_else(|error| refuse(&parts, error))?;
    keep(&state, &parts, &mut response, (&name, ""), Duration::ZERO)?;
    Ok(response)
}

async fn come_back(
    state: &State,
    parts: &Parts,
    sealed: &str,
    shown: &str,
) -> Result<Response<Body>> {
    if sealed.is_empty() {
        return Err(Error::invalid("State mismatch"));
    }
    if let Some(code) = first(&parts.uri, "error") {
        let description = first(&parts.uri, "error_description").unwrap_or_default();
        let complaint = format!("{code} - {description}");
        let complaint: String =
            complaint.chars().filter(|c| !c.is_control()).take(LONGEST_COMPLAINT).collect();
        return Err(Error::invalid(format!("OIDC callback returned error: {complaint}")));
    }
    let code = first(&parts.uri, "code").unwrap_or_default();
    match sources::finish(&state.domain, sealed, shown, &code).await? {
        Finished::Known(user, back_to) => {
            let mut response = redirect(&own_path(&back_to))?;
            begin_session(state, parts, &user, &mut response).await?;
            Ok(response)
        }
        Finished::New { ticket, patience, username, back_to } => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("username", &username)
                .append_pair("redirect_url", &own_path(&back_to))
                .finish();
            let mut response = redirect(&format!("{ONBOARD_PAGE}?{query}"))?;
            keep(state, parts, &mut response, (TICKET, ticket.reveal()), patience)?;
            Ok(response)
        }
    }
}

/// What somebody new sends.
#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    username: String,
}

async fn onboard(
    extract::State(state): extract::State<Arc<State>>,
    parts: Parts,
    body: Body,
) -> Result<Response<Body>, ApiError> {
    let Chosen { username } = parse_body(&read_body(body).await?)?;
    let ticket = auth::cookie(&parts.headers, TICKET).unwrap_or_default();
    let user = sources::onboard(&state.domain, ticket, &username).await?;
    let mut response = Response::new(Body::empty());
    begin_session(&state, &parts, &user, &mut response).await?;
    keep(&state, &parts, &mut response, (TICKET, ""), Duration::ZERO)?;
    Ok(response)
}

async fn logout(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    parts: Parts,
) -> Result<Response<Body>, ApiError> {
    let back_to = format!("{}/", auth::origin(&state, &parts));
    let elsewhere = match caller.user_id() {
        Some(id) => sources::logout_url(&state.domain, id, &back_to).await?,
        None => None,
    };
    if let Some(id) = auth::session_id(&parts.headers) {
        sessions::end(&state.domain, &id, caller.who()).await?;
    }
    let mut response = redirect(elsewhere.as_ref().map_or("/", |url| url.as_str()))?;
    auth::hold(&state, &parts.extensions, &mut response, None);
    Ok(response)
}

/// Refuses a name and a password, unless their owner is from a provider: then the answer tells
/// where to sign in.
pub(crate) async fn refuse_password(
    state: &State,
    parts: &Parts,
    name: &str,
    error: Error,
) -> Result<Response<Body>, ApiError> {
    if !error.is(Kind::Unauthenticated) {
        return Err(error.into());
    }
    match sources::way_to_sign_in(&state.domain, name).await? {
        Some(path) => Ok(sent_to(state, parts, &path)),
        None => Err(error.into()),
    }
}

/// Where somebody signs out who is from a provider.
pub(crate) async fn logs_out_there(
    state: &State,
    parts: &Parts,
    caller: &Caller,
) -> Result<Option<Response<Body>>> {
    let Some(id) = caller.user_id() else { return Ok(None) };
    let account = sources::account(&state.domain, id).await?;
    Ok(account.map(|_| sent_to(state, parts, LOGOUT)))
}

/// Harbor's way to have the portal send its browser somewhere.
fn sent_to(state: &State, parts: &Parts, path: &str) -> Response<Body> {
    let location = format!("{}{path}", auth::origin(state, parts));
    let mut response = Json(json!({"redirect_location": location})).into_response();
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// Begins a session for somebody for whom a source vouched.
pub(crate) async fn begin_session(
    state: &State,
    parts: &Parts,
    user: &User,
    response: &mut Response<Body>,
) -> Result<()> {
    let caller = auth::from_client(Caller::user(user), &parts.extensions);
    let (agent, before) = (agent(&parts.headers), auth::session_id(&parts.headers));
    let begun = sessions::begin(&state.domain, user, caller.who(), agent, before.as_ref()).await?;
    auth::hold(state, &parts.extensions, response, Some(begun));
    response.extensions_mut().insert(Principal(user.username.clone()));
    Ok(())
}

/// A parameter of a query, the first of its name.
pub(crate) fn first<'u>(uri: &'u Uri, name: &str) -> Option<Cow<'u, str>> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(own, value)| own == name && !value.is_empty()).map(|(_, value)| value)
}

/// Whether a text is the path of a page of ours, with a query perhaps: whatever a browser
/// makes of it, it stays here.
pub(crate) fn is_own_path(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= LONGEST_BACK_TO
        && bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// The path, or the portal's first page.
pub(crate) fn own_path(text: &str) -> Cow<'_, str> {
    if is_own_path(text) { Cow::Borrowed(text) } else { Cow::Borrowed("/") }
}

/// Sends a browser somewhere.
pub(crate) fn redirect(to: &str) -> Result<Response<Body>> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::try_from(to).map_err(Error::internal)?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The name of the cookie of an attempt; of what is no state, one that nobody has.
fn attempt_cookie(state: &str) -> String {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match state.get(..STATE_SHOWN).filter(|shown| shown.bytes().all(fine)) {
        Some(shown) => format!("{ATTEMPT}{shown}"),
        None => format!("{ATTEMPT}none"),
    }
}

/// Has the browser keep something for these pages; nothing for no time makes it forget.
fn keep(
    state: &State,
    parts: &Parts,
    response: &mut Response<Body>,
    (name, value): (&str, &str),
    patience: Duration,
) -> Result<()> {
    let seconds = patience.as_secs();
    let mut cookie =
        format!("{name}={value}; Path=/c/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    if auth::is_secure(state, &parts.extensions) {
        cookie.push_str("; Secure");
    }
    let cookie = HeaderValue::try_from(cookie).map_err(Error::internal)?;
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_back_to() {
        for own in ["/", "/harbor/projects?x=1&y=%2F", "/a//b", "/a?b=http://c"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in [
            "",
            "x",
            "//evil",
            "/\\evil",
            "https://evil",
            "javascript:alert(1)",
            "/a\r\nX: y",
            "/\tevil",
            "/ evil",
            "\\/evil",
            "/a\\b",
            "/\u{e9}",
            "/\0",
            "/%0d%0aX: y\n",
            &format!("/{}", "x".repeat(1024)),
        ] {
            assert!(!is_own_path(other), "{other:?}");
        }
    }
}
