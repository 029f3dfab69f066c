//! OpenLDAP's server with a few people and groups.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kit::Secret;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::{Process, checkout, free_port};
use crate::{
    Trust,
    ldap::{Grouping, Membership, Scope, Settings},
};

/// The password of everybody in the directory, and of who searches.
pub const PASSWORD: &str = "Harbor12345";

/// How the directory is set up and who is in it: the portal's journeys start the same one.
fn part(name: &str) -> String {
    fs::read_to_string(checkout("tests/directory").join(name)).unwrap()
}

/// More people than one page, or the server without pages, gives.
const CROWD: usize = 620;

/// A directory of a test's own.
pub struct Slapd {
    /// Its port in the clear, and for StartTLS.
    pub port: u16,
    /// Its port for TLS.
    pub tls_port: u16,
    /// The certificate that signed its own, in PEM.
    pub authority: String,
    _process: Process,
    _folder: TempDir,
}

impl Slapd {
    /// Starts a directory with its people and groups.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a directory with further people, more than a page of them.
    pub fn start_crowded() -> Self {
        let person = |number: usize| {
            format!(
                "\ndn: uid=crowd{number},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
                 uid: crowd{number}\ncn: Crowd {number}\nsn: Crowd\n"
            )
        };
        Self::start_with(&(0..CROWD).map(person).collect::<String>())
    }

    fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let authority = certificate.pem();
        let write = |name: &str, content: &str| {
            fs::write(folder.path().join(name), content).unwrap();
        };
        write("certificate.pem", &authority);
        write("key.pem", &key.serialize_pem());
        let path = folder.path().to_str().unwrap();
        write("slapd.conf", &part("slapd.conf").replace("FOLDER", path));
        fs::create_dir(folder.path().join("data")).unwrap();
        let (port, tls_port) = (free_port(), free_port());
        let addresses = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}");
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = Process::start(
            Command::new("/usr/sbin/slapd")
                .args(["-d", "0", "-h", &addresses, "-f"])
                .arg(folder.path().join("slapd.conf"))
                .stdout(Stdio::null())
                .stderr(log),
        );
        let slapd = Self { port, tls_port, authority, _process: process, _folder: folder };
        slapd.fill(more);
        slapd
    }

    fn fill(&self, more: &str) {
        let content = part("people.ldif") + more;
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let mut filling = Command::new("ldapadd")
                .args(["-x", "-D", "cn=admin,dc=example,dc=org", "-w", PASSWORD, "-H"])
                .arg(format!("ldap://127.0.0.1:{}", self.port))
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let _may_break = filling.stdin.take().unwrap().write_all(content.as_bytes());
            let output = filling.wait_with_output().unwrap();
            if output.status.success() {
                return;
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let starting = said.contains("Can't contact");
            assert!(starting && Instant::now() < deadline, "ldapadd: {said}");
            std::thread::yield_now();
        }
    }

    /// How to ask it in the clear, with groups as the people's entries name them.
    pub fn settings(&self) -> Settings {
        Settings {
            url: format!("ldap://127.0.0.1:{}", self.port),
            start_tls: false,
            trust: Trust::SystemAnd(self.authority.clone()),
            timeout: Duration::from_secs(5),
            search_dn: "cn=search,dc=example,dc=org".to_owned(),
            search_password: Secret::from(PASSWORD),
            base_dn: "dc=example,dc=org".to_owned(),
            filter: "objectClass=inetOrgPerson".to_owned(),
            uid: "uid".to_owned(),
            scope: Scope::Subtree,
            grouping: Some(Grouping {
                base_dn: "ou=groups,dc=example,dc=org".to_owned(),
                filter: "objectClass=groupOfNames".to_owned(),
                name_attribute: "cn".to_owned(),
                scope: Scope::Subtree,
                admin_dn: "cn=admins,ou=groups,dc=example,dc=org".to_owned(),
                membership: Membership::OfPerson("memberof".to_owned()),
                nesting: 0,
            }),
        }
    }
}
