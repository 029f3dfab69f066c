//! OpenTofu with Harbor's provider: what is written down is made, is as it was written when
//! it is looked at again, follows a change, and goes.
//!
//! The provider is not ours to install. `HAVEN_TEST_TERRAFORM_PROVIDER` names a built one, and
//! then OpenTofu runs; with `HAVEN_WRITE_CONVERSATIONS=1` what the provider says is written into
//! `terraform/`. Without a provider that is said again, and Haven must tell what it told then.

use crate::conversation::{Listener, repeat};
use haven_tests::{
    Client, Image, Repository, Server, Settings, on_each_setup,
    server::ADMIN_PASSWORD,
    tool::{Home, Output},
};
use serde_json::Value;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Mutex,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/automation/terraform")
}

/// Something written down, and who has it made.
struct Written {
    /// Where what the provider says of it is kept.
    conversation: PathBuf,
    by: By,
}

enum By {
    /// OpenTofu, which is listened to.
    Tofu { home: Home, listener: Listener, heard: Mutex<Vec<Value>> },
    /// What it once said, and how many of its commands were spoken for.
    Memory { admin: Client, said: Vec<Value>, done: Mutex<usize> },
}

impl Written {
    /// What a file of `terraform/` says, for a server with nothing else in it.
    async fn new(server: &Server, file: &str) -> Written {
        let conversation = folder().join(file).with_extension("json");
        let by = match std::env::var_os("HAVEN_TEST_TERRAFORM_PROVIDER") {
            Some(provider) => Self::by_tofu(server, file, &provider).await,
            None => {
                let said = std::fs::read(&conversation).unwrap();
                let said = serde_json::from_slice(&said).unwrap();
                By::Memory { admin: server.admin.clone(), said, done: Mutex::new(0) }
            }
        };
        Written { conversation, by }
    }

    async fn by_tofu(server: &Server, file: &str, provider: &OsStr) -> By {
        let (mut home, listener) = (Home::new(), Listener::before(server).await);
        let target = home.write("provider/terraform-provider-harbor", "");
        std::fs::copy(provider, &target).unwrap();
        let own = target.parent().unwrap().display().to_string();
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"goharbor/harbor\" = {own:?}\n  }}\n}}\n"
        );
        let settings = home.write("tofu.rc", settings);
        for name in ["provider.tf", file] {
            home.write(name, std::fs::read(folder().join(name)).unwrap());
        }
        home.set("TF_CLI_CONFIG_FILE", settings.to_str().unwrap());
        home.set("TF_IN_AUTOMATION", "1");
        home.set("CHECKPOINT_DISABLE", "1");
        home.set("HARBOR_URL", &listener.url);
        home.set("HARBOR_USERNAME", "admin");
        home.set("HARBOR_PASSWORD", ADMIN_PASSWORD);
        By::Tofu { home, listener, heard: Mutex::default() }
    }

    /// Has a command done, one thing after the other. Panics unless it ends with this code.
    async fn tofu(&self, arguments: &[&str], code: i32) {
        match &self.by {
            By::Tofu { home, listener, heard } => {
                let mut all = arguments.to_vec();
                all.extend(["-no-color", "-input=false", "-parallelism=1"]);
                let done: Output = home.run("tofu", &all).await;
                assert_eq!(done.code, Some(code), "{}", done.describe());
                heard.lock().unwrap().push(listener.take().into());
            }
            By::Memory { admin, said, done } => {
                let next = {
                    let mut done = done.lock().unwrap();
                    *done += 1;
                    *done - 1
                };
                repeat(said[next].as_array().unwrap(), admin).await;
            }
        }
    }

    /// Has a plan made where nothing has been made yet: 2 says that something is to be done.
    async fn plan(&self) {
        self.tofu(&["plan", "-detailed-exitcode"], 2).await;
    }

    async fn apply(&self, more: &[&str]) {
        let mut arguments = vec!["apply", "-auto-approve"];
        arguments.extend(more);
        self.tofu(&arguments, 0).await;
        // Looked at again, nothing is to be done.
        let mut arguments = vec!["plan", "-detailed-exitcode"];
        arguments.extend(more);
        self.tofu(&arguments, 0).await;
    }

    /// Panics unless the configuration gives this out: what it was told comes to that. Where
    /// the provider is spoken for, it was compared with what was told when this held.
    async fn gives_out(&self, name: &str, expected: Value) {
        let By::Tofu { home, .. } = &self.by else { return };
        let said = home.run("tofu", &["output", "-json", "-no-color", name]).await.ok();
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), expected);
    }

    /// Has all of it go; nothing else is done after that.
    async fn destroy(&self) {
        self.tofu(&["destroy", "-auto-approve"], 0).await;
        match &self.by {
            By::Tofu { heard, .. } if std::env::var_os("HAVEN_WRITE_CONVERSATIONS").is_some() => {
                let heard = Value::Array(heard.lock().unwrap().clone());
                let text = serde_json::to_string_pretty(&heard).unwrap();
                std::fs::write(&self.conversation, text + "\n").unwrap();
            }
            By::Tofu { .. } => {}
            By::Memory { said, done, .. } => assert_eq!(*done.lock().unwrap(), said.len()),
        }
    }
}

