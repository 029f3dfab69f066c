#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use db::args;
use kit::Kind;

use super::*;
use crate::{
    Context, access,
    rights::{Action, Allowed, Resource, Right, System},
    settings::{self, Configuration, Key},
    testing::{add_user, admin, both, eventually, sqlite},
};

async fn proof(context: &Context) -> Allowed<System> {
    let right = Right::new(Resource::Configuration, Action::Update);
    access::on_system(context, &admin(context).await, right).await.unwrap()
}

async fn set(context: &Context, key: Key, text: &str) -> kit::Result<()> {
    update(context, &proof(context).await, vec![(key, text.to_owned())]).await
}

async fn current(context: &Context) -> Arc<Configuration> {
    settings::current(context).await.unwrap()
}

#[tokio::test]
async fn what_is_set_is_so_at_once_and_on_every_replica() {
    for place in both().await {
        let (here, there) = (place.open().await, place.open().await);
        assert!(!current(&here).await.flag(Key::ReadOnly));
        assert!(!current(&there).await.flag(Key::ReadOnly));
        set(&here, Key::ReadOnly, "true").await.unwrap();
        assert!(current(&here).await.flag(Key::ReadOnly));
        if place.is_shared() {
            eventually(async || current(&there).await.flag(Key::ReadOnly)).await;
        }
    }
}

#[tokio::test]
async fn secrets_are_sealed_and_told_to_nobody() {
    for place in both().await {
        let context = place.open().await;
        set(&context, Key::LdapSearchPassword, "hunter2").await.unwrap();
        let secret = current(&context).await.secret(Key::LdapSearchPassword);
        assert_eq!(secret.reveal(), "hunter2");
        assert_eq!(current(&context).await.text(Key::LdapSearchPassword), "");
        let rows = context.db.all("SELECT value FROM configuration", args![]).await.unwrap();
        let stored: String = rows[0].get(0).unwrap();
        assert!(rows.len() == 1 && !stored.contains("hunter2"), "{stored}");
        let told = context.db.all("SELECT description FROM audit_log", args![]).await.unwrap();
        let told: String = told[0].get(0).unwrap();
        assert_eq!(told, "update configuration: ldap_search_password");
        // One that is moved to another setting does not open.
        let moved = "UPDATE configuration SET name = 'oidc_client_secret'";
        context.db.write(move |tx| Box::pin(tx.execute(moved, args![]))).await.unwrap();
        let again = place.open().await;
        assert_eq!(settings::current(&again).await.unwrap_err().kind, Kind::Internal);
    }
}

#[tokio::test]
async fn all_of_a_request_is_set_or_nothing() {
    for place in both().await {
        let context = place.open().await;
        let wanted = vec![
            (Key::TokenExpiration, "5".to_owned()),
            (Key::ProjectCreationRestriction, "nobody".to_owned()),
        ];
        let refused = update(&context, &proof(&context).await, wanted).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid);
        assert!(!current(&context).await.is_set(Key::TokenExpiration));
        let told = "SELECT description, succeeded FROM audit_log";
        let row = context.db.one(told, args![]).await.unwrap().unwrap();
        let expected = "update configuration: token_expiration, project_creation_restriction";
        assert_eq!(row.get::<String>(0).unwrap(), expected);
        assert!(!row.get::<bool>(1).unwrap());
    }
}

#[tokio::test]
async fn the_way_to_sign_in_is_fixed_once_there_are_users() {
    let context = sqlite().open().await;
    set(&context, Key::AuthMode, "ldap_auth").await.unwrap();
    set(&context, Key::AuthMode, "db_auth").await.unwrap();
    add_user(&context, "alice").await;
    let refused = set(&context, Key::AuthMode, "oidc_auth").await.unwrap_err();
    assert!(refused.is(Kind::Invalid) && refused.message.contains("cannot be modified"));
    set(&context, Key::AuthMode, "db_auth").await.unwrap();
}

#[tokio::test]
async fn the_audit_log_always_goes_somewhere() {
    let context = sqlite().open().await;
    assert!(set(&context, Key::SkipAuditLogDatabase, "true").await.is_err());
    set(&context, Key::AuditLogForwardEndpoint, "udp://127.0.0.1:9").await.unwrap();
    set(&context, Key::SkipAuditLogDatabase, "true").await.unwrap();
    assert!(set(&context, Key::AuditLogForwardEndpoint, "").await.is_err());
}

#[tokio::test]
async fn what_the_environment_sets_nobody_changes() {
    let place = sqlite();
    let mut context = place.open().await;
    for wrong in ["", "[]", r#"{"nothing":1}"#, r#"{"token_expiration":0}"#, r#"{"read_only":"x"}"#]
    {
        let refused = overwrite(&context, wrong).await.unwrap_err();
        assert!(refused.message.starts_with("CONFIG_OVERWRITE_JSON: "), "{refused}");
    }
    let given = r#"{"token_expiration":7,"read_only":true,"ldap_search_password":"x",
        "oidc_extra_redirect_parms":{"a":"b"},"pull_count_update_disable":true}"#;
    overwrite(&context, given).await.unwrap();
    context.settings.configuration_is_fixed = true;
    let now = current(&context).await;
    assert_eq!((now.number(Key::TokenExpiration), now.flag(Key::ReadOnly)), (7, true));
    assert_eq!(now.pairs(Key::OidcExtraRedirectParms)["a"], "b");
    let refused = set(&context, Key::ReadOnly, "false").await.unwrap_err();
    assert_eq!(refused.kind, Kind::Forbidden);
    // Another start with the same has nothing to tell.
    overwrite(&context, given).await.unwrap();
    let told = "SELECT COUNT(*) FROM audit_log";
    let told: i64 = context.db.one(told, args![]).await.unwrap().unwrap().get(0).unwrap();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_token_lives_as_long_as_the_setting_says() {
    let context = sqlite().open().await;
    let scopes = oci::Scope::parse_list("repository:library/x:pull").unwrap();
    let caller = admin(&context).await;
    let issue = async || crate::tokens::issue(&context, &caller, &scopes).await.unwrap().lifetime;
    assert_eq!(issue().await, context.settings.token_lifetime);
    set(&context, Key::TokenExpiration, "7").await.unwrap();
    assert_eq!(issue().await, std::time::Duration::from_secs(7 * 60));
}
