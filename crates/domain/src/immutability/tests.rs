#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use oci::{Reference, RepositoryName, media_type};

use super::*;
use crate::{
    artifacts::{self, Condition, Push},
    testing::{add_project, allowed, both},
    world::{ENGINES, World},
};

fn selector(decoration: &str, pattern: &str) -> Selector {
    Selector {
        kind: "doublestar".to_owned(),
        decoration: decoration.to_owned(),
        pattern: pattern.to_owned(),
        extras: String::new(),
    }
}

fn rule(repositories: &str, tags: &str) -> NewRule {
    let repositories = vec![selector("repoMatches", repositories)];
    NewRule {
        tag_selectors: vec![selector("matches", tags)],
        scope_selectors: Scopes::from([("repository".to_owned(), repositories)]),
        ..NewRule::default()
    }
}

const fn right(action: Action) -> Right {
    Right::new(Resource::ImmutableTag, action)
}

#[tokio::test]
async fn a_rule_is_made_changed_and_deleted() {
    for place in both().await {
        let context = place.open().await;
        let project_id = add_project(&context, "p", false).await;
        let may_create = allowed(&context, "p", right(Action::Create)).await;
        let may_update = allowed(&context, "p", right(Action::Update)).await;
        let id = create(&context, &may_create, rule("**", "v*")).await.unwrap();
        let same =
            create(&context, &may_create, NewRule { disabled: true, ..rule("**", "v*") }).await;
        assert!(same.unwrap_err().is(Kind::Conflict), "whether it counts makes no other rule");
        let covers = async |tag: &str| known(&context, project_id).await.unwrap().cover("a/b", tag);
        assert!(covers("v1").await && !covers("latest").await);

        let other = create(&context, &may_create, rule("**", "latest")).await.unwrap();
        assert!(covers("latest").await, "at once");
        let taken = update(&context, &may_update, other, rule("**", "v*")).await;
        assert!(taken.unwrap_err().is(Kind::Conflict));
        let off = NewRule { disabled: true, ..rule("**", "latest") };
        update(&context, &may_update, other, off).await.unwrap();
        assert!(!covers("latest").await, "at once");

        let may_list = allowed(&context, "p", right(Action::List)).await;
        let found = list(&context, &may_list, &Selection::default()).await.unwrap();
        assert_eq!(found.total, 2);
        assert_eq!((found.items[0].id, found.items[1].what.disabled), (id, true));
        assert_eq!(found.items[0].what.action, "immutable");
        RULES.try_everything(&context.db, sql::OF_PROJECT_FROM, args![project_id]).await;

        let may_delete = allowed(&context, "p", right(Action::Delete)).await;
        delete(&context, &may_delete, id).await.unwrap();
        assert!(known(&context, project_id).await.unwrap().is_empty());
        assert!(delete(&context, &may_delete, id).await.unwrap_err().is(Kind::NotFound));
        let gone = update(&context, &may_update, id, rule("**", "x")).await;
        assert!(gone.unwrap_err().is(Kind::NotFound));
    }
}

#[tokio::test]
async fn rules_are_of_their_project_and_bounded() {
    for place in both().await {
        let context = place.open().await;
        let other = add_project(&context, "other", false).await;
        add_project(&context, "p", false).await;
        let may_create = allowed(&context, "p", right(Action::Create)).await;
        let mut last = 0;
        for n in 0..MOST {
            last = create(&context, &may_create, rule("**", &format!("v{n}"))).await.unwrap();
        }
        let refused = create(&context, &may_create, rule("**", "one-too-many")).await.unwrap_err();
        assert!(refused.is(Kind::Precondition));
        assert!(known(&context, other).await.unwrap().is_empty());
        let elsewhere = allowed(&context, "other", right(Action::Delete)).await;
        assert!(delete(&context, &elsewhere, last).await.unwrap_err().is(Kind::NotFound));
        let elsewhere = allowed(&context, "other", right(Action::Update)).await;
        let refused = update(&context, &elsewhere, last, rule("**", "x")).await.unwrap_err();
        assert!(refused.is(Kind::NotFound));
    }
}

