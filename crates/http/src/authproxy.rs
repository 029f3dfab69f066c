//! `/c/authproxy/redirect`: a browser comes from an auth proxy with a token that the proxy
//! reviews. Whatever is wrong with it, it ends on the portal's first page.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract,
    http::{Response, request::Parts},
    routing::get,
};
use domain::sources;
use kit::{Error, Kind};

use crate::{
    State,
    api::{ApiError, named},
    oidc::{begin_session, first, own_path, redirect},
};

/// The routes of this file.
pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route("/c/authproxy/redirect", named("authproxy_redirect", get(come)))
}

async fn come(
    extract::State(state): extract::State<Arc<State>>,
    parts: Parts,
) -> Result<Response<Body>, ApiError> {
    if !sources::has_proxy(&state.domain).await? {
        let message = "the auth mode does not support this flow";
        return Err(Error::new(Kind::Precondition, message).into());
    }
    let token = first(&parts.uri, "token").unwrap_or_default();
    let user = match sources::by_session(&state.domain, &token).await {
        Ok(user) => user,
        Err(error) if error.is(Kind::Internal) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "nobody was let in by an auth proxy");
            None
        }
    };
    let Some(user) = user else { return Ok(redirect("/")?) };
    let wanted = first(&parts.uri, "postURI").unwrap_or_default();
    let mut response = redirect(&own_path(&wanted))?;
    begin_session(&state, &parts, &user, &mut response).await?;
    Ok(response)
}
