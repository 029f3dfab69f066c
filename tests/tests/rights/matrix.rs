//! Rights in projects.

use crate::{
    scene::{Scene, assert_answered, assert_refused},
    table::{Need, Operation, Right, Rule, operations, rules},
};
use haven_tests::{Client, content::unique, on_each_setup};

/// The operations that need a right in a project.
pub fn in_projects() -> Vec<(Operation, Right, Rule)> {
    let rules = rules();
    let in_projects = operations().into_iter().filter_map(|operation| match operation.need {
        Need::Right(right) if right.scope == "project" => Some((operation, right)),
        _ => None,
    });
    in_projects.map(|(operation, right)| (operation, right, rules[&right].clone())).collect()
}

/// Tries one operation as somebody in the private and in the public project.
async fn attempt(
    scene: &Scene<'_>,
    (who, client): (&str, &Client),
    operation: &Operation,
    may: [bool; 2],
) {
    for (project, may) in [&scene.private, &scene.public].into_iter().zip(may) {
        let answer = scene.ask(client, operation, &project.name).await;
        if may {
            assert_answered(who, operation, &answer);
            continue;
        }
        assert_refused(who, operation, &answer);
        // The same where there is no such project: a refusal tells nothing.
        if operation.path.contains("{project_name") {
            let none = unique("none");
            let other = scene.ask(client, operation, &none).await;
            let words = other.text().replace(&none, &project.name);
            assert_eq!((other.status, words), (answer.status, answer.text()), "{who} {operation}");
        }
    }
}

#[tokio::test]
async fn every_role_may_what_its_rights_say() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        for (operation, _, rule) in &in_projects() {
            for (role, person) in &scene.people {
                let may = rule.has(*role);
                let who = format!("{role:?}");
                attempt(&scene, (&who, person), operation, [may, may || rule.public]).await;
            }
            let stranger = ("a stranger", &scene.stranger);
            attempt(&scene, stranger, operation, [false, rule.public]).await;
            // Without any header the registry's protocol refuses what is public too: clients
            // get a token first.
            let open = rule.public && !operation.path.starts_with("/v2/");
            attempt(&scene, ("nobody", &server.anonymous), operation, [false, open]).await;
            attempt(&scene, ("the sysadmin", &server.admin), operation, [true, true]).await;
        }
    })
    .await;
}
