//! What operations take of a request. Each kind of thing is read in one place, and says of
//! itself what the OpenAPI document tells.
//!
//! What a path and a query have to look like is looked at before anything else, as Harbor
//! does; a body and a `q` only by the handler, once it knows that the caller may.

mod body;
mod list;
mod path;
mod project;
mod query;
mod strict;

use axum::{Extension, extract::OriginalUri, extract::State, http::HeaderMap};
use domain::access::Caller;
use utoipa::openapi::path::ParameterIn;

pub(super) use body::{Sent, null_is_nothing, whatever};
pub(crate) use body::{parse_body, read_body};
pub(super) use list::{ListRequest, PageRequest};
pub(super) use path::Path;
pub(super) use project::{NameInLocation, Project, Repository};
pub(super) use query::Query;

use super::describe::{Description, Input};
use crate::auth::FromPage;

/// What takes nothing that a client would have to be told of.
macro_rules! untold {
    ($($type:ty)*) => {$(
        impl Input for $type {
            fn describe(_: &mut Description) {}
        }
    )*};
}

untold!(Extension<Caller> FromPage HeaderMap OriginalUri axum::http::request::Parts);

impl<S> Input for State<S> {
    fn describe(_: &mut Description) {}
}
