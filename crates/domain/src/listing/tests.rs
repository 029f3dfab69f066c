#![allow(clippy::unwrap_used)]

use db::{Args, Db, Engine, args};
use kit::{
    Kind, Page, Selection,
    query::{Direction, Filter},
};

use super::{Field, List, containing};
use crate::testing::{both, selection};

/// A list for these tests.
const THINGS: List = List {
    id: "t.id",
    shown: "SELECT t.name FROM things AS t WHERE t.id IN (",
    fields: &[
        Field::text("name", "t.name"),
        Field::number("ThingID", "t.id"),
        Field::time("creation_time", "t.made"),
        Field::flag("is_good", "t.good"),
        Field::text("labels", "l.name")
            .within(("EXISTS (SELECT 1 FROM marks AS l WHERE l.thing = t.id AND ", ")")),
    ],
    order: ("t.name", Direction::Ascending),
};

const FROM: &str = "FROM things AS t WHERE t.id < $1";

async fn filled(place: &crate::testing::Place) -> Db {
    let db = place.db().await;
    let things = match db.engine() {
        Engine::Sqlite => "CREATE TABLE things (id BIGINT, name TEXT, made BIGINT, good BOOLEAN)",
        Engine::Postgres => {
            "CREATE TABLE things (id BIGINT, name TEXT COLLATE \"C\", made BIGINT, good BOOLEAN)"
        }
    };
    db.write(move |tx| {
        Box::pin(async move {
            for statement in [
                things,
                "CREATE TABLE marks (thing BIGINT, name TEXT)",
                "INSERT INTO things VALUES (1, 'apple', 1000000, TRUE), (2, 'Banana', 2000000, FALSE), \
                 (3, '100%', 3000000, TRUE), (4, 'it''s', 3000000, FALSE), (9, 'hidden', 1, TRUE)",
                "INSERT INTO marks VALUES (1, 'red'), (1, 'round'), (2, 'long'), (3, 'round')",
            ] {
                tx.execute(statement, args![]).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    db
}

async fn names(db: &Db, selection: &Selection) -> kit::Result<(String, i64)> {
    let found = THINGS.page(db, FROM, args![9], selection, |row| row.get::<String>(0)).await?;
    Ok((found.items.join(" "), found.total))
}

#[tokio::test]
async fn every_pattern_finds_what_it_should() {
    for place in both().await {
        let db = filled(&place).await;
        for (q, expected) in [
            ("", "100% Banana apple it's"),
            ("name=apple", "apple"),
            ("Name=APPLE", ""),
            ("name=~AN", "Banana"),
            ("name=~0%", "100%"),
            ("name=~_", ""),
            ("name=it's", "it's"),
            ("name=x' OR '1'='1", ""),
            ("name={apple Banana}", "Banana apple"),
            ("name=[A~B]", ""),
            ("name=[A~C]", "Banana"),
            ("thingid=2", "Banana"),
            ("thing_id=[2~3]", "100% Banana"),
            ("ThingID=[3~]", "100% it's"),
            ("thing_id=~9", ""),
            ("thing_id={1 4 7}", "apple it's"),
            ("creation_time=1970-01-01T00:00:02", "Banana"),
            ("CreationTime=[1970-01-01T00:00:02~1970-01-01T00:00:03]", "100% Banana it's"),
            ("is_good=true", "100% apple"),
            ("IsGood=0", "Banana it's"),
            ("labels=round", "100% apple"),
            ("labels=~OUN", "100% apple"),
            ("labels=(red round)", "apple"),
            ("labels={red long}", "Banana apple"),
            ("labels=nil", "it's"),
            ("labels=*", "100% Banana apple"),
            ("name=(apple Banana)", "100% Banana apple it's"),
            ("name={}", "100% Banana apple it's"),
            ("unknown=1,name=apple,password=~a", "apple"),
            ("name__icontains=apple", "100% Banana apple it's"),
            ("is_good=true,creation_time=[1970-01-01T00:00:02~]", "100%"),
        ] {
            let (found, total) = names(&db, &selection(q, "")).await.unwrap();
            assert_eq!(found, expected, "{q}");
            assert_eq!(total, expected.split_terminator(' ').count() as i64, "{q}");
        }
    }
}

#[tokio::test]
async fn what_is_no_value_of_a_field_is_refused() {
    let [place, _] = both().await;
    let db = filled(&place).await;
    for q in [
        "thing_id=x",
        "thing_id=99999999999999999999",
        "thing_id=[1~x]",
        "thing_id={1 x}",
        "creation_time=yesterday",
        "creation_time=~1970",
        "is_good=perhaps",
        "is_good=[0~1]",
        "name=a\u{0}b",
    ] {
        let error = names(&db, &selection(q, "")).await.unwrap_err();
        assert_eq!(error.kind, Kind::Invalid, "{q}: {}", error.message);
    }
}

#[tokio::test]
async fn orders_are_those_asked_for_or_the_lists_own() {
    for place in both().await {
        let db = filled(&place).await;
        for (sort, expected) in [
            ("", "100% Banana apple it's"),
            ("-name", "it's apple Banana 100%"),
            ("ThingID", "apple Banana 100% it's"),
            ("creation_time,-name", "apple Banana it's 100%"),
            ("-CreationTime", "it's 100% Banana apple"),
            ("-creation_time,creation_time,thing_id", "100% it's Banana apple"),
            ("unknown,-thing_id", "it's 100% Banana apple"),
            ("unknown,labels,name;DROP TABLE things", "100% Banana apple it's"),
        ] {
            let (found, _) = names(&db, &selection("", sort)).await.unwrap();
            assert_eq!(found, expected, "{sort}");
        }
    }
}

#[tokio::test]
async fn pages_are_whole_and_the_total_is_that_of_all_pages() {
    for place in both().await {
        let db = filled(&place).await;
        for (page, page_size, expected) in [
            (1, 3, ("100% Banana apple", 4)),
            (2, 3, ("it's", 4)),
            (3, 3, ("", 4)),
            (2, 2, ("apple it's", 4)),
            (1, 4, ("100% Banana apple it's", 4)),
            (92_233_720_368_547_758, 100, ("", 4)),
        ] {
            let selection = Selection { page: Page { page, page_size }, ..selection("", "") };
            let (found, total) = names(&db, &selection).await.unwrap();
            assert_eq!((found.as_str(), total), expected, "{page} {page_size}");
        }
    }
}

#[test]
fn wildcards_of_the_text_stand_for_themselves() {
    assert_eq!(containing("A_b%c\\"), "%a\\_b\\%c\\\\%");
}

impl List {
    /// Asks a list for everything that can be asked: each pattern of each field, each order.
    pub(crate) async fn try_everything(&self, db: &Db, from: &'static str, args: Args) {
        for field in self.fields {
            for value in ["1", "1970-01-01T00:00:00", "true"] {
                for form in [
                    value.to_owned(),
                    format!("~{value}"),
                    format!("[{value}~{value}]"),
                    format!("{{{value} {value}}}"),
                    format!("({value} {value})"),
                    "nil".to_owned(),
                    "*".to_owned(),
                ] {
                    let key = field.name();
                    let selection = selection(&format!("{key}={form}"), &format!("-{key}"));
                    let asked = self.page(db, from, args.clone(), &selection, |_| Ok(())).await;
                    if let Err(error) = asked {
                        assert_eq!(error.kind, Kind::Invalid, "{key}={form}: {error:?}");
                    }
                    let mut sorted = selection.clone();
                    sorted.filter = Filter::default();
                    self.page(db, from, args.clone(), &sorted, |_| Ok(())).await.unwrap();
                }
            }
        }
    }
}
