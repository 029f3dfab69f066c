//! The certificate, read again when its files change.
//!
//! Renewal tools replace two files one after the other, so a pair that does not fit is
//! expected for a moment: the old pair serves on, and an error is logged once.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use kit::{Error, Result};
use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The largest certificate or key file that is read, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A certificate chain and its key, in two PEM files.
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: Arc<Current>,
}

/// What tells that a file was changed or replaced.
type Stamp = Vec<(SystemTime, u64)>;

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().clone())
    }
}

impl Certificate {
    /// Reads a certificate chain and its key.
    ///
    /// # Errors
    /// When a file cannot be read, holds no PEM of its kind, or the two do not fit.
    pub fn open(chain_file: &Path, key_file: &Path) -> Result<Self> {
        let pair = read_pair(chain_file, key_file)?;
        Ok(Self {
            chain_file: chain_file.to_owned(),
            key_file: key_file.to_owned(),
            current: Arc::new(Current(RwLock::new(Arc::new(pair)))),
        })
    }

    /// Accepts TLS 1.2 and 1.3 with this certificate, offering HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// When the TLS library refuses its own defaults.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(Error::internal)?
                .with_no_client_auth()
                .with_cert_resolver(self.current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Follows the files until the task that runs this is ended.
    pub async fn follow(self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let files = [self.chain_file, self.key_file];
        let mut known = None;
        loop {
            looks.tick().await;
            let [chain_file, key_file] = files.clone();
            let before = known.clone();
            let look = tokio::task::spawn_blocking(move || look(&chain_file, &key_file, before));
            let Ok((stamp, pair)) = look.await else {
                continue;
            };
            known = Some(stamp);
            match pair {
                None => {}
                Some(Ok(pair)) => {
                    let mut current = self.current.0.write();
                    if current.cert != pair.cert {
                        *current = Arc::new(pair);
                        tracing::info!("the TLS certificate was replaced");
                    }
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "the new TLS certificate is not used; the old one serves on");
                }
            }
        }
    }
}

/// The files' stamp, and the pair in them if the stamp is not the known one.
fn look(
    chain_file: &Path,
    key_file: &Path,
    known: Option<Stamp>,
) -> (Stamp, Option<Result<CertifiedKey>>) {
    // A file that is away for a moment has no stamp, and is new when it is back.
    let stamp = [chain_file, key_file]
        .iter()
        .filter_map(|file| fs::metadata(file).ok())
        .filter_map(|metadata| Some((metadata.modified().ok()?, metadata.len())))
        .collect();
    let pair = (known.as_ref() != Some(&stamp)).then(|| read_pair(chain_file, key_file));
    (stamp, pair)
}

fn read_pair(chain_file: &Path, key_file: &Path) -> Result<CertifiedKey> {
    let cannot_use = |file: &Path, error: &dyn std::fmt::Display| {
        Error::invalid(format!("cannot use {}: {error}", file.display()))
    };
    let chain_text = read_bounded(chain_file).map_err(|error| cannot_use(chain_file, &error))?;
    let chain = CertificateDer::pem_slice_iter(&chain_text)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| cannot_use(chain_file, &error))?;
    if chain.is_empty() {
        return Err(cannot_use(chain_file, &"it holds no certificate in PEM form"));
    }
    let key_text = read_bounded(key_file).map_err(|error| cannot_use(key_file, &error))?;
    let key =
        PrivateKeyDer::from_pem_slice(&key_text).map_err(|error| cannot_use(key_file, &error))?;
    let pair = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|error| cannot_use(key_file, &error))?;
    pair.keys_match().map_err(|error| cannot_use(key_file, &error))?;
    Ok(pair)
}

fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    fs::File::open(file)?.take(LARGEST_FILE).read_to_end(&mut text)?;
    Ok(text)
}
