//! `/service/token`: a name and a password, or nothing, become a token (distribution's
//! token specification, and Harbor's way with it).
//!
//! GET takes Basic credentials or none. POST is OAuth2: a password or a refresh token in
//! a form. Wrong credentials are always refused; who has none gets a token for what
//! everybody may do, if it asks for anything.

mod form;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract,
    http::{
        HeaderValue, Response, StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE},
        request::Parts,
    },
    routing::get,
};
use domain::{
    access::{self, Caller},
    tokens::{self, Issued, SERVICE},
};
use kit::{Error, Kind, Result};
use oci::Scope;
use serde::Serialize;

use crate::{
    Principal, State,
    api::{ApiError, Timestamp, named},
    auth,
};

/// The routes of this file.
pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route(
        "/service/token",
        named("token_get", get(by_basic))
            .merge(named("token_post", axum::routing::post(form::by_form))),
    )
}

/// What is asked for, in the query of a GET or the form of a POST.
#[derive(Default)]
struct Asked {
    service: Option<String>,
    scopes: Vec<Scope>,
    /// Whether a refresh token is wanted too.
    offline: bool,
}

impl Asked {
    /// Takes in a parameter; those that are not known do not matter.
    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "service" => self.service = Some(value.to_owned()),
            "scope" => {
                let scopes = Scope::parse_list(value).map_err(|error| {
                    Error::invalid(format!("the parameter scope is not understood: {error}"))
                })?;
                self.scopes.extend(scopes);
            }
            "offline_token" => self.offline |= value == "true",
            "access_type" => self.offline |= value == "offline",
            _ => {}
        }
        Ok(())
    }

    /// Whether a token for another service is asked for.
    fn check_service(&self) -> Result<()> {
        match self.service.as_deref() {
            Some(SERVICE) => Ok(()),
            Some(other) => Err(Error::invalid(format!(
                "Unable to handle service: {other}. The parameter service must be {SERVICE}"
            ))),
            None => Err(Error::invalid(format!(
                "the parameter service is missing, it must be {SERVICE}"
            ))),
        }
    }
}

/// The answer to both GET and POST.
#[derive(Serialize)]
struct Answer<'a> {
    token: &'a str,
    access_token: &'a str,
    /// Seconds.
    expires_in: u64,
    issued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

async fn by_basic(
    extract::State(state): extract::State<Arc<State>>,
    parts: Parts,
) -> Result<Response<Body>, ApiError> {
    let found = auth::password_caller(&state, &parts.headers, &parts.extensions).await;
    let caller = match found {
        Ok(caller) => caller,
        Err(refused) => return Ok(unauthorized(refused.into_error())),
    };
    let asked = read_query(&parts.uri)?;
    if caller.is_anonymous() && asked.scopes.is_empty() {
        // This is how `docker login` finds out that it has to send a password.
        let message = "authentication is required to get a token without a scope";
        return Ok(unauthorized(Error::new(Kind::Unauthenticated, message)));
    }
    asked.check_service()?;
    let refresh = refresh_token(&state, &caller, asked.offline).await?;
    let issued = tokens::issue(&state.domain, &caller, &asked.scopes).await?;
    answer(&caller, &issued, refresh, false)
}

/// A refresh token, if one is wanted: users that show their password get one. Robots do with
/// their secret, and personal tokens and CLI secrets are to end when they are revoked.
async fn refresh_token(state: &State, caller: &Caller, wanted: bool) -> Result<Option<String>> {
    if !wanted || caller.user_id().is_none() || !caller.is_in_person() {
        return Ok(None);
    }
    let user = access::user(&state.domain, caller).await?;
    tokens::issue_refresh(&state.domain, &user).map(Some)
}

fn read_query(uri: &Uri) -> Result<Asked> {
    let mut asked = Asked::default();
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        asked.take(&name, &value)?;
    }
    Ok(asked)
}

fn answer(
    caller: &Caller,
    issued: &Issued,
    refresh_token: Option<String>,
    with_scope: bool,
) -> Result<Response<Body>, ApiError> {
    let granted = || issued.granted.iter().map(Scope::to_string).collect::<Vec<_>>().join(" ");
    let body = serde_json::to_vec(&Answer {
        token: &issued.token,
        access_token: &issued.token,
        expires_in: issued.lifetime.as_secs(),
        issued_at: issued.issued_at.into(),
        refresh_token,
        scope: with_scope.then(granted),
    })
    .map_err(Error::internal)?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(name) = caller.name() {
        response.extensions_mut().insert(Principal(name.clone()));
    }
    Ok(response)
}

/// A refusal; who could not be found out is not refused but told so.
fn unauthorized(error: Error) -> Response<Body> {
    let mut response = ApiError::from(error).into_answer();
    if response.status() == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static(r#"Basic realm="harbor""#);
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}