#[tokio::test]
async fn what_is_no_rule_is_refused() {
    let context = crate::testing::sqlite().open().await;
    add_project(&context, "p", false).await;
    let may_create = allowed(&context, "p", right(Action::Create)).await;
    let none = Scopes::from([("repository".to_owned(), Vec::new())]);
    for bad in [
        NewRule { tag_selectors: Vec::new(), ..rule("**", "v*") },
        NewRule { scope_selectors: Scopes::new(), ..rule("**", "v*") },
        NewRule { scope_selectors: none, ..rule("**", "v*") },
        NewRule { action: "retain".to_owned(), ..rule("**", "v*") },
        NewRule { template: "always".to_owned(), ..rule("**", "v*") },
        NewRule { tag_selectors: vec![selector("matches", "v*"); 11], ..rule("**", "v*") },
        NewRule { tag_selectors: vec![selector("repoMatches", "v*")], ..rule("**", "v*") },
        rule("[", "v*"),
        rule("**", &"{a,b}".repeat(12)),
        rule("**", &"a".repeat(1025)),
    ] {
        let refused = create(&context, &may_create, bad.clone()).await.unwrap_err();
        assert!(refused.is(Kind::Invalid), "{bad:?}");
    }
}

#[tokio::test]
async fn rules_that_contradict_each_other_keep_what_one_of_them_keeps() {
    for place in both().await {
        let context = place.open().await;
        let project_id = add_project(&context, "p", false).await;
        let may_create = allowed(&context, "p", right(Action::Create)).await;
        let covers = async |name: &str, tag: &str| {
            known(&context, project_id).await.unwrap().cover(name, tag)
        };
        // One says which tags, the other says all but these.
        let others = NewRule { tag_selectors: vec![selector("excludes", "v*")], ..rule("a", "") };
        create(&context, &may_create, others).await.unwrap();
        assert!(covers("a", "x").await && !covers("a", "v1").await && !covers("b", "x").await);
        create(&context, &may_create, rule("a", "v*")).await.unwrap();
        assert!(covers("a", "x").await && covers("a", "v1").await && !covers("b", "x").await);
    }
}

async fn push(world: &World, name: &RepositoryName, tag: &str, note: &str) -> Result<oci::Digest> {
    let blob = world.push_blob(name, b"blob").await;
    let content = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{blob}","size":4}},"layers":[],"annotations":{{"note":"{note}"}}}}"#,
        media_type::OCI_MANIFEST,
        media_type::OCI_CONFIG,
    );
    let push = Push {
        name: name.clone(),
        reference: Reference::Tag(tag.parse().unwrap()),
        tags: Vec::new(),
        content_type: None,
        content: Bytes::from(content),
        condition: Condition::Always,
    };
    let allowed = world.allowed(name, Right::PUSH).await;
    artifacts::push(&world.context, &allowed, push).await.map(|pushed| pushed.digest)
}

#[tokio::test]
async fn an_immutable_tag_is_neither_moved_nor_deleted() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let name: RepositoryName = "library/team/x".parse().unwrap();
        let may_create = allowed(context, "library", right(Action::Create)).await;
        create(context, &may_create, rule("team/**", "v*")).await.unwrap();

        let first = push(&world, &name, "v1", "first").await.unwrap();
        for note in ["first", "second"] {
            let refused = push(&world, &name, "v1", note).await.unwrap_err();
            assert!(refused.is(Kind::Immutable), "{note}");
            assert_eq!(
                refused.message,
                "Failed to process request due to 'team/x:v1' configured as immutable."
            );
        }
        push(&world, &name, "latest", "first").await.unwrap();
        push(&world, &name, "latest", "second").await.unwrap();
        let elsewhere: RepositoryName = "library/x".parse().unwrap();
        push(&world, &elsewhere, "v1", "first").await.unwrap();
        push(&world, &elsewhere, "v1", "second").await.unwrap();

        let may_delete = world.allowed(&name, Right::DELETE).await;
        let untagged = artifacts::untag(context, &may_delete, &name, &"v1".parse().unwrap()).await;
        let deleted = artifacts::delete(context, &may_delete, &name, &first).await;
        for refused in [untagged.unwrap_err(), deleted.unwrap_err()] {
            assert!(refused.is(Kind::Immutable));
            assert_eq!(refused.message, "the tag v1 configured as immutable, cannot be deleted");
        }
        artifacts::untag(context, &may_delete, &name, &"latest".parse().unwrap()).await.unwrap();

        let may_list = allowed(context, "library", right(Action::List)).await;
        let rules = list(context, &may_list, &Selection::default()).await.unwrap();
        let may_delete_rule = allowed(context, "library", right(Action::Delete)).await;
        delete(context, &may_delete_rule, rules.items[0].id).await.unwrap();
        push(&world, &name, "v1", "second").await.unwrap();
        artifacts::delete(context, &may_delete, &name, &first).await.unwrap();
    }
}
