//! The OpenAPI document, which is made of what the operations declare.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use bytes::Bytes;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApiBuilder, Paths, RefOr, Schema, SecurityRequirement,
    security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};

use super::{named, operation::Declared};
use crate::State;

/// Where the document is: at its own address, and where Harbor's clients look for one.
const ADDRESSES: [&str; 3] = ["/api/v2.0/openapi.json", "/api/v2.0/swagger.json", "/swagger.json"];

/// The document in the making.
#[derive(Default)]
pub(super) struct Document {
    paths: Paths,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

impl Document {
    /// Adds an operation.
    ///
    /// # Panics
    /// When two types that differ have one name: one of them would be lost.
    pub(super) fn add(&mut self, declared: Declared) {
        let Declared { method, path, tag, id, summary, description } = declared;
        let (operation, schemas) = description.into_operation(id, tag, summary);
        self.paths.add_path_operation(path, vec![method], operation);
        for (name, schema) in schemas {
            let known = self.schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            assert!(*known == schema, "two types are called {name} in the document");
        }
    }

    /// The routes that serve the document.
    pub(super) fn into_router(self, version: &str) -> Router<Arc<State>> {
        let json = Bytes::from(self.into_json(version));
        let serve = move || {
            let json = json.clone();
            async move { ([(CONTENT_TYPE, "application/json")], json) }
        };
        ADDRESSES.iter().fold(Router::new(), |router, address| {
            router.route(address, named("getOpenApi", get(serve.clone())))
        })
    }

    fn into_json(self, version: &str) -> String {
        let info = InfoBuilder::new()
            .title("Haven")
            .version(version)
            .description(Some("Harbor's API, and what only Haven has below /api/haven/v1."));
        let basic = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("sid")));
        let components = ComponentsBuilder::new()
            .security_scheme("basic", basic)
            .security_scheme("session", session)
            .schemas_from_iter(self.schemas);
        let nothing: [&str; 0] = [];
        let securities = [
            SecurityRequirement::new("basic", nothing),
            SecurityRequirement::new("session", nothing),
            SecurityRequirement::default(),
        ];
        OpenApiBuilder::new()
            .info(info.build())
            .paths(self.paths)
            .components(Some(components.build()))
            .security(Some(securities))
            .build()
            .to_json()
            .unwrap_or_default()
    }
}
