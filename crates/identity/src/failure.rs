//! What can go wrong between Haven and a server that knows people.

use kit::{Error, Kind, Subject};

/// Why another server could not say, or did not vouch for, who somebody is. What it prints
/// may be shown to an administrator; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection to the server, or it broke.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server was silent for too long, or took too long in all.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server's certificate, or its TLS, is not what it should be.
    #[error("the server's certificate was refused: {0}")]
    Untrusted(String),
    /// What the server said is not what its protocol allows, or is larger than a limit.
    #[error("the server's answer makes no sense: {0}")]
    Nonsense(String),
    /// The server understood and refused.
    #[error("the server refused: {0}")]
    Refused(String),
    /// How we were told to ask is wrong in itself.
    #[error("{0}")]
    Misconfigured(String),
    /// A filter cannot be read.
    #[error("invalid filter syntax: {0}")]
    BadFilter(&'static str),
    /// A distinguished name cannot be read, by us or by the server.
    #[error("invalid DN syntax")]
    BadDn,
    /// There is no entry with the distinguished name under which to search.
    #[error("the base DN does not exist on the server: {0}")]
    NoSuchBase(String),
    /// The name and password under which we search are wrong.
    #[error("invalid credential")]
    BadSearchCredentials,
    /// Somebody's name, password or token is wrong.
    #[error("the credentials are wrong")]
    BadCredentials,
    /// A token does not prove what it should; for the log, not for who sent it.
    #[error("the token was refused: {0}")]
    BadToken(&'static str),
    /// The provider does not take a code or a refresh token, or takes it no longer.
    #[error("the provider does not take it")]
    NotTaken,
    /// More than one person has a name that has to be one person's.
    #[error("more than one entry has this name")]
    SeveralFound,
}

impl Failure {
    /// Whether it is about what somebody showed, not about the server or its settings.
    pub fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::BadCredentials | Self::BadToken(_) | Self::NotTaken | Self::SeveralFound
        )
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let text = failure.to_string();
        let error = match &failure {
            Failure::BadCredentials
            | Failure::BadToken(_)
            | Failure::NotTaken
            | Failure::SeveralFound => {
                Error::new(Kind::Unauthenticated, "invalid user name or password")
            }
            Failure::Misconfigured(_)
            | Failure::BadFilter(_)
            | Failure::BadDn
            | Failure::NoSuchBase(_)
            | Failure::BadSearchCredentials => Error::invalid(text),
            Failure::Unreachable(_)
            | Failure::TimedOut
            | Failure::Untrusted(_)
            | Failure::Nonsense(_)
            | Failure::Refused(_) => Error::unavailable(text),
        };
        error.about(Subject::User).because(failure)
    }
}
