#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Instant};

use db::args;
use identity::testing::{PASSWORD, Provider, Proxy, Signer, Slapd, sign_in};
use kit::{Clock, Kind, Secret};
use serde_json::{Value, json};

use super::*;
use crate::{
    Context,
    access::{self, Action, Resource, Right},
    configurations,
    groups::{self, GroupKind},
    rights::{Allowed, System},
    robots::NewTrust,
    settings::Key,
    testing::{self, Place, add_user, admin, both, eventually, sqlite},
    users,
};

/// Servers outside live at this moment, so their tokens do too.
async fn open(place: &Place) -> Context {
    place.open_with(Clock::manual(Clock::System.now())).await
}

async fn may(context: &Context, resource: Resource, action: Action) -> Allowed<System> {
    access::on_system(context, &admin(context).await, Right::new(resource, action)).await.unwrap()
}

async fn set(context: &Context, wanted: &[(Key, &str)]) {
    let allowed = may(context, Resource::Configuration, Action::Update).await;
    let wanted = wanted.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    configurations::update(context, &allowed, wanted).await.unwrap();
}

async fn sign_in_by_ldap(context: &Context, slapd: &Slapd) {
    set(
        context,
        &[
            (Key::AuthMode, "ldap_auth"),
            (Key::LdapUrl, &format!("ldap://127.0.0.1:{}", slapd.port)),
            (Key::LdapSearchDn, "cn=search,dc=example,dc=org"),
            (Key::LdapSearchPassword, PASSWORD),
            (Key::LdapBaseDn, "dc=example,dc=org"),
            (Key::LdapFilter, "objectClass=inetOrgPerson"),
            (Key::LdapUid, "uid"),
            (Key::LdapGroupBaseDn, "ou=groups,dc=example,dc=org"),
            (Key::LdapGroupSearchFilter, "objectClass=groupOfNames"),
            (Key::LdapGroupAttributeName, "cn"),
            (Key::LdapGroupAdminDn, "cn=admins,ou=groups,dc=example,dc=org"),
        ],
    )
    .await;
}

fn directory(url: &str) -> Wanted {
    Wanted {
        name: url.to_owned(),
        kind: "ldap".to_owned(),
        settings: json!({
            "url": url, "base_dn": "dc=example,dc=org", "filter": "objectClass=inetOrgPerson",
            "search_dn": "cn=search,dc=example,dc=org", "uid": "uid", "timeout": 1,
        }),
        secret: Some(PASSWORD.into()),
        enabled: true,
        position: None,
    }
}

async fn add(context: &Context, wanted: Wanted) -> i64 {
    let allowed = may(context, Resource::Configuration, Action::Update).await;
    create(context, &allowed, wanted).await.unwrap()
}

async fn change(context: &Context, id: i64, wanted: Wanted) {
    let allowed = may(context, Resource::Configuration, Action::Update).await;
    update(context, &allowed, id, wanted).await.unwrap();
}

async fn attempt(context: &Context, name: &str, password: &str) -> Option<Arc<users::User>> {
    authenticate(context, name, &password.into()).await.unwrap()
}

