//! Operations: one declaration gives the route, the name in log and metrics, and the place
//! in the OpenAPI document, which reads everything else from the handler's types.

use std::sync::Arc;

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use utoipa::openapi::HttpMethod;

use super::{
    describe::{Described, Description},
    named,
    openapi::Document,
};
use crate::State;

/// The operations of one tag of the API.
pub(super) struct Operations {
    base: &'static str,
    tag: &'static str,
    router: Router<Arc<State>>,
    declared: Vec<Declared>,
}

/// One operation, for the document.
pub(super) struct Declared {
    pub(super) method: HttpMethod,
    pub(super) path: String,
    pub(super) tag: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: Description,
}

/// Declares an operation of a method: its path, its `operationId`, what it does in a few
/// words, its handler, and the statuses that it refuses with beside those that its
/// arguments bring with them.
macro_rules! methods {
    ($($name:ident $filter:ident $method:ident,)*) => {$(
        pub(super) fn $name<H, T, D>(
            self,
            path: &'static str,
            id: &'static str,
            summary: &'static str,
            handler: H,
            refusals: &[u16],
        ) -> Self
        where
            H: Handler<T, Arc<State>> + Described<D>,
            T: 'static,
        {
            let declared = (HttpMethod::$method, path, id, summary);
            self.add(MethodFilter::$filter, declared, handler, refusals)
        }
    )*};
}

impl Operations {
    /// Operations of Harbor's API, below `/api/v2.0`, with one of its tags.
    pub(super) fn harbor(tag: &'static str) -> Self {
        Self { base: "/api/v2.0", tag, router: Router::new(), declared: Vec::new() }
    }

    /// Operations that only Haven has, below `/api/haven/v1`.
    pub(super) fn haven(tag: &'static str) -> Self {
        Self { base: "/api/haven/v1", tag, router: Router::new(), declared: Vec::new() }
    }

    methods! {
        get GET Get,
        head HEAD Head,
        post POST Post,
        put PUT Put,
        patch PATCH Patch,
        delete DELETE Delete,
    }

    fn add<H, T, D>(
        mut self,
        filter: MethodFilter,
        (method, path, id, summary): (HttpMethod, &'static str, &'static str, &'static str),
        handler: H,
        refusals: &[u16],
    ) -> Self
    where
        H: Handler<T, Arc<State>> + Described<D>,
        T: 'static,
    {
        let mut description = Description::default();
        H::describe(&mut description);
        for status in refusals {
            description.refuses(*status);
        }
        let path = format!("{}{path}", self.base);
        // Requests come without a slash at the end, see `address`.
        self.router = self.router.route(path.trim_end_matches('/'), named(id, on(filter, handler)));
        self.declared.push(Declared { method, path, tag: self.tag, id, summary, description });
        self
    }

    /// The routes; what they are goes into the document.
    pub(super) fn into_router(self, document: &mut Document) -> Router<Arc<State>> {
        for declared in self.declared {
            document.add(declared);
        }
        self.router
    }
}