async fn value(admin: &Client, key: &str) -> Value {
    let all = admin.get("/api/v2.0/configurations").await.expect(200).json();
    all[key]["value"].clone()
}

#[tokio::test]
async fn projects_people_and_robots_are_as_they_were_written() {
    on_each_setup(async |server| {
        let written = Written::new(server, "people.tf").await;
        written.plan().await;
        written.apply(&[]).await;
        let admin = &server.admin;
        let members = "/api/v2.0/projects/written/members?entityname=writer";
        let member = admin.get(members).await.expect(200).json();
        assert_eq!(member[0]["role_name"], "maintainer");
        let robots = admin.get("/api/v2.0/robots").await.expect(200).json();
        assert_eq!(robots[0]["name"], "robot$written-system");
        assert_eq!(value(admin, "token_expiration").await, 45);
        assert_eq!(value(admin, "storage_per_project").await, 7_i64 << 30);
        let found = serde_json::json!(["A Writer", "robot$written-system", "admin writer"]);
        written.gives_out("found", found).await;
        server.anonymous.login("writer", "Correct1Horse").number().await;

        written.apply(&["-var=public=true", "-var=role=guest", "-var=expiration=50"]).await;
        server.anonymous.get("/api/v2.0/projects/written").await.expect(200);
        let member = admin.get(members).await.expect(200).json();
        assert_eq!(member[0]["role_name"], "guest");
        assert_eq!(value(admin, "token_expiration").await, 50);

        written.destroy().await;
        admin.get("/api/v2.0/projects/written").await.expect(404);
        let robots = admin.get("/api/v2.0/robots").await.expect(200).json();
        assert_eq!(robots, serde_json::json!([]));
        server
            .anonymous
            .login("writer", "Correct1Horse")
            .get("/api/v2.0/users/current")
            .await
            .expect(401);
    })
    .await;
}

#[tokio::test]
async fn rules_of_tags_are_as_they_were_written() {
    on_each_setup(async |server| {
        let written = Written::new(server, "policies.tf").await;
        written.apply(&[]).await;
        let admin = &server.admin;
        let rules = "/api/v2.0/projects/ruled/immutabletagrules";
        let rule = admin.get(rules).await.expect(200).json();
        assert_eq!(rule[0]["tag_selectors"][0]["decoration"], "excludes");
        let project = admin.get("/api/v2.0/projects/ruled").await.expect(200).json();
        let id = project["metadata"]["retention_id"].as_str().unwrap().to_owned();
        let policy = format!("/api/v2.0/retentions/{id}");
        let shown = admin.get(&policy).await.expect(200).json();
        assert_eq!(shown["rules"].as_array().unwrap().len(), 3);
        assert_eq!(shown["trigger"]["settings"]["cron"], "0 0 0 * * *");

        written.apply(&["-var=disabled=true", "-var=kept=7"]).await;
        assert_eq!(admin.get(rules).await.expect(200).json()[0]["disabled"], true);
        let shown = admin.get(&policy).await.expect(200).json();
        assert_eq!(shown["rules"][0]["params"]["latestPushedK"], 7);

        written.destroy().await;
        admin.get("/api/v2.0/projects/ruled").await.expect(404);
        admin.get(&policy).await.expect(404);
    })
    .await;
}

/// A schedule of a job, with what the job is to do.
async fn schedule(admin: &Client, job: &str) -> (Value, Value) {
    let shown = admin.get(&format!("/api/v2.0/system/{job}/schedule")).await.expect(200).json();
    let parameters = shown["job_parameters"].as_str().unwrap();
    (shown["schedule"].clone(), serde_json::from_str(parameters).unwrap())
}

