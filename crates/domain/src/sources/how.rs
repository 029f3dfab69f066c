//! What sources are, and how they are asked: as administrators write it down.

use std::{collections::BTreeMap, time::Duration};

use identity::{
    Trust, authproxy,
    http::Reach,
    ldap::{self, Grouping, Membership, Scope},
    oidc::Names,
};
use kit::{Error, Result, Secret};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// How long asking a source for one person may take in all, whatever its own limits.
const LONGEST: Duration = Duration::from_secs(30);

/// The same for proxies, which have no limit of their own.
const PROXY_LIMIT: Duration = Duration::from_secs(10);

/// What a source is, and how it is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// A directory.
    Ldap(Ldap),
    /// An OpenID provider, by a browser and by its tokens.
    Oidc(Oidc),
    /// A proxy that verifies passwords over HTTP.
    AuthProxy(AuthProxy),
    /// An issuer of tokens for robots, such as a CI system or a cluster, that is inside: of
    /// others nothing has to be written down.
    Issuer(Issuer),
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ldap {
    /// Where it is: `ldap://host:389` or `ldaps://host:636`.
    pub url: String,
    /// Whether an `ldap://` connection goes on with TLS before anything else is said.
    pub start_tls: bool,
    /// Whether its certificate has to be a good one.
    pub verify_certificate: bool,
    /// Authorities that are believed beside those of the system, in PEM.
    pub certificate_authorities: String,
    /// How long connecting, and each exchange, may take, in seconds.
    pub timeout: u64,
    /// Who searches.
    pub search_dn: String,
    /// Below which entry people are searched.
    pub base_dn: String,
    /// What holds for people.
    pub filter: String,
    /// The attribute that is the name to sign in with.
    pub uid: String,
    /// How far below its base people are searched: 0, 1 or 2 as LDAP has it.
    pub scope: i64,
    /// Below which entry groups are searched; that of people if empty.
    pub group_base_dn: String,
    /// What holds for groups.
    pub group_filter: String,
    /// The attribute that is the name of a group.
    pub group_name_attribute: String,
    /// How far below their base groups are searched.
    pub group_scope: i64,
    /// The group whose members may do everything.
    pub group_admin_dn: String,
    /// The attribute of people that names their groups.
    pub membership_attribute: String,
    /// The attribute of groups that names their members; where it is set, it is what counts.
    pub member_attribute: String,
    /// How many steps from group to group are followed.
    pub nested_groups: u32,
}

impl Default for Ldap {
    fn default() -> Self {
        Self {
            url: String::new(),
            start_tls: false,
            verify_certificate: true,
            certificate_authorities: String::new(),
            timeout: 5,
            search_dn: String::new(),
            base_dn: String::new(),
            filter: String::new(),
            uid: "uid".to_owned(),
            scope: 2,
            group_base_dn: String::new(),
            group_filter: String::new(),
            group_name_attribute: "cn".to_owned(),
            group_scope: 2,
            group_admin_dn: String::new(),
            membership_attribute: "memberof".to_owned(),
            member_attribute: String::new(),
            nested_groups: 0,
        }
    }
}

impl Ldap {
    /// The same for who asks.
    pub(super) fn settings(&self, secret: &Secret) -> ldap::Settings {
        ldap::Settings {
            url: self.url.clone(),
            start_tls: self.start_tls,
            trust: Trust::new(self.verify_certificate, &self.certificate_authorities),
            timeout: Duration::from_secs(self.timeout),
            search_dn: self.search_dn.clone(),
            search_password: secret.clone(),
            base_dn: self.base_dn.clone(),
            filter: self.filter.clone(),
            uid: self.uid.clone(),
            scope: scope(self.scope),
            grouping: self.has_groups().then(|| self.grouping()),
        }
    }

    /// Whether groups matter: as with Harbor, when it is said which do.
    fn has_groups(&self) -> bool {
        [&self.group_filter, &self.group_admin_dn, &self.group_base_dn]
            .iter()
            .any(|text| !text.trim().is_empty())
    }

    pub(super) fn grouping(&self) -> Grouping {
        let base =
            if self.group_base_dn.trim().is_empty() { &self.base_dn } else { &self.group_base_dn };
        let membership = match (self.member_attribute.trim(), self.membership_attribute.trim()) {
            ("", "") => Membership::OfPerson("memberof".to_owned()),
            ("", attribute) => Membership::OfPerson(attribute.to_owned()),
            (attribute, _) => Membership::OfGroup(attribute.to_owned()),
        };
        Grouping {
            base_dn: base.clone(),
            filter: self.group_filter.clone(),
            name_attribute: self.group_name_attribute.clone(),
            scope: scope(self.group_scope),
            admin_dn: self.group_admin_dn.clone(),
            membership,
            nesting: self.nested_groups,
        }
    }

