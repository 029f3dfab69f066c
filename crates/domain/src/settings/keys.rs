//! Every setting: its name, what it may be, and where Harbor's API has it.

use serde::Serialize;

/// A setting that administrators change while Haven runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Key {
    /// How users prove who they are: `db_auth`, `ldap_auth`, `oidc_auth`, `http_auth` or `uaa_auth`.
    AuthMode,
    /// Whether the portal goes straight to the provider.
    PrimaryAuthMode,
    /// Where users are searched.
    LdapBaseDn,
    /// A filter on users.
    LdapFilter,
    /// Where groups are searched.
    LdapGroupBaseDn,
    /// The group whose members are sysadmins.
    LdapGroupAdminDn,
    /// The attribute that holds a group's name.
    LdapGroupAttributeName,
    /// A filter on groups.
    LdapGroupSearchFilter,
    /// How deep groups are searched: 0 base, 1 one level, 2 subtree.
    LdapGroupSearchScope,
    /// How deep users are searched: 0 base, 1 one level, 2 subtree.
    LdapScope,
    /// Who searches.
    LdapSearchDn,
    /// The password of who searches.
    LdapSearchPassword,
    /// How long a connection may take, in seconds.
    LdapTimeout,
    /// The attribute that holds a user's name.
    LdapUid,
    /// The server.
    LdapUrl,
    /// Whether its certificate is checked.
    LdapVerifyCert,
    /// The attribute that holds a user's groups.
    LdapGroupMembershipAttribute,
    /// Whether groups are looked up side by side.
    LdapGroupAttachParallel,
    /// The old form of the schedule that scans everything.
    ScanAllPolicy,
    /// Who may make projects: `everyone` or `adminonly`.
    ProjectCreationRestriction,
    /// Whether nothing may be changed.
    ReadOnly,
    /// Whether people may make users of their own.
    SelfRegistration,
    /// How long a registry token is good for, in minutes.
    TokenExpiration,
    /// The client at UAA.
    UaaClientId,
    /// The client's secret at UAA.
    UaaClientSecret,
    /// Where UAA is.
    UaaEndpoint,
    /// Whether its certificate is checked.
    UaaVerifyCert,
    /// Where the authentication proxy is.
    HttpAuthproxyEndpoint,
    /// Where it reviews tokens.
    HttpAuthproxyTokenreviewEndpoint,
    /// Its groups whose members are sysadmins, with commas.
    HttpAuthproxyAdminGroups,
    /// Its users who are sysadmins, with commas.
    HttpAuthproxyAdminUsernames,
    /// Whether its certificate is checked.
    HttpAuthproxyVerifyCert,
    /// Whether users are made without a search.
    HttpAuthproxySkipSearch,
    /// The certificate it must have, in PEM.
    HttpAuthproxyServerCertificate,
    /// The provider's name, for people.
    OidcName,
    /// Where the provider is.
    OidcEndpoint,
    /// The client at the provider.
    OidcClientId,
    /// The client's secret at the provider.
    OidcClientSecret,
    /// The claim that holds groups.
    OidcGroupsClaim,
    /// The group whose members are sysadmins.
    OidcAdminGroup,
    /// A pattern that groups must match.
    OidcGroupFilter,
    /// The scopes asked for, with commas.
    OidcScope,
    /// The claim that holds a user's name.
    OidcUserClaim,
    /// Whether its certificate is checked.
    OidcVerifyCert,
    /// Whether users are made without asking them.
    OidcAutoOnboard,
    /// More parameters for the redirection to the provider, a JSON object of texts.
    OidcExtraRedirectParms,
    /// Whether signing out ends the provider's session too.
    OidcLogout,
    /// How long a robot account is good for when nothing is said, in days.
    RobotTokenDuration,
    /// What begins a robot account's name.
    RobotNamePrefix,
    /// Whether webhooks are sent.
    NotificationEnable,
    /// Whether projects have quotas.
    QuotaPerProjectEnable,
    /// How much a new project may store, in bytes; -1 for no limit.
    StoragePerProject,
    /// Whether the time of a pull is not kept.
    PullTimeUpdateDisable,
    /// Whether pulls are not counted.
    PullCountUpdateDisable,
    /// Whether pulls are not audited.
    PullAuditLogDisable,
    /// Where the audit log is sent: `host:port`, or an address with `tcp://`, `tls://` or `udp://`.
    AuditLogForwardEndpoint,
    /// Whether the audit log is only forwarded.
    SkipAuditLogDatabase,
    /// Whether a scanner's pull leaves the time of pulls alone.
    ScannerSkipUpdatePulltime,
    /// Events that are not audited, with commas.
    DisabledAuditLogEventTypes,
    /// How long the portal's sessions last, in minutes.
    SessionTimeout,
    /// What the portal shows to everybody, a JSON object in a text.
    BannerMessage,
}

