//! Policies and their runs, on both databases.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use db::{Engine, args};
use kit::{Clock, Kind, Page, Selection};
use oci::{Digest, RepositoryName, media_type};
use tokio::{sync::watch, task::JoinHandle};

use super::super::{
    policy::tests::{policy, rule},
    *,
};
use crate::{
    Context,
    access::{Action, Resource, Right},
    artifacts::{self, Condition, Push},
    immutability,
    jobs::{Status, Task},
    projects::{self, Allowed},
    testing::{admin, allowed, eventually},
    work,
    world::{ENGINES, World},
};

const fn right(action: Action) -> Right {
    Right::new(Resource::TagRetention, action)
}

/// Has jobs done until it is dropped.
struct Runner {
    _stop: watch::Sender<bool>,
    _doing: JoinHandle<()>,
}

fn runner(context: &Arc<Context>) -> Runner {
    let (stop, stopping) = watch::channel(false);
    let doing = tokio::spawn(work::serve(context.clone(), 4, stopping));
    Runner { _stop: stop, _doing: doing }
}

fn turn(world: &World, days: i64) {
    let Clock::Manual(_) = &world.context.clock else { panic!("a clock to turn") };
    world.context.clock.advance(std::time::Duration::from_secs(days.unsigned_abs() * 24 * 3600));
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

async fn push(world: &World, name: &RepositoryName, reference: &str, content: String) -> Digest {
    let push = Push {
        name: name.clone(),
        reference: reference.parse().unwrap(),
        tags: Vec::new(),
        content_type: None,
        content: Bytes::from(content),
        condition: Condition::Always,
    };
    let allowed = world.allowed(name, Right::PUSH).await;
    artifacts::push(&world.context, &allowed, push).await.unwrap().digest
}

async fn push_image(world: &World, name: &RepositoryName, tag: &str, note: &str) -> Digest {
    let blob = world.push_blob(name, b"blob").await;
    let (manifest, config) = (media_type::OCI_MANIFEST, media_type::OCI_CONFIG);
    let content = format!(
        r#"{{"schemaVersion":2,"mediaType":"{manifest}","config":{{"mediaType":"{config}","digest":"{blob}","size":4}},"layers":[],"annotations":{{"note":"{note}"}}}}"#,
    );
    push(world, name, tag, content).await
}

async fn push_index(world: &World, name: &RepositoryName, tag: &str, child: &Digest) -> Digest {
    let (index, manifest) = (media_type::OCI_INDEX, media_type::OCI_MANIFEST);
    let content = format!(
        r#"{{"schemaVersion":2,"mediaType":"{index}","manifests":[{{"mediaType":"{manifest}","digest":"{child}","size":4}}]}}"#,
    );
    push(world, name, tag, content).await
}

async fn make(world: &World, new: NewPolicy) -> (Policy, Allowed) {
    let context = &world.context;
    let may_create = allowed(context, "library", right(Action::Create)).await;
    let id = create(context, &may_create, new).await.unwrap();
    find(world, id, Action::Read).await
}

async fn find(world: &World, id: i64, action: Action) -> (Policy, Allowed) {
    known(&world.context, &admin(&world.context).await, id, action).await.unwrap()
}

/// Runs a policy to its end, and gives its tasks by the names of their repositories.
async fn run_all(world: &World, id: i64, dry_run: bool) -> (i64, Vec<Task>) {
    let context = &world.context;
    let (policy, may_update) = find(world, id, Action::Update).await;
    let execution = begin(context, &may_update, &policy, dry_run).await.unwrap();
    (execution, ended(world, id, execution).await)
}

async fn ended(world: &World, id: i64, execution: i64) -> Vec<Task> {
    let context = &world.context;
    let (policy, may_list) = find(world, id, Action::List).await;
    eventually(async || {
        show::execution(context, &policy, execution).await.unwrap().status.is_final()
    })
    .await;
    let selection = Selection { page: Page { page: 1, page_size: 100 }, ..Selection::default() };
    let found = tasks(context, &may_list, &policy, execution, &selection).await.unwrap();
    let mut found = found.items;
    found.sort_by_key(|task| task.extra_attrs["repository"].as_str().unwrap().to_owned());
    found
}

fn counts(task: &Task) -> (&str, i64, i64) {
    let number = |name: &str| task.extra_attrs[name].as_i64().unwrap();
    (task.extra_attrs["repository"].as_str().unwrap(), number("total"), number("retained"))
}

async fn tags(world: &World, name: &RepositoryName) -> Vec<String> {
    let allowed = world.allowed(name, Right::PULL).await;
    artifacts::tags(&world.context, &allowed, name, "", 100).await.unwrap().names
}

#[tokio::test]
async fn a_policy_is_the_only_one_of_its_project_and_told_in_its_metadata() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let daily =
            NewPolicy { cron: "0 0 0 * * *".to_owned(), ..policy([rule("always", 0, "**")]) };
        let (made, _) = make(&world, daily.clone()).await;
        assert!(made.next_at.is_some());
        assert_eq!(made.what, NewPolicy { algorithm: "or".to_owned(), ..daily.clone() });
        let may_create = allowed(context, "library", right(Action::Create)).await;
        let second = create(context, &may_create, policy([])).await.unwrap_err();
        let said = format!("project {} already has retention policy {}", made.project_id, made.id);
        assert_eq!((second.kind, second.message.as_ref()), (Kind::Invalid, said.as_str()));
        assert_eq!(policy_of(context, &may_create).await.unwrap(), Some(made.id));
        let metadata = async || {
            let see = Right::new(Resource::Metadata, Action::List);
            let may_see = allowed(context, "library", see).await;
            projects::metadata(context, &may_see).await.unwrap().remove("retention_id")
        };
        assert_eq!(metadata().await, Some(made.id.to_string()));

        let (_, may_update) = find(&world, made.id, Action::Update).await;
        update(context, &may_update, &made, policy([])).await.unwrap();
        let (changed, _) = find(&world, made.id, Action::Read).await;
        assert_eq!((changed.what.rules.len(), changed.next_at), (0, None));
        let (_, may_delete) = find(&world, made.id, Action::Delete).await;
        delete(context, &may_delete, &made).await.unwrap();
        assert_eq!(metadata().await, None);
        assert!(delete(context, &may_delete, &made).await.unwrap_err().is(Kind::NotFound));
        let gone = update(context, &may_update, &made, policy([])).await.unwrap_err();
        assert!(gone.is(Kind::NotFound));
        let gone = known(context, &admin(context).await, made.id, Action::Read).await;
        assert!(gone.unwrap_err().is(Kind::NotFound));
        make(&world, policy([])).await;
    }
}