/// The names of the groups that somebody is in.
async fn groups_of(context: &Context, user_id: i64) -> Vec<String> {
    const GROUPS: &str = "SELECT g.name FROM group_users AS u JOIN user_groups AS g \
        ON g.id = u.group_id WHERE u.user_id = $1 ORDER BY g.name";
    let rows = context.db.all(GROUPS, args![user_id]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

#[tokio::test]
async fn somebody_of_a_directory_is_let_in_with_groups() {
    let slapd = Slapd::start();
    for place in both().await {
        let context = open(&place).await;
        assert!(attempt(&context, "alice", PASSWORD).await.is_none());
        sign_in_by_ldap(&context, &slapd).await;
        let alice = attempt(&context, "alice", PASSWORD).await.unwrap();
        assert_eq!(&*alice.username, "alice");
        assert_eq!(alice.email.as_deref(), Some("alice@example.org"));
        assert!(alice.admin_by_source && !alice.sysadmin && alice.may_do_everything());
        assert_eq!(groups_of(&context, alice.id).await, ["admins", "dev"]);
        let known = groups::find_by_dn(&context, "CN=dev,ou=groups,dc=example,dc=org").await;
        assert_eq!(known.unwrap().unwrap().kind, GroupKind::Ldap);
        // However it is written, it is one person; on another replica too.
        let there = open(&place).await;
        for (context, name) in [(&context, "ALICE"), (&there, "Alice"), (&there, "alice")] {
            assert_eq!(attempt(context, name, PASSWORD).await.unwrap().id, alice.id, "{name}");
        }
        let bob = attempt(&context, "bob", PASSWORD).await.unwrap();
        assert!(!bob.may_do_everything() && bob.email.is_none());
        for (name, password) in [
            ("alice", "wrong"),
            ("alice", ""),
            ("nobody", PASSWORD),
            ("twin", PASSWORD),
            ("*", PASSWORD),
            ("a*", PASSWORD),
            ("alice)(uid=*", PASSWORD),
            ("*)(&", PASSWORD),
            ("alice\0", PASSWORD),
            ("", PASSWORD),
            (&"x".repeat(10_000), PASSWORD),
            ("admin", PASSWORD),
            ("tokenreview$alice", PASSWORD),
        ] {
            assert!(attempt(&context, name, password).await.is_none(), "{name:.30}");
        }
    }
}

#[tokio::test]
async fn a_name_stays_whose_it_is() {
    let (first, second) = (Slapd::start(), Slapd::start());
    for place in both().await {
        let context = open(&place).await;
        let local = add_user(&context, "alice").await;
        let one = add(&context, directory(&format!("ldap://127.0.0.1:{}", first.port))).await;
        // Who has the name here keeps it, whatever a directory says.
        assert!(attempt(&context, "alice", PASSWORD).await.is_none());
        assert!(attempt(&context, "ALICE", PASSWORD).await.is_none());
        assert!(known_person(&context, "alice").await.is_err());
        assert_eq!(
            local.user_id().unwrap(),
            users::find_by_name(&context, "alice").await.unwrap().unwrap().id
        );

        let bob = attempt(&context, "bob", PASSWORD).await.unwrap();
        let mut other = directory(&format!("ldap://127.0.0.1:{}", second.port));
        other.position = Some(-1);
        let two = add(&context, other).await;
        let again = open(&place).await;
        assert_eq!(attempt(&again, "bob", PASSWORD).await.unwrap().id, bob.id);
        // The other directory's bob is another person.
        let mut off = directory(&format!("ldap://127.0.0.1:{}", first.port));
        off.enabled = false;
        change(&context, one, off).await;
        if place.is_shared() {
            eventually(async || attempt(&again, "bob", PASSWORD).await.is_none()).await;
        }
        assert!(attempt(&context, "BOB", PASSWORD).await.is_none());
        assert!(attempt(&context, "bob", PASSWORD).await.is_none());

        let allowed = may(&context, Resource::Configuration, Action::Update).await;
        let refused = remove(&context, &allowed, one).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Precondition);
        remove(&context, &allowed, two).await.unwrap();
        assert_eq!(remove(&context, &allowed, two).await.unwrap_err().kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn many_come_at_once_and_one_user_is_made() {
    let slapd = Slapd::start();
    for place in both().await {
        let here = Arc::new(open(&place).await);
        sign_in_by_ldap(&here, &slapd).await;
        let mut replicas = vec![here];
        if place.is_shared() {
            replicas.push(Arc::new(open(&place).await));
        }
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let context = replicas[number % replicas.len()].clone();
                tokio::spawn(async move { attempt(&context, "bob", PASSWORD).await.unwrap().id })
            })
            .collect();
        let mut ids = Vec::new();
        for task in tasks {
            ids.push(task.await.unwrap());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn a_source_that_hangs_keeps_nobody_for_long() {
    let slapd = Slapd::start();
    let context = open(&sqlite()).await;
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut hanging = directory(&format!("ldap://{}", silent.local_addr().unwrap()));
    hanging.position = Some(-1);
    add(&context, hanging).await;
    let live = add(&context, directory(&format!("ldap://127.0.0.1:{}", slapd.port))).await;
    let begun = Instant::now();
    let alice = attempt(&context, "alice", PASSWORD).await.unwrap();
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    // Whether the silent one knows somebody, nobody can tell.
    let unknown = authenticate(&context, "nobody", &"x".into()).await.err().unwrap();
    assert_eq!(unknown.kind, Kind::Unavailable);
    // About somebody who is known, only their own is asked.
    let begun = Instant::now();
    assert!(attempt(&context, "alice", "wrong").await.is_none());
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    // What was vouched for counts while the source is as it was, and no longer.
    assert_eq!(attempt(&context, "alice", PASSWORD).await.unwrap().id, alice.id);
    change(&context, live, directory("ldap://127.0.0.1:1")).await;
    let away = authenticate(&context, "alice", &PASSWORD.into()).await.err().unwrap();
    assert_eq!(away.kind, Kind::Unavailable);
}

#[tokio::test]
async fn sources_are_kept_whole_and_secrets_sealed() {
    for place in both().await {
        let context = open(&place).await;
        let id = add(&context, directory("ldap://127.0.0.1:1")).await;
        let allowed = may(&context, Resource::Configuration, Action::Update).await;
        let rows = context.db.all("SELECT secret FROM identity_sources", args![]).await.unwrap();
        let secret: String = rows[0].get(0).unwrap();
        assert!(!secret.contains(PASSWORD));
        let taken = create(&context, &allowed, directory("ldap://127.0.0.1:1")).await.unwrap_err();
        assert_eq!(taken.kind, Kind::Conflict);
        let mut silent = directory("ldap://127.0.0.1:2");
        silent.secret = None;
        change(&context, id, silent.clone()).await;
        let source = every(&context).await.unwrap().remove(0);
        assert_eq!((source.secret.reveal(), source.id), (PASSWORD, id));
        silent.secret = Some(Secret::default());
        change(&context, id, silent).await;
        assert!(!every(&context).await.unwrap()[0].has_secret());
        let wrong = |kind: &str, settings: Value| Wanted {
            kind: kind.to_owned(),
            settings,
            ..directory("x")
        };
        for bad in [
            wrong("ldap", json!({})),
            wrong("ldap", json!([])),
            wrong("ldap", json!({"url": "http://x", "base_dn": "dc=x"})),
            wrong("ldap", json!({"url": "ldap://x", "base_dn": "dc=x", "filter": "(uid="})),
            wrong("ldap", json!({"url": "ldap://x", "base_dn": "dc=x", "group_filter": "(("})),
            wrong("ldap", json!({"url": "ldap://x", "base_dn": "dc=x", "scope": 3})),
            wrong("ldap", json!({"url": "ldap://x", "base_dn": "dc=x", "uid": " "})),
            wrong("ldap", json!({"url": "ldap://x", "base_dn": "dc=\0"})),
            wrong("ldap", json!({"url": "ldap://x", "base_dn": "dc=x", "unknown": 1})),
            wrong("oidc", json!({"endpoint": "file:///etc/passwd", "client_id": "x"})),
            wrong("oidc", json!({"endpoint": "https://x", "client_id": ""})),
            wrong("oidc", json!({"endpoint": "https://x", "client_id": "x", "group_filter": "("})),
            wrong("oidc", json!({"endpoint": "https://u:p@x", "client_id": "x"})),
            wrong("http_auth", json!({"endpoint": "https://x"})),
            wrong("issuer", json!({"url": "x"})),
            wrong("issuer", json!({"url": "https://x", "certificate_authorities": "nonsense"})),
            wrong("saml", json!({})),
            Wanted { name: String::new(), ..directory("ldap://x") },
            Wanted { name: "x\n".to_owned(), ..directory("ldap://x") },
            Wanted { name: "x".repeat(256), ..directory("ldap://x") },
            Wanted { secret: Some("\0".into()), ..directory("ldap://x") },
        ] {
            let refused = create(&context, &allowed, bad.clone()).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid, "{bad:?}: {refused}");
        }
        let other = wrong("oidc", json!({"endpoint": "https://x", "client_id": "x"}));
        assert_eq!(update(&context, &allowed, id, other).await.unwrap_err().kind, Kind::Invalid);
        let none = update(&context, &allowed, 99, directory("ldap://x")).await.unwrap_err();
        assert_eq!(none.kind, Kind::NotFound);
        let settings = update(&context, &allowed, OF_SETTINGS, directory("ldap://x")).await;
        assert_eq!(settings.unwrap_err().kind, Kind::Invalid);
        assert_eq!(ping(&context, &allowed, id).await.unwrap_err().kind, Kind::Invalid);
        let told = "SELECT COUNT(*) FROM audit_log WHERE resource = 'identity-source'";
        let told: i64 = context.db.one(told, args![]).await.unwrap().unwrap().get(0).unwrap();
        assert_eq!(told, 3);
    }
}

#[tokio::test]
async fn directories_are_looked_into() {
    let slapd = Slapd::start();
    for place in both().await {
        let context = open(&place).await;
        let look = may(&context, Resource::LdapUser, Action::List).await;
        let none = find_people(&context, &look, "alice").await.unwrap_err();
        assert_eq!(none.kind, Kind::Invalid);
        let read = may(&context, Resource::Configuration, Action::Read).await;
        assert!(ping_directory(&context, &read, None).await.unwrap().is_some());
        sign_in_by_ldap(&context, &slapd).await;
        assert_eq!(ping_directory(&context, &read, None).await.unwrap(), None);
        let probe = Probe {
            url: format!("ldap://127.0.0.1:{}", slapd.port),
            search_dn: "cn=search,dc=example,dc=org".to_owned(),
            ..Probe::default()
        };
        // The stored password is for the stored server only.
        assert_eq!(ping_directory(&context, &read, Some(probe.clone())).await.unwrap(), None);
        let elsewhere = Probe { url: format!("ldap://localhost:{}", slapd.port), ..probe };
        assert!(ping_directory(&context, &read, Some(elsewhere)).await.unwrap().is_some());

        let found = find_people(&context, &look, "alice").await.unwrap();
        assert_eq!((found.len(), found[0].realname.as_str()), (1, "Alice Archer"));
        assert_eq!(find_people(&context, &look, "").await.unwrap().len(), 4);
        assert!(find_people(&context, &look, "*").await.unwrap().is_empty());
        let dn = "cn=dev,ou=groups,dc=example,dc=org";
        assert_eq!(find_groups(&context, &look, "", dn).await.unwrap()[0].name, "dev");
        assert_eq!(find_groups(&context, &look, "e", "").await.unwrap().len(), 3);
        assert!(find_groups(&context, &look, "", "nonsense").await.is_err());
        assert_eq!(known_group(&context, dn).await.unwrap().unwrap().name, "dev");
        for bad in ["cn=none,ou=groups,dc=example,dc=org", "nonsense", "", "cn=\0"] {
            assert_eq!(known_group(&context, bad).await.unwrap_err().kind, Kind::Invalid, "{bad}");
        }

        let make = may(&context, Resource::LdapUser, Action::Create).await;
        let names = ["alice", "nobody", "", "*", "twin", "a\0"].map(str::to_owned);
        let failed = import(&context, &make, &names).await.unwrap();
        let why: Vec<_> = failed.iter().map(|failed| failed.why.as_str()).collect();
        let unknown = "unknown_user";
        assert_eq!(why, [unknown, "empty_uid", unknown, unknown, unknown]);
        let alice = users::find_by_name(&context, "alice").await.unwrap().unwrap();
        assert_eq!(attempt(&context, "alice", PASSWORD).await.unwrap().id, alice.id);
        assert_eq!(known_person(&context, "alice").await.unwrap(), Some(alice.id));
        assert_eq!(known_person(&context, "nobody").await.unwrap(), None);
        assert!(known_person(&context, "bob").await.unwrap().is_some());
    }
}

fn provider_of(provider: &Provider, auto_onboard: bool) -> Wanted {
    Wanted {
        name: format!("provider {auto_onboard}"),
        kind: "oidc".to_owned(),
        settings: json!({
            "endpoint": provider.url, "client_id": "haven", "groups_claim": "groups",
            "scope": "openid,profile,email,groups,offline_access",
            "user_claim": "preferred_username", "admin_group": "admins", "logout": true,
            "auto_onboard": auto_onboard, "extra_redirect_parms": {"prompt": "consent"},
        }),
        secret: Some(Provider::client_secret()),
        enabled: true,
        position: None,
    }
}

const CALLBACK: &str = "http://registry.example.org/c/oidc/callback";

/// What a browser brings back.
struct Back {
    attempt: Attempt,
    state: String,
    code: String,
}

async fn there_and_back(context: &Context, account: &str) -> Back {
    let begun = begin(context, None, CALLBACK.to_owned(), "/projects".to_owned()).await.unwrap();
    let url = sign_in(&begun.url, account).await;
    let brought = |name: &str| {
        let found = url.query_pairs().find(|(own, _)| own == name);
        found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
    };
    Back { attempt: begun.attempt, state: brought("state"), code: brought("code") }
}

async fn end(context: &Context, back: &Back) -> kit::Result<Finished> {
    finish(context, &back.attempt.sealed, &back.state, &back.code).await
}

#[tokio::test]
async fn somebody_new_chooses_a_name() {
    let provider = Provider::start();
    for place in both().await {
        let context = open(&place).await;
        let none = begin(&context, None, CALLBACK.to_owned(), "/".to_owned()).await.unwrap_err();
        assert_eq!(none.kind, Kind::Precondition);
        add_user(&context, "taken").await;
        add(&context, provider_of(&provider, false)).await;
        let back = there_and_back(&context, "alice").await;
        let Finished::New { ticket, username, back_to, .. } = end(&context, &back).await.unwrap()
        else {
            panic!("nobody knows alice yet")
        };
        assert_eq!((username.as_str(), back_to.as_str()), ("alice", "/projects"));
        for (name, kind) in [
            ("", Kind::Invalid),
            ("a$b", Kind::Invalid),
            (&"x".repeat(256), Kind::Invalid),
            ("x\0", Kind::Invalid),
            ("taken", Kind::Conflict),
            ("admin", Kind::Conflict),
        ] {
            let refused = onboard(&context, ticket.reveal(), name).await.err().unwrap();
            assert_eq!(refused.kind, kind, "{name:.20}");
        }
        assert_eq!(onboard(&context, "nonsense", "ally").await.err().unwrap().kind, Kind::Invalid);
        let ally = onboard(&context, ticket.reveal(), "ally").await.unwrap();
        assert_eq!((&*ally.username, ally.admin_by_source), ("ally", true));
        assert_eq!(groups_of(&context, ally.id).await, ["admins", "dev", "ops"]);
        assert!(onboard(&context, ticket.reveal(), "other").await.is_err());
        // From now on it is known who comes.
        let back = there_and_back(&context, "alice").await;
        let Finished::Known(known, _) = end(&context, &back).await.unwrap() else {
            panic!("alice is known")
        };
        assert_eq!(known.id, ally.id);
        let account = account(&context, ally.id).await.unwrap().unwrap();
        assert_eq!(account.subiss, format!("alice{}", provider.url));
        let url = logout_url(&context, ally.id, "http://registry.example.org/").await.unwrap();
        assert!(url.unwrap().query().unwrap().contains("id_token_hint=ey"));
        assert_eq!(
            way_to_sign_in(&context, "ally").await.unwrap().unwrap(),
            "/c/oidc/login?source=1"
        );
        assert_eq!(way_to_sign_in(&context, "taken").await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_attempt_is_good_once_and_for_its_browser() {
    let provider = Provider::start();
    let context = open(&sqlite()).await;
    let id = add(&context, provider_of(&provider, true)).await;
    let refused = |finished: kit::Result<Finished>| {
        let error = finished.err().expect("nobody is let in");
        assert!(error.is(Kind::Invalid), "{error}");
    };
    let back = there_and_back(&context, "bob").await;
    let other = there_and_back(&context, "alice").await;
    refused(finish(&context, &other.attempt.sealed, &back.state, &back.code).await);
    refused(finish(&context, "", &back.state, &back.code).await);
    refused(finish(&context, "v1.nonsense", &back.state, &back.code).await);
    refused(finish(&context, &back.attempt.sealed, "", &back.code).await);
    refused(finish(&context, &back.attempt.sealed, &back.state, &other.code).await);
    // That used it up.
    refused(end(&context, &back).await);
    let back = there_and_back(&context, "bob").await;
    let Finished::Known(bob, _) = end(&context, &back).await.unwrap() else { panic!("unasked") };
    assert_eq!((&*bob.username, bob.admin_by_source), ("bob", false));
    assert_eq!(groups_of(&context, bob.id).await, ["dev"]);
    refused(end(&context, &back).await);
    // The name that the provider tells may be taken, and then it stays whose it is.
    add_user(&context, "Carol_Space").await;
    let mut spaced = provider_of(&provider, true);
    spaced.settings["user_claim"] = json!("name");
    change(&context, id, spaced).await;
    let back = there_and_back(&context, "carol").await;
    assert!(end(&context, &back).await.err().unwrap().is(Kind::Conflict));
    let late = there_and_back(&context, "bob").await;
    context.clock.advance(late.attempt.patience);
    refused(end(&context, &late).await);
}

#[tokio::test]
async fn an_account_that_is_gone_holds_nothing() {
    let mut provider = Provider::start();
    for place in both().await {
        let context = open(&place).await;
        add(&context, provider_of(&provider, true)).await;
        let back = there_and_back(&context, "bob").await;
        let Finished::Known(bob, _) = end(&context, &back).await.unwrap() else { panic!() };
        let held = async || -> bool {
            let held = "SELECT id FROM user_links WHERE refresh_token IS NOT NULL";
            context.db.one(held, args![]).await.unwrap().is_some()
        };
        assert!(held().await);
        let by = crate::rights::Who::system();
        let session = crate::sessions::begin(&context, &bob, &by, "", None).await.unwrap();
        let hour = std::time::Duration::from_secs(3601);
        context.clock.advance(hour);
        keep(&context).await.unwrap();
        assert!(held().await, "the account is still there");
        let secret = crate::personal_tokens::cli_secret(&context, bob.id).await.unwrap();
        assert!(secret.is_some());
        // One that is away says nothing.
        provider.stop();
        context.clock.advance(hour);
        keep(&context).await.unwrap();
        assert!(held().await, "nobody said that the account is gone");
        // After a rotation it has forgotten whom it gave what.
        provider.rotate();
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        context.clock.advance(hour);
        keep(&context).await.unwrap();
        assert!(!held().await);
        let told = "SELECT description FROM audit_log WHERE description LIKE '%account is gone%'";
        assert!(context.db.one(told, args![]).await.unwrap().is_some());
        assert!(users::find(&context, bob.id).await.unwrap().is_some());
        let secret = crate::personal_tokens::cli_secret(&context, bob.id).await.unwrap();
        assert!(secret.is_none(), "the CLI secret is gone with the account");
        let session = crate::sessions::find(&context, &session, false).await.unwrap();
        assert!(session.is_none(), "and so is the session");
    }
}

#[tokio::test]
async fn id_tokens_stand_for_their_user() {
    let provider = Provider::start();
    for place in both().await {
        let context = open(&place).await;
        add(&context, provider_of(&provider, true)).await;
        let token = id_token(&context, "bob").await;
        assert!(by_id_token(&context, &token).await.unwrap().is_none(), "nobody came in yet");
        let back = there_and_back(&context, "bob").await;
        end(&context, &back).await.unwrap();
        let bob = by_id_token(&context, &token).await.unwrap().unwrap();
        assert_eq!(&*bob.username, "bob");
        let broken = broken(&token);
        assert_eq!(by_id_token(&context, &broken).await.err().unwrap().kind, Kind::Unauthenticated);
        for nothing in ["", "a.b.c", "x", &"x".repeat(100_000)] {
            assert!(by_id_token(&context, nothing).await.unwrap().is_none());
        }
        context.clock.advance(std::time::Duration::from_secs(700));
        assert!(by_id_token(&context, &token).await.is_err(), "it has expired");
    }
}

/// A token with another signature.
fn broken(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{other}{}", &signature[1..])
}

/// A token that the provider issued to us in another attempt.
async fn id_token(context: &Context, account: &str) -> String {
    let (source, oidc) = provider::provider(context, None).await.unwrap();
    let client = provider::client(context, &source, &oidc, CALLBACK.to_owned()).unwrap();
    let begun = client.begin().await.unwrap();
    let url = sign_in(&begun.url, account).await;
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let tokens = client.redeem(&code, (&begun.nonce, &begun.verifier)).await.unwrap();
    tokens.id_token.unwrap().reveal().to_owned()
}

#[tokio::test]
async fn a_proxy_vouches_by_password_and_by_session() {
    let proxy = Proxy::start().await;
    for place in both().await {
        let context = open(&place).await;
        set(
            &context,
            &[
                (Key::AuthMode, "http_auth"),
                (Key::HttpAuthproxyEndpoint, &format!("{}/login", proxy.url)),
                (Key::HttpAuthproxyTokenreviewEndpoint, &format!("{}/review", proxy.url)),
                (Key::HttpAuthproxyAdminGroups, "root, admins"),
            ],
        )
        .await;
        let alice = attempt(&context, "alice", "right").await.unwrap();
        assert!(alice.admin_by_source);
        assert_eq!(groups_of(&context, alice.id).await, ["admins", "dev"]);
        let reviewed = attempt(&context, "tokenreview$alice", "of-alice").await.unwrap();
        assert_eq!(reviewed.id, alice.id);
        for (name, secret) in [
            ("alice", "wrong"),
            ("bob", "right"),
            ("tokenreview$bob", "of-alice"),
            ("tokenreview$alice", "right"),
            ("tokenreview$", "of-alice"),
            ("alice", "of-alice"),
        ] {
            assert!(attempt(&context, name, secret).await.is_none(), "{name}");
        }
        assert_eq!(by_session(&context, "of-alice").await.unwrap().unwrap().id, alice.id);
        assert!(by_session(&context, "of-bob").await.unwrap().is_none());
        assert_eq!(known_person(&context, "dave").await.unwrap(), None);
        set(&context, &[(Key::HttpAuthproxySkipSearch, "true")]).await;
        assert!(known_person(&context, "dave").await.unwrap().is_some());
    }
}

/// A robot that trusts an issuer's tokens for an audience, whose repository is the one that
/// is named.
async fn trusting(context: &Context, name: &str, issuer: &str, repository: &str) -> i64 {
    let (name, secret) = testing::add_robot(context, name, &[("repository", "pull")]).await;
    let robot = crate::robots::verify(context, &name, secret.reveal()).await.unwrap().unwrap();
    let held = access::hold(context, &admin(context).await, robot.id).await.unwrap();
    let new = NewTrust {
        issuer: issuer.to_owned(),
        audience: "registry".to_owned(),
        claims: [("repository".to_owned(), repository.to_owned())].into(),
    };
    crate::robots::add_trust(context, &held, new).await.unwrap();
    robot.id
}

#[tokio::test]
async fn a_workload_is_the_robot_that_trusts_its_issuer() {
    let signer = Signer::start().await;
    for place in both().await {
        let context = open(&place).await;
        let ci = trusting(&context, "ci", &signer.url, "team/*").await;
        let now = context.clock.now().seconds();
        let good = json!({
            "iss": signer.url, "sub": "job", "aud": ["registry"], "iat": now, "exp": now + 60,
            "repository": "team/app",
        });
        let token = signer.sign(&good);
        // It is inside, and nobody who may do so said that it may be asked.
        let refused = workload(&context, &token, None).await.unwrap_err();
        assert!(refused.is(Kind::Invalid) || refused.is(Kind::Unavailable), "{refused}");
        let issuer = Wanted {
            name: "ci".to_owned(),
            kind: "issuer".to_owned(),
            settings: json!({"url": signer.url, "certificate_authorities": signer.authority}),
            secret: None,
            enabled: true,
            position: None,
        };
        add(&context, issuer).await;
        let robot = workload(&context, &token, None).await.unwrap().unwrap();
        assert_eq!((robot.id, &*robot.name), (ci, "robot$ci"));
        assert!(workload(&context, &token, Some("robot$ci")).await.unwrap().is_some());
        assert!(workload(&context, &token, Some("anything")).await.unwrap().is_some());
        assert!(workload(&context, &token, Some("robot$other")).await.is_err());

        for (claim, value) in [
            ("iss", json!("https://localhost:1")),
            ("aud", json!("another")),
            ("exp", json!(now - 61)),
            ("nbf", json!(now + 61)),
            ("sub", json!("")),
            ("repository", json!("other/app")),
        ] {
            let mut claims = good.clone();
            claims[claim] = value;
            let tried = workload(&context, &signer.sign(&claims), None).await;
            match claim {
                "iss" => assert!(tried.unwrap().is_none(), "nobody trusts it"),
                _ => assert_eq!(tried.unwrap_err().kind, Kind::Unauthenticated, "{claim}"),
            }
        }
        let (_, rest) = token.split_once('.').unwrap();
        let (body, _) = rest.split_once('.').unwrap();
        for forged in [
            format!("eyJhbGciOiJub25lIn0.{body}."),
            format!("eyJhbGciOiJIUzI1NiJ9.{body}.AAAA"),
            broken(&token),
        ] {
            let tried = workload(&context, &forged, None).await.unwrap_err();
            assert_eq!(tried.kind, Kind::Unauthenticated);
        }
        for nothing in ["", "x", "a.b.c", "..", &"x".repeat(100_000)] {
            assert!(workload(&context, nothing, None).await.unwrap().is_none());
        }
        // Several robots: one has to be named.
        trusting(&context, "cd", &signer.url, "team/*").await;
        let several = workload(&context, &token, None).await.unwrap_err();
        assert_eq!(several.kind, Kind::Unauthenticated);
        let named = workload(&context, &token, Some("robot$cd")).await.unwrap().unwrap();
        assert_eq!(&*named.name, "robot$cd");
        // Another key: the old one is asked for again after a moment, and then gone.
        signer.rotate();
        context.clock.advance(std::time::Duration::from_secs(11));
        let new = signer.sign(&good);
        assert!(workload(&context, &new, Some("robot$ci")).await.unwrap().is_some());
        assert!(workload(&context, &token, Some("robot$ci")).await.is_err());
    }
}
