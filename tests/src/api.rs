//! The few verbs of `/api/v2.0` that prepare a test: projects, users, members.

use crate::{Client, Repository, content::unique};
use serde_json::json;

/// A member's role, with Harbor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in the project.
    ProjectAdmin = 1,
    /// Push and pull.
    Developer = 2,
    /// Pull.
    Guest = 3,
    /// Push, pull and delete.
    Maintainer = 4,
    /// Pull, and see little else.
    LimitedGuest = 5,
}

/// A project with somebody who may push to it.
pub struct Project {
    /// Its name.
    pub name: String,
    /// The system's administrator.
    pub admin: Client,
}

impl Client {
    /// Makes a project of a new name.
    pub async fn project(&self, public: bool) -> Project {
        let name = unique("project");
        self.create_project(&name, public).await;
        Project { name, admin: self.clone() }
    }

    /// Makes a project of this name.
    pub async fn create_project(&self, name: &str, public: bool) {
        self.request("POST", "/api/v2.0/projects")
            .json(&json!({"project_name": name, "metadata": {"public": public.to_string()}}))
            .send()
            .await
            .expect(201);
    }

    /// Makes a user of a new name and comes back as that user.
    pub async fn user(&self) -> Client {
        let name = unique("user");
        let password = "Correct1Horse";
        self.request("POST", "/api/v2.0/users")
            .json(&json!({
                "username": name,
                "password": password,
                "email": format!("{name}@example.org"),
                "realname": name,
            }))
            .send()
            .await
            .expect(201);
        self.login(&name, password)
    }

    /// The name of a client with name and password.
    pub fn name(&self) -> &str {
        match &self.auth {
            crate::Auth::Basic(name, _) => name,
            other => panic!("{other:?} has no name"),
        }
    }

    /// The password of a client with name and password.
    pub fn password(&self) -> &str {
        match &self.auth {
            crate::Auth::Basic(_, password) => password,
            other => panic!("{other:?} has no password"),
        }
    }
}

/// A robot account.
#[derive(Clone, Debug)]
pub struct Robot {
    /// Its number.
    pub id: i64,
    /// The robot, with its secret.
    pub client: Client,
}

impl Client {
    /// Makes a robot of a project, or of the system, that may do this: resources and
    /// actions.
    pub async fn robot(&self, project: Option<&str>, access: &[(&str, &str)]) -> Robot {
        let kind = if project.is_some() { "project" } else { "system" };
        let access =
            access.iter().map(|(resource, action)| json!({"resource": resource, "action": action}));
        let asked = json!({
            "name": unique("robot"),
            "level": kind,
            "duration": -1,
            "permissions": [{
                "kind": kind,
                "namespace": project.unwrap_or("/"),
                "access": access.collect::<Vec<_>>(),
            }],
        });
        let made = self.request("POST", "/api/v2.0/robots").json(&asked).send().await;
        let made = made.expect(201).json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let client = self.login(&text("name"), &text("secret"));
        Robot { id: made["id"].as_i64().unwrap(), client }
    }

    /// The number of the user that this is.
    pub async fn number(&self) -> i64 {
        let user = self.get("/api/v2.0/users/current").await.expect(200).json();
        user["user_id"].as_i64().unwrap()
    }
}

impl Project {
    /// Makes a user who has this role here.
    pub async fn member(&self, role: Role) -> Client {
        let user = self.admin.user().await;
        self.add(&user, role).await;
        user
    }

    /// Gives a user a role here.
    pub async fn add(&self, user: &Client, role: Role) {
        self.admin
            .request("POST", &format!("/api/v2.0/projects/{}/members", self.name))
            .json(&json!({"role_id": role as i64, "member_user": {"username": user.name()}}))
            .send()
            .await
            .expect(201);
    }

    /// Takes a user's role here away.
    pub async fn remove(&self, user: &Client) {
        let path = format!("/api/v2.0/projects/{}/members", self.name);
        let members = self.admin.get(&format!("{path}?page_size=100")).await.expect(200).json();
        let member = members.as_array().unwrap().iter();
        let member = member.clone().find(|member| member["entity_name"] == user.name());
        let id = member.unwrap()["id"].as_i64().unwrap();
        self.admin.delete(&format!("{path}/{id}")).await.expect(200);
    }

    /// A repository here, seen by somebody.
    pub fn repository(&self, client: &Client, name: &str) -> Repository {
        Repository::new(client, &format!("{}/{name}", self.name))
    }
}
