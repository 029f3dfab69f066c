//! A proxy that verifies passwords over HTTP, as Harbor knows it: it exchanges a name and a
//! password for a session, and a review of that session, in the form of Kubernetes'
//! TokenReview, tells who it is.

use kit::Secret;
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Result,
    http::{Answer, Http, Reach, basic},
    trust::Trust,
};

/// The longest session, and the most groups of one, that are read.
const LONGEST_SESSION: usize = 16 * 1024;
const MOST_GROUPS: usize = 1000;

/// Where the proxy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where a name and a password are exchanged for a session.
    pub endpoint: String,
    /// Where a session is reviewed.
    pub token_review_endpoint: String,
    /// Which certificates are believed.
    pub trust: Trust,
    /// Groups whose members may do everything.
    pub admin_groups: Vec<String>,
    /// Names of people who may do everything.
    pub admin_usernames: Vec<String>,
}

/// Somebody that the proxy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name to sign in with.
    pub username: String,
    /// The groups.
    pub groups: Vec<String>,
    /// Whether the settings make this an administrator.
    pub admin: bool,
}

#[derive(Deserialize)]
struct Session {
    session_id: String,
}

/// What is asked and answered about a session.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct TokenReview {
    api_version: String,
    kind: String,
    spec: Spec,
    #[serde(skip_serializing)]
    status: Status,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Spec {
    #[serde(skip_deserializing)]
    token: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    authenticated: bool,
    user: Reviewed,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reviewed {
    username: String,
    groups: Vec<String>,
}

/// Somebody by a name and a password.
///
/// # Errors
/// BadCredentials when the proxy says so; all that is about the connection.
pub async fn authenticate(settings: &Settings, name: &str, password: &Secret) -> Result<Person> {
    let http = Http::new(&settings.trust, Reach::Anywhere)?;
    let url = http.address(&settings.endpoint)?;
    let answer = Answer::to(basic(http.post(url), name, password)).await?;
    if matches!(answer.status.as_u16(), 401 | 403) {
        return Err(Failure::BadCredentials);
    }
    let session: Session = answer.success()?;
    let person = review(settings, &session.session_id.into()).await?;
    // The session is that of the name which was given, or the proxy mixes people up.
    match person.username.eq_ignore_ascii_case(name) {
        true => Ok(person),
        false => Err(Failure::BadCredentials),
    }
}

/// Who a session, or another token that the proxy knows, is of.
///
/// # Errors
/// As [`authenticate`].
pub async fn review(settings: &Settings, session: &Secret) -> Result<Person> {
    if session.reveal().is_empty() || session.reveal().len() > LONGEST_SESSION {
        return Err(Failure::BadCredentials);
    }
    let http = Http::new(&settings.trust, Reach::Anywhere)?;
    let url = http.address(&settings.token_review_endpoint)?;
    let question = TokenReview {
        api_version: "authentication.k8s.io/v1beta1".to_owned(),
        kind: "TokenReview".to_owned(),
        spec: Spec { token: session.reveal().to_owned() },
        status: Status::default(),
    };
    let request = http.post(url).bearer_auth(session.reveal()).json(&question);
    let answer = Answer::to(request).await?;
    if matches!(answer.status.as_u16(), 401 | 403) {
        return Err(Failure::BadCredentials);
    }
    let review: TokenReview = answer.success()?;
    let Reviewed { username, mut groups } = review.status.user;
    if !review.status.authenticated || username.is_empty() {
        return Err(Failure::BadCredentials);
    }
    groups.retain(|group| !group.trim().is_empty());
    groups.truncate(MOST_GROUPS);
    let admin = settings.admin_usernames.contains(&username)
        || groups.iter().any(|group| settings.admin_groups.contains(group));
    Ok(Person { username, groups, admin })
}
