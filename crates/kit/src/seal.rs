//! Secrets at rest: sealed with a key that is kept outside the database.

use std::{
    fmt,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::{Error, Kind, Result, Secret, random_bytes, unique_id};

/// Begins every sealed text, so that another way to seal can be told from this one:
/// XChaCha20-Poly1305, the nonce before the sealed bytes, in URL-safe base64.
const VERSION: &str = "v1.";

/// Random nonces of this length do not repeat in any number of texts that one key will seal.
const NONCE_LENGTH: usize = 24;

/// How long a key is, in bytes.
const KEY_LENGTH: usize = 32;

/// The longest key file that is read; a key takes 45 bytes.
const LONGEST_KEY_FILE: u64 = 1024;

/// Seals texts for the database and opens them again. A sealed text is bound to what it is
/// for, so that one from another row or column does not open.
#[derive(Clone)]
pub struct Seal {
    cipher: XChaCha20Poly1305,
}

impl Seal {
    /// A seal with a given key, as 32 bytes in standard base64.
    ///
    /// # Errors
    /// Invalid if it is anything else.
    pub fn from_key(key: &Secret) -> Result<Self> {
        let bytes = BASE64_STANDARD.decode(key.reveal().trim()).map(Zeroizing::new);
        let bytes = bytes.ok().filter(|bytes| bytes.len() == KEY_LENGTH);
        let cipher = bytes.and_then(|bytes| XChaCha20Poly1305::new_from_slice(&bytes).ok());
        let cipher = cipher.ok_or_else(|| {
            Error::invalid("a key is 32 bytes in base64, as `openssl rand -base64 32` prints")
        })?;
        Ok(Self { cipher })
    }

    /// A seal with a new random key, which is lost when the process ends.
    ///
    /// # Errors
    /// Internal if the system gives no randomness.
    pub fn ephemeral() -> Result<Self> {
        Self::from_key(&new_key()?)
    }

    /// A seal with the key in a file. Without the file a key is made and stored first, readable
    /// for its owner only; of two processes that do so at once, both get the same key.
    ///
    /// Blocks: to be called at start.
    ///
    /// # Errors
    /// Invalid if the file holds no key, internal if it cannot be read or written.
    pub fn open_or_create_key(path: &Path) -> Result<Self> {
        let failed = |error: io::Error| {
            let message =
                format!("the key file {} cannot be read or created: {error}", path.display());
            Error::new(Kind::Internal, message).because(error)
        };
        let key = match read_key(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_key(path).and_then(|()| read_key(path)).map_err(failed)?
            }
            read => read.map_err(failed)?,
        };
        Self::from_key(&key)
            .map_err(|error| Error::invalid(format!("the key file {}: {error}", path.display())))
    }

    /// Seals bytes for a purpose, which has to be named again to open them. No two results are
    /// alike.
    pub fn seal(&self, plain: &[u8], purpose: &str) -> String {
        let nonce = random_bytes::<NONCE_LENGTH>();
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        // The cipher fails beyond 256 GiB only.
        let sealed = sealed.expect("secrets are smaller than the cipher's limit");
        format!("{VERSION}{}", BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// Internal if it was sealed with another key or for another purpose, or is damaged; which
    /// of these cannot be known.
    pub fn open(&self, sealed: &str, purpose: &str) -> Result<Zeroizing<Vec<u8>>> {
        self.try_open(sealed, purpose)
            .ok_or_else(|| Error::internal("a sealed secret does not open: it is damaged, or the key is not the one it was sealed with"))
    }

    fn try_open(&self, sealed: &str, purpose: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

fn new_key() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(Error::internal)?;
    Ok(BASE64_STANDARD.encode(*bytes).into())
}

fn read_key(path: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_KEY_FILE).read_to_string(&mut text)?;
    Ok(text.into())
}

/// Stores a new key under a name that appears at once with its whole content, or leaves alone
/// the file that another process stored meanwhile.
fn create_key(path: &Path) -> io::Result<()> {
    let key = new_key().map_err(io::Error::other)?;
    let folder =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = folder.join(format!(".key-{}", unique_id()));
    let stored = write_draft(&draft, &key).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match stored {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => removed.and_then(|()| File::open(folder)?.sync_all()),
    }
}

fn write_draft(draft: &Path, key: &Secret) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    writeln!(file, "{}", key.reveal())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeSet, thread};

    use super::*;

    #[test]
    fn what_was_sealed_opens_for_its_purpose_only() {
        let seal = Seal::ephemeral().unwrap();
        for plain in [b"".as_slice(), b"hunter2", &[0xff; 5000]] {
            let sealed = seal.seal(plain, "user 7");
            assert_eq!(*seal.open(&sealed, "user 7").unwrap(), plain);
            assert!(seal.open(&sealed, "user 8").is_err());
            assert!(Seal::ephemeral().unwrap().open(&sealed, "user 7").is_err());
            assert_ne!(sealed, seal.seal(plain, "user 7"));
        }
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal(b"hunter2", "");
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(seal.open(&changed, "").unwrap_err().is(Kind::Internal), "byte {at}");
        }
        for text in
            ["", "v1.", "v2.AAAA", "v1.AAAA", &sealed[..sealed.len() - 4], "hunter2", "v1.é"]
        {
            assert!(seal.open(text, "").is_err(), "{text}");
        }
    }

    /// Texts of this version have to open for as long as databases hold them.
    #[test]
    fn a_text_sealed_long_ago_opens() {
        let seal = Seal::from_key(&"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()).unwrap();
        let sealed = "v1.sYZjqwPQV1JhbHdBLJlNfV1Wb5ZbhfordjK3l9cRi1frJS4nyN8diJBFNYkBdEg";
        assert_eq!(*seal.open(sealed, "test").unwrap(), b"hunter2");
    }

    #[test]
    fn the_key_file_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let sealed: Vec<String> = thread::scope(|scope| {
            let open = || Seal::open_or_create_key(&path).unwrap().seal(b"x", "");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let seal = Seal::open_or_create_key(&path).unwrap();
        assert!(sealed.iter().all(|text| seal.open(text, "").is_ok()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let names: BTreeSet<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["key"]);
    }

    #[test]
    fn a_file_without_a_key_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for content in ["", "hunter2", "AAAA", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ=="] {
            fs::write(&path, content).unwrap();
            let error = Seal::open_or_create_key(&path).unwrap_err();
            assert!(
                error.is(Kind::Invalid) && error.message.contains("key file"),
                "{content}: {error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert!(
            Seal::open_or_create_key(&folder.path().join("none/key"))
                .unwrap_err()
                .is(Kind::Internal)
        );
    }
}
