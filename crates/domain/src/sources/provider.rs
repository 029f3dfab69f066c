//! Signing in by a browser that goes to an OpenID provider and comes back.
//!
//! What an attempt has to remember, the browser keeps, sealed and bound to that browser; that
//! an attempt was used is a row, so that it is used once on all replicas. What the provider
//! told of somebody who is new is a row as well, until they have chosen a name.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use db::args;
use identity::{
    Failure, Trust,
    http::Reach,
    oidc::{self, Client, Tokens},
};
use kit::{Error, Kind, Result, Secret, Time, constant_time_eq};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    Source, asked,
    enter::{self, Given, Groups, Newcomer},
    how::{How, Oidc},
    open,
    password::within,
    sql,
};
use crate::{
    Context,
    rights::{Action, Allowed, Resource, Right, System},
    settings::{self, Key},
    users::{self, User},
};

/// How long somebody may take to sign in at the provider, and to choose a name.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What sealed attempts and newcomers are bound to.
const ATTEMPT: &str = "attempt to sign in by OpenID Connect";
const NEWCOMER: &str = "newcomer by OpenID Connect";

/// The longest attempt and the longest ticket that is read, in bytes.
const LONGEST_ATTEMPT: usize = 8 * 1024;
const LONGEST_TICKET: usize = 128;

/// What Harbor says when a browser did not come back from where it was sent.
const MISMATCH: &str = "State mismatch";

/// A browser is to go to the provider.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where it goes.
    pub url: Url,
    /// The attempt, for the browser to keep and nobody to read.
    pub attempt: Attempt,
}

/// An attempt to sign in, as the browser keeps it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What the provider sends back with the code; it names the attempt.
    pub state: String,
    /// The rest, sealed.
    pub sealed: String,
    /// How long it is good for.
    pub patience: Duration,
}

/// What an attempt remembers.
#[derive(Serialize, Deserialize)]
struct Remembered {
    source: i64,
    state: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    back_to: String,
    expires: i64,
}

/// Who came back from the provider.
#[derive(Clone)]
pub enum Finished {
    /// A user, and where the browser wanted to go.
    Known(Arc<User>, String),
    /// Somebody new, who has to choose a name.
    New {
        /// Proves, once and for a while, who they are; for the browser to keep.
        ticket: Secret,
        /// How long the ticket is good for.
        patience: Duration,
        /// A name to propose.
        username: String,
        /// Where the browser wanted to go.
        back_to: String,
    },
}

/// What is kept of somebody new.
#[derive(Serialize, Deserialize)]
struct Pending {
    source: i64,
    newcomer: Newcomer,
    given: Given,
}

/// Somebody's account at a provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// The number of the link.
    pub id: i64,
    /// The provider's name for them, and the provider's own.
    pub subiss: String,
    /// When the user was linked to it.
    pub created_at: Time,
    /// When that was last changed.
    pub updated_at: Time,
    source_id: i64,
    id_token: Option<String>,
}

/// Begins an attempt to sign in at a provider: the one with a number, or the first.
/// `redirect_uri` is where the provider sends the browser back to, `back_to` where it goes in
/// the end.
///
/// # Errors
/// Precondition when there is no such provider; what is about the provider.
pub async fn begin(
    context: &Context,
    source: Option<i64>,
    redirect_uri: String,
    back_to: String,
) -> Result<Begun> {
    let (source, oidc) = provider(context, source).await?;
    let client = client(context, &source, &oidc, redirect_uri.clone())?;
    let begun = within(context, &source, client.begin()).await?;
    let state = begun.state.reveal().to_owned();
    let remembered = Remembered {
        source: source.id,
        state: state.clone(),
        nonce: begun.nonce.reveal().to_owned(),
        verifier: begun.verifier.reveal().to_owned(),
        redirect_uri,
        back_to,
        expires: context.clock.now().after(PATIENCE).0,
    };
    let json = serde_json::to_vec(&remembered).map_err(Error::internal)?;
    let sealed = context.seal.seal(&json, ATTEMPT);
    Ok(Begun { url: begun.url, attempt: Attempt { state, sealed, patience: PATIENCE } })
}

/// Ends an attempt: the browser came back with a state and a code, and with what it kept.
///
/// # Errors
/// Invalid when the attempt is another's, too old or was used, or the provider does not vouch
/// for anybody; Conflict when the name that the provider tells is taken; what is about the
/// provider.
pub async fn finish(context: &Context, sealed: &str, state: &str, code: &str) -> Result<Finished> {
    let remembered = remembered(context, sealed, state)?;
    use_once(context, state).await?;
    let (source, oidc) = provider(context, Some(remembered.source)).await?;
    let client = client(context, &source, &oidc, remembered.redirect_uri)?;
    let (nonce, verifier) = (remembered.nonce.into(), remembered.verifier.into());
    let redeeming = client.redeem(code, (&nonce, &verifier));
    let tokens = within(context, &source, redeeming).await.map_err(not_vouched)?;
    let claims = tokens.claims.clone().unwrap_or_default();
    let person = oidc.names().person(&claims).map_err(not_vouched)?;
    let newcomer = Newcomer::of_provider(person);
    let given = Given::of(&oidc, tokens);
    if oidc.auto_onboard || enter::user_of(context, &source, &newcomer.subject).await?.is_some() {
        let user = enter::enter_with(context, &source, newcomer, given).await?;
        return Ok(Finished::Known(user.ok_or_else(taken)?, remembered.back_to));
    }
    let username = newcomer.username.clone();
    let ticket = Secret::from(kit::random_token(32));
    let pending = Pending { source: source.id, newcomer, given };
    let json = serde_json::to_vec(&pending).map_err(Error::internal)?;
    let sealed = context.seal.seal(&json, NEWCOMER);
    insert_step(context, id_of(ticket.reveal()), sealed).await?;
    Ok(Finished::New { ticket, patience: PATIENCE, username, back_to: remembered.back_to })
}

