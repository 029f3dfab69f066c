//! Projects, people and robots to ask as, and how an operation is asked for.

use crate::table::{Operation, ROLES, Right, rules};
use haven_tests::{
    Answer, Client, Image, Role, Server,
    api::{Project, Robot},
    content::{sha256, unique},
};

/// A server with two projects of the same members.
pub struct Scene<'a> {
    pub server: &'a Server,
    pub private: Project,
    pub public: Project,
    /// A user for each role, with it in both projects.
    pub people: Vec<(Role, Client)>,
    /// A user without any role.
    pub stranger: Client,
    stranger_id: i64,
}

impl<'a> Scene<'a> {
    pub async fn on(server: &'a Server) -> Scene<'a> {
        let admin = &server.admin;
        let (private, public) = (admin.project(false).await, admin.project(true).await);
        let mut people = Vec::new();
        for role in ROLES {
            let person = private.member(role).await;
            public.add(&person, role).await;
            people.push((role, person));
        }
        for project in [&private, &public] {
            let image = Image::random(&[10]);
            project.repository(admin, "app").push("latest", &image).await;
        }
        let stranger = admin.user().await;
        let stranger_id = stranger.number().await;
        Scene { server, private, public, people, stranger, stranger_id }
    }

    /// Asks for an operation on a project as somebody.
    pub async fn ask(&self, who: &Client, operation: &Operation, project: &str) -> Answer {
        let mut path = String::new();
        for (i, part) in operation.path.split('{').enumerate() {
            match part.split_once('}').filter(|_| i > 0) {
                None => path.push_str(part),
                Some((name, rest)) => {
                    path.push_str(&self.value(name, project).await);
                    path.push_str(rest);
                }
            }
        }
        let mut request = who.request(operation.method, &path);
        if !operation.body.is_empty() {
            let mut body = operation.body.to_owned();
            if body.contains("<project_id>") {
                body = body.replace("<project_id>", &self.number(project).await);
            }
            let body = body
                .replace("<project>", project)
                .replace("<unique>", &unique("x"))
                .replace("<stranger>", self.stranger.name());
            request = request.header("content-type", "application/json").body(body);
        }
        request.send().await
    }

    /// What stands for a part of a path: what comes after its colon, or what its name means.
    async fn value(&self, name: &str, project: &str) -> String {
        match name.split_once(':').map_or(name, |(_, value)| value) {
            "project_name_or_id" | "project_name" => project.to_owned(),
            "repository_name" => "app".to_owned(),
            "reference" => "latest".to_owned(),
            "digest" => sha256(b"nothing"),
            "project_id" => self.number(project).await,
            "stranger" => self.stranger_id.to_string(),
            // Operations may delete them: everybody gets one to try on.
            "project_robot" => {
                let access = [("repository", "pull")];
                self.server.admin.robot(Some(project), &access).await.id.to_string()
            }
            "system_robot" => {
                self.server.admin.robot(None, &[("project", "list")]).await.id.to_string()
            }
            "project_retention" => self.retention(project).await,
            "project_label" => self.label(Some(project)).await,
            "system_label" => self.label(None).await,
            other => other.to_owned(),
        }
    }

    /// The number of a project.
    async fn number(&self, project: &str) -> String {
        let path = format!("/api/v2.0/projects/{project}");
        let found = self.server.admin.get(&path).await.expect(200).json();
        found["project_id"].to_string()
    }

    /// The number of a project's retention policy, which is made if there is none.
    async fn retention(&self, project: &str) -> String {
        let id: i64 = self.number(project).await.parse().unwrap();
        let policy = serde_json::json!({
            "algorithm": "or",
            "rules": [],
            "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
            "scope": {"level": "project", "ref": id},
        });
        let request = self.server.admin.request("POST", "/api/v2.0/retentions");
        let made = request.json(&policy).send().await;
        if made.status == 201 {
            return made.header("location").rsplit('/').next().unwrap().to_owned();
        }
        let path = format!("/api/v2.0/projects/{project}");
        let found = self.server.admin.get(&path).await.expect(200).json();
        found["metadata"]["retention_id"].as_str().unwrap().to_owned()
    }

    /// The number of a new label, of a project or of all.
    async fn label(&self, project: Option<&str>) -> String {
        let mut label = serde_json::json!({"name": unique("label"), "scope": "g"});
        if let Some(project) = project {
            let id: i64 = self.number(project).await.parse().unwrap();
            label["scope"] = "p".into();
            label["project_id"] = id.into();
        }
        let request = self.server.admin.request("POST", "/api/v2.0/labels");
        let made = request.json(&label).send().await.expect(201);
        made.header("location").rsplit('/').next().unwrap().to_owned()
    }

    /// A robot with exactly this right, and one with every other that a robot can have, but
    /// for those that this one follows from.
    pub async fn robots(&self, project: Option<&str>, right: Right) -> (Robot, Robot) {
        let right = right.of_robot();
        let others: Vec<(&str, &str)> = rules()
            .iter()
            .filter(|(other, rule)| rule.robot && other.scope == right.scope)
            .map(|(other, _)| (other.resource, other.action))
            .filter(|other| *other != (right.resource, right.action))
            .filter(|other| right.action != "pull" || *other != ("repository", "push"))
            .collect();
        let with = [(right.resource, right.action)];
        let admin = &self.server.admin;
        (admin.robot(project, &with).await, admin.robot(project, &others).await)
    }
}

/// Panics unless the answer is a refusal: nobody is asked who it is, others are told no.
#[track_caller]
pub fn assert_refused(who: &str, operation: &Operation, answer: &Answer) {
    let expected = if who == "nobody" { 401 } else { 403 };
    assert!(
        answer.status == expected,
        "{who} must be refused {operation} with {expected}: {}",
        answer.describe()
    );
    if operation.method != "HEAD" {
        answer.assert_error_format();
    }
}

/// Panics unless the answer is what those who may are given.
#[track_caller]
pub fn assert_answered(who: &str, operation: &Operation, answer: &Answer) {
    assert!(
        operation.is_answer(answer.status),
        "{who} may {operation}, and got {}",
        answer.describe()
    );
}
