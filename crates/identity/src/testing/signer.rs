//! An issuer of tokens, by HTTPS, that signs whatever it is given: as a CI system or a cluster
//! would be, and as no honest one is.

use std::sync::{Arc, Mutex};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// An issuer of a test's own. It knows one key at a time, by HTTPS with a certificate that
/// [`Signer::authority`] signed.
pub struct Signer {
    /// Its address, which is its name as an issuer.
    pub url: String,
    /// The certificate that signed its own, in PEM.
    pub authority: String,
    key: Arc<Mutex<Key>>,
}

struct Key {
    id: String,
    private: EncodingKey,
    public: Value,
}

impl Key {
    fn new() -> Self {
        let id = kit::random_token(9);
        let pair = KeyPair::generate().unwrap();
        let private = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
        public.common.key_id = Some(id.clone());
        Self { id, private, public: serde_json::to_value(&public).unwrap() }
    }
}

impl Signer {
    /// Starts an issuer.
    pub async fn start() -> Self {
        let pair = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().self_signed(&pair).unwrap();
        let authority = certificate.pem();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let key = Arc::new(Mutex::new(Key::new()));
        let signer = Self { url, authority, key };
        signer.serve(listener, acceptor);
        signer
    }

    fn serve(&self, listener: TcpListener, acceptor: TlsAcceptor) {
        let (url, key) = (self.url.clone(), self.key.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not trust the certificate goes away.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut question = [0; 4096];
                let count = stream.read(&mut question).await.unwrap_or(0);
                let body = match question[..count].starts_with(b"GET /keys") {
                    true => json!({"keys": [key.lock().unwrap().public]}),
                    false => json!({"issuer": url, "jwks_uri": format!("{url}/keys")}),
                };
                let body = body.to_string();
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
                let answer = format!("{head} {}\r\n\r\n{body}", body.len());
                let _may_be_gone = stream.write_all(answer.as_bytes()).await;
                let _may_be_gone = stream.shutdown().await;
            }
        });
    }

    /// Gives it another key. The old one is gone.
    pub fn rotate(&self) {
        *self.key.lock().unwrap() = Key::new();
    }

    /// A token with some claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(claims, |_| {})
    }

    /// A token with some claims and a header that is changed.
    pub fn sign_with(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let key = self.key.lock().unwrap();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(key.id.clone());
        change(&mut header);
        encode(&header, claims, &key.private).unwrap()
    }
}
