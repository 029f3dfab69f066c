//! What all lists are asked by: `page` and `page_size`, most also by `q` and `sort`.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{Uri, request::Parts},
};
use domain::Listing;
use kit::{
    Page, Result, Selection,
    query::{Filter, Sort},
};
use utoipa::IntoParams;

use super::{
    super::{
        answer::Listed,
        describe::{Description, Input},
    },
    ParameterIn,
};

/// A page of a list.
pub(in crate::api) struct PageRequest {
    uri: Uri,
}

/// A page of a list that can be filtered and sorted.
pub(in crate::api) struct ListRequest(PageRequest);

/// As the document shows it; it is read by [`Page::from_query`].
#[derive(IntoParams)]
#[allow(dead_code)]
struct PageParameters {
    /// The number of the page, from 1.
    #[param(default = 1)]
    page: Option<i64>,
    /// How many entries a page has.
    #[param(default = 10, minimum = 1, maximum = 100)]
    page_size: Option<i64>,
}

/// As the document shows it; it is read by [`Filter::parse`] and [`Sort::parse`].
#[derive(IntoParams)]
#[allow(dead_code)]
struct ListParameters {
    /// Which entries: `k=v` equal, `k=~v` containing, `k=[min~max]` between, `k={v1 v2}` one
    /// of, `k=(v1 v2)` all of; several with commas between them.
    q: Option<String>,
    /// In what order: `sort=k1,-k2` by k1 first, then by k2 backwards.
    sort: Option<String>,
}

impl PageRequest {
    /// Which page.
    ///
    /// # Errors
    /// Unprocessable when there can be no such page.
    pub(in crate::api) fn page(&self) -> Result<Page> {
        Page::from_query(self.query())
    }

    /// The answer: each entry that was found on the page as clients see it.
    pub(in crate::api) fn answer<T, M>(
        &self,
        found: Listing<T>,
        show: impl FnMut(T) -> M,
    ) -> Listed<M> {
        Listed::new(&self.uri, self.page().unwrap_or_default(), found, show)
    }

    fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The first of the parameters with a name.
    fn text(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        let mut parameters = url::form_urlencoded::parse(self.query().as_bytes());
        parameters.find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

impl ListRequest {
    /// Which entries, in what order, which page.
    ///
    /// # Errors
    /// Unprocessable when there can be no such page; Invalid when `q` cannot be read.
    pub(in crate::api) fn selection(&self) -> Result<Selection> {
        Ok(Selection {
            page: self.0.page()?,
            filter: Filter::parse(&self.0.text("q").unwrap_or_default())?,
            sort: Sort::parse(&self.0.text("sort").unwrap_or_default())?,
        })
    }

    /// See [`PageRequest::answer`].
    pub(in crate::api) fn answer<T, M>(
        &self,
        found: Listing<T>,
        show: impl FnMut(T) -> M,
    ) -> Listed<M> {
        self.0.answer(found, show)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state).await?;
        Ok(Self { uri })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ListRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        PageRequest::from_request_parts(parts, state).await.map(Self)
    }
}

impl Input for PageRequest {
    fn describe(description: &mut Description) {
        for parameter in PageParameters::into_params(|| Some(ParameterIn::Query)) {
            description.parameter(parameter);
        }
        description.refuses(422);
    }
}

impl Input for ListRequest {
    fn describe(description: &mut Description) {
        PageRequest::describe(description);
        for parameter in ListParameters::into_params(|| Some(ParameterIn::Query)) {
            description.parameter(parameter);
        }
        description.refuses(400);
    }
}
