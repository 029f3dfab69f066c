//! The servers that `tests/services` started, found by the environment.

use std::{process::Command, sync::LazyLock};

/// A variable that `tests/services` exports; a test that needs it fails without.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `eval \"$(tests/services start)\"` first, or `make test`")
    })
}

/// A database of its own on the tests' PostgreSQL; dropped with the value.
#[derive(Debug)]
pub struct Database {
    name: String,
    /// `postgres://…/name`.
    pub url: String,
}

impl Database {
    /// A new, empty database.
    pub fn create() -> Database {
        let name = format!("haven_{:016x}", rand::random::<u64>());
        psql(&format!("CREATE DATABASE {name}"));
        let server = variable("HAVEN_TEST_POSTGRES_URL");
        let (server, _) = server.rsplit_once('/').unwrap();
        Database { url: format!("{server}/{name}"), name }
    }

    /// The same database by way of another address, a proxy's for example.
    pub fn url_at(&self, address: &str) -> String {
        let (before, after) = self.url.split_once('@').unwrap();
        let (_, name) = after.split_once('/').unwrap();
        format!("{before}@{address}/{name}")
    }

    /// Runs statements in it, and gives what they answer: rows of columns with bars between.
    pub fn ask(&self, statement: &str) -> String {
        psql_in(&self.url, statement)
    }

    /// `host:port` of the server.
    pub fn address(&self) -> String {
        let (_, after) = self.url.split_once('@').unwrap();
        after.split_once('/').unwrap().0.to_owned()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = variable("HAVEN_TEST_POSTGRES_URL");
        // A failure here must not hide the test's own.
        let _ = Command::new("psql").args(["-q", "-d", &server, "-c", &statement]).output();
    }
}

fn psql(statement: &str) {
    psql_in(&variable("HAVEN_TEST_POSTGRES_URL"), statement);
}

fn psql_in(database: &str, statement: &str) -> String {
    let output = Command::new("psql")
        .args(["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement])
        .output()
        .expect("psql is installed by tests/tools");
    assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The tests' S3 server.
#[derive(Clone, Debug)]
pub struct S3 {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    /// The bucket that is there.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// The access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
}

/// The S3 server of the environment.
pub static S3: LazyLock<S3> = LazyLock::new(|| S3 {
    endpoint: variable("HAVEN_TEST_S3_ENDPOINT"),
    bucket: variable("HAVEN_TEST_S3_BUCKET"),
    region: variable("HAVEN_TEST_S3_REGION"),
    access_key: variable("HAVEN_TEST_S3_ACCESS_KEY"),
    secret_key: variable("HAVEN_TEST_S3_SECRET_KEY"),
});
