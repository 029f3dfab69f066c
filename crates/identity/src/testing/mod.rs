//! For tests, here and on the floors above: a real directory and a real provider, each a
//! process of the test's own with a port and a folder of its own, which end with the test; and
//! an issuer and a proxy, of which there are none to install, as sockets of the test's own.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

mod browser;
mod provider;
mod proxy;
mod signer;
mod slapd;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub use browser::sign_in;
pub use provider::Provider;
pub use proxy::Proxy;
pub use signer::Signer;
pub use slapd::{PASSWORD, Slapd};

/// A port of the loopback interface that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A folder of the checkout.
fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap()
}

/// A process that ends with the test.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{name:?} (see tests/tools): {error}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