/// What settings belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The system.
    Basic,
    /// Users in LDAP.
    Ldap,
    /// Groups in LDAP.
    LdapGroup,
    /// UAA.
    Uaa,
    /// The authentication proxy.
    HttpAuth,
    /// OpenID Connect.
    Oidc,
    /// Quotas.
    Quota,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is not empty.
    NonEmptyText,
    /// A text that is sealed in the database and never shown.
    Password,
    /// True or false.
    Flag,
    /// A whole number.
    Number,
    /// A number of bytes, -1 for no limit.
    Quota,
    /// 0, 1 or 2.
    LdapScope,
    /// One of the ways to sign in.
    AuthMode,
    /// `everyone` or `adminonly`.
    Restriction,
    /// A JSON object whose values are texts.
    Pairs,
    /// A JSON object.
    Map,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
struct Item {
    key: Key,
    name: &'static str,
    group: Group,
    kind: Kind,
    default: &'static str,
    read: bool,
    write: bool,
}

/// Whether Harbor's API shows it, and whether it takes it.
const BOTH: (bool, bool) = (true, true);
const READ: (bool, bool) = (true, false);
const WRITE: (bool, bool) = (false, true);
const NEITHER: (bool, bool) = (false, false);

const fn item(
    key: Key,
    name: &'static str,
    group: Group,
    kind: Kind,
    default: &'static str,
    (read, write): (bool, bool),
) -> Item {
    Item { key, name, group, kind, default, read, write }
}

