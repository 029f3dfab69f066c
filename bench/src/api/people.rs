//! Users, projects and a robot, made over the API as an administrator would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Outcome;
use crate::http1::{Connection, Method};
use crate::registry::Registry;
use crate::servers::{ADMIN, PASSWORD, Server};

/// How many projects there are.
pub const PROJECTS: usize = 10_000;
/// How many users there are.
pub const USERS: usize = 1_000;
/// How many requests are made at once.
const AT_ONCE: usize = 8;
const BUFFER: usize = 64 * 1024;

/// Who asks, by name and secret.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The name.
    pub name: String,
    secret: String,
}

impl Caller {
    /// The administrator of the bench.
    pub fn admin() -> Caller {
        Caller { name: ADMIN.to_owned(), secret: PASSWORD.to_owned() }
    }

    /// The header that says so, with its line end.
    pub fn authorization(&self) -> String {
        let basic = STANDARD.encode(format!("{}:{}", self.name, self.secret));
        format!("Authorization: Basic {basic}\r\n")
    }
}

/// Who there is.
pub struct People {
    /// A robot that may push and pull in `library`.
    pub robot: Caller,
    /// A user who has signed in before.
    pub member: Caller,
    /// Users who have never signed in.
    pub strangers: Vec<Caller>,
}

impl People {
    /// Makes everybody and every project.
    pub fn make(server: &Server) -> Outcome<People> {
        let users = (0..USERS).map(|number| user(number).1);
        all(server, "/api/v2.0/users", users.collect())?;
        let projects = (0..PROJECTS).map(|number| {
            let public = if number % 10 == 0 { "true" } else { "false" };
            json!({"project_name": format!("bench-{number:05}"), "metadata": {"public": public}})
        });
        all(server, "/api/v2.0/projects", projects.collect())?;
        let robot = json!({
            "name": "bench",
            "level": "system",
            "duration": -1,
            "permissions": [{
                "kind": "project",
                "namespace": "library",
                "access": [
                    {"resource": "repository", "action": "pull"},
                    {"resource": "repository", "action": "push"},
                ],
            }],
        });
        let mut connection = Connection::open(server.address, BUFFER)?;
        let robot = post(server, &mut connection, "/api/v2.0/robots", &robot)?;
        let text = |name: &str| robot[name].as_str().unwrap_or_default().to_owned();
        let robot = Caller { name: text("name"), secret: text("secret") };
        let mut callers = (0..USERS).map(|number| user(number).0);
        let member = callers.next().ok_or("no user was made")?;
        let member_of = json!({"role_id": 2, "member_user": {"username": member.name}});
        post(server, &mut connection, "/api/v2.0/projects/library/members", &member_of)?;
        Ok(People { robot, member, strangers: callers.collect() })
    }
}

fn user(number: usize) -> (Caller, Value) {
    let (name, secret) = (format!("bench-{number:04}"), format!("Bench-Secret-{number}"));
    let asked = json!({
        "username": name,
        "email": format!("{name}@example.org"),
        "realname": "Bench",
        "password": secret,
    });
    (Caller { name, secret }, asked)
}

/// Sends each of these, several at once.
fn all(server: &Server, path: &str, bodies: Vec<Value>) -> Outcome<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = || -> Outcome<()> {
            let mut connection = Connection::open(server.address, BUFFER)?;
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                post(server, &mut connection, path, body)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err("a client's thread panicked".to_owned()))
        })
    })
}

/// Posts JSON as the administrator; gives the answer's JSON, or null when there is none.
pub fn post(
    server: &Server,
    connection: &mut Connection,
    path: &str,
    body: &Value,
) -> Outcome<Value> {
    ask(server, connection, "POST", path, &body.to_string())
}

/// Deletes as the administrator.
pub fn delete(server: &Server, connection: &mut Connection, path: &str) -> Outcome<()> {
    ask(server, connection, "DELETE", path, "").map(drop)
}

/// Asks as the administrator; gives the answer's JSON.
pub fn get(server: &Server, connection: &mut Connection, path: &str) -> Outcome<Value> {
    ask(server, connection, "GET", path, "")
}

fn ask(
    server: &Server,
    connection: &mut Connection,
    method: &str,
    path: &str,
    body: &str,
) -> Outcome<Value> {
    let headers = format!(
        "{}Content-Type: application/json\r\nContent-Length: {}\r\n",
        Caller::admin().authorization(),
        body.len()
    );
    let request = Registry::open(server.address).request(method, path, &headers);
    let mut text = Vec::new();
    let answer = connection.exchange_into(
        &[request.as_bytes(), body.as_bytes()],
        Method::Other,
        |piece| text.extend_from_slice(piece),
    )?;
    if !(200..300).contains(&answer.status) {
        let text = String::from_utf8_lossy(&text).into_owned();
        return Err(format!("{method} {path}: status {}: {text}", answer.status));
    }
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}
