//! Bad input of every kind: each gets a clear error in the registry's format, loses
//! nothing that was acknowledged, and leaves the server serving.
//!
//! `api`: every operation of the API, from its document. `addresses`: what stands in the request line. `bodies`: what comes after it.
//! `credentials`: forged tokens. `connections`: how it comes. `disks`: a full and
//! a locked disk. Databases and stores that go away are the `replicas` suite's.
#![allow(clippy::unwrap_used)]

mod addresses;
mod api;
mod bodies;
mod connections;
mod credentials;
mod disks;
mod sessions;

use haven_tests::{
    Image, Repository, Role, Server,
    client::basic,
    raw::{Raw, RawAnswer},
};

/// A server with an image in it that must stay right.
struct Scene<'a> {
    server: &'a Server,
    repository: Repository,
    image: Image,
}

impl Scene<'_> {
    async fn on(server: &Server) -> Scene<'_> {
        let project = server.admin.project(false).await;
        let user = project.member(Role::ProjectAdmin).await;
        let repository = project.repository(&user, "app");
        let image = Image::random(&[50_000]);
        repository.push("latest", &image).await;
        Scene { server, repository, image }
    }

    fn host(&self) -> &str {
        self.repository.client.host()
    }

    fn authorization(&self) -> String {
        let client = &self.repository.client;
        basic(client.name(), client.password())
    }

    /// A request's head with credentials and these further lines.
    fn head(&self, method: &str, target: &str, lines: &[&str]) -> String {
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n",
            self.host(),
            self.authorization()
        );
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head + "\r\n"
    }

    /// Sends one request on a connection of its own.
    async fn ask(
        &self,
        method: &str,
        target: &str,
        lines: &[&str],
        body: &[u8],
    ) -> Option<RawAnswer> {
        let mut connection = Raw::connect(self.host()).await;
        connection.send(self.head(method, target, lines)).await;
        connection.send(body).await;
        connection.answer_to(method).await
    }

    /// Panics unless the server still serves what it acknowledged.
    async fn assert_unharmed(&self) {
        self.repository.assert_holds("latest", &self.image).await;
        let fresh = Image::random(&[10]);
        self.repository.push("fresh", &fresh).await;
        self.repository.assert_holds("fresh", &fresh).await;
        self.server.admin.get("/api/v2.0/ping").await.expect(200);
    }
}

/// Panics unless this is a refusal by the client's fault, in the registry's format.
#[track_caller]
fn assert_refusal(what: &str, answer: &RawAnswer) {
    let described = format!("{what}: {}\n{}", answer.head, answer.text());
    assert!((400..500).contains(&answer.status), "{described}");
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/json"), "{described}");
    let json: serde_json::Value = serde_json::from_slice(&answer.body).expect(&described);
    let error = &json["errors"][0];
    assert!(error["code"].is_string() && error["message"].is_string(), "{described}");
}
