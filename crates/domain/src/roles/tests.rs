#![allow(clippy::unwrap_used)]

use kit::{Kind, Page};

use super::*;
use crate::{
    access,
    testing::{add_user, admin, both, sqlite},
};

async fn allowed(context: &Context, action: Action) -> Allowed<System> {
    let right = Right::new(Resource::Role, action);
    access::on_system(context, &admin(context).await, right).await.unwrap()
}

fn role(name: &str, rights: &[Right]) -> NewRole {
    NewRole {
        name: name.to_owned(),
        description: "What it is for".to_owned(),
        rights: rights.iter().copied().collect(),
    }
}

#[tokio::test]
async fn a_role_is_made_changed_and_deleted() {
    for place in both().await {
        let context = place.open().await;
        let create_allowed = allowed(&context, Action::Create).await;
        let id = create(&context, &create_allowed, role("puller", &[Right::PULL])).await.unwrap();
        assert!(id > 100, "{id}");
        assert_eq!(rights(&context, id).await.unwrap(), Rights::NONE.with(Right::PULL));
        assert_eq!(name(&context, id).await.unwrap().as_deref(), Some("puller"));

        let taken = create(&context, &create_allowed, role("puller", &[Right::PUSH])).await;
        assert_eq!(taken.unwrap_err().kind, Kind::Conflict);

        let update_allowed = allowed(&context, Action::Update).await;
        update(&context, &update_allowed, id, role("pusher", &[Right::PUSH])).await.unwrap();
        assert_eq!(rights(&context, id).await.unwrap(), Rights::NONE.with(Right::PUSH));
        let found = list(&context, Page::default()).await.unwrap();
        assert_eq!((found.total, found.items[0].name.as_str()), (1, "pusher"));

        let delete_allowed = allowed(&context, Action::Delete).await;
        delete(&context, &delete_allowed, id).await.unwrap();
        assert_eq!(rights(&context, id).await.unwrap(), Rights::NONE);
        assert_eq!(delete(&context, &delete_allowed, id).await.unwrap_err().kind, Kind::NotFound);
        let gone = update(&context, &update_allowed, id, role("x", &[Right::PULL])).await;
        assert_eq!(gone.unwrap_err().kind, Kind::NotFound);
        let next = create(&context, &create_allowed, role("puller", &[Right::PULL])).await.unwrap();
        assert!(next > id, "numbers are not used again");
    }
}

#[tokio::test]
async fn rules_are_kept() {
    let context = sqlite().open().await;
    let create_allowed = allowed(&context, Action::Create).await;
    let on_the_system = Right::new(Resource::User, Action::Create);
    for bad in [
        role("", &[Right::PULL]),
        role(&"x".repeat(65), &[Right::PULL]),
        role(" x", &[Right::PULL]),
        role("a\nb", &[Right::PULL]),
        role("Developer", &[Right::PULL]),
        role("empty", &[]),
        role("sysadmin", &[on_the_system]),
        NewRole { description: "x".repeat(1025), ..role("long", &[Right::PULL]) },
    ] {
        let refused = create(&context, &create_allowed, bad.clone()).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid, "{bad:?}");
    }
    let user = add_user(&context, "alice").await;
    let right = Right::new(Resource::Role, Action::Create);
    let refused = access::on_system(&context, &user, right).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Forbidden);
}
