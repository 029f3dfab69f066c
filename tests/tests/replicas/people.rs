//! What is done with people, rights and settings at one replica counts at the other within a
//! second, and each serves the other's sessions.

use crate::{
    at, seen_at,
    together::{Pair, pair, within_a_second},
};
use haven_tests::{Answer, Image, Role, portal::Browser, server::ADMIN_PASSWORD};
use serde_json::json;

/// Who asks is not known any more.
fn unknown(answer: &Answer) -> bool {
    answer.status == 401
}

#[tokio::test]
async fn a_right_that_changes_does_so_everywhere() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(false).await;
    let user = project.member(Role::Guest).await;
    let there = seen_at(&project.repository(&user, "app"), &second.anonymous);
    let begin = || there.client.request("POST", &there.path("blobs/uploads/")).send();
    begin().await.expect(403);
    let members = format!("/api/v2.0/projects/{}/members", project.name);
    let found = first.admin.get(&format!("{members}?entityname={}", user.name())).await.json();
    let member = format!("{members}/{}", found[0]["id"]);
    let role = async |role: Role| {
        let role = json!({"role_id": role as i64});
        first.admin.request("PUT", &member).json(&role).send().await.expect(200);
    };
    role(Role::Developer).await;
    within_a_second("a larger role", begin, |answer| answer.status == 202).await;
    role(Role::Guest).await;
    within_a_second("a smaller role", begin, |answer| answer.status == 403).await;

    let user_id = user.number().await;
    let sysadmin = async |flag: bool| {
        let path = format!("/api/v2.0/users/{user_id}/sysadmin");
        let flag = json!({"sysadmin_flag": flag});
        first.admin.request("PUT", &path).json(&flag).send().await.expect(200);
    };
    let user = at(&user, &second.anonymous);
    let list = || user.get("/api/v2.0/users");
    list().await.expect(403);
    sysadmin(true).await;
    within_a_second("a sysadmin", list, |answer| answer.status == 200).await;
    sysadmin(false).await;
    within_a_second("no sysadmin", list, |answer| answer.status == 403).await;
}

#[tokio::test]
async fn a_setting_that_changes_does_so_everywhere() {
    let Pair { first, second } = pair().await;
    let set = async |settings: serde_json::Value| {
        let put = first.admin.request("PUT", "/api/v2.0/configurations");
        put.json(&settings).send().await.expect(200);
    };
    let shown = || second.admin.get("/api/v2.0/configurations");
    shown().await.expect(200);
    set(json!({"token_expiration": 77})).await;
    let is_shown = |answer: &Answer| answer.json()["token_expiration"]["value"] == 77;
    within_a_second("a setting", shown, is_shown).await;

    let user = at(&first.admin.user().await, &second.anonymous);
    let make = || user.request("POST", "/api/v2.0/projects").json(&json!({})).send();
    make().await.expect(400);
    set(json!({"read_only": true})).await;
    within_a_second("read-only mode", make, |answer| answer.status == 403).await;
    set(json!({"read_only": false})).await;
    within_a_second("its end", make, |answer| answer.status == 400).await;
    set(json!({"project_creation_restriction": "adminonly"})).await;
    within_a_second("a restriction", make, |answer| answer.status == 403).await;
}

#[tokio::test]
async fn who_is_gone_is_gone_everywhere() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(false).await;
    let user = project.member(Role::Guest).await;
    let number = user.number().await;
    let here = project.repository(&first.admin, "app");
    let image = Image::random(&[10]);
    here.push("latest", &image).await;
    let scope = format!("repository:{}:pull", here.name);
    let there = at(&user, &second.anonymous);
    let token = here.seen_by(&there.with_token(&[&scope]).await);
    token.assert_holds("latest", &image).await;
    let current = || there.get("/api/v2.0/users/current");
    current().await.expect(200);

    // Another password ends what the old one opened.
    let path = format!("/api/v2.0/users/{number}/password");
    let change = json!({"new_password": "Another1Horse"});
    first.admin.request("PUT", &path).json(&change).send().await.expect(200);
    within_a_second("another password", current, unknown).await;
    let there = second.anonymous.login(user.name(), "Another1Horse");
    there.get("/api/v2.0/users/current").await.expect(200);

    first.admin.delete(&format!("/api/v2.0/users/{number}")).await.expect(200);
    let current = || there.get("/api/v2.0/users/current");
    within_a_second("a deleted user", current, unknown).await;
    let pull = || token.manifest("latest");
    within_a_second("a deleted user's token", pull, unknown).await;
}

#[tokio::test]
async fn a_robot_that_changes_does_so_everywhere() {
    let Pair { first, second } = pair().await;
    let project = first.admin.project(false).await;
    let robot = first.admin.robot(Some(&project.name), &[("repository", "list")]).await;
    let path = format!("/api/v2.0/robots/{}", robot.id);
    let list = format!("/api/v2.0/projects/{}/repositories", project.name);
    let old = at(&robot.client, &second.anonymous);
    let ask = || old.get(&list);
    ask().await.expect(200);

    let secret = json!({"secret": "Another1Secret"});
    first.admin.request("PATCH", &path).json(&secret).send().await.expect(200);
    within_a_second("another secret", ask, unknown).await;
    let new = old.login(old.name(), "Another1Secret");
    let ask = || new.get(&list);
    ask().await.expect(200);

    let mut shown = first.admin.get(&path).await.expect(200).json();
    shown["permissions"][0]["access"] = json!([{"resource": "tag", "action": "list"}]);
    first.admin.request("PUT", &path).json(&shown).send().await.expect(200);
    within_a_second("other permissions", ask, |answer| answer.status == 403).await;
    shown["permissions"][0]["access"] = json!([{"resource": "repository", "action": "list"}]);
    first.admin.request("PUT", &path).json(&shown).send().await.expect(200);
    within_a_second("the old ones again", ask, |answer| answer.status == 200).await;
    shown["disable"] = json!(true);
    first.admin.request("PUT", &path).json(&shown).send().await.expect(200);
    within_a_second("a disabled robot", ask, unknown).await;
    first.admin.delete(&path).await.expect(200);
    ask().await.expect(401);
}

#[tokio::test]
async fn a_session_of_one_replica_is_served_and_ended_by_the_other() {
    let Pair { first, second } = pair().await;
    let user = first.admin.user().await;
    let here = Browser::at(&first.anonymous);
    here.log_in(user.name(), user.password()).await.expect(200);
    here.get("/api/v2.0/users/current").await.expect(200);
    let there = here.moved_to(&second.anonymous);
    let shown = there.get("/api/v2.0/users/current").await.expect(200).json();
    assert_eq!(shown["username"], user.name());
    // It may change things there too: the token counts everywhere.
    let name = haven_tests::content::unique("project");
    let make = there.request("POST", "/api/v2.0/projects").json(&json!({"project_name": name}));
    there.send(make).await.expect(201);

    there.get("/c/log_out").await.expect(200);
    let ask = || here.request("GET", "/api/v2.0/users/current").send();
    within_a_second("a session that was ended", ask, unknown).await;

    let admin = Browser::at(&second.anonymous);
    admin.log_in("admin", ADMIN_PASSWORD).await.expect(200);
    here.log_in(user.name(), user.password()).await.expect(200);
    let there = here.moved_to(&second.anonymous);
    there.get("/api/v2.0/users/current").await.expect(200);
    let path = format!("/api/v2.0/users/{}", user.number().await);
    first.admin.delete(&path).await.expect(200);
    let ask = || there.request("GET", "/api/v2.0/users/current").send();
    within_a_second("a deleted user's session", ask, unknown).await;
}