#[tokio::test]
async fn a_dry_run_says_why_and_a_real_one_deletes_no_more() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let _runner = runner(context);
        let (x, y, z) = (name("library/x"), name("library/team/y"), name("library/z"));
        let mut digests = Vec::new();
        for tag in ["v1", "v2", "v3", "fixed"] {
            digests.push(push_image(&world, &x, tag, tag).await);
            turn(&world, 1);
        }
        let child = push_image(&world, &y, "part", "part").await;
        turn(&world, 1);
        push_index(&world, &y, "index", &child).await;
        let old = push_image(&world, &z, "old", "old").await;
        let keep = allowed(context, "library", Right::new(Resource::ImmutableTag, Action::Create));
        let selector = |decoration: &str, pattern: &str| immutability::Selector {
            kind: "doublestar".to_owned(),
            decoration: decoration.to_owned(),
            pattern: pattern.to_owned(),
            extras: String::new(),
        };
        let everywhere = vec![selector("repoMatches", "**")];
        let new = immutability::NewRule {
            tag_selectors: vec![selector("matches", "fixed")],
            scope_selectors: [("repository".to_owned(), everywhere)].into(),
            ..immutability::NewRule::default()
        };
        immutability::create(context, &keep.await, new).await.unwrap();

        let mut rules = [rule("latestPushedK", 1, "{v*,index}"), rule("always", 0, "v1")];
        for rule in &mut rules {
            rule.tag_selectors[0].extras = "{\"untagged\":false}".to_owned();
            rule.scope_selectors.get_mut("repository").unwrap()[0].pattern =
                "{x,team/*}".to_owned();
        }
        let (made, may_read) = make(&world, policy(rules)).await;
        let (dry, found) = run_all(&world, made.id, true).await;
        let expected = [("team/y", 2, 2), ("x", 4, 3)];
        assert_eq!(found.iter().map(counts).collect::<Vec<_>>(), expected, "{engine:?}");
        assert!(found.iter().all(|task| task.status == Status::Success));
        assert_eq!(tags(&world, &x).await.len(), 4, "a dry run deletes nothing");

        let of = (dry, found[1].id);
        let page = Page { page: 1, page_size: 100 };
        let in_x = Wanted { task_id: Some(of.1), ..Wanted::default() };
        let shown = findings(context, &may_read, &made, dry, &in_x, page).await.unwrap();
        let outcome = |tag: &str| {
            let found = shown.items.iter().map(|found| &found.finding);
            let found = found.into_iter().find(|found| found.tags == [tag]).unwrap();
            (found.outcome, found.kept_by.clone(), found.passed_over_by.clone())
        };
        let newest = (0, "the most recently pushed 1 artifacts".to_owned());
        let always = (1, "always".to_owned());
        assert_eq!(outcome("v1"), (Outcome::Retain, vec![always], vec![newest.clone()]));
        assert_eq!(outcome("v2"), (Outcome::Delete, vec![], vec![newest.clone()]));
        assert_eq!(outcome("v3"), (Outcome::Retain, vec![newest], vec![]));
        assert_eq!(outcome("fixed"), (Outcome::Immutable, vec![], vec![]));
        let second = Page { page: 2, page_size: 1 };
        let only = Wanted { outcomes: vec![Outcome::Retain], ..in_x.clone() };
        let retained = findings(context, &may_read, &made, dry, &only, second).await.unwrap();
        assert_eq!((retained.total, retained.items.len()), (2, 1));
        let none = Page { page: 9, page_size: 100 };
        let past = findings(context, &may_read, &made, dry, &in_x, none).await.unwrap();
        assert_eq!((past.total, past.items.len()), (4, 0));
        whole_run(&world, &may_read, &made, dry).await;
        let written = log(context, &may_read, &made, of).await.unwrap();
        for line in ["Repository: library/x", "Dry Run: true", "Load 4 candidates", "| DEL "] {
            assert!(written.contains(line), "{line} in {written}");
        }
        let row = written.lines().find(|line| line.contains(&digests[1].to_string())).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!((cells[2], cells[3], cells[8]), ("v2", "image", "DEL"));
        let row = written.lines().find(|line| line.contains(&digests[3].to_string())).unwrap();
        assert!(row.contains("IMMUTABLE"), "{row}");

        let (_, found) = run_all(&world, made.id, false).await;
        assert_eq!(found.iter().map(counts).collect::<Vec<_>>(), expected);
        assert_eq!(tags(&world, &x).await, ["fixed", "v1", "v3"]);
        assert_eq!(tags(&world, &y).await, ["index", "part"], "what an index lists stays");
        assert_eq!(tags(&world, &z).await, ["old"], "no rule is about it: {old}");
        let (_, found) = run_all(&world, made.id, false).await;
        assert_eq!(counts(&found[1]), ("x", 3, 3), "a second run finds nothing to delete");
    }
}