/// In the order of the keys.
#[rustfmt::skip]
const ITEMS: &[Item] = &[
    item(Key::AuthMode, "auth_mode", Group::Basic, Kind::AuthMode, "db_auth", BOTH),
    item(Key::PrimaryAuthMode, "primary_auth_mode", Group::Basic, Kind::Flag, "false", BOTH),
    item(Key::LdapBaseDn, "ldap_base_dn", Group::Ldap, Kind::NonEmptyText, "", BOTH),
    item(Key::LdapFilter, "ldap_filter", Group::Ldap, Kind::Text, "", BOTH),
    item(Key::LdapGroupBaseDn, "ldap_group_base_dn", Group::LdapGroup, Kind::Text, "", BOTH),
    item(Key::LdapGroupAdminDn, "ldap_group_admin_dn", Group::LdapGroup, Kind::Text, "", BOTH),
    item(Key::LdapGroupAttributeName, "ldap_group_attribute_name", Group::LdapGroup, Kind::Text, "", BOTH),
    item(Key::LdapGroupSearchFilter, "ldap_group_search_filter", Group::LdapGroup, Kind::Text, "", BOTH),
    item(Key::LdapGroupSearchScope, "ldap_group_search_scope", Group::LdapGroup, Kind::LdapScope, "2", BOTH),
    item(Key::LdapScope, "ldap_scope", Group::Ldap, Kind::LdapScope, "2", BOTH),
    item(Key::LdapSearchDn, "ldap_search_dn", Group::Ldap, Kind::Text, "", BOTH),
    item(Key::LdapSearchPassword, "ldap_search_password", Group::Ldap, Kind::Password, "", WRITE),
    item(Key::LdapTimeout, "ldap_timeout", Group::Ldap, Kind::Number, "5", BOTH),
    item(Key::LdapUid, "ldap_uid", Group::Ldap, Kind::NonEmptyText, "cn", BOTH),
    item(Key::LdapUrl, "ldap_url", Group::Ldap, Kind::NonEmptyText, "", BOTH),
    item(Key::LdapVerifyCert, "ldap_verify_cert", Group::Ldap, Kind::Flag, "true", BOTH),
    item(Key::LdapGroupMembershipAttribute, "ldap_group_membership_attribute", Group::Ldap, Kind::Text, "memberof", BOTH),
    item(Key::LdapGroupAttachParallel, "ldap_group_attach_parallel", Group::Ldap, Kind::Flag, "false", BOTH),
    item(Key::ScanAllPolicy, "scan_all_policy", Group::Basic, Kind::Map, "{\"type\":\"none\"}", READ),
    item(Key::ProjectCreationRestriction, "project_creation_restriction", Group::Basic, Kind::Restriction, "everyone", BOTH),
    item(Key::ReadOnly, "read_only", Group::Basic, Kind::Flag, "false", BOTH),
    item(Key::SelfRegistration, "self_registration", Group::Basic, Kind::Flag, "false", BOTH),
    item(Key::TokenExpiration, "token_expiration", Group::Basic, Kind::Number, "30", BOTH),
    item(Key::UaaClientId, "uaa_client_id", Group::Uaa, Kind::Text, "", BOTH),
    item(Key::UaaClientSecret, "uaa_client_secret", Group::Uaa, Kind::Password, "", BOTH),
    item(Key::UaaEndpoint, "uaa_endpoint", Group::Uaa, Kind::Text, "", BOTH),
    item(Key::UaaVerifyCert, "uaa_verify_cert", Group::Uaa, Kind::Flag, "false", BOTH),
    item(Key::HttpAuthproxyEndpoint, "http_authproxy_endpoint", Group::HttpAuth, Kind::Text, "", BOTH),
    item(Key::HttpAuthproxyTokenreviewEndpoint, "http_authproxy_tokenreview_endpoint", Group::HttpAuth, Kind::Text, "", BOTH),
    item(Key::HttpAuthproxyAdminGroups, "http_authproxy_admin_groups", Group::HttpAuth, Kind::Text, "", BOTH),
    item(Key::HttpAuthproxyAdminUsernames, "http_authproxy_admin_usernames", Group::HttpAuth, Kind::Text, "", BOTH),
    item(Key::HttpAuthproxyVerifyCert, "http_authproxy_verify_cert", Group::HttpAuth, Kind::Flag, "true", BOTH),
    item(Key::HttpAuthproxySkipSearch, "http_authproxy_skip_search", Group::HttpAuth, Kind::Flag, "false", BOTH),
    item(Key::HttpAuthproxyServerCertificate, "http_authproxy_server_certificate", Group::HttpAuth, Kind::Text, "", BOTH),
    item(Key::OidcName, "oidc_name", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcEndpoint, "oidc_endpoint", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcClientId, "oidc_client_id", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcClientSecret, "oidc_client_secret", Group::Oidc, Kind::Password, "", WRITE),
    item(Key::OidcGroupsClaim, "oidc_groups_claim", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcAdminGroup, "oidc_admin_group", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcGroupFilter, "oidc_group_filter", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcScope, "oidc_scope", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcUserClaim, "oidc_user_claim", Group::Oidc, Kind::Text, "", BOTH),
    item(Key::OidcVerifyCert, "oidc_verify_cert", Group::Oidc, Kind::Flag, "true", BOTH),
    item(Key::OidcAutoOnboard, "oidc_auto_onboard", Group::Oidc, Kind::Flag, "false", BOTH),
    item(Key::OidcExtraRedirectParms, "oidc_extra_redirect_parms", Group::Oidc, Kind::Pairs, "{}", BOTH),
    item(Key::OidcLogout, "oidc_logout", Group::Oidc, Kind::Flag, "false", BOTH),
    item(Key::RobotTokenDuration, "robot_token_duration", Group::Basic, Kind::Number, "30", BOTH),
    item(Key::RobotNamePrefix, "robot_name_prefix", Group::Basic, Kind::NonEmptyText, "robot$", BOTH),
    item(Key::NotificationEnable, "notification_enable", Group::Basic, Kind::Flag, "true", BOTH),
    item(Key::QuotaPerProjectEnable, "quota_per_project_enable", Group::Quota, Kind::Flag, "true", BOTH),
    item(Key::StoragePerProject, "storage_per_project", Group::Quota, Kind::Quota, "-1", BOTH),
    item(Key::PullTimeUpdateDisable, "pull_time_update_disable", Group::Basic, Kind::Flag, "false", NEITHER),
    item(Key::PullCountUpdateDisable, "pull_count_update_disable", Group::Basic, Kind::Flag, "false", NEITHER),
    item(Key::PullAuditLogDisable, "pull_audit_log_disable", Group::Basic, Kind::Flag, "false", NEITHER),
    item(Key::AuditLogForwardEndpoint, "audit_log_forward_endpoint", Group::Basic, Kind::Text, "", BOTH),
    item(Key::SkipAuditLogDatabase, "skip_audit_log_database", Group::Basic, Kind::Flag, "false", BOTH),
    item(Key::ScannerSkipUpdatePulltime, "scanner_skip_update_pulltime", Group::Basic, Kind::Flag, "false", BOTH),
    item(Key::DisabledAuditLogEventTypes, "disabled_audit_log_event_types", Group::Basic, Kind::Text, "", BOTH),
    item(Key::SessionTimeout, "session_timeout", Group::Basic, Kind::Number, "60", BOTH),
    item(Key::BannerMessage, "banner_message", Group::Basic, Kind::Text, "", BOTH),
];

