//! Workload identity: a token of an issuer that a robot trusts stands for the robot.

use std::{collections::BTreeSet, sync::Arc};

use identity::{
    Trust,
    http::Reach,
    oidc::{Claims, peek, verify_token},
};
use kit::{Error, Kind, Result};

use super::{asked, how::How};
use crate::{
    Context,
    robots::{self, Robot},
    settings::{self, Key},
};

/// How many audiences are tried: a token names one, perhaps two.
const MOST_AUDIENCES: usize = 8;

/// The robot that a token stands for: the only one, or the one that is named, where the name
/// that came with the token is one of a robot's at all; none when no robot trusts whoever the token says issued it, so that it may be another kind of token.
/// The token's signature, issuer, audience and times are verified first.
///
/// # Errors
/// Unauthenticated when the token proves nothing, stands for no robot or for several;
/// Unavailable when its issuer has to be asked and cannot be.
pub async fn workload(
    context: &Context,
    token: &str,
    name: Option<&str>,
) -> Result<Option<Arc<Robot>>> {
    let Some(shown) = peek(token) else { return Ok(None) };
    let Some(issuer) = shown.issuer() else { return Ok(None) };
    let trusts = robots::trusts_of(context, issuer).await?;
    if trusts.is_empty() {
        return Ok(None);
    }
    let (trust, reach) = reach(context, issuer).await?;
    let issuer = context.sources.issuers.issuer(issuer, &trust, reach).map_err(|failure| {
        tracing::warn!(issuer, %failure, "the issuer of a workload's token may not be asked");
        Error::new(Kind::Unauthenticated, "the token's issuer may not be asked").because(failure)
    })?;
    let trusted: BTreeSet<&str> = trusts.iter().map(|trust| trust.audience.as_str()).collect();
    let audiences = shown.audiences().filter(|audience| trusted.contains(audience));
    let mut refusal = identity::Failure::BadToken("it is for somebody else");
    for audience in audiences.take(MOST_AUDIENCES) {
        match verify_token(&issuer, audience, token).await {
            Ok(claims) => return robot(context, &trusts, &claims, name).await.map(Some),
            Err(failure) => refusal = failure,
        }
    }
    if refusal.is_about_credentials() {
        tracing::info!(issuer = issuer.url(), failure = %refusal, "a workload's token was refused");
        return Err(Error::new(Kind::Unauthenticated, "the token proves nothing").because(refusal));
    }
    let message = "the issuer of the token cannot be asked at the moment";
    Err(Error::new(Kind::Unavailable, message).because(refusal))
}

/// The robot for which a token that was verified stands.
async fn robot(
    context: &Context,
    trusts: &[robots::Trust],
    claims: &Claims,
    name: Option<&str>,
) -> Result<Arc<Robot>> {
    let audiences: Vec<String> = claims.audiences().map(str::to_owned).collect();
    let configuration = settings::current(context).await?;
    let prefix = configuration.text(Key::RobotNamePrefix);
    let name = name.filter(|name| name.starts_with(prefix));
    robots::trusted(context, trusts, &audiences, claims.all(), name).await
}

/// How an issuer may be asked: as the system's administrators wrote down, or else as a public
/// server, since whoever may change a robot named it.
async fn reach(context: &Context, issuer: &str) -> Result<(Trust, Reach)> {
    let bare = |url: &str| url.trim().trim_end_matches('/').to_owned();
    for source in asked(context).await? {
        if let How::Issuer(known) = &source.how
            && bare(&known.url) == bare(issuer)
        {
            return Ok((known.trust(), Reach::Anywhere));
        }
    }
    Ok((Trust::System, Reach::Public))
}
