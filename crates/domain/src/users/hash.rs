//! The hash of a password: argon2id (RFC 9106) in PHC's string format.
//!
//! A hash fills megabytes of memory. They are asked for in a piece so large that the
//! allocator maps it from the system and gives it back, all of it, right afterwards; of a
//! smaller piece it would keep the memory, on every thread that ever hashed.

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use kit::{Error, Result};

use super::harbor_hash;

/// How much is asked for, in blocks of 1 KiB: more than 32 MiB, from where on glibc maps
/// whatever it has seen. What a hash does not use of it costs nothing.
const RESERVED_BLOCKS: usize = 40 * 1024;

/// The most memory, in KiB, that a stored hash may ask for: what is stored is ours, but may
/// come from a restored or migrated database.
const MOST_MEMORY: u32 = 256 * 1024;

const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// The hash of a password with a new salt, of today's cost.
///
/// # Errors
/// Internal when it cannot be computed.
pub(super) fn hash(password: &str) -> Result<String> {
    let params = Params::new(
        Params::DEFAULT_M_COST,
        Params::DEFAULT_T_COST,
        Params::DEFAULT_P_COST,
        Some(HASH_LENGTH),
    )
    .map_err(Error::internal)?;
    let cost = format!("m={},t={},p={}", params.m_cost(), params.t_cost(), params.p_cost());
    let salt = kit::random_bytes::<SALT_LENGTH>();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = compute(&argon2, password, &salt, HASH_LENGTH).map_err(Error::internal)?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Ok(format!("$argon2id$v=19${cost}${salt}${hash}"))
}

/// Whether a password has a hash. Compares in constant time; a text that is no hash has no
/// password.
pub(super) fn matches(password: &str, text: &str) -> bool {
    if harbor_hash::is_one(text) {
        return harbor_hash::matches(password, text);
    }
    let Ok(hash) = PasswordHash::new(text) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    let (Ok(algorithm), Some(salt), Some(expected)) =
        (Algorithm::try_from(hash.algorithm.as_str()), &hash.salt, &hash.hash)
    else {
        return false;
    };
    if params.m_cost() > MOST_MEMORY {
        return false;
    }
    let expected: &[u8] = expected.as_ref();
    let argon2 = Argon2::new(algorithm, Version::V0x13, params);
    let salt: &[u8] = salt.as_ref();
    compute(&argon2, password, salt, expected.len())
        .is_ok_and(|actual| kit::constant_time_eq(&actual, expected))
}

/// Whether a hash is of the kind that is made today.
pub(super) fn is_todays(text: &str) -> bool {
    !harbor_hash::is_one(text)
}

fn compute(
    argon2: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    length: usize,
) -> argon2::Result<Vec<u8>> {
    let blocks = argon2.params().block_count();
    let mut memory: Vec<Block> = Vec::with_capacity(RESERVED_BLOCKS.max(blocks));
    memory.resize(blocks, Block::default());
    let mut hash = vec![0; length];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, &mut memory)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use argon2::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn a_hash_is_what_every_argon2_takes() {
        let ours = hash("Passw0rd").unwrap();
        let parsed = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(b"Passw0rd", &parsed).is_ok());
        assert!(matches("Passw0rd", &ours));
        assert!(!matches("passw0rd", &ours));
        assert_ne!(ours, hash("Passw0rd").unwrap());

        let theirs = Argon2::default().hash_password(b"Passw0rd").unwrap().to_string();
        assert!(matches("Passw0rd", &theirs));
        assert!(!matches("", &theirs));
    }

    #[test]
    fn what_is_no_hash_has_no_password() {
        let huge = "$argon2id$v=19$m=4194304,t=2,p=1$bm9ib2R5IGlzIGhlcmU$\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for text in ["", "x", "$argon2id$v=19$m=19456,t=2,p=1", huge] {
            assert!(!matches("", text), "{text}");
        }
    }
}