/// What the dry run of the test above decided, over all its repositories.
async fn whole_run(world: &World, may_read: &Allowed, made: &Policy, dry: i64) {
    let context = &world.context;
    let ask = async |wanted: Wanted, page, page_size| {
        let page = Page { page, page_size };
        let found = findings(context, may_read, made, dry, &wanted, page).await.unwrap();
        let name = |found: Found| format!("{}:{}", found.repository, found.finding.tags[0]);
        (found.total, found.items.into_iter().map(name).collect::<Vec<_>>())
    };
    let one = |outcome| Wanted { outcomes: vec![outcome], ..Wanted::default() };
    let text = |text: &str| Wanted { text: text.to_owned(), ..Wanted::default() };
    let (total, all) = ask(Wanted::default(), 1, 100).await;
    assert_eq!((total, all.len()), (6, 6));
    assert_eq!(all[..2], ["x:v2", "x:fixed"], "what goes first");
    for (page, name) in (1..).zip(&all) {
        assert_eq!(ask(Wanted::default(), page, 1).await, (6, vec![name.clone()]));
    }
    let stays = Wanted { outcomes: vec![Outcome::Immutable, Outcome::InUse], ..Wanted::default() };
    assert_eq!(ask(stays, 1, 10).await, (2, vec!["x:fixed".to_owned(), "team/y:part".to_owned()]));
    assert_eq!(ask(one(Outcome::Error), 1, 10).await, (0, vec![]));
    assert_eq!(ask(text("TEAM/"), 1, 10).await.0, 2, "by repository");
    assert_eq!(ask(text("ixe"), 1, 10).await, (1, vec!["x:fixed".to_owned()]), "by tag");
    assert_eq!(ask(text("sha256:"), 2, 4).await.1, all[4..], "by digest");
    let both = Wanted { text: "v".to_owned(), ..one(Outcome::Retain) };
    assert_eq!(ask(both, 1, 10).await.0, 2);
    let long = text(&"x".repeat(257));
    let refused = findings(context, may_read, made, dry, &long, Page::default()).await;
    assert!(refused.unwrap_err().is(Kind::Invalid));
    let elsewhere = Wanted { task_id: Some(0), ..Wanted::default() };
    let refused = findings(context, may_read, made, dry, &elsewhere, Page::default()).await;
    assert!(refused.unwrap_err().is(Kind::NotFound));

    let (run, rules) = run_of(context, may_read, made, dry).await.unwrap();
    assert_eq!(rules, made.what.rules);
    assert_eq!((run.execution.id, run.execution.metrics.success), (dry, 2));
    let expected =
        [(Outcome::Delete, 1), (Outcome::Immutable, 1), (Outcome::InUse, 1), (Outcome::Retain, 3)];
    assert_eq!(run.outcomes, expected.into());
    let may_list = allowed(context, "library", right(Action::List)).await;
    let listed = runs(context, &may_list, made, &Selection::default()).await.unwrap();
    assert_eq!((listed.total, &listed.items[..]), (1, &[run][..]));
    assert!(run_of(context, may_read, made, dry + 1).await.unwrap_err().is(Kind::NotFound));
}

