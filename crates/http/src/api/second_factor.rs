//! The second factor of local users.

use std::sync::Arc;

use axum::{
    Extension, Json, extract,
    http::{Uri, request::Parts},
};
use domain::{
    access::{self, Caller},
    second_factor,
    sign_in::{self, Way},
};
use kit::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError, Operations,
    answer::{Done, Timestamp},
    request::{Path, Sent, null_is_nothing},
};
use crate::{State, auth};

const OWN: &str = "/users/current/totp";

/// The operations of this file.
pub(super) fn operations() -> Operations {
    let refusals = &[400, 401, 403, 409, 412, 429];
    Operations::haven("totp")
        .get(OWN, "getOwnTotp", "How it stands with my second factor.", status, &[401, 403])
        .post(OWN, "enrolTotp", "Makes the secret for my phone.", enrol, refusals)
        .put(OWN, "confirmTotp", "Turns my second factor on.", confirm, refusals)
        .post("/users/current/totp/disable", "disableTotp", "Turns it off.", disable_own, refusals)
        .post(
            "/users/current/totp/recovery_codes",
            "renewRecoveryCodes",
            "New recovery codes in place of all old ones.",
            renew,
            refusals,
        )
        .delete(
            "/users/{user_id}/totp",
            "resetTotp",
            "Turns a user's second factor off, which has lost it.",
            disable,
            &[401, 403, 404, 412],
        )
}

/// A user in a path.
#[derive(Deserialize, IntoParams)]
struct UserPath {
    /// The number of the user.
    user_id: i64,
}

/// How it stands with a second factor.
#[derive(Serialize, ToSchema)]
struct TotpStatus {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_at: Option<Timestamp>,
    /// How many recovery codes are left.
    recovery_codes: i64,
}

/// The password of the one who asks, once more.
#[derive(Deserialize, ToSchema)]
struct TotpEnrolReq {
    #[serde(default, deserialize_with = "null_is_nothing")]
    #[schema(value_type = String)]
    password: Secret,
}

/// What the phone has to know; shown once.
#[derive(Serialize, ToSchema)]
struct TotpEnrolment {
    /// In base32, to be typed.
    secret: String,
    /// As an address, to be shown as a code of squares.
    uri: String,
}

/// A code of the phone, or a recovery code where that will do.
#[derive(Deserialize, ToSchema)]
struct TotpCode {
    #[serde(default, deserialize_with = "null_is_nothing")]
    code: String,
}

/// Recovery codes; shown once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

impl From<Vec<Secret>> for RecoveryCodes {
    fn from(codes: Vec<Secret>) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.reveal().to_owned()).collect() }
    }
}

async fn status(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<TotpStatus>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let status = second_factor::status(&state.domain, &allowed).await?;
    Ok(Json(TotpStatus {
        enabled: status.since.is_some(),
        enabled_at: status.since.map(Timestamp::from),
        recovery_codes: status.recovery_codes,
    }))
}

async fn enrol(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    parts: Parts,
    request: Sent<TotpEnrolReq>,
) -> Result<Json<TotpEnrolment>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let password = request.read().await?.password;
    let attempt = auth::attempt(&parts.extensions, Way::Portal);
    sign_in::confirm(&state.domain, &allowed, password.reveal(), &attempt).await?;
    let secret = second_factor::enrol(&state.domain, &allowed).await?;
    let secret = secret.reveal().to_owned();
    let uri = address(&auth::origin(&state, &parts), &allowed.user().username, &secret);
    Ok(Json(TotpEnrolment { secret, uri }))
}

/// The address by which phones take a secret, named by the host it is for.
fn address(origin: &str, name: &str, secret: &str) -> String {
    let host = origin.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let issuer = encode(&format!("Haven {}", host.unwrap_or_default()));
    let name = encode(name);
    format!(
        "otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

async fn confirm(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<TotpCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let code = request.read().await?.code;
    Ok(Json(second_factor::confirm(&state.domain, &allowed, &code).await?.into()))
}

async fn disable_own(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<TotpCode>,
) -> Result<Done, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let code = request.read().await?.code;
    second_factor::disable(&state.domain, &allowed, &code).await?;
    Ok(Done)
}

async fn renew(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<TotpCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let allowed = access::own_account(&state.domain, &caller).await?;
    let code = request.read().await?.code;
    Ok(Json(second_factor::renew_recovery_codes(&state.domain, &allowed, &code).await?.into()))
}

async fn disable(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<UserPath>,
) -> Result<Done, ApiError> {
    let allowed = access::on_account(&state.domain, &caller, path.user_id).await?;
    // Itself it may not without a code: an administrator's session is no second factor.
    second_factor::disable(&state.domain, &allowed, "").await?;
    Ok(Done)
}
