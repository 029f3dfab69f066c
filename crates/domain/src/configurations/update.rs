//! Changing settings, by a request or by the environment.

use kit::{Error, Kind, Result};

use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Allowed, Resource, Right, System, Who},
    settings::{self, Change, Key, Value},
    users,
};

/// Settings as they were sent: what is to become of which, as text.
pub type Wanted = Vec<(Key, String)>;

/// Whether the environment set the settings, and nobody may change them.
pub fn is_fixed(context: &Context) -> bool {
    context.settings.configuration_is_fixed
}

/// Whether the way to sign in may still be changed: as long as `admin` is the only user.
///
/// # Errors
/// Those of the database.
pub async fn auth_mode_is_open(context: &Context) -> Result<bool> {
    Ok(!users::any_but_admin(context).await?)
}

/// Changes settings. Those that are not named stay.
///
/// # Errors
/// Forbidden when the environment set them; Invalid when a value is not allowed, in
/// Harbor's words. Nothing is changed then.
pub async fn update(context: &Context, allowed: &Allowed<System>, wanted: Wanted) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    if is_fixed(context) {
        return Err(Error::new(
            Kind::Forbidden,
            "current config is init by env variable: CONFIG_OVERWRITE_JSON, it cannot be updated",
        ));
    }
    let changed = match check(context, &wanted).await {
        Ok(values) => store(context, allowed.by(), values).await,
        Err(error) => Err(error),
    };
    if changed.as_ref().is_err_and(|error| error.is(Kind::Invalid)) {
        let entry = Entry::new(Event::UpdateConfiguration, "configuration");
        audit::failed(context, allowed.by(), entry.described(describe(&wanted))).await?;
    }
    changed
}

/// Sets what the environment says, before anybody is served.
///
/// # Errors
/// Invalid when it is not a JSON object of settings with values that are allowed.
pub async fn overwrite(context: &Context, json: &str) -> Result<()> {
    let wrong = |why: String| Error::invalid(format!("CONFIG_OVERWRITE_JSON: {why}"));
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    let mut wanted = Wanted::new();
    for (name, value) in object {
        let key = Key::from_name(&name)
            .ok_or_else(|| wrong(format!("there is no setting with the name {name:?}")))?;
        wanted.push((key, text_of(value)));
    }
    let values = check(context, &wanted).await.map_err(|error| wrong(error.to_string()))?;
    let now = settings::current(context).await?;
    let is_news = |(key, value): &(Key, Value)| now.value(*key) != value || !now.is_set(*key);
    // Every replica starts with the same; only the first has something to tell.
    let news: Vec<_> = values.into_iter().filter(is_news).collect();
    if news.is_empty() { Ok(()) } else { store(context, &Who::system(), news).await }
}

/// A value of JSON as the text that it is stored as.
fn text_of(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The values, if all of them are allowed, by themselves and together.
async fn check(context: &Context, wanted: &Wanted) -> Result<Vec<(Key, Value)>> {
    let now = settings::current(context).await?;
    let values = wanted
        .iter()
        .map(|(key, text)| Ok((*key, Value::wanted(*key, text)?)))
        .collect::<Result<Vec<_>>>()?;
    let value = |wanted: Key| {
        let new = values.iter().rev().find(|(key, _)| *key == wanted);
        new.map_or(now.value(wanted), |(_, value)| value)
    };
    if value(Key::AuthMode) != now.value(Key::AuthMode) && !auth_mode_is_open(context).await? {
        let message = "the auth mode cannot be modified as new users have been inserted into \
                       database";
        return Err(Error::invalid(message));
    }
    check_forwarding(&values, value)?;
    for (key, value) in &values {
        if let (Key::AuditLogForwardEndpoint, Value::Text(endpoint)) = (key, value)
            && !endpoint.is_empty()
        {
            audit::reach(context, endpoint).await?;
        }
    }
    Ok(values)
}

/// Whether the audit log has somewhere to go.
fn check_forwarding<'v>(values: &[(Key, Value)], value: impl Fn(Key) -> &'v Value) -> Result<()> {
    let touched = [Key::SkipAuditLogDatabase, Key::AuditLogForwardEndpoint];
    if !values.iter().any(|(key, _)| touched.contains(key)) {
        return Ok(());
    }
    let Value::Text(endpoint) = value(Key::AuditLogForwardEndpoint) else { return Ok(()) };
    if endpoint.is_empty() && *value(Key::SkipAuditLogDatabase) == Value::Flag(true) {
        return Err(Error::invalid(
            "bad request: audit log forward endpoint should be configured before enable skip \
             audit log in database",
        ));
    }
    Ok(())
}

/// Stores values and tells of them in one transaction.
async fn store(context: &Context, by: &Who, values: Vec<(Key, Value)>) -> Result<()> {
    let audit = audit::by(context, by).await?;
    let names = values.iter().map(|(key, _)| (*key, String::new())).collect();
    let entry = Entry::new(Event::UpdateConfiguration, "configuration").described(describe(&names));
    let change = Change::of(&values, &context.seal);
    let caches = context.caches.clone();
    context
        .db
        .write(move |tx| {
            let (audit, entry, change) = (audit.clone(), entry.clone(), change.clone());
            let caches = caches.clone();
            Box::pin(async move {
                change.store(tx, &caches).await?;
                audit.record(tx, entry).await
            })
        })
        .await
}

/// What was to be set, by name only.
fn describe(wanted: &Wanted) -> String {
    let names: Vec<&str> = wanted.iter().map(|(key, _)| key.name()).collect();
    format!("update configuration: {}", names.join(", "))
}