#[tokio::test]
async fn an_index_goes_before_its_parts_and_what_was_pushed_since_stays() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let x = name("library/x");
        let child = push_image(&world, &x, "part", "part").await;
        push_index(&world, &x, "index", &child).await;
        let again = push_image(&world, &x, "again", "again").await;
        let id = crate::repositories::known(context, &x).await.unwrap().id;
        let surveyed = artifacts::survey(context, id, || false).await.unwrap().unwrap();
        assert_eq!(surveyed.len(), 3);
        assert!(artifacts::survey(context, id, || true).await.unwrap().is_none());
        let right = Right::new(Resource::Artifact, Action::Delete);
        let may_delete = world.allowed(&x, right).await;
        let seen = surveyed.iter().find(|artifact| artifact.digest == again).unwrap();
        turn(&world, 1);
        push_image(&world, &x, "again", "again").await;
        let late = artifacts::delete_surveyed(context, &may_delete, &x, seen).await.unwrap_err();
        assert!(late.is(Kind::Conflict));
        push_image(&world, &x, "new", "again").await;
        let late = artifacts::delete_surveyed(context, &may_delete, &x, seen).await.unwrap_err();
        assert!(late.is(Kind::Conflict));

        let _runner = runner(context);
        let (made, _) = make(&world, policy([rule("always", 0, "again")])).await;
        let (_, found) = run_all(&world, made.id, false).await;
        assert_eq!(counts(&found[0]), ("x", 3, 1), "{engine:?}");
        assert_eq!(tags(&world, &x).await, ["again", "new"]);
    }
}

