//! Who may manage how users sign in, and who may make users.

use kit::{Error, Kind, Result, Subject};

use super::{
    Caller,
    decide::{is_narrowed, may_do_everything, on_system, refused, robot, user, words},
};
use crate::{
    Context,
    rights::{Action, Allowed, Reach, Resource, Right, System},
    settings::{self, Key},
    users::{self, Account, AllowedAccount, Sysadmins},
};

/// Whether a caller may manage how itself signs in: what leaks more easily than what it signs
/// in with must not outlive itself by making another.
///
/// # Errors
/// Unauthenticated for whoever is no user; Forbidden for one that came with a token or a CLI
/// secret.
pub async fn own_account(context: &Context, caller: &Caller) -> Result<AllowedAccount> {
    let user = user(context, caller).await?;
    if !caller.is_in_person() {
        let message = "how you sign in is managed with your password or in the portal";
        return Err(Error::new(Kind::Forbidden, message));
    }
    Ok(AllowedAccount::decided(user, caller.who()))
}

/// Whether a caller may manage how a user signs in: itself, or whoever may change users.
///
/// # Errors
/// As [`super::on_user`]; NotFound about the user only for those who may change users.
pub async fn on_account(
    context: &Context,
    caller: &Caller,
    user_id: i64,
) -> Result<AllowedAccount> {
    if caller.user_id() == Some(user_id) {
        return own_account(context, caller).await;
    }
    on_user(context, caller, user_id, Action::Update).await?;
    let user = users::find(context, user_id).await?;
    let user =
        user.ok_or_else(|| Error::not_found(Subject::User, format!("user {user_id} not found")))?;
    Ok(AllowedAccount::decided(user, caller.who()))
}

/// Whether a caller may make a user: whoever may make any, and where the settings let people
/// register, everybody who does so from the portal's own page; and whether it is somebody
/// who registers, whom `sign_in::may_register` bounds.
///
/// # Errors
/// Forbidden unless users have passwords here; as [`super::on_system`].
pub async fn to_make_user(
    context: &Context,
    caller: &Caller,
    from_page: bool,
) -> Result<(Allowed<System>, bool)> {
    let right = Right::new(Resource::User, Action::Create);
    let allowed = on_system(context, caller, right).await;
    let configuration = settings::current(context).await?;
    let mode = configuration.text(Key::AuthMode);
    let may_register = mode == "db_auth" && configuration.flag(Key::SelfRegistration);
    match allowed {
        Ok(_) if mode != "db_auth" => {
            let message = format!("creating local user is not allowed under auth mode: {mode}");
            Err(Error::new(Kind::Forbidden, message))
        }
        Err(error)
            if matches!(error.kind, Kind::Unauthenticated | Kind::Forbidden)
                && may_register
                && !caller.has_token() =>
        {
            if from_page {
                let allowed = Allowed::decided(System, right, Reach::Everything, caller.who());
                return Ok((allowed, true));
            }
            let message = "self-registration cannot be triggered via API";
            Err(Error::new(Kind::Forbidden, message))
        }
        decided => decided.map(|allowed| (allowed, false)),
    }
}

/// Whether a caller may do something with a user, who need not exist: users read and change
/// themselves, and others who has the right.
///
/// # Errors
/// As [`on_system`]; Forbidden for who would change somebody that may do everything and may
/// not do so itself.
pub async fn on_user(
    context: &Context,
    caller: &Caller,
    id: i64,
    action: Action,
) -> Result<Allowed<Account>> {
    let right = Right::new(Resource::User, action);
    let everything = may_do_everything(context, caller).await?;
    let is_oneself = caller.user_id() == Some(id);
    let of_itself = match action {
        Action::Read => is_oneself,
        Action::Update => is_oneself && !is_narrowed(context, caller).await?,
        _ => false,
    };
    let by_right = match robot(context, caller).await? {
        Some(robot) => robot.may_on_system(right),
        None => everything,
    };
    if !(of_itself || by_right) || caller.has_token() {
        return Err(refused(caller, words(caller)));
    }
    if !everything && !of_itself && action != Action::Read {
        let may_more = users::find(context, id).await?.is_some_and(|user| user.may_do_everything());
        if may_more {
            return Err(refused(caller, words(caller)));
        }
    }
    let account = Account { id, is_oneself };
    Ok(Allowed::decided(account, right, Reach::Everything, caller.who()))
}

/// Whether a caller may say who may do everything: only who may so itself. A robot that may
/// change users would otherwise give more than it has.
///
/// # Errors
/// As [`on_system`].
pub async fn on_sysadmins(context: &Context, caller: &Caller) -> Result<Allowed<Sysadmins>> {
    if !may_do_everything(context, caller).await? || caller.has_token() {
        return Err(refused(caller, words(caller)));
    }
    let right = Right::new(Resource::User, Action::Update);
    Ok(Allowed::decided(Sysadmins, right, Reach::Everything, caller.who()))
}