/// Makes somebody new a user, by the ticket of [`finish`] and under the name that they chose.
///
/// # Errors
/// Invalid when the ticket is none, or the name is not one; Conflict when it is taken.
pub async fn onboard(context: &Context, ticket: &str, username: &str) -> Result<Arc<User>> {
    let unknown = || Error::invalid("Failed to get OIDC user info from session");
    if ticket.is_empty() || ticket.len() > LONGEST_TICKET {
        return Err(unknown());
    }
    let id = id_of(ticket);
    let row = context.db.one(sql::STEP, args![&id, context.clock.now()]).await?;
    let sealed: String = row.ok_or_else(unknown)?.get(0)?;
    let json = open(context, &sealed, NEWCOMER)?;
    let Pending { source, newcomer, given } =
        serde_json::from_str(json.reveal()).map_err(Error::internal)?;
    let (source, _) = provider(context, Some(source)).await?;
    let newcomer = Newcomer { username: username.to_owned(), ..newcomer };
    let user = enter::enter_with(context, &source, newcomer, given).await?.ok_or_else(taken)?;
    context
        .db
        .write(move |tx| {
            let id = id.clone();
            Box::pin(async move { tx.execute(sql::TAKE_STEP, args![id]).await.map(drop) })
        })
        .await?;
    Ok(user)
}

/// Where the browser of a user goes who signs out, to end the session at the provider too;
/// none where it is to stay here. A provider that is away keeps nobody from signing out.
///
/// # Errors
/// None but the database's.
pub async fn logout_url(context: &Context, user_id: i64, back_to: &str) -> Result<Option<Url>> {
    let Some(account) = account(context, user_id).await? else { return Ok(None) };
    let Ok((source, oidc)) = provider(context, Some(account.source_id)).await else {
        return Ok(None);
    };
    if !oidc.logout {
        return Ok(None);
    }
    let purpose = enter::id_token_of(user_id);
    let token = account.id_token.map(|sealed| open(context, &sealed, &purpose)).transpose()?;
    let client = client(context, &source, &oidc, String::new())?;
    let asked = within(context, &source, client.logout_url(token.as_ref(), back_to)).await;
    Ok(asked.unwrap_or_else(|failure| {
        tracing::warn!(source = source.name, %failure, "the session at the provider goes on");
        None
    }))
}

/// The account of a user at a provider, if the user is from one.
///
/// # Errors
/// None but the database's.
pub async fn account(context: &Context, user_id: i64) -> Result<Option<Account>> {
    let Some(row) = context.db.one(sql::ACCOUNT, args![user_id]).await? else { return Ok(None) };
    let subject: String = row.get(2)?;
    let (issuer, subject) = subject.split_once(' ').unwrap_or_default();
    Ok(Some(Account {
        id: row.get(0)?,
        subiss: format!("{subject}{issuer}"),
        source_id: row.get(1)?,
        id_token: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    }))
}

/// Where somebody who cannot sign in by a password has to go: whose user is from a provider,
/// or, where people sign in by one, who is not known. None for everybody else.
///
/// # Errors
/// None but the database's.
pub async fn way_to_sign_in(context: &Context, name: &str) -> Result<Option<String>> {
    const PATH: &str = "/c/oidc/login";
    let sources = asked(context).await?;
    let is_provider = |source: &Arc<Source>| matches!(source.how, How::Oidc(_));
    let user = match name.contains('\0') {
        true => None,
        false => users::find_by_name(context, name).await?,
    };
    let Some(user) = user else {
        let by_provider = settings::current(context).await?.text(Key::AuthMode) == "oidc_auth";
        let by_password = sources.iter().any(|source| source.how.takes_passwords());
        return Ok((by_provider && !by_password).then(|| PATH.to_owned()));
    };
    let from = enter::sources_of(context, user.id).await?;
    let of_user = sources.iter().find(|source| from.contains(&source.id));
    Ok(of_user.filter(|source| is_provider(source)).map(|source| match source.id {
        super::OF_SETTINGS => PATH.to_owned(),
        id => format!("{PATH}?source={id}"),
    }))
}

