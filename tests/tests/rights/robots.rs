//! Rights of robots: what they can be given, and what they may with it.

use crate::{
    matrix::in_projects,
    scene::{Scene, assert_answered, assert_refused},
    table::{Operation, Right, Rule, rules},
};
use haven_tests::{content::unique, on_each_setup};
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn robots_are_given_what_harbors_are_and_nothing_else() {
    on_each_setup(async |server| {
        let project = server.admin.project(false).await;
        let mut rights: Vec<(Right, bool)> =
            rules().iter().map(|(right, rule)| (*right, rule.robot)).collect();
        for scope in ["project", "system"] {
            for (resource, action) in [("robot", "*"), ("*", "*"), ("", ""), ("nothing", "read")] {
                rights.push((Right { scope, resource, action }, false));
            }
        }
        for (right, may) in rights {
            let of_project = right.scope == "project";
            let access = json!([{"resource": right.resource, "action": right.action}]);
            let ask = json!({
                "name": unique("robot"),
                "level": right.scope,
                "duration": 1,
                "permissions": [{
                    "kind": right.scope,
                    "namespace": if of_project { &project.name } else { "/" },
                    "access": access,
                }],
            });
            let answer = server.admin.request("POST", "/api/v2.0/robots").json(&ask).send().await;
            if may {
                answer.expect(201);
            } else {
                answer.refused(400, "BAD_REQUEST");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_robot_may_what_it_was_given_and_nothing_else() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let all = rules();
        let mut by_right: BTreeMap<Right, Vec<(Operation, Rule)>> = BTreeMap::new();
        for (operation, right, rule) in in_projects() {
            by_right.entry(right).or_default().push((operation, rule));
        }
        for (right, operations) in by_right {
            if !all.get(&right.of_robot()).is_some_and(|rule| rule.robot) {
                continue;
            }
            for (i, project) in [&scene.private, &scene.public].into_iter().enumerate() {
                let (with, without) = scene.robots(Some(&project.name), right).await;
                for (operation, rule) in &operations {
                    let answer = scene.ask(&with.client, operation, &project.name).await;
                    assert_answered(&format!("a robot with {right}"), operation, &answer);
                    let answer = scene.ask(&without.client, operation, &project.name).await;
                    let who = format!("a robot without {right}");
                    if i == 1 && rule.public {
                        assert_answered(&who, operation, &answer);
                    } else {
                        assert_refused(&who, operation, &answer);
                    }
                    // What it has counts in its own project only.
                    let other = [&scene.public, &scene.private][i];
                    let answer = scene.ask(&with.client, operation, &other.name).await;
                    let who = format!("a robot of another project with {right}");
                    if i == 0 && rule.public {
                        assert_answered(&who, operation, &answer);
                    } else {
                        assert_refused(&who, operation, &answer);
                    }
                }
            }
        }
    })
    .await;
}
