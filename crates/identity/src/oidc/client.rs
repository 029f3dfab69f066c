//! The flow of a browser: to the provider with a request, back with a code, the code for
//! tokens (Core, section 3.1; PKCE, RFC 7636).

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kit::Secret;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    Claims, Issuer,
    verify::{self, id_token},
};
use crate::{
    Failure, Result,
    http::{Answer, basic},
};

/// The longest code and the longest token that is sent on, in bytes.
const LONGEST: usize = 64 * 1024;

/// What only we decide; no further parameter of the settings replaces it.
const OURS: [&str; 9] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
];

/// What we are to a provider.
#[derive(Clone)]
pub struct Client {
    /// The provider.
    pub issuer: Arc<Issuer>,
    /// Our name there.
    pub id: String,
    /// Our secret there; empty for a public client.
    pub secret: Secret,
    /// What is asked for, separated by commas or spaces; `openid` always is.
    pub scope: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// Further parameters of the request.
    pub extra: Vec<(String, String)>,
}

/// A browser is to go to the provider. All but the address is kept until it comes back.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: Url,
    /// Comes back with the code.
    pub state: Secret,
    /// Comes back in the ID token.
    pub nonce: Secret,
    /// Proves that who redeems the code is who asked for it.
    pub verifier: Secret,
}

/// What the provider gave for a code, or for a refresh token.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What the ID token says, with what the provider answered about its subject. None where
    /// a refresh brought no new one.
    pub claims: Option<Claims>,
    /// The ID token itself, which a logout wants to see.
    pub id_token: Option<Secret>,
    /// To refresh with, if there is one.
    pub refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
}

