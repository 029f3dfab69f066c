#![allow(clippy::unwrap_used)]

use kit::{Kind, Time};

use super::*;
use crate::{
    access,
    testing::{admin, both},
};

#[tokio::test]
async fn a_list_is_set_as_a_whole() {
    for place in both().await {
        let context = place.open().await;
        assert_eq!(system(&context).await.unwrap(), Allowlist::default());
        let right = Right::new(Resource::Configuration, Action::Update);
        let proof = access::on_system(&context, &admin(&context).await, right).await.unwrap();
        let set = async |expires, items: &[&str]| {
            let items = items.iter().map(|item| (*item).to_owned()).collect();
            set_system(&context, &proof, Change { expires_at: expires, items }).await
        };
        set(Some(Time(5)), &["CVE-1", "CVE-2"]).await.unwrap();
        let first = system(&context).await.unwrap();
        assert_eq!((first.items.len(), first.expires_at), (2, Some(Time(5))));
        for bad in [&["CVE-1", "CVE-1"][..], &[""], &["a\nb"], &[&"x".repeat(256)]] {
            assert_eq!(set(None, bad).await.unwrap_err().kind, Kind::Invalid);
        }
        assert_eq!(system(&context).await.unwrap(), first);
        context.clock.advance(std::time::Duration::from_secs(1));
        set(None, &[]).await.unwrap();
        let second = system(&context).await.unwrap();
        assert_eq!((second.id, second.created_at), (first.id, first.created_at));
        assert_eq!((second.items.len(), second.expires_at), (0, None));
        assert!(second.updated_at > first.updated_at);
    }
}
