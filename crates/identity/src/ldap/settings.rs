//! How a directory is asked.

use std::time::Duration;

use kit::Secret;

use super::{
    Group, Scope,
    connection::{Place, Tls},
};
use crate::{Failure, Result, Trust};

/// How long an exchange may take at the least and at the most.
const LIMITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How a directory is reached, and how people are found in it. The fields are Harbor's, by the
/// same names, and a few more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it is: `ldap://host:389` or `ldaps://host:636`.
    pub url: String,
    /// Whether an `ldap://` connection goes on with TLS before anything else is said.
    pub start_tls: bool,
    /// Which certificates are believed.
    pub trust: Trust,
    /// How long connecting, and each exchange, may take.
    pub timeout: Duration,
    /// Who searches; empty for nobody known.
    pub search_dn: String,
    /// The password of who searches.
    pub search_password: Secret,
    /// Below which entry people are searched.
    pub base_dn: String,
    /// What holds for people.
    pub filter: String,
    /// The attribute that is the name to sign in with.
    pub uid: String,
    /// How far below its base people are searched.
    pub scope: Scope,
    /// How groups are found, if they are.
    pub grouping: Option<Grouping>,
}

/// How the groups of somebody are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Below which entry groups are searched.
    pub base_dn: String,
    /// What holds for groups that count; empty for all.
    pub filter: String,
    /// The attribute that is the name of a group; `cn` if empty.
    pub name_attribute: String,
    /// How far below their base groups are searched.
    pub scope: Scope,
    /// The group whose members may do everything; empty for none.
    pub admin_dn: String,
    /// How a person and a group belong together.
    pub membership: Membership,
    /// How many steps from group to group are followed; 0 leaves nested groups alone.
    pub nesting: u32,
}

/// How a person and a group belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// The person's entry names its groups in this attribute, such as `memberof`.
    OfPerson(String),
    /// The group's entry names its members in this attribute, such as `member` (by
    /// distinguished name) or `memberUid` (by the name to sign in with).
    OfGroup(String),
}

impl Settings {
    /// Whether what has to be there is there.
    ///
    /// # Errors
    /// Misconfigured or BadFilter.
    pub fn check(&self) -> Result<()> {
        self.place()?;
        self.trust.authorities()?;
        super::Filter::parse(&self.filter)?;
        if let Some(grouping) = &self.grouping {
            super::Filter::parse(&grouping.filter)?;
        }
        Ok(())
    }

    /// Where the directory is.
    pub(super) fn place(&self) -> Result<Place> {
        place(&self.url, self.start_tls)
    }

    /// How long an exchange may take.
    pub(super) fn limit(&self) -> Duration {
        self.timeout.clamp(LIMITS.0, LIMITS.1)
    }

    /// The same, for the server to know.
    pub(super) fn seconds(&self) -> u32 {
        u32::try_from(self.limit().as_secs()).unwrap_or(30)
    }

    /// What is asked about a person.
    pub(super) fn person_attributes(&self) -> Vec<&str> {
        let mut attributes = vec![self.uid.trim(), "uid", "cn", "mail", "email"];
        if let Some(Grouping { membership: Membership::OfPerson(attribute), .. }) = &self.grouping {
            attributes.push(attribute.trim());
        }
        attributes
    }
}

/// Where a directory is. As Harbor reads it, the scheme may be missing, and port 636 is
/// always TLS.
pub(super) fn place(url: &str, start_tls: bool) -> Result<Place> {
    let wrong = |why: &str| Failure::Misconfigured(format!("the LDAP URL {why}"));
    let url = url.trim().trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").unwrap_or(("ldap", url));
    let always = match scheme.to_ascii_lowercase().as_str() {
        "ldap" => false,
        "ldaps" => true,
        _ => return Err(wrong("must begin with ldap:// or ldaps://")),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let port_at = match authority.rfind(']') {
        Some(end) => authority[end..].find(':').map(|at| at + end),
        None => authority.find(':'),
    };
    let (host, port) = match port_at {
        None => (authority, if always { 636 } else { 389 }),
        Some(at) => {
            let port = authority[at + 1..].parse().ok().filter(|port| *port != 0);
            (&authority[..at], port.ok_or_else(|| wrong("has a port that is none"))?)
        }
    };
    let host = host.trim_matches(['[', ']']);
    if host.is_empty() || host.len() > 253 || host.contains(|c: char| c.is_whitespace()) {
        return Err(wrong("names no host"));
    }
    let tls = match (always || port == 636, start_tls) {
        (true, _) => Tls::Always,
        (false, true) => Tls::Started,
        (false, false) => Tls::Never,
    };
    Ok(Place { host: host.to_owned(), port, tls })
}

impl Grouping {
    /// The attribute that names a group.
    pub(super) fn name_attribute(&self) -> &str {
        let attribute = self.name_attribute.trim();
        if attribute.is_empty() { "cn" } else { attribute }
    }

    /// Whether one of some groups is the administrators'.
    pub(super) fn is_admin(&self, groups: &[Group]) -> bool {
        let admin = super::groups::normal(&self.admin_dn);
        !admin.is_empty() && groups.iter().any(|group| super::groups::normal(&group.dn) == admin)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn settings(url: &str, start_tls: bool) -> Settings {
        Settings {
            url: url.to_owned(),
            start_tls,
            trust: Trust::System,
            timeout: Duration::from_secs(5),
            search_dn: String::new(),
            search_password: Secret::default(),
            base_dn: String::new(),
            filter: String::new(),
            uid: "uid".to_owned(),
            scope: Scope::Subtree,
            grouping: None,
        }
    }

    #[test]
    fn urls_are_read_as_harbor_reads_them() {
        for (url, host, port, tls) in [
            ("ldap://ldap.example.org", "ldap.example.org", 389, Tls::Never),
            ("ldap.example.org", "ldap.example.org", 389, Tls::Never),
            ("ldap.example.org:1389/", "ldap.example.org", 1389, Tls::Never),
            ("LDAPS://ldap.example.org", "ldap.example.org", 636, Tls::Always),
            ("ldap://ldap.example.org:636", "ldap.example.org", 636, Tls::Always),
            ("ldaps://[::1]:1636/dc=x", "::1", 1636, Tls::Always),
            ("ldap://[::1]", "::1", 389, Tls::Never),
        ] {
            let place = settings(url, false).place().unwrap();
            assert_eq!((place.host.as_str(), place.port, place.tls), (host, port, tls), "{url}");
        }
        assert_eq!(settings("ldap://a", true).place().unwrap().tls, Tls::Started);
        assert_eq!(settings("ldaps://a", true).place().unwrap().tls, Tls::Always);
    }

    #[test]
    fn urls_that_are_none_are_refused() {
        for url in ["", "http://a", "ldap://", "ldap://:389", "ldap://a:x", "ldap://a:0", "a:70000"]
        {
            let refused = settings(url, false).place();
            assert!(matches!(refused, Err(Failure::Misconfigured(_))), "{url}");
        }
    }
}