/// More than go with artifacts in one transaction.
const SIGNATURES: usize = 230;

#[tokio::test]
async fn what_is_too_much_for_one_transaction_goes_by_itself() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let x = name("library/x");
        for tag in ["a", "b"] {
            push_image(&world, &x, tag, tag).await;
        }
        let signed = push_image(&world, &x, "signed", "signed").await;
        let blob = world.push_blob(&x, b"blob").await;
        let manifest = media_type::OCI_MANIFEST;
        let signatures = (0..SIGNATURES).map(|note| {
            let content = format!(
                r#"{{"schemaVersion":2,"mediaType":"{manifest}","artifactType":"application/x","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{blob}","size":4}},"layers":[],"subject":{{"mediaType":"{manifest}","digest":"{signed}","size":4}},"annotations":{{"note":"{note}"}}}}"#
            );
            let digest = Digest::of(oci::Algorithm::Sha256, content.as_bytes()).to_string();
            let (world, x) = (&world, &x);
            async move { push(world, x, &digest, content).await }
        });
        futures_util::future::join_all(signatures).await;
        let _runner = runner(context);
        let (made, _) = make(&world, policy([rule("always", 0, "none")])).await;
        let (_, found) = run_all(&world, made.id, false).await;
        assert_eq!(counts(&found[0]), ("x", 3, 0), "{engine:?}");
        let left = context.db.one("SELECT COUNT(*) FROM artifacts", args![]).await;
        assert_eq!(left.unwrap().unwrap().get::<i64>(0).unwrap(), 0, "{engine:?}");
    }
}

#[tokio::test]
async fn runs_are_begun_by_the_schedule_and_stopped_and_need_rules() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let x = name("library/x");
        push_image(&world, &x, "old", "old").await;
        let daily = "0 0 0 * * *".to_owned();
        let mut new = NewPolicy { cron: daily, ..policy([rule("always", 0, "none")]) };
        new.rules[0].tag_selectors[0].extras = "{\"untagged\":false}".to_owned();
        let (made, _) = make(&world, new).await;
        turn(&world, 2);
        let _runner = runner(context);
        eventually(async || tags(&world, &x).await.is_empty()).await;
        let (_, may_list) = find(&world, made.id, Action::List).await;
        let all = Selection::default();
        let runs = executions(context, &may_list, &made, &all).await.unwrap();
        assert_eq!(runs.total, 1, "{engine:?}: however often it would have fired");
        assert_eq!(runs.items[0].trigger.name(), "SCHEDULE");

        let (_, may_update) = find(&world, made.id, Action::Update).await;
        stop(context, &may_update, &made, runs.items[0].id).await.unwrap();
        let unknown = stop(context, &may_update, &made, 999_999).await.unwrap_err();
        assert!(unknown.is(Kind::NotFound));
        let none = policy([Rule { disabled: true, ..rule("always", 0, "**") }]);
        update(context, &may_update, &made, none).await.unwrap();
        let (made, _) = find(&world, made.id, Action::Read).await;
        let execution = begin(context, &may_update, &made, false).await.unwrap();
        let found = show::execution(context, &made, execution).await.unwrap();
        assert_eq!((found.status, found.metrics.total()), (Status::Success, 0));
    }
}