    fn check(&self) -> Result<()> {
        if self.base_dn.trim().is_empty() {
            return Err(Error::invalid("base_dn must not be empty"));
        }
        if self.uid.trim().is_empty() {
            return Err(Error::invalid("uid must not be empty"));
        }
        if ![self.scope, self.group_scope].iter().all(|scope| (0..=2).contains(scope)) {
            return Err(Error::invalid("scope and group_scope must be 0, 1 or 2"));
        }
        let mut settings = self.settings(&Secret::default());
        // Of groups, what is written is checked whether or not it counts yet.
        settings.grouping = Some(self.grouping());
        settings.check().map_err(wrong)
    }
}

fn scope(number: i64) -> Scope {
    match number {
        0 => Scope::Base,
        1 => Scope::OneLevel,
        _ => Scope::Subtree,
    }
}

/// An OpenID provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// Its address, by which it names itself.
    pub endpoint: String,
    /// Our name there.
    pub client_id: String,
    /// What is asked for, separated by commas.
    pub scope: String,
    /// Whether its certificate has to be a good one.
    pub verify_certificate: bool,
    /// Authorities that are believed beside those of the system, in PEM.
    pub certificate_authorities: String,
    /// The claim that is the name to sign in with; `name` if empty.
    pub user_claim: String,
    /// The claim that holds the groups.
    pub groups_claim: String,
    /// What the name of a group has to match, as a regular expression.
    pub group_filter: String,
    /// The group whose members may do everything.
    pub admin_group: String,
    /// Whether somebody new is taken in under the name that the provider tells, unasked.
    pub auto_onboard: bool,
    /// Further parameters of the request to sign in.
    pub extra_redirect_parms: BTreeMap<String, String>,
    /// Whether signing out ends the session at the provider too.
    pub logout: bool,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            client_id: String::new(),
            scope: "openid,profile,email,offline_access".to_owned(),
            verify_certificate: true,
            certificate_authorities: String::new(),
            user_claim: String::new(),
            groups_claim: String::new(),
            group_filter: String::new(),
            admin_group: String::new(),
            auto_onboard: false,
            extra_redirect_parms: BTreeMap::new(),
            logout: false,
        }
    }
}

impl Oidc {
    pub(super) fn trust(&self) -> Trust {
        Trust::new(self.verify_certificate, &self.certificate_authorities)
    }

    pub(super) fn names(&self) -> Names {
        Names {
            user: self.user_claim.clone(),
            groups: self.groups_claim.clone(),
            group_filter: self.group_filter.clone(),
            admin_group: self.admin_group.clone(),
        }
    }

    /// Whether a refresh token outlives the session at the provider, so that its refusal says
    /// that the account is gone and not that somebody signed out.
    pub(super) fn is_offline(&self) -> bool {
        self.scope.split([',', ' ']).any(|scope| scope.trim() == "offline_access")
    }

    fn check(&self) -> Result<()> {
        address(&self.trust(), "endpoint", &self.endpoint)?;
        if self.client_id.trim().is_empty() {
            return Err(Error::invalid("client_id must not be empty"));
        }
        self.names().check().map_err(wrong)
    }
}

/// A proxy that verifies passwords.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthProxy {
    /// Where a name and a password are exchanged for a session.
    pub endpoint: String,
    /// Where a session is reviewed.
    pub tokenreview_endpoint: String,
    /// Whether its certificate has to be a good one.
    pub verify_certificate: bool,
    /// Authorities that are believed beside those of the system, in PEM.
    pub server_certificate: String,
    /// Groups whose members may do everything.
    pub admin_groups: Vec<String>,
    /// Names of people who may do everything.
    pub admin_usernames: Vec<String>,
    /// Whether people become members of projects without being known yet: the proxy cannot be
    /// asked whether they are there.
    pub skip_search: bool,
}

impl Default for AuthProxy {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            tokenreview_endpoint: String::new(),
            verify_certificate: true,
            server_certificate: String::new(),
            admin_groups: Vec::new(),
            admin_usernames: Vec::new(),
            skip_search: false,
        }
    }
}

