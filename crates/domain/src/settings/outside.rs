//! Settings about servers outside: whether what somebody wants to set can be asked at all.

use identity::{
    Trust,
    http::{Http, Reach},
    ldap,
    oidc::Names,
};
use kit::Result;

use super::{Key, value::refused};

/// Whether a text makes sense for its setting. An empty one always does: there it says that
/// nobody is asked.
///
/// # Errors
/// Invalid.
pub(super) fn check(key: Key, text: &str) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let checked = match key {
        Key::LdapUrl => ldap::check_url(text),
        Key::LdapFilter | Key::LdapGroupSearchFilter => ldap::check_filter(text),
        Key::OidcGroupFilter => Names { group_filter: text.to_owned(), ..Names::default() }.check(),
        Key::OidcEndpoint | Key::HttpAuthproxyEndpoint | Key::HttpAuthproxyTokenreviewEndpoint => {
            let asked = Http::new(&Trust::System, Reach::Anywhere);
            asked.and_then(|http| http.address(text).map(drop))
        }
        Key::HttpAuthproxyServerCertificate => {
            Http::new(&Trust::SystemAnd(text.to_owned()), Reach::Anywhere).map(drop)
        }
        Key::AuthMode if text == "uaa_auth" => {
            return Err(refused(key, "uaa_auth is not supported: use oidc_auth"));
        }
        _ => Ok(()),
    };
    checked.map_err(|failure| refused(key, failure))
}
