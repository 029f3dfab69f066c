//! What stands in a path.

use axum::{
    extract::{self, FromRequestParts, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use kit::{Error, Kind};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::{
    super::{
        ApiError,
        describe::{Description, Input},
    },
    ParameterIn,
};

/// The parts of a path by name, as a struct; those that it does not have do not matter.
pub(in crate::api) struct Path<T>(pub(in crate::api) T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(refused(rejection).into()),
        }
    }
}

fn refused(rejection: PathRejection) -> Error {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Error::internal(rejection);
    };
    match failed.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, .. } => {
            let message = format!("{key} in path must be a whole number: {value:?}");
            Error::new(Kind::Unprocessable, message)
        }
        ErrorKind::InvalidUtf8InPathParam { key } => {
            Error::invalid(format!("{key} in path is not UTF-8"))
        }
        kind => Error::internal(kind.to_string()),
    }
}

impl<T: IntoParams> Input for Path<T> {
    fn describe(description: &mut Description) {
        for parameter in T::into_params(|| Some(ParameterIn::Path)) {
            description.parameter(parameter);
        }
        description.refuses(422);
    }
}