impl AuthProxy {
    pub(super) fn settings(&self) -> authproxy::Settings {
        authproxy::Settings {
            endpoint: self.endpoint.clone(),
            token_review_endpoint: self.tokenreview_endpoint.clone(),
            trust: Trust::new(self.verify_certificate, &self.server_certificate),
            admin_groups: self.admin_groups.clone(),
            admin_usernames: self.admin_usernames.clone(),
        }
    }

    fn check(&self) -> Result<()> {
        let trust = self.settings().trust;
        address(&trust, "endpoint", &self.endpoint)?;
        address(&trust, "tokenreview_endpoint", &self.tokenreview_endpoint)
    }
}

/// An issuer of tokens for robots that is inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Issuer {
    /// Its address, by which it names itself.
    pub url: String,
    /// Whether its certificate has to be a good one.
    pub verify_certificate: bool,
    /// Authorities that are believed beside those of the system, in PEM.
    pub certificate_authorities: String,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            url: String::new(),
            verify_certificate: true,
            certificate_authorities: String::new(),
        }
    }
}

impl Issuer {
    pub(super) fn trust(&self) -> Trust {
        Trust::new(self.verify_certificate, &self.certificate_authorities)
    }

    fn check(&self) -> Result<()> {
        address(&self.trust(), "url", &self.url)
    }
}

impl How {
    /// Its kind by name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ldap(_) => "ldap",
            Self::Oidc(_) => "oidc",
            Self::AuthProxy(_) => "http_auth",
            Self::Issuer(_) => "issuer",
        }
    }

    /// One of a kind, as somebody wrote it; what is not said is as by default.
    ///
    /// # Errors
    /// Invalid when the kind is not known, or the rest is not of it.
    pub fn read(kind: &str, settings: Value) -> Result<Self> {
        fn of<T: DeserializeOwned>(settings: Value) -> Result<T> {
            serde_json::from_value(settings)
                .map_err(|error| Error::invalid(format!("settings: {error}")))
        }
        Ok(match kind {
            "ldap" => Self::Ldap(of(settings)?),
            "oidc" => Self::Oidc(of(settings)?),
            "http_auth" => Self::AuthProxy(of(settings)?),
            "issuer" => Self::Issuer(of(settings)?),
            _ => return Err(Error::invalid("type must be ldap, oidc, http_auth or issuer")),
        })
    }

    /// All that is written down, secrets excepted.
    ///
    /// # Errors
    /// None that happen.
    pub fn to_json(&self) -> Result<Value> {
        let json = match self {
            Self::Ldap(ldap) => serde_json::to_value(ldap),
            Self::Oidc(oidc) => serde_json::to_value(oidc),
            Self::AuthProxy(proxy) => serde_json::to_value(proxy),
            Self::Issuer(issuer) => serde_json::to_value(issuer),
        };
        json.map_err(Error::internal)
    }

    /// Whether it can be asked so at all.
    ///
    /// # Errors
    /// Invalid, with what is wrong.
    pub(super) fn check(&self) -> Result<()> {
        let text = self.to_json()?.to_string();
        if text.contains("\\u0000") {
            return Err(Error::invalid("the settings must not contain NUL"));
        }
        match self {
            Self::Ldap(ldap) => ldap.check(),
            Self::Oidc(oidc) => oidc.check(),
            Self::AuthProxy(proxy) => proxy.check(),
            Self::Issuer(issuer) => issuer.check(),
        }
    }

    /// Whether it knows people by name and password.
    pub fn takes_passwords(&self) -> bool {
        matches!(self, Self::Ldap(_) | Self::AuthProxy(_))
    }

    /// How long it may take to ask it about one person.
    pub(super) fn limit(&self) -> Duration {
        match self {
            // Somebody is asked about in several exchanges.
            Self::Ldap(ldap) => Duration::from_secs(ldap.timeout.clamp(1, 30)).mul_f32(2.0),
            Self::Oidc(_) | Self::AuthProxy(_) | Self::Issuer(_) => PROXY_LIMIT,
        }
        .min(LONGEST)
    }
}

/// Whether a text is an address that may be asked, with a trust that can be read.
fn address(trust: &Trust, name: &str, text: &str) -> Result<()> {
    let asked = identity::http::Http::new(trust, Reach::Anywhere);
    let checked = asked.and_then(|http| http.address(text));
    checked.map(drop).map_err(|failure| Error::invalid(format!("{name}: {failure}")))
}

fn wrong(failure: identity::Failure) -> Error {
    Error::invalid(failure.to_string())
}
