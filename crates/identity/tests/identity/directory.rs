//! Against OpenLDAP.

use std::time::Duration;

use identity::{
    Failure, Trust,
    ldap::{self, Grouping, Membership, Settings},
    testing::{PASSWORD, Slapd},
};
use kit::Secret;

fn with(settings: &Settings, change: impl FnOnce(&mut Grouping)) -> Settings {
    let mut settings = settings.clone();
    change(settings.grouping.as_mut().unwrap());
    settings
}

async fn groups(settings: &Settings, name: &str) -> Vec<String> {
    let member = ldap::authenticate(settings, name, &PASSWORD.into()).await.unwrap();
    let mut names: Vec<String> = member.groups.into_iter().map(|group| group.name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn people_sign_in_with_their_own_password() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let alice = ldap::authenticate(&settings, "alice", &PASSWORD.into()).await.unwrap();
    assert_eq!(alice.person.dn, "uid=alice,ou=people,dc=example,dc=org");
    assert_eq!(alice.person.username, "alice");
    assert_eq!(alice.person.realname, "Alice Archer");
    assert_eq!(alice.person.email.as_deref(), Some("alice@example.org"));
    assert!(alice.admin);
    let bob = ldap::authenticate(&settings, " BOB ", &PASSWORD.into()).await.unwrap();
    // The directory's own spelling, so that one person is one user.
    assert_eq!((bob.person.username.as_str(), bob.admin), ("bob", false));
    for (name, password) in [
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("*", PASSWORD),
        ("alice)(uid=*", PASSWORD),
        ("alice\0", PASSWORD),
        ("ali*", PASSWORD),
        ("search", PASSWORD),
    ] {
        let refused = ldap::authenticate(&settings, name, &password.into()).await;
        assert_eq!(refused, Err(Failure::BadCredentials), "{name}");
    }
    let twin = ldap::authenticate(&settings, "twin", &PASSWORD.into()).await;
    assert_eq!(twin, Err(Failure::SeveralFound));
}

#[tokio::test]
async fn a_name_is_a_value_whatever_is_in_it() {
    let slapd = Slapd::start();
    let odd = r"o*(brien\29";
    let found = ldap::authenticate(&slapd.settings(), odd, &PASSWORD.into()).await.unwrap();
    assert_eq!(found.person.username, odd);
    let found = ldap::find_people(&slapd.settings(), Some("*")).await.unwrap();
    assert_eq!(found, []);
}

#[tokio::test]
async fn groups_are_found_from_the_person_or_from_the_group() {
    let slapd = Slapd::start();
    let of_person = slapd.settings();
    let of_group = with(&of_person, |grouping| {
        grouping.membership = Membership::OfGroup("member".into());
    });
    for settings in [&of_person, &of_group] {
        assert_eq!(groups(settings, "alice").await, ["admins", "dev"]);
        assert_eq!(groups(settings, "bob").await, ["dev"]);
        let nested = with(settings, |grouping| grouping.nesting = 1);
        assert_eq!(groups(&nested, "bob").await, ["dev", "engineering"]);
        let deep = with(settings, |grouping| grouping.nesting = 9);
        assert_eq!(groups(&deep, "bob").await, ["dev", "engineering", "everybody"]);
        // The administrators' group counts, whatever the filter for the others says.
        let filtered = with(settings, |grouping| grouping.filter = "(cn=d*)".into());
        assert_eq!(groups(&filtered, "alice").await, ["dev"]);
        let alice = ldap::authenticate(&filtered, "alice", &PASSWORD.into()).await.unwrap();
        assert!(alice.admin);
        let other = with(settings, |grouping| {
            grouping.admin_dn = "CN=Everybody, OU=groups,dc=example,dc=org".into();
            grouping.nesting = 2;
        });
        let bob = ldap::authenticate(&other, "bob", &PASSWORD.into()).await.unwrap();
        assert!(bob.admin);
    }
    let by_name = with(&of_person, |grouping| {
        grouping.membership = Membership::OfGroup("memberUid".into());
        grouping.filter = String::new();
    });
    assert_eq!(groups(&by_name, "bob").await, ["posix"]);
    let mut without = of_person;
    without.grouping = None;
    assert_eq!(groups(&without, "alice").await, [""; 0]);
}

#[tokio::test]
async fn people_and_groups_are_searched() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let found = ldap::find_people(&settings, Some("alice")).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(ldap::find_people(&settings, None).await.unwrap().len(), 5);
    // A part of any of the names is enough; what is a character elsewhere is nothing else here.
    for (text, who) in [
        ("ali", vec!["alice"]),
        ("baker", vec!["bob"]),
        ("CE@example", vec!["alice"]),
        ("er", vec!["alice", "bob"]),
        ("o*(b", vec!["o*(brien\\29"]),
        ("twin", vec!["twin", "twin"]),
        ("*", vec!["o*(brien\\29"]),
        ("a\0", vec![]),
        (")(uid=*", vec![]),
    ] {
        let found = ldap::search_people(&settings, text, 10).await.unwrap();
        let mut found: Vec<_> = found.into_iter().map(|person| person.username).collect();
        found.sort();
        assert_eq!(found, who, "{text}");
    }
    assert_eq!(ldap::search_people(&settings, "", 10).await.unwrap().len(), 5);
    assert_eq!(ldap::search_people(&settings, "", 2).await.unwrap().len(), 2);
    let names = |groups: Vec<ldap::Group>| -> Vec<String> {
        let mut names: Vec<String> = groups.into_iter().map(|group| group.name).collect();
        names.sort();
        names
    };
    let all = names(ldap::find_groups(&settings, "").await.unwrap());
    assert_eq!(all, ["admins", "dev", "engineering", "everybody"]);
    assert_eq!(names(ldap::find_groups(&settings, "e").await.unwrap()).len(), 3);
    assert_eq!(names(ldap::find_groups(&settings, "gineer").await.unwrap()), ["engineering"]);
    assert_eq!(names(ldap::find_groups(&settings, "*").await.unwrap()), [""; 0]);
    let dev = ldap::find_group(&settings, "CN=dev,ou=groups,dc=example,dc=org").await.unwrap();
    assert_eq!(dev.unwrap().name, "dev");
    for none in ["cn=none,ou=groups,dc=example,dc=org", "uid=alice,ou=people,dc=example,dc=org"] {
        assert_eq!(ldap::find_group(&settings, none).await, Ok(None), "{none}");
    }
    assert_eq!(ldap::find_group(&settings, "dev").await, Err(Failure::BadDn));
    let gone = ldap::look_up(&settings, "nobody").await.unwrap();
    assert_eq!(gone, None);
    let bob = ldap::look_up(&settings, "bob").await.unwrap().unwrap();
    assert_eq!(names(bob.groups), ["dev"]);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let slapd = Slapd::start_crowded();
    // The server gives 100 entries and no more, but in pages.
    let found = ldap::find_people(&slapd.settings(), None).await.unwrap();
    assert_eq!(found.len(), 625);
}

