//! How a path names projects and repositories.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, request::Parts},
};
use domain::projects::ProjectRef;
use kit::{Error, Result};
use oci::RepositoryName;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    super::{
        ApiError,
        describe::{Description, Input},
    },
    Path,
};

/// Makes what stands for a project in a path a name, even when it is all digits.
const IS_RESOURCE_NAME: HeaderName = HeaderName::from_static("x-is-resource-name");

/// Has the answer to a creation name the project by its name.
const NAME_IN_LOCATION: HeaderName = HeaderName::from_static("x-resource-name-in-location");

/// A project by number if it is all digits, unless the client says that it is a name.
pub(in crate::api) struct Project {
    text: String,
    is_name: bool,
}

#[derive(Deserialize, IntoParams)]
struct ProjectPath {
    /// The name of the project, or its number.
    project_name_or_id: String,
}

impl Project {
    /// How it is named.
    pub(in crate::api) fn by(&self) -> ProjectRef<'_> {
        let text = self.text.as_str();
        if self.is_name || !text.bytes().all(|b| b.is_ascii_digit()) {
            return ProjectRef::Name(text);
        }
        text.parse().map_or(ProjectRef::Name(text), ProjectRef::Id)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Project {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(path) = Path::<ProjectPath>::from_request_parts(parts, state).await?;
        let is_name = says_true(&parts.headers, &IS_RESOURCE_NAME);
        Ok(Self { text: path.project_name_or_id, is_name })
    }
}

impl Input for Project {
    fn describe(description: &mut Description) {
        Path::<ProjectPath>::describe(description);
        let text = "Whether what stands for the project is its name, even if it is all digits.";
        description.header::<bool>("X-Is-Resource-Name", text);
    }
}

/// A repository by the name of its project and the rest of its name, which holds slashes:
/// clients encode it once or twice.
#[derive(Deserialize, IntoParams)]
pub(in crate::api) struct RepositoryPath {
    /// The name of the project.
    project_name: String,
    /// The name of the repository without its project. A slash in it is encoded twice:
    /// `a%252Fb`.
    repository_name: String,
}

/// See [`RepositoryPath`].
pub(in crate::api) struct Repository(RepositoryPath);

impl Repository {
    /// How its project is named.
    pub(in crate::api) fn project(&self) -> ProjectRef<'_> {
        ProjectRef::Name(&self.0.project_name)
    }

    /// Its full name.
    ///
    /// # Errors
    /// Invalid when it is not a name.
    pub(in crate::api) fn name(&self) -> Result<RepositoryName> {
        let rest = percent_decode_str(&self.0.repository_name).decode_utf8_lossy();
        format!("{}/{rest}", self.0.project_name)
            .parse()
            .map_err(|error: oci::NameError| Error::invalid(error.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Repository {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Path::from_request_parts(parts, state).await.map(|Path(path)| Self(path))
    }
}

impl Input for Repository {
    fn describe(description: &mut Description) {
        Path::<RepositoryPath>::describe(description);
    }
}

/// Whether the answer to a creation is to name the project by its name.
pub(in crate::api) struct NameInLocation(pub(in crate::api) bool);

impl<S: Send + Sync> FromRequestParts<S> for NameInLocation {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(says_true(&parts.headers, &NAME_IN_LOCATION)))
    }
}

impl Input for NameInLocation {
    fn describe(description: &mut Description) {
        let text = "Whether Location names the project by its name.";
        description.header::<bool>("X-Resource-Name-In-Location", text);
    }
}

/// Whether a header is there and says true.
fn says_true(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn repository_names_are_decoded_once_more() {
        let name = |rest: &str| {
            let (project_name, repository_name) = ("library".to_owned(), rest.to_owned());
            Repository(RepositoryPath { project_name, repository_name }).name()
        };
        for rest in ["a/b", "a%2Fb", "a%2fb"] {
            assert_eq!(name(rest).unwrap().as_str(), "library/a/b");
        }
        assert!(name("../x").is_err());
        assert!(name("").is_err());
    }

    #[test]
    fn digits_are_a_number_unless_said_otherwise() {
        let project = |text: &str, is_name| Project { text: text.to_owned(), is_name };
        assert_eq!(project("12", false).by(), ProjectRef::Id(12));
        assert_eq!(project("a12", false).by(), ProjectRef::Name("a12"));
        let beyond = "99999999999999999999";
        assert_eq!(project(beyond, false).by(), ProjectRef::Name(beyond));
        assert_eq!(project("12", true).by(), ProjectRef::Name("12"));
    }
}
