//! Read-only mode: while a setting says so, nothing is changed, by whomever.

use axum::http::Method;
use domain::{
    Context,
    settings::{self, Key},
};
use kit::{Error, Kind, Result};

/// What stays open: signing in, tokens, and the setting itself.
const OPEN: [(&str, &str); 6] = [
    ("PUT", "/api/v2.0/configurations"),
    ("POST", "/c/login"),
    ("POST", "/c/userExists"),
    ("POST", "/c/oidc/onboard"),
    ("POST", "/service/token"),
    ("POST", "/api/v2.0/ping"),
];

/// Refuses a request that would change something while nothing may be changed.
///
/// # Errors
/// Denied, in Harbor's words.
pub(crate) async fn check(context: &Context, method: &Method, path: &str) -> Result<()> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
        || OPEN.contains(&(method.as_str(), path.trim_end_matches('/')))
        || !settings::current(context).await?.flag(Key::ReadOnly)
    {
        return Ok(());
    }
    let message = "The system is in read only mode. Any modification is prohibited.";
    Err(Error::new(Kind::Denied, message))
}
