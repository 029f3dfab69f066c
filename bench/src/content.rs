//! Bytes to push: cheap to make unique, cheap to hash.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// Length of the part of a blob that makes it unique, in bytes.
const SIGNATURE: usize = 16;

/// A family of blobs of one size that differ in their last bytes only. The hash of the common
/// part is computed once, so that hashing in the client does not take the server's core.
#[derive(Clone)]
pub struct Family {
    common: Arc<[u8]>,
    hashed: Sha256,
}

/// One blob of a [`Family`].
pub struct Blob {
    common: Arc<[u8]>,
    signature: [u8; SIGNATURE],
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

impl Family {
    /// A family of blobs of `size` bytes (at least 16) that do not compress.
    pub fn new(size: usize) -> Family {
        let common: Arc<[u8]> = noise(size.saturating_sub(SIGNATURE)).into();
        let hashed = Sha256::new_with_prefix(&common);
        Family { common, hashed }
    }

    /// A blob that no other call and no other run gives.
    pub fn unique(&self) -> Blob {
        self.signed(unique_signature())
    }

    fn signed(&self, signature: [u8; SIGNATURE]) -> Blob {
        let hash = self.hashed.clone().chain_update(signature).finalize();
        Blob { common: self.common.clone(), signature, digest: digest(&hash) }
    }
}

impl Blob {
    /// The blob's bytes, in two pieces.
    pub fn parts(&self) -> [&[u8]; 2] {
        [&self.common, &self.signature]
    }

    /// The blob's size, in bytes.
    pub fn size(&self) -> u64 {
        (self.common.len() + SIGNATURE) as u64
    }
}

/// A number that no other call gives, and hardly another run.
pub fn unique_number() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    (started << 32) | u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn unique_signature() -> [u8; SIGNATURE] {
    unique_number().to_le_bytes()
}

/// `sha256:` and the hash in hexadecimal digits.
pub fn digest(hash: &[u8]) -> String {
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// The digest of `bytes`.
pub fn digest_of(bytes: &[u8]) -> String {
    digest(&Sha256::digest(bytes))
}

/// Bytes without a pattern (xorshift64*), the same in every run.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_has_its_size_and_its_digest() {
        let family = Family::new(4096);
        let (one, two) = (family.unique(), family.unique());
        assert_eq!(one.size(), 4096);
        assert_eq!(one.digest, digest_of(&one.parts().concat()));
        assert_ne!(one.digest, two.digest);
        assert_eq!(noise(1001).len(), 1001);
    }
}
