//! A proxy that verifies passwords.

use identity::{
    Failure,
    authproxy::{Settings, authenticate, review},
    testing::Proxy,
};

#[tokio::test]
async fn the_proxy_says_who_it_is() {
    let proxy = Proxy::start().await;
    let settings = proxy.settings();
    let alice = authenticate(&settings, "alice", &"right".into()).await.unwrap();
    assert_eq!((alice.username.as_str(), alice.admin), ("alice", true));
    assert_eq!(alice.groups, ["dev", "admins"]);
    let named = Settings {
        admin_groups: vec![],
        admin_usernames: vec!["alice".into()],
        ..settings.clone()
    };
    assert!(review(&named, &"of-alice".into()).await.unwrap().admin);
    let nobody = Settings { admin_groups: vec![], ..settings.clone() };
    assert!(!review(&nobody, &"of-alice".into()).await.unwrap().admin);

    let wrong = authenticate(&settings, "alice", &"wrong".into()).await;
    assert_eq!(wrong, Err(Failure::BadCredentials));
    // The session that it gives bob is not bob's.
    let mixed_up = authenticate(&settings, "bob", &"right".into()).await;
    assert_eq!(mixed_up, Err(Failure::BadCredentials));
    for session in ["", "of-bob", &"x".repeat(20_000)] {
        assert_eq!(review(&settings, &session.into()).await, Err(Failure::BadCredentials));
    }
    let away = Settings { endpoint: "http://127.0.0.1:1/".into(), ..settings };
    let away = authenticate(&away, "alice", &"right".into()).await;
    assert!(matches!(away, Err(Failure::Unreachable(_))), "{away:?}");
}