impl Key {
    /// How many there are.
    pub const COUNT: usize = ITEMS.len();

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ITEMS.iter().map(|item| item.key)
    }

    /// The setting with a name of Harbor's.
    pub fn from_name(name: &str) -> Option<Self> {
        ITEMS.iter().find(|item| item.name == name).map(|item| item.key)
    }

    const fn item(self) -> &'static Item {
        &ITEMS[self as usize]
    }

    /// Harbor's name.
    pub const fn name(self) -> &'static str {
        self.item().name
    }

    /// What it belongs to.
    pub const fn group(self) -> Group {
        self.item().group
    }

    /// What it may be.
    pub const fn kind(self) -> Kind {
        self.item().kind
    }

    /// What it is as long as nobody sets it, as text.
    pub const fn default(self) -> &'static str {
        self.item().default
    }

    /// Whether Harbor's API shows it. Of a secret only that there is such a setting.
    pub const fn is_shown(self) -> bool {
        self.item().read
    }

    /// Whether Harbor's API takes it.
    pub const fn is_taken(self) -> bool {
        self.item().write
    }

    /// Whether it is sealed in the database and never shown.
    pub fn is_secret(self) -> bool {
        self.kind() == Kind::Password
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::settings::Value;

    #[test]
    fn the_table_is_in_the_order_of_the_keys() {
        for (place, item) in ITEMS.iter().enumerate() {
            assert_eq!(item.key as usize, place, "{}", item.name);
            assert_eq!(Key::from_name(item.name), Some(item.key));
        }
    }

    #[test]
    fn every_default_can_be_read() {
        for key in Key::all() {
            Value::stored(key, key.default()).unwrap();
        }
    }
}
