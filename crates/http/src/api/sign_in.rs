//! How somebody can sign in, for the page that asks for it: told to everybody.

use std::sync::Arc;

use axum::{Json, extract};
use domain::sources;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, Operations};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::haven("sign-in").get("/sign-in", "getSignIn", "How one can sign in.", show, &[])
}

/// The ways to sign in beside a name and a password.
#[derive(Serialize, ToSchema)]
struct SignIn {
    /// The OpenID providers that are asked, in order.
    providers: Vec<SignInProvider>,
}

/// An OpenID provider, as it is shown to who wants to sign in.
#[derive(Serialize, ToSchema)]
struct SignInProvider {
    /// What `/c/oidc/login` takes as `source`.
    id: i64,
    name: String,
}

async fn show(extract::State(state): extract::State<Arc<State>>) -> Result<Json<SignIn>, ApiError> {
    let found = sources::providers(&state.domain).await?;
    let provider = |(id, name)| SignInProvider { id, name };
    Ok(Json(SignIn { providers: found.into_iter().map(provider).collect() }))
}
