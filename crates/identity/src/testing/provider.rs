//! A real OpenID provider.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kit::Secret;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Process, checkout, free_port};

/// A provider of a test's own. It knows alice (groups dev, ops, admins), bob (group dev, told
/// as a text) and carol (no groups, no e-mail), and the clients haven, haven-post and another.
pub struct Provider {
    /// Its address, which is its name as an issuer.
    pub url: String,
    port: u16,
    folder: TempDir,
    process: Option<Process>,
}

impl Provider {
    /// The secret of every client.
    pub fn client_secret() -> Secret {
        Secret::from("client-secret-0123456789")
    }

    /// Starts a provider.
    pub fn start() -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut provider = Self { url, port, folder, process: None };
        provider.rotate();
        provider
    }

    /// Gives it new keys. The old ones are gone, and so is what it remembers.
    pub fn rotate(&mut self) {
        self.stop();
        let keys = self.folder.path().join("keys.json");
        fs::write(&keys, json!({"keys": [key(&kit::random_token(9))]}).to_string()).unwrap();
        let tools = checkout("tests/tools");
        let packages = Command::new(tools).arg("node").output().unwrap().stdout;
        let packages = String::from_utf8(packages).unwrap();
        let mut process = Process::start(
            Command::new("node")
                .arg(checkout("tests/provider/provider.mjs"))
                .args([packages.trim(), &self.port.to_string()])
                .arg(&keys)
                .env("NODE_ENV", "production")
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut line = String::new();
        let output = process.0.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "the provider did not start (see tests/tools)");
        self.process = Some(process);
    }

    /// Stops it: it is away.
    pub fn stop(&mut self) {
        self.process = None;
    }
}

/// A private key to sign with ES256, as a JWK.
fn key(id: &str) -> Value {
    let pair = KeyPair::generate().unwrap();
    // The point follows a byte that says that it is whole.
    let point = pair.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    // PKCS #8 around an ECPrivateKey (RFC 5915), whose secret is its first octet string of 32.
    let der = pair.serialize_der();
    let at = der.windows(2).position(|two| two == [0x04, 0x20]).unwrap() + 2;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
        "x": encode(x), "y": encode(y), "d": encode(&der[at..at + 32]),
    })
}
