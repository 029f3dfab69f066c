//! Which certificates of other servers are believed.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::{Failure, Result};

/// The longest text of certificates that is read, in bytes.
const LONGEST_PEM: usize = 256 * 1024;

/// Which certificates of a server are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Those that the system's authorities signed.
    #[default]
    System,
    /// Those, and those that the authorities of a PEM text signed.
    SystemAnd(String),
    /// Any: the connection is encrypted, and nobody knows to whom.
    Anything,
}

impl Trust {
    /// From Harbor's settings: whether to verify, and further authorities, or nothing.
    pub fn new(verify: bool, authorities: &str) -> Self {
        match (verify, authorities.trim()) {
            (false, _) => Self::Anything,
            (true, "") => Self::System,
            (true, pem) => Self::SystemAnd(pem.to_owned()),
        }
    }

    /// The authorities besides those of the system.
    ///
    /// # Errors
    /// Misconfigured when the text holds no certificate, or something broken.
    pub(crate) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>> {
        let Self::SystemAnd(pem) = self else { return Ok(Vec::new()) };
        let wrong = || Failure::Misconfigured("the certificates are not valid PEM".to_owned());
        if pem.len() > LONGEST_PEM {
            return Err(wrong());
        }
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        read.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(wrong)
    }

    /// How a client speaks TLS to a server that is trusted so.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let broken = |error: rustls::Error| Failure::Misconfigured(error.to_string());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self {
            Self::Anything => Arc::new(Anyone(provider.clone())),
            Self::System | Self::SystemAnd(_) => Arc::new(
                Verifier::new_with_extra_roots(self.authorities()?, provider.clone())
                    .map_err(broken)?,
            ),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// Believes any certificate, and still wants the server to have its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
