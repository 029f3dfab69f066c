//! What concerns no project.

use crate::{
    scene::{Scene, assert_answered, assert_refused},
    table::{Need, operations, rules},
};
use haven_tests::on_each_setup;

#[tokio::test]
async fn the_system_is_for_sysadmins_and_for_robots_that_were_given_it() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let rules = rules();
        let pull = [("repository", "pull")];
        let project_robot = server.admin.robot(Some(&scene.private.name), &pull).await;
        for operation in operations() {
            let (right, needs) = match operation.need {
                Need::Right(right) if right.scope == "project" => continue,
                Need::Right(right) => (Some(right), 4),
                Need::Never => (None, 5),
                Need::Sysadmin => (None, 4),
                Need::Administrator => (None, 3),
                Need::User => (None, 2),
                Need::Known => (None, 1),
                Need::Nothing => (None, 0),
            };
            let project_admin = &scene.people[0].1;
            let mut people = vec![
                ("nobody", server.anonymous.clone(), 0),
                ("a robot of a project", project_robot.client.clone(), 1),
                ("a stranger", scene.stranger.clone(), 2),
                ("a project's administrator", project_admin.clone(), 3),
                ("the sysadmin", server.admin.clone(), 4),
            ];
            if let Some(right) = right.filter(|right| rules[right].robot) {
                let (with, without) = scene.robots(None, right).await;
                people.push(("a robot with the right", with.client, 4));
                people.push(("a robot with all others", without.client, 1));
            }
            for (who, client, is) in people {
                let answer = scene.ask(&client, &operation, &scene.private.name).await;
                // A robot is no user, also where the user may be anybody.
                if is >= needs && !(operation.need == Need::User && who.contains("robot")) {
                    assert_answered(who, &operation, &answer);
                } else if who.contains("robot") && operation.need == Need::User {
                    let refused = [401, 403].contains(&answer.status);
                    assert!(refused, "{who} {operation}: {}", answer.describe());
                } else {
                    assert_refused(who, &operation, &answer);
                }
            }
        }
    })
    .await;
}
