//! The one error that every room speaks.
//!
//! A kind says what class of thing went wrong, a subject says about which noun.
//! The two files that map errors to the wire (`http/v2/error.rs` for the registry
//! and `http/api/error.rs` for Harbor's API) need nothing else.

use std::{borrow::Cow, fmt, time::Duration};

/// The result of every verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What class of thing went wrong. The set is closed: a new kind is a new wire mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The thing does not exist, or may not be known to exist.
    NotFound,
    /// Another thing with that name, or a newer state, is in the way.
    Conflict,
    /// The caller is known and lacks the right.
    Forbidden,
    /// Nobody may at this time, whoever asks.
    Denied,
    /// The caller is not known, or its credentials are wrong.
    Unauthenticated,
    /// The request itself is wrong.
    Invalid,
    /// The request can be read, but a value in it is not allowed (422 in Harbor's API).
    Unprocessable,
    /// The request asks for something this server does not do.
    Unsupported,
    /// The request is larger than a limit.
    TooLarge,
    /// A range cannot be satisfied, or a chunk does not continue its upload.
    Range,
    /// A quota would be exceeded.
    QuotaExceeded,
    /// A rule makes the thing immutable.
    Immutable,
    /// A condition that the caller or a policy set does not hold.
    Precondition,
    /// The caller asks too often or too much at once.
    TooMany,
    /// A part we depend on (database, store, disk space) is away; trying again later helps.
    Unavailable,
    /// Our own mistake.
    Internal,
}

/// Which noun the error is about. It picks the code on the wire, never the status alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The request as a whole.
    #[default]
    Request,
    /// A blob.
    Blob,
    /// A blob upload.
    Upload,
    /// A digest.
    Digest,
    /// A manifest.
    Manifest,
    /// A blob or manifest that a manifest refers to.
    ManifestReference,
    /// A tag.
    Tag,
    /// A repository.
    Repository,
    /// The name of a repository.
    Name,
    /// The size of something sent.
    Size,
    /// A paging parameter.
    Page,
    /// A project.
    Project,
    /// A user.
    User,
    /// What a user shows beside its password to sign in.
    SecondFactor,
    /// A member of a project.
    Member,
    /// A role.
    Role,
    /// A group of users.
    UserGroup,
}

/// One of several findings behind an error, such as each blob that a manifest misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What is wrong, for a person.
    pub message: String,
    /// Facts for a program, as pairs.
    pub facts: Vec<(&'static str, String)>,
}

/// What went wrong, for a caller and for the log.
#[derive(Debug)]
pub struct Error {
    /// The class.
    pub kind: Kind,
    /// The noun.
    pub subject: Subject,
    /// A sentence that may be shown to the caller.
    pub message: Cow<'static, str>,
    /// Several findings, where there are several.
    pub details: Vec<Detail>,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
    /// The cause, for the log only.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind with a message for the caller.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            subject: Subject::Request,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            source: None,
        }
    }

    /// A request that is wrong in itself.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// A thing that is not there.
    pub fn not_found(subject: Subject, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, message).about(subject)
    }

    /// Something in the way.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// A part we depend on is away; the caller is told to try again.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(Kind::Unavailable, message);
        error.retry_after = Some(Duration::from_secs(2));
        error
    }

    /// Our own mistake. The caller sees a fixed text; the cause goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "internal server error").because(source)
    }

    /// Names the noun.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a finding.
    #[must_use]
    pub fn with(mut self, message: impl Into<String>, facts: Vec<(&'static str, String)>) -> Self {
        self.details.push(Detail { message: message.into(), facts });
        self
    }

    /// Whether this is a given kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
