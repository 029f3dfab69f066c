//! The source that Harbor's settings describe: `auth_mode` says which kind, the settings of
//! that kind how it is asked.

use kit::Secret;

use super::{
    Source,
    how::{AuthProxy, How, Ldap, Oidc},
};
use crate::settings::{Configuration, Key};

/// Its number. Rows have others.
pub const OF_SETTINGS: i64 = 0;

/// The source of the settings; none where people are only known here.
pub(super) fn source(configuration: &Configuration) -> Option<Source> {
    let (how, secret, name) = match configuration.text(Key::AuthMode) {
        "ldap_auth" => {
            let (ldap, secret) = directory(configuration);
            (How::Ldap(ldap), secret, "LDAP".to_owned())
        }
        "oidc_auth" => {
            let secret = configuration.secret(Key::OidcClientSecret);
            let name = configuration.text(Key::OidcName).to_owned();
            (How::Oidc(provider(configuration)), secret, name)
        }
        "http_auth" => {
            let how = How::AuthProxy(proxy(configuration));
            (how, Secret::default(), "HTTP auth".to_owned())
        }
        _ => return None,
    };
    Some(Source::new(OF_SETTINGS, name, how, secret))
}

/// The directory of the settings, whether or not people sign in by it, and the password of
/// who searches.
pub(super) fn directory(configuration: &Configuration) -> (Ldap, Secret) {
    let text = |key| configuration.text(key).to_owned();
    let ldap = Ldap {
        url: text(Key::LdapUrl),
        start_tls: false,
        verify_certificate: configuration.flag(Key::LdapVerifyCert),
        certificate_authorities: String::new(),
        timeout: u64::try_from(configuration.number(Key::LdapTimeout)).unwrap_or(0),
        search_dn: text(Key::LdapSearchDn),
        base_dn: text(Key::LdapBaseDn),
        filter: text(Key::LdapFilter),
        uid: text(Key::LdapUid),
        scope: configuration.number(Key::LdapScope),
        group_base_dn: text(Key::LdapGroupBaseDn),
        group_filter: text(Key::LdapGroupSearchFilter),
        group_name_attribute: text(Key::LdapGroupAttributeName),
        group_scope: configuration.number(Key::LdapGroupSearchScope),
        group_admin_dn: text(Key::LdapGroupAdminDn),
        membership_attribute: text(Key::LdapGroupMembershipAttribute),
        member_attribute: String::new(),
        nested_groups: 0,
    };
    (ldap, configuration.secret(Key::LdapSearchPassword))
}

fn provider(configuration: &Configuration) -> Oidc {
    let text = |key| configuration.text(key).to_owned();
    Oidc {
        endpoint: text(Key::OidcEndpoint),
        client_id: text(Key::OidcClientId),
        scope: text(Key::OidcScope),
        verify_certificate: configuration.flag(Key::OidcVerifyCert),
        certificate_authorities: String::new(),
        user_claim: text(Key::OidcUserClaim),
        groups_claim: text(Key::OidcGroupsClaim),
        group_filter: text(Key::OidcGroupFilter),
        admin_group: text(Key::OidcAdminGroup),
        auto_onboard: configuration.flag(Key::OidcAutoOnboard),
        extra_redirect_parms: configuration.pairs(Key::OidcExtraRedirectParms),
        logout: configuration.flag(Key::OidcLogout),
    }
}

fn proxy(configuration: &Configuration) -> AuthProxy {
    let list = |key| -> Vec<String> {
        let names = configuration.text(key).split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    AuthProxy {
        endpoint: configuration.text(Key::HttpAuthproxyEndpoint).to_owned(),
        tokenreview_endpoint: configuration.text(Key::HttpAuthproxyTokenreviewEndpoint).to_owned(),
        verify_certificate: configuration.flag(Key::HttpAuthproxyVerifyCert),
        server_certificate: configuration.text(Key::HttpAuthproxyServerCertificate).to_owned(),
        admin_groups: list(Key::HttpAuthproxyAdminGroups),
        admin_usernames: list(Key::HttpAuthproxyAdminUsernames),
        skip_search: configuration.flag(Key::HttpAuthproxySkipSearch),
    }
}