impl Client {
    /// Begins an attempt to sign in.
    ///
    /// # Errors
    /// All that is about the provider.
    pub async fn begin(&self) -> Result<Begun> {
        let metadata = self.issuer.metadata().await?;
        let endpoint = metadata.authorization_endpoint.as_deref().ok_or_else(missing)?;
        let mut url = self.issuer.http.address(endpoint)?;
        let [state, nonce, verifier] = std::array::from_fn(|_| kit::random_token(32));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let (scope, offline) = self.scopes(&url);
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &self.id)
                .append_pair("redirect_uri", &self.redirect_uri)
                .append_pair("scope", &scope)
                .append_pair("state", &state)
                .append_pair("nonce", &nonce)
                .append_pair("code_challenge", &challenge)
                .append_pair("code_challenge_method", "S256");
            if offline {
                query.append_pair("access_type", "offline").append_pair("prompt", "consent");
            }
            for (name, value) in &self.extra {
                if !OURS.contains(&name.as_str()) {
                    query.append_pair(name, value);
                }
            }
        }
        Ok(Begun { url, state: state.into(), nonce: nonce.into(), verifier: verifier.into() })
    }

    /// The tokens for a code, and who they are about.
    ///
    /// # Errors
    /// NotTaken when the provider does not take the code; BadToken when its token does not prove
    /// what it should; all that is about the connection.
    pub async fn redeem(&self, code: &str, begun_with: (&Secret, &Secret)) -> Result<Tokens> {
        let (nonce, verifier) = begun_with;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", verifier.reveal()),
        ];
        let answer = self.tokens(&form).await?;
        let token = answer.id_token.as_deref().ok_or(Failure::BadToken("it is missing"))?;
        let claims = id_token(&self.issuer, &self.id, Some(nonce.reveal()), token).await?;
        let claims = self.with_userinfo(claims, answer.access_token.as_deref()).await?;
        Ok(tokens(answer, Some(claims)))
    }

    /// New tokens for a refresh token: proof that the provider still knows the account.
    ///
    /// # Errors
    /// NotTaken when the provider does not take it any more; BadToken when its token does not
    /// prove what it should; all that is about the connection.
    pub async fn refresh(&self, refresh_token: &Secret, subject: &str) -> Result<Tokens> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.reveal())];
        let answer = self.tokens(&form).await?;
        let claims = match answer.id_token.as_deref() {
            None => None,
            Some(token) => {
                let claims = id_token(&self.issuer, &self.id, None, token).await?;
                if claims.subject() != Some(subject) {
                    return Err(Failure::BadToken("it is of somebody else"));
                }
                Some(self.with_userinfo(claims, answer.access_token.as_deref()).await?)
            }
        };
        Ok(tokens(answer, claims))
    }

    /// Who an ID token is about that a client shows instead of a password.
    ///
    /// # Errors
    /// As [`verify::verify_token`].
    pub async fn verify(&self, token: &str) -> Result<Claims> {
        verify::id_token(&self.issuer, &self.id, None, token).await
    }

    /// Where a browser goes to end the session at the provider; none if the provider has no
    /// such place.
    ///
    /// # Errors
    /// All that is about the provider.
    pub async fn logout_url(
        &self,
        id_token: Option<&Secret>,
        back_to: &str,
    ) -> Result<Option<Url>> {
        let metadata = self.issuer.metadata().await?;
        let Some(endpoint) = metadata.end_session_endpoint.as_deref() else { return Ok(None) };
        let mut url = self.issuer.http.address(endpoint)?;
        {
            let mut query = url.query_pairs_mut();
            if let Some(token) = id_token {
                query.append_pair("id_token_hint", token.reveal());
            }
            query
                .append_pair("client_id", &self.id)
                .append_pair("post_logout_redirect_uri", back_to);
        }
        Ok(Some(url))
    }

    /// Asks for tokens, proving who we are.
    async fn tokens(&self, form: &[(&str, &str)]) -> Result<TokenAnswer> {
        if form.iter().any(|(_, value)| value.is_empty() || value.len() > LONGEST) {
            return Err(Failure::BadToken("there is no code"));
        }
        let metadata = self.issuer.metadata().await?;
        let endpoint = metadata.token_endpoint.as_deref().ok_or_else(missing)?;
        let request = self.issuer.http.post(self.issuer.http.address(endpoint)?);
        let methods = &metadata.token_endpoint_auth_methods_supported;
        let knows = |method: &str| methods.iter().any(|known| known == method);
        let mut form: Vec<(&str, &str)> = form.to_vec();
        // Without a word about it, Basic is what a provider has to know.
        let by_header = methods.is_empty() || knows("client_secret_basic");
        let request = match (self.secret.reveal(), by_header) {
            ("", _) => {
                form.push(("client_id", &self.id));
                request
            }
            (secret, true) => {
                let encode =
                    |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
                let (id, secret): (String, String) = (encode(&self.id), encode(secret));
                basic(request, &id, &secret.into())
            }
            (secret, false) => {
                form.extend([("client_id", self.id.as_str()), ("client_secret", secret)]);
                request
            }
        };
        let answer = Answer::to(request.form(&form)).await?;
        if answer.status.is_client_error() {
            let refusal: Refusal = answer.json().unwrap_or_default();
            return Err(match refusal.error.as_str() {
                "invalid_grant" => Failure::NotTaken,
                "invalid_client" | "unauthorized_client" => {
                    let message = "the provider does not accept the client's id and secret";
                    Failure::Misconfigured(message.to_owned())
                }
                _ => Failure::Refused(format!("HTTP status {}", answer.status.as_u16())),
            });
        }
        answer.success()
    }

    /// What an ID token says, and what the provider answers about its subject, which only adds
    /// to it. A provider that does not answer is no reason to refuse who proved to be it.
    async fn with_userinfo(&self, claims: Claims, access_token: Option<&str>) -> Result<Claims> {
        let metadata = self.issuer.metadata().await?;
        let (Some(endpoint), Some(token)) = (&metadata.userinfo_endpoint, access_token) else {
            return Ok(claims);
        };
        let url = self.issuer.http.address(endpoint)?;
        let answer = Answer::to(self.issuer.http.get(url).bearer_auth(token)).await;
        let Ok(told) = answer.and_then(|answer| answer.success::<Map<String, Value>>()) else {
            return Ok(claims);
        };
        let told = Claims::from(told);
        // It has to be about the same (Core, section 5.3.2).
        Ok(if told.subject() == claims.subject() { claims.or(told) } else { claims })
    }

    /// What is asked for, and whether the provider is the one that has its own way to give a
    /// refresh token.
    fn scopes(&self, endpoint: &Url) -> (String, bool) {
        let mut scopes: Vec<&str> = vec!["openid"];
        for scope in self.scope.split([',', ' ']).map(str::trim) {
            if !scope.is_empty() && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let google = endpoint.host_str().is_some_and(|host| host == "accounts.google.com");
        let offline = google && scopes.contains(&"offline_access");
        if offline {
            scopes.retain(|scope| *scope != "offline_access");
        }
        (scopes.join(" "), offline)
    }
}

fn tokens(answer: TokenAnswer, claims: Option<Claims>) -> Tokens {
    Tokens {
        claims,
        id_token: answer.id_token.map(Secret::from),
        refresh_token: answer.refresh_token.map(Secret::from),
    }
}

fn missing() -> Failure {
    Failure::Nonsense("the provider does not tell where to sign in".to_owned())
}