#[tokio::test]
async fn each_repository_that_a_rule_is_about_has_one_task() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let project: i64 = crate::repositories::known(context, &{
            let x = name("library/aside");
            push_image(&world, &x, "a", "a").await;
            x
        })
        .await
        .unwrap()
        .project_id;
        add_rows(context, project, 0, 450, 0).await;
        let mut only = rule("always", 0, "**");
        only.scope_selectors.get_mut("repository").unwrap()[0].pattern = "r*".to_owned();
        let (made, _) = make(&world, policy([only])).await;
        let _runner = runner(context);
        let (policy, may_update) = find(&world, made.id, Action::Update).await;
        let execution = begin(context, &may_update, &policy, true).await.unwrap();
        let is_over = async || {
            let found = show::execution(context, &policy, execution).await.unwrap();
            found.metrics.total() == 450
        };
        eventually(is_over).await;
        stop(context, &may_update, &policy, execution).await.unwrap();
        eventually(async || {
            show::execution(context, &policy, execution).await.unwrap().status.is_final()
        })
        .await;
    }
}

async fn write(world: &World, statement: &'static str) {
    let done = world
        .context
        .db
        .write(move |tx| Box::pin(async move { tx.execute(statement, args![]).await.map(drop) }));
    done.await.unwrap();
}

async fn runs_left(world: &World) -> i64 {
    let count = "SELECT COUNT(*) FROM executions WHERE vendor_type = 'RETENTION'";
    world.context.db.one(count, args![]).await.unwrap().unwrap().get(0).unwrap()
}

#[tokio::test]
async fn how_a_run_ended_is_told_and_runs_go_with_their_policy() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        for (repository, tag) in [("x", "v1"), ("x", "v2"), ("y", "v1"), ("z", "v1")] {
            push_image(&world, &name(&format!("library/{repository}")), tag, tag).await;
        }
        let mut new = policy([rule("always", 0, "none")]);
        new.rules[0].tag_selectors[0].extras = "{\"untagged\":false}".to_owned();
        let (made, _) = make(&world, new).await;
        let _runner = runner(context);
        run_all(&world, made.id, true).await;
        // One artifact cannot be deleted.
        write(&world, "CREATE TABLE held (id BIGINT NOT NULL REFERENCES artifacts (id))").await;
        const HOLD: &str = "INSERT INTO held SELECT id FROM artifacts WHERE repository_id = \
            (SELECT id FROM repositories WHERE name = 'library/y')";
        write(&world, HOLD).await;
        let (begun, may_update) = find(&world, made.id, Action::Update).await;
        let execution = begin(context, &may_update, &begun, false).await.unwrap();
        eventually(async || {
            show::execution(context, &begun, execution).await.unwrap().status.is_final()
        })
        .await;
        let told = "SELECT repository, event FROM events WHERE event LIKE '%retention_finished%' \
            ORDER BY repository";
        let told = context.db.all(told, args![]).await.unwrap();
        let told: Vec<(String, String, i64, i64)> = told
            .iter()
            .map(|row| {
                let event: serde_json::Value =
                    serde_json::from_str(&row.get::<String>(1).unwrap()).unwrap();
                let number = |name: &str| event[name].as_i64().unwrap();
                assert_eq!((number("execution_id"), number("policy_id")), (execution, made.id));
                let status = event["status"].as_str().unwrap().to_owned();
                (row.get(0).unwrap(), status, number("total"), number("retained"))
            })
            .collect();
        let expected = [("x", "SUCCESS", 2, 0), ("y", "ERROR", 1, 1), ("z", "SUCCESS", 1, 0)];
        let expected = expected.map(|(repository, status, total, retained)| {
            (format!("library/{repository}"), status.to_owned(), total, retained)
        });
        assert_eq!(told, expected);

        assert_eq!(runs_left(&world).await, 2);
        let (_, may_delete) = find(&world, made.id, Action::Delete).await;
        delete(context, &may_delete, &made).await.unwrap();
        assert_eq!(runs_left(&world).await, 0);
        // Those of a policy that goes with its project go with the next sweep.
        let (made, _) = make(&world, policy([])).await;
        let (made, may_update) = find(&world, made.id, Action::Update).await;
        begin(context, &may_update, &made, false).await.unwrap();
        assert_eq!(runs_left(&world).await, 1);
        write(&world, "DELETE FROM retention_policies").await;
        turn(&world, 1);
        eventually(async || runs_left(&world).await == 0).await;
    }
}

