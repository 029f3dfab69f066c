//! What the requests are about: a project with somebody in it, and everything else that has
//! a number.

use haven_tests::{
    Client, Image, Role, Server,
    content::{sha256, unique},
};

/// Lists that tell whether anything changed.
const LISTS: &[&str] = &[
    "users?sort=user_id&page_size=100",
    "projects?sort=project_id&page_size=100",
    "robots?sort=id&page_size=100",
    "repositories?sort=name&page_size=100",
    "usergroups?page_size=100",
    "configurations",
    "system/CVEAllowlist",
];

/// Things on a server, made anew when an operation may have changed them.
pub struct World<'a> {
    server: &'a Server,
    pub project: String,
    member: Client,
    /// Somebody to do things to.
    victim_id: i64,
    robot_id: i64,
    member_id: i64,
}

impl<'a> World<'a> {
    pub async fn on(server: &'a Server) -> World<'a> {
        let admin = &server.admin;
        let project = admin.project(false).await;
        let member = project.member(Role::ProjectAdmin).await;
        let image = Image::random(&[10]);
        project.repository(admin, "app").push("latest", &image).await;
        let victim = project.member(Role::Guest).await;
        let members =
            format!("/api/v2.0/projects/{}/members?entityname={}", project.name, victim.name());
        let members = admin.get(&members).await.expect(200).json();
        let robot = admin.robot(Some(&project.name), &[("repository", "pull")]).await;
        World {
            server,
            member,
            victim_id: victim.number().await,
            robot_id: robot.id,
            member_id: members[0]["id"].as_i64().unwrap(),
            project: project.name,
        }
    }

    pub fn client(&self, who: &str) -> &Client {
        match who {
            "nobody" => &self.server.anonymous,
            "member" => &self.member,
            _ => &self.server.admin,
        }
    }

    /// What stands for a parameter when it is right.
    pub fn value(&self, name: &str) -> String {
        match name {
            "project_name_or_id" | "project_name" => self.project.clone(),
            "repository_name" => "app".to_owned(),
            "reference" => "latest".to_owned(),
            "user_id" => self.victim_id.to_string(),
            "mid" => self.member_id.to_string(),
            "robot_id" => self.robot_id.to_string(),
            "meta_name" => "public".to_owned(),
            "page" => "1".to_owned(),
            "page_size" => "10".to_owned(),
            name if name.ends_with("id") => "1".to_owned(),
            name if name.starts_with("with_") => "true".to_owned(),
            "public" | "X-Is-Resource-Name" | "X-Resource-Name-In-Location" => "false".to_owned(),
            "q" => "name=x".to_owned(),
            "sort" => "id".to_owned(),
            _ => "x".to_owned(),
        }
    }

    /// A text with what is known only here.
    pub fn fill(&self, text: &str) -> String {
        text.replace("<project>", &self.project).replace("<unique>", &unique("x"))
    }

    /// A digest of all that the lists show.
    pub async fn digest(&self) -> String {
        let mut digest = String::new();
        let project = format!("projects/{}/members", self.project);
        for list in LISTS.iter().copied().chain([project.as_str()]) {
            let answer = self.server.admin.get(&format!("/api/v2.0/{list}")).await;
            let total = answer.maybe("x-total-count").unwrap_or_default();
            let hash = sha256(&answer.body);
            digest.push_str(&format!("{list} {} {total} {hash}\n", answer.status));
        }
        digest
    }
}
