#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};

use kit::Kind;

use super::{Attempt, Way, by_password};
use crate::{
    access::{Caller, Principal},
    testing::{PASSWORD, add_robot, add_user, both},
};

fn from(last: u8, way: Way) -> Attempt {
    Attempt { address: IpAddr::from(Ipv4Addr::new(192, 0, 2, last)), way }
}

#[tokio::test]
async fn robots_and_users_sign_in_alike() {
    for place in both().await {
        let context = place.open().await;
        let alice = add_user(&context, "alice").await;
        let (name, secret) = add_robot(&context, "ci", &[("repository", "pull")]).await;
        let portal = from(1, Way::Portal);
        let refused = by_password(&context, &name, secret.reveal(), &portal).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthenticated, "the portal is for people");
        for way in [Way::Registry, Way::Api, Way::Portal] {
            let attempt = from(1, way);
            let caller = by_password(&context, "alice", PASSWORD, &attempt).await.unwrap();
            assert_eq!(caller.principal(), alice.principal());
            assert_eq!(caller.who().address(), Some(attempt.address));
            let wrong: [(&str, &str); 4] = [
                ("alice", "Harbor12346"),
                ("nobody", PASSWORD),
                (&name, PASSWORD),
                ("robot$nobody", secret.reveal()),
            ];
            for (name, secret) in wrong {
                let refused = by_password(&context, name, secret, &attempt).await.unwrap_err();
                assert_eq!(refused.kind, Kind::Unauthenticated, "{name}");
                assert_eq!(refused.message, "invalid user name or password", "{name}");
            }
        }
        let robot = by_password(&context, &name, secret.reveal(), &from(1, Way::Registry)).await;
        let robot: Caller = robot.unwrap();
        assert!(matches!(robot.principal(), Principal::Robot(_)));
        assert_eq!(&**robot.name().unwrap(), name);
    }
}