#[tokio::test]
async fn connections_are_encrypted_as_told() {
    let slapd = Slapd::start();
    let clear = slapd.settings();
    let started = Settings { start_tls: true, ..clear.clone() };
    let always = Settings { url: format!("ldaps://localhost:{}", slapd.tls_port), ..clear.clone() };
    for settings in [&clear, &started, &always] {
        ldap::ping(settings).await.unwrap();
        ldap::authenticate(settings, "bob", &PASSWORD.into()).await.unwrap();
    }
    for settings in [&started, &always] {
        let unknown = Settings { trust: Trust::System, ..settings.clone() };
        let refused = ldap::ping(&unknown).await;
        assert!(matches!(refused, Err(Failure::Untrusted(_))), "{refused:?}");
        let unverified = Settings { trust: Trust::Anything, ..settings.clone() };
        ldap::ping(&unverified).await.unwrap();
        let garbage = Settings { trust: Trust::SystemAnd("nonsense".into()), ..settings.clone() };
        assert!(matches!(ldap::ping(&garbage).await, Err(Failure::Misconfigured(_))));
    }
    // TLS spoken to who does not, and the other way round.
    let wrong = Settings { url: format!("ldaps://localhost:{}", slapd.port), ..clear.clone() };
    assert!(ldap::ping(&wrong).await.is_err());
    let wrong = Settings { url: format!("ldap://localhost:{}", slapd.tls_port), ..clear };
    assert!(ldap::ping(&wrong).await.is_err());
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let change = |change: fn(&mut Settings)| {
        let mut settings = settings.clone();
        change(&mut settings);
        settings
    };
    let wrong = change(|settings| settings.search_password = Secret::from("wrong"));
    assert_eq!(ldap::ping(&wrong).await, Err(Failure::BadSearchCredentials));
    let wrong = change(|settings| settings.search_dn = "cn=none,dc=example,dc=org".into());
    assert_eq!(ldap::ping(&wrong).await, Err(Failure::BadSearchCredentials));
    let wrong = change(|settings| settings.search_dn = "nonsense".into());
    assert!(ldap::ping(&wrong).await.is_err());
    let wrong = change(|settings| settings.base_dn = "dc=none,dc=org".into());
    assert!(ldap::find_people(&wrong, None).await.is_err());
    let wrong = change(|settings| settings.base_dn = "ou=none,dc=example,dc=org".into());
    let base = "ou=none,dc=example,dc=org".to_owned();
    assert_eq!(ldap::find_people(&wrong, None).await, Err(Failure::NoSuchBase(base)));
    let wrong = change(|settings| settings.base_dn = "nonsense".into());
    assert_eq!(ldap::find_people(&wrong, None).await, Err(Failure::BadDn));
    let wrong = change(|settings| settings.filter = "(objectClass=".into());
    assert!(matches!(ldap::ping(&wrong).await, Err(Failure::BadFilter(_))));
    let wrong = change(|settings| settings.url = "ldap://127.0.0.1:1".into());
    assert!(matches!(ldap::ping(&wrong).await, Err(Failure::Unreachable(_))));
    let wrong = change(|settings| settings.timeout = Duration::ZERO);
    ldap::ping(&wrong).await.unwrap();
    // Nobody known may connect, and sees nothing.
    let nobody = change(|settings| settings.search_dn = String::new());
    let nobody = Settings { search_password: Secret::default(), ..nobody };
    ldap::ping(&nobody).await.unwrap();
    let refused = ldap::authenticate(&nobody, "alice", &PASSWORD.into()).await;
    assert!(refused.is_err(), "{refused:?}");
}
