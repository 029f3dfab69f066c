#![allow(clippy::unwrap_used)]

use db::args;
use kit::{Clock, Kind, Seal, Secret};

use crate::{
    testing::{PASSWORD, START, both},
    users,
};

#[tokio::test]
async fn replicas_that_start_together_found_one_installation() {
    for place in both().await {
        place.db().await;
        let start = || async {
            place.try_open(Clock::manual(START), place.seal(), Some(PASSWORD.into())).await.unwrap()
        };
        let ((a, _), (b, _)) = tokio::join!(start(), start());
        for context in [&a, &b] {
            users::verify(context, "admin", PASSWORD).await.unwrap();
        }
        for count in [
            "SELECT COUNT(*) FROM users WHERE id = 1",
            "SELECT COUNT(*) FROM users",
            "SELECT COUNT(*) FROM projects WHERE id = 1 AND name = 'library' AND public",
            "SELECT COUNT(*) FROM projects",
            "SELECT COUNT(*) FROM members WHERE project_id = 1 AND entity_id = 1 AND role_id = 1",
            "SELECT COUNT(*) FROM signing_keys",
        ] {
            let row = a.db.one(count, args![]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>(0).unwrap(), 1, "{count}");
        }
    }
}

#[tokio::test]
async fn a_generated_password_is_told_once_and_opens() {
    for place in both().await {
        let start = || place.try_open(Clock::manual(START), place.seal(), None);
        let (context, first) = start().await.unwrap();
        let password = first.admin_password.unwrap();
        users::verify(&context, "admin", password.reveal()).await.unwrap();
        let (_, second) = start().await.unwrap();
        assert!(second.admin_password.is_none());
    }
}

#[tokio::test]
async fn a_given_password_counts_at_the_first_start_only() {
    for place in both().await {
        let start = |password: &'static str| {
            place.try_open(Clock::manual(START), place.seal(), Some(Secret::from(password)))
        };
        let refused = start("too short").await.err().unwrap();
        assert_eq!(refused.kind, Kind::Invalid);
        assert!(!refused.message.contains("too short"), "{refused}");

        let (context, first) = start(PASSWORD).await.unwrap();
        assert!(first.admin_password.is_none());
        start("another").await.unwrap();
        users::verify(&context, "admin", PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_refused() {
    for place in both().await {
        place.open().await;
        let refused = place.try_open(Clock::manual(START), Seal::ephemeral().unwrap(), None).await;
        assert_eq!(refused.err().unwrap().kind, Kind::Precondition);
        place.open().await;
    }
}

#[tokio::test]
async fn health_tells_which_part_is_away() {
    for place in both().await {
        let context = place.open().await;
        let health = crate::health(&context).await;
        assert!(health.database && health.store);
        context.db.close().await;
        let health = crate::health(&context).await;
        assert!(!health.database && health.store);
    }
}
