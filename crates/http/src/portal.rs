//! `/c/`: what the portal asks for that is no resource of the API: signing in and out, and
//! whether a name is taken. Harbor's own portal asks in the same way.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{self, Request},
    http::{HeaderMap, Response, header::USER_AGENT},
    routing::{get, post},
};
use domain::{
    access::{self, Action, Caller, Resource, Right},
    sessions,
    settings::{self, Key},
    sign_in::{self, Way},
    users::{self, Unique},
};
use kit::{Error, Kind, Secret};

use crate::{
    Principal, State,
    api::{ApiError, named, read_body},
    auth, oidc,
};

/// The routes of this file.
pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/c/login", named("login", post(log_in)))
        .route("/c/log_out", named("log_out", get(log_out)))
        .route("/c/userExists", named("user_exists", post(user_exists)))
}

/// What the form for signing in sends.
#[derive(Default)]
struct LogIn {
    principal: String,
    password: Secret,
    /// A code of the second factor.
    totp: Option<String>,
}

impl LogIn {
    fn read(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "principal" => form.principal = value.into_owned(),
                "password" => form.password = value.into_owned().into(),
                "totp" => form.totp = Some(value.into_owned()),
                _ => {}
            }
        }
        form
    }
}

/// Begins a session. The answer is empty; 401 when the name or the password is wrong, and when
/// a code of the second factor is needed: the code of the error says so then.
async fn log_in(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let (asked, body) = request.into_parts();
    let form = LogIn::read(&read_body(body).await?);
    let attempt = auth::attempt(&asked.extensions, Way::Portal);
    let (password, code) = (form.password.reveal(), form.totp.as_deref());
    let signed_in =
        sign_in::in_portal(&state.domain, &form.principal, password, code, &attempt).await;
    let caller = match signed_in {
        Ok(caller) => caller,
        Err(error) => return oidc::refuse_password(&state, &asked, &form.principal, error).await,
    };
    let user = access::user(&state.domain, &caller).await?;
    let (agent, before) = (agent(&asked.headers), auth::session_id(&asked.headers));
    let begun = sessions::begin(&state.domain, &user, caller.who(), agent, before.as_ref()).await?;
    let mut response = Response::new(Body::empty());
    auth::hold(&state, &asked.extensions, &mut response, Some(begun));
    response.extensions_mut().insert(Principal(user.username.clone()));
    Ok(response)
}

/// Ends the session that the client shows, if it shows one. Whoever is from an OpenID provider
/// is sent to where that is told of it.
async fn log_out(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let (asked, _) = request.into_parts();
    if let Some(elsewhere) = oidc::logs_out_there(&state, &asked, &caller).await? {
        return Ok(elsewhere);
    }
    if let Some(id) = auth::session_id(&asked.headers) {
        sessions::end(&state.domain, &id, caller.who()).await?;
    }
    let mut response = Response::new(Body::empty());
    auth::hold(&state, &asked.extensions, &mut response, None);
    Ok(response)
}

/// Whether a user has a name or an e-mail address: for whoever is about to register.
async fn user_exists(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Json<bool>, ApiError> {
    let right = Right::new(Resource::User, Action::Create);
    let registering = settings::current(&state.domain).await?.flag(Key::SelfRegistration);
    if !registering && access::on_system(&state.domain, &caller, right).await.is_err() {
        let message = "self registration disabled, only sysadmin can check user existence";
        return Err(Error::new(Kind::Precondition, message).into());
    }
    let (mut target, mut value) = (String::new(), String::new());
    for (name, of) in url::form_urlencoded::parse(&read_body(request.into_body()).await?) {
        match &*name {
            "target" => target = of.into_owned(),
            "value" => value = of.into_owned(),
            _ => {}
        }
    }
    let what = match target.as_str() {
        "username" => Unique::Name,
        "email" => Unique::Email,
        _ => return Err(Error::invalid("the field target must be username or email").into()),
    };
    Ok(Json(users::is_taken(&state.domain, what, &value).await?))
}

/// The client's program, as it calls itself.
pub(crate) fn agent(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default()
}