/// How many artifacts the run that is timed looks at.
const MANY: i64 = 12_000;

#[tokio::test]
async fn many_artifacts_are_judged_quickly_and_page_by_page() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let context = &world.context;
        let x = name("library/x");
        push_image(&world, &x, "v0", "a").await;
        let repository = crate::repositories::known(context, &x).await.unwrap();
        add_rows(context, repository.project_id, repository.id, 0, MANY).await;
        let (made, may_read) = make(
            &world,
            policy([rule("latestPushedK", 100, "v*"), rule("latestVersionsPerMinor", 2, "v*")]),
        )
        .await;
        let _runner = runner(context);
        let start = Instant::now();
        let (execution, found) = run_all(&world, made.id, true).await;
        println!("{engine:?}: {MANY} artifacts in {:?}", start.elapsed());
        let (_, total, retained) = counts(&found[0]);
        assert_eq!(total, MANY + 1);
        assert!((100..MANY).contains(&retained), "{retained}");
        let page = Page { page: 50, page_size: 100 };
        let only = Wanted { outcomes: vec![Outcome::Delete], ..Wanted::default() };
        let shown = findings(context, &may_read, &made, execution, &only, page).await.unwrap();
        assert_eq!((shown.total, shown.items.len()), (total - retained, 100));
        let one = Wanted { text: shown.items[7].finding.digest.clone(), ..only };
        let page = Page { page: 1, page_size: 10 };
        let shown = findings(context, &may_read, &made, execution, &one, page).await.unwrap();
        assert_eq!(shown.total, 1, "found among all of them");
    }
}

/// Adds rows straight to the tables: empty repositories `r<n>`, or tagged artifacts.
async fn add_rows(context: &Context, project: i64, repository: i64, repositories: i64, many: i64) {
    const REPOSITORIES: &str = "\
        WITH RECURSIVE n(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < $2) \
        INSERT INTO repositories (project_id, name, created_at, updated_at) \
        SELECT $1, 'library/r' || n, 1, 1 FROM n WHERE $2 > 0";
    const ARTIFACTS: &str = "\
        WITH RECURSIVE n(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < $3) \
        INSERT INTO artifacts (project_id, repository_id, manifest_id, digest, media_type, \
        config_media_type, manifest_size, size, pushed_at) \
        SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), (SELECT MIN(id) FROM manifests), \
        'sha256:' || substr('0000000000000000000000000000000000000000000000000000000000000000' || n, -64), \
        'application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.config.v1+json', \
        1, 1, 1800000000000000 + n FROM n WHERE $3 > 0";
    const TAGS: &str = "\
        INSERT INTO tags (repository_id, artifact_id, name, pushed_at) \
        SELECT $1, id, 'v1.' || (id % 50) || '.' || id, pushed_at FROM artifacts \
        WHERE repository_id = $1 AND size = 1 AND manifest_size = 1";
    let artifacts = if context.db.engine() == Engine::Postgres {
        ARTIFACTS.replace("substr(", "right(").replace("|| n, -64)", "|| n, 64)").leak()
    } else {
        ARTIFACTS
    };
    context
        .db
        .write(move |tx| {
            Box::pin(async move {
                if repositories > 0 {
                    tx.execute(REPOSITORIES, args![project, repositories]).await?;
                }
                if many > 0 {
                    tx.execute(&*artifacts, args![project, repository, many]).await?;
                    tx.execute(TAGS, args![repository]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}