#[tokio::test]
async fn labels_quotas_and_upkeep_are_as_they_were_written() {
    on_each_setup(async |server| {
        let written = Written::new(server, "upkeep.tf").await;
        written.apply(&[]).await;
        written.gives_out("project", true.into()).await;
        let admin = &server.admin;
        let project = admin.get("/api/v2.0/projects/kept").await.expect(200).json();
        assert_eq!(project["metadata"]["severity"], "high");
        assert_eq!(project["cve_allowlist"]["items"][1]["cve_id"], "CVE-2024-0002");
        let id = project["project_id"].as_i64().unwrap();
        let quota = format!("/api/v2.0/quotas/{id}");
        let shown = admin.get(&quota).await.expect(200).json();
        assert_eq!(shown["hard"]["storage"], 5_i64 << 30);
        let everywhere = "/api/v2.0/labels?scope=g&name=stable";
        let label = admin.get(everywhere).await.expect(200).json();
        assert_eq!(label[0]["color"], "#0065AB");
        let ours = format!("/api/v2.0/labels?scope=p&project_id={id}");
        let label = admin.get(&ours).await.expect(200).json();
        assert_eq!((&label[0]["name"], &label[0]["project_id"]), (&"ours".into(), &id.into()));
        let (when, what) = schedule(admin, "gc").await;
        assert_eq!((&when["type"], &when["cron"]), (&"Weekly".into(), &"0 0 0 * * 0".into()));
        assert_eq!((&what["delete_untagged"], &what["workers"]), (&true.into(), &3.into()));
        let (when, what) = schedule(admin, "purgeaudit").await;
        assert_eq!((&when["type"], &what["audit_retention_hour"]), (&"Weekly".into(), &720.into()));
        let allowed = admin.get("/api/v2.0/system/CVEAllowlist").await.expect(200).json();
        assert_eq!(allowed["items"][0]["cve_id"], "CVE-2024-0003");
        assert_eq!(allowed["expires_at"], 1_999_999_999);

        let custom = "-var=schedule=0 30 3 * * 1";
        written.apply(&["-var=color=#1D5100", "-var=quota=6", custom, "-var=hours=48"]).await;
        let label = admin.get(everywhere).await.expect(200).json();
        assert_eq!(label[0]["color"], "#1D5100");
        let shown = admin.get(&quota).await.expect(200).json();
        assert_eq!(shown["hard"]["storage"], 6_i64 << 30);
        for job in ["gc", "purgeaudit"] {
            let (when, _) = schedule(admin, job).await;
            let expected = (&"Custom".into(), &"0 30 3 * * 1".into());
            assert_eq!((&when["type"], &when["cron"]), expected, "{job}");
        }
        let (_, what) = schedule(admin, "purgeaudit").await;
        assert_eq!(what["audit_retention_hour"], 48);

        // A project that is not empty goes with all that is in it.
        let image = Image::random(&[1000]);
        Repository::new(admin, "kept/deep/app").push("v1", &image).await;
        written.destroy().await;
        admin.get("/api/v2.0/projects/kept").await.expect(404);
        assert_eq!(admin.get(everywhere).await.expect(200).json(), serde_json::json!([]));
        for job in ["gc", "purgeaudit"] {
            let none = admin.get(&format!("/api/v2.0/system/{job}/schedule")).await.expect(200);
            assert_eq!(none.text(), "", "{job}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_directory_is_set_as_it_was_written() {
    let server = Server::start(&Settings::appliance()).await;
    let written = Written::new(&server, "ldap.tf").await;
    written.apply(&[]).await;
    assert_eq!(value(&server.admin, "auth_mode").await, "ldap_auth");
    assert_eq!(value(&server.admin, "ldap_base_dn").await, "dc=example,dc=org");
    written.apply(&["-var=uid=mail"]).await;
    assert_eq!(value(&server.admin, "ldap_uid").await, "mail");
    written.destroy().await;
}

#[tokio::test]
async fn a_provider_and_its_groups_are_set_as_they_were_written() {
    let server = Server::start(&Settings::appliance()).await;
    let written = Written::new(&server, "oidc.tf").await;
    written.apply(&[]).await;
    assert_eq!(value(&server.admin, "auth_mode").await, "oidc_auth");
    assert_eq!(value(&server.admin, "oidc_name").await, "company");
    let members = "/api/v2.0/projects/written/members";
    let members = server.admin.get(members).await.expect(200).json();
    let group = members.as_array().unwrap().iter().find(|each| each["entity_type"] == "g").unwrap();
    assert_eq!((&group["entity_name"], &group["role_name"]), (&"team".into(), &"developer".into()));
    written.gives_out("found", serde_json::json!([3, "developer"])).await;
    written.destroy().await;
    let groups = server.admin.get("/api/v2.0/usergroups").await.expect(200).json();
    assert_eq!(groups, serde_json::json!([]));
}