/// Whether a provider is at an address.
///
/// # Errors
/// Invalid, in Harbor's words.
pub async fn ping_provider(
    context: &Context,
    allowed: &Allowed<System>,
    url: &str,
    verify_certificate: bool,
) -> Result<()> {
    allowed.require(Right::new(Resource::Configuration, Action::Update))?;
    let trust = Trust::new(verify_certificate, "");
    let issuer = context.sources.issuers.issuer(url, &trust, Reach::Anywhere);
    let pinged = match issuer {
        Ok(issuer) => issuer.ping().await,
        Err(failure) => Err(failure),
    };
    pinged.map_err(|failure| {
        tracing::info!(%failure, "an OpenID provider cannot be reached");
        Error::invalid("failed to verify connection").because(failure)
    })
}

/// The provider with a number, or the first.
pub(super) async fn provider(context: &Context, id: Option<i64>) -> Result<(Arc<Source>, Oidc)> {
    for source in asked(context).await? {
        if let How::Oidc(oidc) = &source.how
            && id.is_none_or(|id| id == source.id)
        {
            let oidc = oidc.clone();
            return Ok((source, oidc));
        }
    }
    let mode = settings::current(context).await?.text(Key::AuthMode).to_owned();
    Err(Error::new(Kind::Precondition, format!("auth mode: {mode} is not OIDC based")))
}

/// Where browsers can sign in: the number and the name of every OpenID provider that is asked,
/// in order. Everybody may know them.
///
/// # Errors
/// None but the database's.
pub async fn providers(context: &Context) -> Result<Vec<(i64, String)>> {
    let mut sources = asked(context).await?;
    sources.retain(|source| matches!(source.how, How::Oidc(_)));
    Ok(sources.iter().map(|source| (source.id, source.name.clone())).collect())
}

/// What we are to a provider.
pub(super) fn client(
    context: &Context,
    source: &Source,
    oidc: &Oidc,
    redirect_uri: String,
) -> Result<Client> {
    let issuers = &context.sources.issuers;
    Ok(Client {
        issuer: issuers.issuer(&oidc.endpoint, &oidc.trust(), Reach::Anywhere)?,
        id: oidc.client_id.clone(),
        secret: source.secret.clone(),
        scope: oidc.scope.clone(),
        redirect_uri,
        extra: oidc.extra_redirect_parms.clone().into_iter().collect(),
    })
}

impl Newcomer {
    /// Somebody of a provider. As with Harbor, a name has no blanks.
    pub(super) fn of_provider(person: oidc::Person) -> Self {
        let username = person.username.replace(' ', "_");
        Self {
            subject: format!("{} {}", person.issuer, person.subject),
            realname: username.clone(),
            username,
            email: person.email,
            comment: "Onboarded via OIDC provider".to_owned(),
            groups: match person.has_groups {
                true => Groups::Oidc(person.groups),
                false => Groups::Unknown,
            },
            admin: person.admin,
        }
    }
}

impl Given {
    /// What is kept of the tokens that a provider gave: what there is a use for.
    pub(super) fn of(oidc: &Oidc, tokens: Tokens) -> Self {
        let text = |secret: Option<Secret>| secret.map(|secret| secret.reveal().to_owned());
        Self {
            refresh_token: text(tokens.refresh_token).filter(|_| oidc.is_offline()),
            id_token: text(tokens.id_token).filter(|_| oidc.logout),
        }
    }
}

fn remembered(context: &Context, sealed: &str, state: &str) -> Result<Remembered> {
    let mismatch = || Error::invalid(MISMATCH);
    if sealed.len() > LONGEST_ATTEMPT {
        return Err(mismatch());
    }
    let json = open(context, sealed, ATTEMPT).map_err(|_| mismatch())?;
    let remembered: Remembered = serde_json::from_str(json.reveal()).map_err(|_| mismatch())?;
    let same = constant_time_eq(remembered.state.as_bytes(), state.as_bytes());
    match same && context.clock.now() < Time(remembered.expires) {
        true => Ok(remembered),
        false => Err(mismatch()),
    }
}

/// Marks an attempt as used, which works once.
async fn use_once(context: &Context, state: &str) -> Result<()> {
    let used = insert_step(context, id_of(state), String::new()).await;
    used.map_err(|error| match error.kind {
        Kind::Conflict => Error::invalid(MISMATCH),
        _ => error,
    })
}

async fn insert_step(context: &Context, id: String, content: String) -> Result<()> {
    let now = context.clock.now();
    // As long as anything that it stands for is good.
    let expires = now.after(PATIENCE);
    context
        .db
        .write(move |tx| {
            let (id, content) = (id.clone(), content.clone());
            Box::pin(async move {
                tx.execute(sql::DELETE_STEPS, args![now]).await?;
                tx.execute(sql::INSERT_STEP, args![id, content, expires]).await.map(drop)
            })
        })
        .await
}

/// The name of a step: a hash, so that who reads the table can take none.
fn id_of(secret: &str) -> String {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn not_vouched(failure: Failure) -> Error {
    if failure.is_about_credentials() {
        let message = format!("the OIDC provider did not vouch for anybody: {failure}");
        return Error::invalid(message).because(failure);
    }
    failure.into()
}

fn taken() -> Error {
    let message = "Conflict, the user with same username or email has been onboarded.";
    Error::conflict(message)
}
