//! Certificates over real handshakes.

use std::{path::Path, sync::Arc, time::Instant};

use rcgen::{CertifiedKey, KeyPair};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::fixture::{LONG, PATIENCE, Running, generous};
use crate::server::Certificate;

fn new_pair() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn store(folder: &Path, pair: &CertifiedKey<KeyPair>) {
    std::fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
}

fn open(folder: &Path) -> kit::Result<Certificate> {
    Certificate::open(&folder.join("cert.pem"), &folder.join("key.pem"))
}

/// Whether a client that trusts just one certificate gets it; and the protocol agreed on.
async fn handshake(server: &Running, trusted: &CertificateDer<'static>) -> Option<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await.ok()?;
    Some(stream.get_ref().1.alpn_protocol().unwrap_or_default().to_vec())
}

#[tokio::test]
async fn a_replaced_certificate_is_used_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (new_pair(), new_pair());
    store(folder.path(), &first);
    let certificate = open(folder.path()).unwrap();
    let server = Running::start(generous(), Some(certificate.acceptor().unwrap()), LONG);
    let following = tokio::spawn(certificate.follow());
    assert_eq!(handshake(&server, first.cert.der()).await.unwrap(), b"h2");
    assert!(handshake(&server, second.cert.der()).await.is_none());

    // Half of the new pair: the old one serves on.
    std::fs::write(folder.path().join("cert.pem"), second.cert.pem()).unwrap();
    assert!(open(folder.path()).is_err());
    assert!(handshake(&server, first.cert.der()).await.is_some());
    store(folder.path(), &second);
    let deadline = Instant::now() + PATIENCE;
    while handshake(&server, second.cert.der()).await.is_none() {
        assert!(Instant::now() < deadline, "the new certificate is not used");
    }
    following.abort();
}

#[tokio::test]
async fn requests_come_through_tls() {
    let folder = tempfile::tempdir().unwrap();
    let pair = new_pair();
    store(folder.path(), &pair);
    let acceptor = open(folder.path()).unwrap().acceptor().unwrap();
    let server = Running::start(generous(), Some(acceptor), LONG);
    let root = reqwest::Certificate::from_der(pair.cert.der()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .resolve("localhost", server.address)
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/about", server.address.port());
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert!(response.text().await.unwrap().contains("scheme_https: true"));
}

#[test]
fn files_that_are_no_certificate_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (new_pair(), new_pair());
    let refusal = |folder: &Path| open(folder).err().unwrap().to_string();
    assert!(refusal(folder.path()).contains("cert.pem"));
    store(folder.path(), &first);
    std::fs::write(folder.path().join("cert.pem"), "nothing").unwrap();
    assert!(refusal(folder.path()).contains("no certificate"));
    store(folder.path(), &first);
    std::fs::write(folder.path().join("key.pem"), second.signing_key.serialize_pem()).unwrap();
    assert!(refusal(folder.path()).contains("key.pem"));
}
