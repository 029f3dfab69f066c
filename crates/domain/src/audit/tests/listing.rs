//! Pages of the log, held against going through all entries.

use std::time::Duration;

use kit::{Page, Selection, Time};

use super::*;
use crate::{
    audit::list::LIST,
    testing::{START, selection},
};

const EVENTS: [Event; 20] = [
    Event::CreateArtifact,
    Event::DeleteArtifact,
    Event::PullArtifact,
    Event::CreateProject,
    Event::DeleteProject,
    Event::UpdateProject,
    Event::DeleteRepository,
    Event::LoginUser,
    Event::LogoutUser,
    Event::CreateUser,
    Event::DeleteUser,
    Event::UpdateUser,
    Event::CreateRobot,
    Event::DeleteRobot,
    Event::UpdateRobot,
    Event::UpdateConfiguration,
    Event::CreateMember,
    Event::UpdateMember,
    Event::DeleteMember,
    Event::DeleteTag,
];

/// Fills a log with entries of three projects over some hours, most of them sealed, and gives
/// each by project, moment and resource, the oldest first.
async fn fill(context: &Context) -> Vec<(i64, Time, String)> {
    let mut all = Vec::new();
    for n in 0..240_u64 {
        let project = [3, 3, 4, 0, 5][n as usize % 5];
        let entry = Entry::new(EVENTS[n as usize % EVENTS.len()], format!("r{n}"));
        write(context, &alice(), entry.in_project(project), || Ok(())).await;
        all.push((project, context.clock.now(), format!("r{n}")));
        if n % 40 == 39 && n < 220 {
            seal(context).await.unwrap();
        }
        // Two in a moment now and then, and pauses of hours.
        if n % 3 != 0 {
            context.clock.advance(Duration::from_secs(if n % 50 == 0 { 9000 } else { 311 }));
        }
    }
    all
}

async fn found(context: &Context, readable: &Readable, selection: &Selection) -> (String, i64) {
    let found = list(context, readable, selection).await.unwrap();
    let names: Vec<String> = found.items.into_iter().map(|entry| entry.resource).collect();
    (names.join(" "), found.total)
}

#[tokio::test]
async fn pages_and_totals_are_those_of_going_through_all() {
    for place in both().await {
        let context = place.open().await;
        let all = fill(&context).await;
        let moment = |at: Time| {
            let text = jiff::Timestamp::from_microsecond(at.0).unwrap().to_string();
            text.trim_end_matches('Z').to_owned()
        };
        let (early, late) = (all[31].1, all[190].1);
        let hour = Time(START.0 / 3_600_000_000 * 3_600_000_000 + 4 * 3_600_000_000);
        let readables = [
            (Readable::everything(), None),
            (Readable::projects(vec![3]), Some(vec![3])),
            (Readable::projects(vec![3, 5]), Some(vec![3, 5])),
            (Readable::projects(vec![]), Some(vec![])),
            (Readable::projects(vec![99]), Some(vec![99])),
        ];
        let bounds = [
            (None, None),
            (Some(early), Some(late)),
            (Some(early), None),
            (None, Some(late)),
            (Some(hour), Some(Time(hour.0 + 3_600_000_000))),
            (Some(all[100].1), Some(all[100].1)),
            (Some(late), Some(early)),
        ];
        for (readable, projects) in &readables {
            for (from, to) in bounds {
                let range = match (from, to) {
                    (None, None) => String::new(),
                    (from, to) => {
                        let text = |at: Option<Time>| at.map_or(String::new(), moment);
                        format!("op_time=[{}~{}]", text(from), text(to))
                    }
                };
                let within = |(project, at, _): &&(i64, Time, String)| {
                    projects.as_ref().is_none_or(|ids| ids.contains(project))
                        && from.is_none_or(|from| *at >= from)
                        && to.is_none_or(|to| *at <= to)
                };
                let expected: Vec<&str> =
                    all.iter().filter(within).map(|(.., name)| name.as_str()).collect();
                for (sort, page, page_size) in
                    [("", 1, 10), ("op_time", 1, 7), ("", 2, 100), ("op_time", 3, 50), ("", 999, 9)]
                {
                    let page = Page { page, page_size };
                    let selection = Selection { page, ..selection(&range, sort) };
                    let mut ordered = expected.clone();
                    if sort.is_empty() {
                        ordered.reverse();
                    }
                    let (skip, take) = (page.offset() as usize, page.page_size as usize);
                    let names: Vec<_> = ordered.into_iter().skip(skip).take(take).collect();
                    let wanted = (names.join(" "), expected.len() as i64);
                    let case = format!("{projects:?} {range} {sort} {page:?}");
                    assert_eq!(found(&context, readable, &selection).await, wanted, "{case}");
                    // And by the hours, which are asked for pages far away only.
                    let asked = super::super::hours::Bounds::of(projects.as_deref());
                    let mut asked = asked.clone();
                    asked.narrow(from, to);
                    if asked.is_empty() {
                        continue;
                    }
                    let backwards = sort.is_empty();
                    let window = asked.window(&context.db, backwards, page).await.unwrap();
                    let statement = asked.page(&window, backwards, page.page_size as i64);
                    let (sql, args) = statement.finish();
                    let rows = context.db.all(sql, args).await.unwrap();
                    let by_hours: Vec<String> =
                        rows.iter().map(|row| row.get(2).unwrap()).collect();
                    assert_eq!(by_hours.join(" "), wanted.0, "by hours: {case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn entries_are_found_by_what_they_say() {
    for place in both().await {
        let context = place.open().await;
        fill(&context).await;
        let failure = Entry::new(Event::LoginUser, "mallory");
        failed(&context, &Who::anonymous(), failure).await.unwrap();
        let everything = Readable::everything();
        let some = Readable::projects(vec![3]);
        for (q, in_all, in_some) in [
            ("operation_result=false", 1, 0),
            ("username=alice", 240, 96),
            ("username=alice,project_id=4", 48, 0),
            ("project_id=4", 48, 0),
            ("project_id=3", 96, 96),
            ("project_id={3 4}", 144, 96),
            ("username=~ANON", 1, 0),
            ("resource=r7", 1, 0),
            ("resource={r5 r6}", 2, 2),
            ("operation=create,resource_type=project", 12, 0),
            ("OpTime=[2000-01-01T00:00:00~],resource_type=user", 61, 24),
            ("nothing=1", 241, 96),
        ] {
            let asked = selection(q, "");
            assert_eq!(list(&context, &everything, &asked).await.unwrap().total, in_all, "{q}");
            assert_eq!(list(&context, &some, &asked).await.unwrap().total, in_some, "{q}");
        }
        for q in ["op_time=yesterday", "project_id=x", "op_time=~2000", "operation_result=maybe"] {
            let refused = list(&context, &everything, &selection(q, "")).await.unwrap_err();
            assert_eq!(refused.kind, Kind::Invalid, "{q}");
        }
        let by_name = Selection {
            page: Page { page: 1, page_size: 2 },
            ..selection("project_id=0", "-username,resource")
        };
        assert_eq!(found(&context, &everything, &by_name).await, ("mallory r103".into(), 49));
        LIST.try_everything(&context.db, sql::LIST_FROM, args![]).await;
    }
}
