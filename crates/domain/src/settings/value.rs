//! Values of settings: read from what a client sent or the database holds.

use std::collections::BTreeMap;

use kit::{Error, Result, Secret};

use super::{Key, Kind, outside};

/// The ways to sign in.
const AUTH_MODES: [&str; 5] = ["db_auth", "ldap_auth", "uaa_auth", "http_auth", "oidc_auth"];

/// The longest text, in bytes: a certificate chain fits, a picture does not.
const LONGEST: usize = 64 * 1024;

/// The largest number where Harbor's portal has a field of ten digits.
const LARGEST: i64 = 9_999_999_999;

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text; of maps, their JSON.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// What nobody is shown.
    Secret(Secret),
}

impl Value {
    /// The value that a text stands for, as the database holds it.
    ///
    /// # Errors
    /// Invalid when it is not what the setting may be, in Harbor's words.
    pub fn stored(key: Key, text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(refused(key, "the value is too long"));
        }
        Ok(match key.kind() {
            Kind::Text => Self::Text(text.to_owned()),
            Kind::Password => Self::Secret(text.into()),
            // Empty is what it is before anybody sets it.
            Kind::NonEmptyText => Self::Text(text.to_owned()),
            Kind::Flag => Self::Flag(
                flag(text)
                    .ok_or_else(|| refused(key, format!("{text:?} is neither true nor false")))?,
            ),
            Kind::Number => Self::Number(number(key, text)?),
            Kind::Quota => match number(key, text)? {
                limit if limit > 0 || limit == -1 => Self::Number(limit),
                _ => return Err(refused(key, "quota value should be -1 or great than zero")),
            },
            Kind::LdapScope => match number(key, text)? {
                scope @ 0..=2 => Self::Number(scope),
                _ => return Err(refused(key, "invalid scope, should be 0, 1 or 2")),
            },
            Kind::AuthMode if AUTH_MODES.contains(&text) => Self::Text(text.to_owned()),
            Kind::AuthMode => {
                let modes = "invalid auth_mode, shoud be one of db_auth, ldap_auth, uaa_auth, \
                             http_auth, oidc_auth";
                return Err(refused(key, modes));
            }
            Kind::Restriction if matches!(text, "adminonly" | "everyone") => {
                Self::Text(text.to_owned())
            }
            Kind::Restriction => {
                let choice =
                    "invalid project_creation_restriction, should be adminonly or everyone";
                return Err(refused(key, choice));
            }
            Kind::Pairs => {
                serde_json::from_str::<BTreeMap<String, String>>(text)
                    .map_err(|error| refused(key, error.to_string()))?;
                Self::Text(text.to_owned())
            }
            Kind::Map => {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
                    .map_err(|error| refused(key, error.to_string()))?;
                Self::Text(text.to_owned())
            }
        })
    }

    /// The value that a client wants to set. More is refused than in [`Value::stored`]:
    /// what is stored already, by whomever, must stay readable.
    ///
    /// # Errors
    /// As [`Value::stored`].
    pub fn wanted(key: Key, text: &str) -> Result<Self> {
        if key.kind() == Kind::NonEmptyText && text.trim().is_empty() {
            return Err(refused(key, "the value must not be empty"));
        }
        if text.contains('\0') {
            return Err(refused(key, "the value must not contain NUL"));
        }
        let value = Self::stored(key, text)?;
        outside::check(key, text)?;
        let limited =
            matches!(key, Key::TokenExpiration | Key::RobotTokenDuration | Key::SessionTimeout);
        match value {
            Self::Number(..=0) if limited => {
                Err(Error::invalid(format!("the {} value must be positive", key.name())))
            }
            Self::Number(number) if limited && number > LARGEST => Err(Error::invalid(format!(
                "the {} value is over the limit value: {LARGEST}",
                key.name()
            ))),
            value => Ok(value),
        }
    }

    /// As the database holds it, before it is sealed.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Secret(secret) => secret.reveal().to_owned(),
        }
    }
}

/// The truth values that Go reads, since Harbor's clients may send them.
fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn number(key: Key, text: &str) -> Result<i64> {
    text.parse().map_err(|_| refused(key, format!("invalid number {text:.40}")))
}

pub(super) fn refused(key: Key, why: impl std::fmt::Display) -> Error {
    Error::invalid(format!("bad request: item name {}: {why}", key.name()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_are_what_their_setting_may_be() {
        for (key, good) in [
            (Key::AuthMode, "ldap_auth"),
            (Key::ReadOnly, "true"),
            (Key::TokenExpiration, "1"),
            (Key::TokenExpiration, "9999999999"),
            (Key::StoragePerProject, "-1"),
            (Key::StoragePerProject, "1"),
            (Key::LdapScope, "0"),
            (Key::LdapTimeout, "-5"),
            (Key::ProjectCreationRestriction, "adminonly"),
            (Key::OidcExtraRedirectParms, r#"{"a":"b"}"#),
            (Key::RobotNamePrefix, "r+"),
            (Key::OidcClientSecret, ""),
            (Key::LdapUrl, "ldap.example.org:389"),
            (Key::LdapFilter, "objectClass=person"),
            (Key::OidcEndpoint, "https://sso.example.org/realms/x"),
            (Key::OidcEndpoint, ""),
            (Key::BannerMessage, ""),
        ] {
            let value = Value::wanted(key, good).unwrap();
            assert_eq!(value.to_text(), good, "{}", key.name());
        }
        for (key, bad) in [
            (Key::AuthMode, "none"),
            (Key::AuthMode, ""),
            (Key::ReadOnly, "yes"),
            (Key::ReadOnly, ""),
            (Key::TokenExpiration, "0"),
            (Key::TokenExpiration, "-1"),
            (Key::TokenExpiration, "1.5"),
            (Key::TokenExpiration, "10000000000"),
            (Key::SessionTimeout, "9223372036854775808"),
            (Key::StoragePerProject, "0"),
            (Key::StoragePerProject, "-2"),
            (Key::LdapScope, "3"),
            (Key::ProjectCreationRestriction, "nobody"),
            (Key::OidcExtraRedirectParms, r#"{"a":1}"#),
            (Key::OidcExtraRedirectParms, "[]"),
            (Key::RobotNamePrefix, " "),
            (Key::LdapUrl, ""),
            (Key::LdapUrl, "https://ldap.example.org"),
            (Key::LdapFilter, "(objectClass=person"),
            (Key::LdapGroupSearchFilter, "((cn=*)"),
            (Key::OidcEndpoint, "file:///etc/passwd"),
            (Key::OidcEndpoint, "https://user:password@sso.example.org"),
            (Key::OidcGroupFilter, "("),
            (Key::HttpAuthproxyEndpoint, "proxy"),
            (Key::HttpAuthproxyServerCertificate, "nonsense"),
            (Key::AuthMode, "uaa_auth"),
            (Key::BannerMessage, "\0"),
        ] {
            assert!(Value::wanted(key, bad).is_err(), "{} {bad}", key.name());
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(Value::wanted(Key::BannerMessage, &long).is_err());
    }
}
