#![allow(clippy::unwrap_used)]

use kit::{Kind, Page, Selection};

use super::{list::LIST, *};
use crate::{
    audit::Event,
    testing::{add_project, add_user, admin, both},
};

fn called(name: &str) -> NewLabel {
    NewLabel { name: name.to_owned(), ..NewLabel::default() }
}

async fn scope(context: &Context, project: Option<&str>, action: Action) -> AllowedScope {
    let project = project.map(ProjectRef::Name);
    allowed(context, &admin(context).await, project, action).await.unwrap()
}

async fn make(context: &Context, project: Option<&str>, label: NewLabel) -> Result<i64> {
    create(context, &scope(context, project, Action::Create).await, label).await
}

async fn names(context: &Context, project: Option<&str>) -> Vec<String> {
    let selection = Selection::from(Page::default());
    let found = match project {
        None => list(context, None, &selection).await,
        Some(_) => {
            let allowed = scope(context, project, Action::List).await;
            list(context, Some(&allowed), &selection).await
        }
    };
    found.unwrap().items.into_iter().map(|label| label.name).collect()
}

#[tokio::test]
async fn a_name_is_taken_in_its_scope_only() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        add_project(&context, "other", false).await;
        for project in [None, Some("p"), Some("other")] {
            make(&context, project, called("stable")).await.unwrap();
            make(&context, project, called("Stable")).await.unwrap();
            let taken = make(&context, project, called("stable")).await.unwrap_err();
            assert!(taken.is(Kind::Conflict), "{taken}");
            assert_eq!(taken.message, "label stable already exists");
            assert_eq!(names(&context, project).await, ["Stable", "stable"]);
        }
    }
}

#[tokio::test]
async fn many_that_want_one_name_leave_one_label() {
    for place in both().await {
        let context = place.open().await;
        let tries = (0..12).map(|_| make(&context, None, called("one")));
        let made = futures_util::future::join_all(tries).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        assert_eq!(names(&context, None).await, ["one"]);
    }
}

#[tokio::test]
async fn what_is_no_label_is_refused_and_changes_nothing() {
    for place in both().await {
        let context = place.open().await;
        let id = make(&context, None, called(&"n".repeat(128))).await.unwrap();
        let caller = admin(&context).await;
        let (label, update) = known(&context, &caller, id, Action::Update).await.unwrap();
        let bad = [
            called(""),
            called(&"n".repeat(129)),
            called("a\0b"),
            NewLabel { color: "c".repeat(17), ..called("c") },
            NewLabel { description: "d".repeat(4097), ..called("d") },
            NewLabel { description: "\0".to_owned(), ..called("d") },
        ];
        for bad in bad {
            assert!(make(&context, None, bad.clone()).await.unwrap_err().is(Kind::Invalid));
            let refused = super::update(&context, &update, &label, bad).await.unwrap_err();
            assert!(refused.is(Kind::Invalid), "{refused}");
        }
        assert_eq!(known(&context, &caller, id, Action::Read).await.unwrap().0, label);
        assert_eq!(names(&context, None).await, ["n".repeat(128)]);
    }
}

#[tokio::test]
async fn who_may_not_is_told_the_same_of_what_is_and_what_is_not() {
    for place in both().await {
        let context = place.open().await;
        add_project(&context, "p", false).await;
        let id = make(&context, Some("p"), called("x")).await.unwrap();
        let stranger = add_user(&context, "stranger").await;
        for action in [Action::Read, Action::Update, Action::Delete] {
            for id in [id, id + 1000, 0, -1, i64::MAX] {
                let refused = known(&context, &stranger, id, action).await.unwrap_err();
                assert!(refused.is(Kind::Forbidden), "{id}: {refused}");
                let admin = admin(&context).await;
                let found = known(&context, &admin, id, action).await;
                assert_eq!(found.is_ok(), id > 0 && id < 1000, "{id}");
            }
        }
    }
}

#[tokio::test]
async fn deeds_on_labels_are_told() {
    for place in both().await {
        let context = place.open().await;
        let project = add_project(&context, "p", false).await;
        let id = make(&context, Some("p"), called("x")).await.unwrap();
        let caller = admin(&context).await;
        let (label, allowed) = known(&context, &caller, id, Action::Update).await.unwrap();
        super::update(&context, &allowed, &label, called("y")).await.unwrap();
        let (label, allowed) = known(&context, &caller, id, Action::Delete).await.unwrap();
        assert_eq!(label.name, "y");
        delete(&context, &allowed, &label).await.unwrap();
        assert!(delete(&context, &allowed, &label).await.unwrap_err().is(Kind::NotFound));
        for (event, resource) in
            [(Event::CreateLabel, "x"), (Event::UpdateLabel, "x"), (Event::DeleteLabel, "y")]
        {
            let told = "SELECT COUNT(*) FROM audit_log WHERE operation = $1 AND resource_type = $2 \
                        AND resource = $3 AND project_id = $4";
            let args = args![event.operation(), event.resource_type(), resource, project];
            let told: i64 = context.db.one(told, args).await.unwrap().unwrap().get(0).unwrap();
            assert_eq!(told, 1, "{event:?}");
        }
    }
}

#[tokio::test]
async fn the_list_understands_everything_that_can_be_asked() {
    for place in both().await {
        let context = place.open().await;
        LIST.try_everything(&context.db, sql::GLOBAL_FROM, args![]).await;
        LIST.try_everything(&context.db, sql::PROJECT_FROM, args![1]).await;
    }
}
