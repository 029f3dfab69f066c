//! Settings.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, Json, extract};
use domain::{
    access::{self, Action, Caller, Principal, Resource, Right},
    configurations,
    settings::{self, Configuration, Key, Kind, Value},
};
use kit::Error;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, Type},
};

use super::{ApiError, Operations, answer::Done, request::Sent};
use crate::State;

/// The operations of this file.
pub(super) fn operations() -> Operations {
    Operations::harbor("configure")
        .get("/configurations", "getConfigurations", "The settings.", show, &[401, 403])
        .put(
            "/configurations",
            "updateConfigurations",
            "Changes settings.",
            update,
            &[401, 403, 422],
        )
        .get("/internalconfig", "getInternalconfig", "All settings.", show_internal, &[401, 403])
}

/// A setting as clients see it.
#[derive(Serialize, ToSchema)]
#[schema(as = InternalConfigurationValue)]
struct ItemModel {
    #[schema(value_type = Object)]
    value: serde_json::Value,
    editable: bool,
}

/// Settings by name.
type Items = BTreeMap<&'static str, ItemModel>;

/// The settings that are shown.
#[derive(Serialize)]
#[serde(transparent)]
struct ConfigurationsResponse(Items);

/// All settings.
#[derive(Serialize)]
#[serde(transparent)]
struct InternalConfigurationsResponse(Items);

/// The settings that a client may send, any of them, by name.
struct Configurations;

impl PartialSchema for ConfigurationsResponse {
    fn schema() -> RefOr<Schema> {
        let item = |kind| match kind {
            Kind::Map => object(),
            kind => Ref::from_schema_name(item_name(kind)).into(),
        };
        by_name(Key::is_shown, item)
    }
}

impl ToSchema for ConfigurationsResponse {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for kind in [Kind::Text, Kind::Flag, Kind::Number] {
            let item = ObjectBuilder::new().property("value", type_of(kind));
            let item = item.property("editable", type_of(Kind::Flag));
            schemas.push((item_name(kind).to_owned(), item.into()));
        }
    }
}

impl PartialSchema for InternalConfigurationsResponse {
    fn schema() -> RefOr<Schema> {
        let item = Ref::from_schema_name(ItemModel::name());
        ObjectBuilder::new().additional_properties(Some(item)).into()
    }
}

impl ToSchema for InternalConfigurationsResponse {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ItemModel::name().into_owned(), ItemModel::schema()));
    }
}

impl PartialSchema for Configurations {
    fn schema() -> RefOr<Schema> {
        by_name(Key::is_taken, type_of)
    }
}

impl ToSchema for Configurations {}

/// An object with the settings that are wanted as its fields, each by what it may be.
fn by_name(wanted: fn(Key) -> bool, schema: impl Fn(Kind) -> RefOr<Schema>) -> RefOr<Schema> {
    Key::all()
        .filter(|key| wanted(*key))
        .fold(ObjectBuilder::new(), |object, key| object.property(key.name(), schema(key.kind())))
        .into()
}

/// Harbor's name of a setting's model.
fn item_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "BoolConfigItem",
        Kind::Number | Kind::Quota | Kind::LdapScope => "IntegerConfigItem",
        _ => "StringConfigItem",
    }
}

fn type_of(kind: Kind) -> RefOr<Schema> {
    match kind {
        Kind::Flag => bool::schema(),
        Kind::Number | Kind::Quota | Kind::LdapScope => i64::schema(),
        Kind::Map => object(),
        _ => String::schema(),
    }
}

fn object() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Object).into()
}

async fn show(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<ConfigurationsResponse>, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Read);
    access::on_system(&state.domain, &caller, right).await?;
    // The schedule of scans has its own operation, and Harbor keeps nothing here.
    let items = shown(&state, |key| key.is_shown() && key.kind() != Kind::Map).await?;
    Ok(Json(ConfigurationsResponse(items)))
}

/// For parts of Haven itself, of which none comes over HTTP: a person may not.
async fn show_internal(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<InternalConfigurationsResponse>, ApiError> {
    if caller.principal() != Principal::System {
        let kind =
            if caller.is_anonymous() { kit::Kind::Unauthenticated } else { kit::Kind::Forbidden };
        let message = if caller.is_anonymous() { "unauthorized" } else { "forbidden" };
        return Err(Error::new(kind, message).into());
    }
    let items = shown(&state, |key| !key.is_secret()).await?;
    Ok(Json(InternalConfigurationsResponse(items)))
}

async fn shown(state: &State, wanted: impl Fn(Key) -> bool) -> Result<Items, ApiError> {
    let configuration = settings::current(&state.domain).await?;
    let editable = !configurations::is_fixed(&state.domain);
    let auth_mode = editable && configurations::auth_mode_is_open(&state.domain).await?;
    let item = |key| ItemModel {
        value: value(state, &configuration, key),
        editable: if key == Key::AuthMode { auth_mode } else { editable },
    };
    Ok(Key::all().filter(|key| wanted(*key)).map(|key| (key.name(), item(key))).collect())
}

/// What is shown of a setting; of a secret, an empty text.
fn value(state: &State, configuration: &Configuration, key: Key) -> serde_json::Value {
    if key == Key::TokenExpiration && !configuration.is_set(key) {
        return (state.domain.settings.token_lifetime.as_secs().div_ceil(60)).into();
    }
    match configuration.value(key) {
        Value::Text(text) => text.as_str().into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => (*number).into(),
        Value::Secret(_) => "".into(),
    }
}

async fn update(
    extract::State(state): extract::State<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Sent<Configurations>,
) -> Result<Done, ApiError> {
    let right = Right::new(Resource::Configuration, Action::Update);
    let allowed = access::on_system(&state.domain, &caller, right).await?;
    let body = request.bytes().await?;
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&body)
        .map_err(|error| unprocessable(format!("parsing configurations body failed: {error}")))?;
    let wanted = object
        .into_iter()
        .filter_map(|(name, value)| {
            Some((Key::from_name(&name).filter(|key| key.is_taken())?, value))
        })
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| Ok((key, text_of(key, value)?)))
        .collect::<Result<_, Error>>()?;
    configurations::update(&state.domain, &allowed, wanted).await?;
    Ok(Done)
}

/// A value as text, if it has the type that Harbor's model says.
fn text_of(key: Key, value: serde_json::Value) -> Result<String, Error> {
    use serde_json::Value as Json;
    match (key.kind(), value) {
        (Kind::Flag, Json::Bool(flag)) => Ok(flag.to_string()),
        (Kind::Number | Kind::Quota | Kind::LdapScope, Json::Number(number)) => {
            let whole = number.as_i64().or_else(|| whole(number.as_f64()?));
            whole
                .map(|number| number.to_string())
                .ok_or_else(|| unprocessable(format!("{} must be a whole number", key.name())))
        }
        (Kind::Flag, _) => Err(unprocessable(format!("{} must be true or false", key.name()))),
        (Kind::Number | Kind::Quota | Kind::LdapScope, _) => {
            Err(unprocessable(format!("{} must be a number", key.name())))
        }
        (_, Json::String(text)) => Ok(text),
        _ => Err(unprocessable(format!("{} must be a text", key.name()))),
    }
}

/// A number such as 1e3, which clients write for a whole one.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.trunc() == number && number.abs() <= EXACT).then_some(number as i64)
}

fn unprocessable(message: String) -> Error {
    Error::new(kit::Kind::Unprocessable, message)
}
