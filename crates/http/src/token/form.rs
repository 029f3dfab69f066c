//! POST: OAuth2 (RFC 6749, sections 4.3 and 6, as distribution's specification has it).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{self, Request},
    http::{Extensions, HeaderValue, Response, header::CONTENT_TYPE},
};
use domain::{
    access::Caller,
    sign_in::{self, Way},
    tokens,
};
use kit::{Error, Kind, Result};
use serde_json::json;

use super::{Asked, answer, refresh_token};
use crate::{
    State,
    api::{ApiError, read_body},
    auth,
};

/// What a client shows of itself.
#[derive(Default)]
struct Form {
    asked: Asked,
    grant_type: Option<String>,
    username: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
}

impl Form {
    fn read(body: &[u8]) -> Result<Self> {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "grant_type" => form.grant_type = Some(value.into_owned()),
                "username" => form.username = Some(value.into_owned()),
                "password" => form.password = Some(value.into_owned()),
                "refresh_token" => form.refresh_token = Some(value.into_owned()),
                _ => form.asked.take(&name, &value)?,
            }
        }
        Ok(form)
    }
}

/// Answers a POST.
pub(super) async fn by_form(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match token(&state, &parts.extensions, body).await {
        Ok(response) => response,
        Err(error) => refusal(error),
    }
}

async fn token(state: &State, extensions: &Extensions, body: Body) -> Result<Response<Body>> {
    let form = Form::read(&read_body(body).await?)?;
    form.asked.check_service()?;
    let (caller, refresh) = match form.grant_type.as_deref() {
        Some("password") => {
            let (username, password) =
                (present(form.username, "username")?, present(form.password, "password")?);
            let attempt = auth::attempt(extensions, Way::Registry);
            let caller =
                sign_in::by_password(&state.domain, &username, &password, &attempt).await?;
            let refresh = refresh_token(state, &caller, form.asked.offline).await?;
            (caller, refresh)
        }
        Some("refresh_token") => {
            let refresh = present(form.refresh_token, "refresh_token")?;
            let user = tokens::verify_refresh(&state.domain, &refresh).await?;
            (Caller::user(&user), Some(refresh))
        }
        Some(_) => {
            let message = "the parameter grant_type must be password or refresh_token";
            return Err(Error::new(Kind::Unsupported, message));
        }
        None => return Err(missing("grant_type")),
    };
    let issued = tokens::issue(&state.domain, &caller, &form.asked.scopes).await?;
    answer(&caller, &issued, refresh, true).map_err(ApiError::into_inner)
}

fn present(value: Option<String>, name: &str) -> Result<String> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("the parameter {name} is missing"))
}

/// OAuth2's form of an error (RFC 6749, section 5.2), beside the registry's, since
/// clients look for either.
fn refusal(error: Error) -> Response<Body> {
    let code = match error.kind {
        Kind::Unauthenticated => "invalid_grant",
        Kind::Unsupported => "unsupported_grant_type",
        Kind::Invalid => "invalid_request",
        _ => return ApiError::from(error).into_answer(),
    };
    let description = error.message.to_string();
    let response = ApiError::from(error);
    let body = json!({
        "error": code,
        "error_description": description,
        "errors": response.entries(),
    });
    let mut response = response.into_answer();
    *response.body_mut() = Body::from(body.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
