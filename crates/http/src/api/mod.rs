//! Harbor's API, `/api/v2.0`: one file for each room. What is not served yet is 404.

mod activity;
mod address;
mod allowlists;
mod answer;
mod artifact_changes;
mod artifacts;
mod audit;
mod candidates;
mod configurations;
mod current_permissions;
mod describe;
mod error;
mod find;
mod gc;
mod health;
mod history;
mod icons;
mod identity_sources;
mod immutable;
mod internal;
mod jobservice;
mod labels;
mod ldap;
mod members;
mod metadata;
mod oidc;
mod openapi;
mod operation;
mod overview;
mod permissions;
mod personal_tokens;
mod ping;
mod projects;
mod purges;
mod quotas;
mod repositories;
mod request;
mod retention;
mod retention_metadata;
mod retention_policy;
mod retention_runs;
mod robots;
mod roles;
mod schedules;
mod search;
mod second_factor;
mod sessions;
mod sign_in;
mod statistics;
mod systeminfo;
mod tags;
mod trusts;
mod usergroups;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::{self, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use openapi::Document;
use operation::Operations;

pub(crate) use address::tidy;
pub(crate) use answer::Timestamp;
pub(crate) use error::{ApiError, not_found};
pub(crate) use request::{parse_body, read_body};

use crate::{
    Principal, Route, State, auth, authproxy, oidc as by_provider, portal, read_only, site, token,
};

/// Everything but `/v2`.
pub(crate) fn router(state: Arc<State>) -> Router {
    let protect = middleware::from_fn_with_state(state.clone(), auth::protect);
    let read_only = middleware::from_fn_with_state(state.clone(), keep);
    let who = middleware::from_fn_with_state(state.clone(), identify);
    let mut document = Document::default();
    let mut routes = |operations: Vec<Operations>| {
        operations.into_iter().fold(Router::new(), |router, operations| {
            router.merge(operations.into_router(&mut document))
        })
    };
    let known = routes(vec![
        projects::operations(),
        projects::haven_operations(),
        audit::operations(),
        audit::project_operations(),
        metadata::operations(),
        members::operations(),
        members::haven_operations(),
        candidates::operations(),
        robots::operations(),
        trusts::operations(),
        permissions::operations(),
        users::operations(),
        users::haven_operations(),
        sessions::operations(),
        sign_in::operations(),
        second_factor::operations(),
        personal_tokens::operations(),
        personal_tokens::harbor_operations(),
        usergroups::operations(),
        current_permissions::operations(),
        roles::operations(),
        repositories::operations(),
        artifacts::operations(),
        artifact_changes::operations(),
        tags::operations(),
        labels::operations(),
        labels::artifact_operations(),
        immutable::operations(),
        artifacts::project_operations(),
        artifacts::addition_operations(),
        icons::operations(),
        retention::operations(),
        retention_metadata::operations(),
        retention_runs::operations(),
        search::operations(),
        find::operations(),
        systeminfo::operations(),
        configurations::operations(),
        statistics::operations(),
        activity::operations(),
        overview::operations(),
        purges::operations(),
        jobservice::operations(),
        schedules::operations(),
        schedules::haven_operations(),
        quotas::operations(),
        quotas::haven_operations(),
        gc::operations(),
        allowlists::operations(),
        ldap::operations(),
        ldap::haven_operations(),
        oidc::operations(),
        identity_sources::operations(),
    ]);
    let portal = portal::router()
        .merge(by_provider::router())
        .merge(authproxy::router())
        .route_layer(who.clone());
    let open = routes(vec![ping::operations(), health::operations()]);
    Router::new()
        .merge(known.merge(internal::router()).route_layer(who))
        .merge(open)
        .merge(document.into_router(state.version))
        .merge(ping::version_router())
        .merge(token::router())
        .merge(portal)
        .fallback(site::serve)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(read_only)
        .layer(protect)
        .with_state(state)
}

/// Gives the operations of some methods the name by which metrics and logs know them.
pub(crate) fn named(
    name: &'static str,
    methods: MethodRouter<Arc<State>>,
) -> MethodRouter<Arc<State>> {
    methods.layer(middleware::map_response(move |mut response: Response| async move {
        response.extensions_mut().insert(Route(name));
        response
    }))
}

/// Keeps everything as it is in read-only mode.
async fn keep(
    extract::State(state): extract::State<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    match read_only::check(&state.domain, request.method(), request.uri().path()).await {
        Ok(()) => next.run(request).await,
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// Finds out who asks, for the operations and for the access line.
async fn identify(
    extract::State(state): extract::State<Arc<State>>,
    mut request: Request,
    next: Next,
) -> Response {
    let found = auth::api_caller(&state, request.headers(), request.extensions()).await;
    let caller = match found {
        Ok(caller) => caller,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let name = caller.name().cloned();
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    if let Some(name) = name {
        response.extensions_mut().insert(Principal(name));
    }
    response
}
