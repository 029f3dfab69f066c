//! Which parts of artifacts a client wants to see.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{
    Context,
    access::Allowed,
    artifacts::With,
    immutability::{self, Rules},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::{
    ApiError,
    describe::{Description, Input},
    request::Query,
};

/// The flags of lists of artifacts.
pub(super) struct Flags(Query<Parameters>);

/// The flags of one artifact.
pub(super) struct FlagsOfOne(pub(super) Flags);

/// The flags of a list of a project's artifacts.
pub(super) struct FlagsInProject {
    pub(super) flags: Flags,
    latest: bool,
}

#[derive(Deserialize, IntoParams)]
struct Parameters {
    /// Whether to show tags.
    #[param(default = true)]
    with_tag: Option<bool>,
    /// Whether to show labels.
    #[param(default = false)]
    with_label: Option<bool>,
    /// Whether to show what was found by scanning.
    #[param(default = false)]
    #[allow(dead_code)]
    with_scan_overview: Option<bool>,
    /// Whether to show how bills of materials were made.
    #[param(default = false)]
    #[allow(dead_code)]
    with_sbom_overview: Option<bool>,
    /// Whether to say of tags that they are immutable.
    #[param(default = false)]
    with_immutable_status: Option<bool>,
    /// Whether to show what is about the artifact, such as signatures. It is shown unless this
    /// is false.
    #[param(default = false)]
    with_accessory: Option<bool>,
    /// Whether to show the signatures of indexes that list the artifact.
    #[param(default = false)]
    with_inherited_accessory: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
struct Signature {
    /// Says nothing any more: signatures are accessories.
    #[param(default = false)]
    #[allow(dead_code)]
    with_signature: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
struct Latest {
    /// Whether to show of each repository only the artifact that was pushed last, among those
    /// of the `media_type` or of the `artifact_type` that the `q` names.
    #[param(default = false)]
    latest_in_repository: Option<bool>,
}

impl Flags {
    /// Which parts are shown.
    pub(super) fn with(&self) -> With {
        let Query(asked) = &self.0;
        With {
            tags: asked.with_tag.unwrap_or(true),
            labels: asked.with_label.unwrap_or(false),
            accessories: asked.with_accessory.unwrap_or(true),
            inherited: asked.with_inherited_accessory.unwrap_or(false),
        }
    }

    /// The rules that keep tags as they are, if it is to be told of tags whether they do.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn rules(
        &self,
        context: &Context,
        allowed: &Allowed,
    ) -> kit::Result<Option<Arc<Rules>>> {
        match self.0.0.with_immutable_status {
            Some(true) => immutability::known(context, allowed.project().id).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl FlagsInProject {
    /// Whether of each repository only the last is wanted.
    pub(super) fn latest(&self) -> bool {
        self.latest
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Flags {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::from_request_parts(parts, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FlagsOfOne {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::<Signature>::from_request_parts(parts, state).await?;
        Flags::from_request_parts(parts, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FlagsInProject {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(latest) = Query::<Latest>::from_request_parts(parts, state).await?;
        let flags = Flags::from_request_parts(parts, state).await?;
        Ok(Self { flags, latest: latest.latest_in_repository.unwrap_or(false) })
    }
}

impl Input for Flags {
    fn describe(description: &mut Description) {
        Query::<Parameters>::describe(description);
        accepts_reports(description);
    }
}

impl Input for FlagsOfOne {
    fn describe(description: &mut Description) {
        Flags::describe(description);
        Query::<Signature>::describe(description);
    }
}

impl Input for FlagsInProject {
    fn describe(description: &mut Description) {
        Flags::describe(description);
        Query::<Latest>::describe(description);
    }
}

/// The header by which a client says which forms of a scanner's report it understands.
pub(super) fn accepts_reports(description: &mut Description) {
    let text = "The media types of reports that the client understands, with commas between.";
    description.header::<String>("X-Accept-Vulnerabilities", text);
}
