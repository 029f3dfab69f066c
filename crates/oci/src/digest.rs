//! Content digests (image-spec `descriptor.md`, section "Digests") and how they are computed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{
    Digest as _, Sha256, Sha512,
    digest::common::hazmat::{SerializableState, SerializedState},
};

/// The length of the longest digest written out: `sha512:` and 128 hex digits.
const LONGEST_TEXT: usize = 7 + 128;

/// A registered digest algorithm. There are two: the image-spec registers no other that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, which every client and registry knows.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Its registered name, as written before the colon of a digest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many bytes a hash of this algorithm has; the text has two hex digits for each.
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ if is_algorithm_name(text) => Err(DigestError::UnsupportedAlgorithm(text.to_owned())),
            _ => Err(DigestError::Malformed),
        }
    }
}

/// Why a text is not a digest that we know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The text does not have the form `algorithm:encoded`.
    #[error(
        "a digest is an algorithm, a colon and the hash in hex, such as sha256:<64 hex digits>"
    )]
    Malformed,
    /// The form is right, but the algorithm is neither sha256 nor sha512.
    #[error("digest algorithm {0} is not supported: use sha256 or sha512")]
    UnsupportedAlgorithm(String),
    /// The hash does not have as many digits as its algorithm gives.
    #[error("a {algorithm} digest has {expected} hex digits, this one has {actual} characters")]
    WrongLength {
        /// The algorithm that was named.
        algorithm: Algorithm,
        /// How many hex digits it has.
        expected: usize,
        /// How many characters came.
        actual: usize,
    },
    /// The hash holds something other than `0-9` and `a-f`; upper case is not allowed.
    #[error("a digest is written in lower-case hex digits")]
    NotLowerHex,
}

/// Names content by its hash. Equal digests mean equal bytes.
///
/// Kept as raw bytes, so it is small, copied freely and compared quickly. The order is the
/// byte order of the text, which is the order in which rows are locked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// A SHA-256 hash.
    Sha256([u8; 32]),
    /// A SHA-512 hash.
    Sha512([u8; 64]),
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::digest(bytes).into()),
            Algorithm::Sha512 => Self::Sha512(Sha512::digest(bytes).into()),
        }
    }

    /// The algorithm it was computed with.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The raw hash, 32 or 64 bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(hash) => hash,
            Self::Sha512(hash) => hash,
        }
    }

    /// The hash in lower-case hex, without the algorithm.
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(2 * self.algorithm().hash_len());
        text.extend(self.as_bytes().iter().flat_map(|byte| hex_digits(*byte)).map(char::from));
        text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; LONGEST_TEXT];
        text[..6].copy_from_slice(self.algorithm().as_str().as_bytes());
        text[6] = b':';
        let hash = self.as_bytes();
        for (digits, byte) in text[7..].chunks_exact_mut(2).zip(hash) {
            digits.copy_from_slice(&hex_digits(*byte));
        }
        let length = 7 + 2 * hash.len();
        f.pad(std::str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::Malformed)?;
        let algorithm = algorithm.parse::<Algorithm>()?;
        let expected = 2 * algorithm.hash_len();
        if encoded.len() != expected {
            let actual = encoded.chars().count();
            return Err(DigestError::WrongLength { algorithm, expected, actual });
        }
        match algorithm {
            Algorithm::Sha256 => decode_hex(encoded).map(Self::Sha256),
            Algorithm::Sha512 => decode_hex(encoded).map(Self::Sha512),
        }
        .ok_or(DigestError::NotLowerHex)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a digest such as sha256:<64 hex digits>")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Computes a digest piece by piece. The SHA instructions of the processor are found and
/// used at run time.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// Computes SHA-256.
    Sha256(Sha256),
    /// Computes SHA-512.
    Sha512(Sha512),
}

/// The version of what [`Hasher::save`] writes: this byte, one for the algorithm, then the
/// state as sha2 0.11 lays it out. It changes when sha2 changes its layout (a test notices),
/// so that a state from another version is refused and the content is hashed again.
const STATE_VERSION: u8 = 1;

impl Hasher {
    /// Begins a digest.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    /// The algorithm it computes.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(state) => Digest::Sha256(state.finalize().into()),
            Self::Sha512(state) => Digest::Sha512(state.finalize().into()),
        }
    }

    /// The state, to be kept until more bytes come: about 100 bytes for SHA-256, 200 for SHA-512.
    pub fn save(&self) -> Vec<u8> {
        match self {
            Self::Sha256(state) => [&[STATE_VERSION, 0][..], &state.serialize()].concat(),
            Self::Sha512(state) => [&[STATE_VERSION, 1][..], &state.serialize()].concat(),
        }
    }

    /// Goes on from a saved state. None if another version wrote it or it is damaged:
    /// then the content has to be hashed again from its beginning.
    pub fn restore(saved: &[u8]) -> Option<Self> {
        match saved {
            [STATE_VERSION, 0, state @ ..] => restore_state(state).map(Self::Sha256),
            [STATE_VERSION, 1, state @ ..] => restore_state(state).map(Self::Sha512),
            _ => None,
        }
    }
}

fn restore_state<H: SerializableState>(state: &[u8]) -> Option<H> {
    let state = <&SerializedState<H>>::try_from(state).ok()?;
    H::deserialize(state).ok()
}

/// Whether a text could name an algorithm: components of `a-z0-9` between single separators.
/// Longer names than any registered one are taken for nonsense, so that errors stay short.
fn is_algorithm_name(text: &str) -> bool {
    let is_component = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.len() <= 32 && text.split(['+', '.', '_', '-']).all(is_component)
}

fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Decodes exactly `2 * N` lower-case hex digits.
fn decode_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const EMPTY_SHA256: &str =
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ABC_SHA512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                              2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn computes_the_published_vectors() {
        assert_eq!(Digest::of(Algorithm::Sha256, b"").to_string(), EMPTY_SHA256);
        assert_eq!(Digest::of(Algorithm::Sha512, b"abc").to_string(), ABC_SHA512);
    }

    #[test]
    fn says_why_a_text_is_not_a_digest() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let algorithm = Algorithm::Sha256;
        let cases = [
            (String::new(), DigestError::Malformed),
            ("sha256".into(), DigestError::Malformed),
            (hex.into(), DigestError::Malformed),
            (format!(":{hex}"), DigestError::Malformed),
            (format!("SHA256:{hex}"), DigestError::Malformed),
            (format!("sha256+:{hex}"), DigestError::Malformed),
            (format!("{}:{hex}", "a".repeat(33)), DigestError::Malformed),
            (format!("sha384:{hex}"), DigestError::UnsupportedAlgorithm("sha384".into())),
            (
                format!("multihash+base58:{hex}"),
                DigestError::UnsupportedAlgorithm("multihash+base58".into()),
            ),
            ("sha256:".into(), DigestError::WrongLength { algorithm, expected: 64, actual: 0 }),
            (
                "sha256:baddigeststring".into(),
                DigestError::WrongLength { algorithm, expected: 64, actual: 15 },
            ),
            (
                format!("sha256:{hex}0"),
                DigestError::WrongLength { algorithm, expected: 64, actual: 65 },
            ),
            (
                format!("sha512:{hex}"),
                DigestError::WrongLength {
                    algorithm: Algorithm::Sha512,
                    expected: 128,
                    actual: 64,
                },
            ),
            (format!("sha256:{}", hex.to_uppercase()), DigestError::NotLowerHex),
            (format!("sha256:{}", "é".repeat(32)), DigestError::NotLowerHex),
            (format!("sha256:{}:", &hex[1..]), DigestError::NotLowerHex),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }

    #[test]
    fn is_a_string_in_json() {
        let digest: Digest = serde_json::from_str(&format!("\"{EMPTY_SHA256}\"")).unwrap();
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{EMPTY_SHA256}\""));
        let error = serde_json::from_str::<Digest>("7").unwrap_err().to_string();
        assert!(error.contains("expected a digest"), "{error}");
    }

    #[test]
    fn stays_small() {
        assert_eq!(size_of::<Digest>(), 65);
    }

    /// If this fails after an update of sha2, its layout changed: raise `STATE_VERSION`.
    #[test]
    fn writes_the_state_in_the_layout_of_its_version() {
        for (algorithm, length, check) in [
            (
                Algorithm::Sha256,
                106,
                "ff8623c3d58b7dbe96d247d8b3ecee361c217de896960d579bbb09e795416117",
            ),
            (
                Algorithm::Sha512,
                210,
                "7797bfc0396ab9f269f63b9174fb01b1cc68dde1ad855fff9b8819185cc30ab3",
            ),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&[7; 200]);
            let saved = hasher.save();
            assert_eq!(saved.len(), length);
            assert_eq!(Digest::of(Algorithm::Sha256, &saved).hex(), check);
        }
    }

    #[test]
    fn refuses_a_state_it_does_not_know() {
        let good = Hasher::new(Algorithm::Sha256).save();
        assert!(Hasher::restore(&good).is_some());
        assert!(Hasher::restore(&[]).is_none());
        assert!(Hasher::restore(&good[..good.len() - 1]).is_none());
        assert!(Hasher::restore(&[&good[..], &[0]].concat()).is_none());
        for (at, value) in [(0, STATE_VERSION + 1), (1, 1), (1, 2)] {
            let mut other = good.clone();
            other[at] = value;
            assert!(Hasher::restore(&other).is_none(), "byte {at} = {value}");
        }
    }

    fn algorithms() -> impl Strategy<Value = Algorithm> {
        prop_oneof![Just(Algorithm::Sha256), Just(Algorithm::Sha512)]
    }

    proptest! {
        #[test]
        fn text_and_back(algorithm in algorithms(), bytes: Vec<u8>) {
            let digest = Digest::of(algorithm, &bytes);
            let text = digest.to_string();
            prop_assert_eq!(text.parse::<Digest>(), Ok(digest));
            prop_assert_eq!(text, format!("{algorithm}:{}", digest.hex()));
        }

        #[test]
        fn order_is_the_order_of_the_texts(a in algorithms(), b in algorithms(), x: [u8; 8], y: [u8; 8]) {
            let (left, right) = (Digest::of(a, &x), Digest::of(b, &y));
            prop_assert_eq!(left.cmp(&right), left.to_string().cmp(&right.to_string()));
        }

        #[test]
        fn any_text_is_refused_or_comes_back_the_same(text in "(sha256|sha512|[a-z]{0,4}):[0-9a-fA-F]{60,130}|.{0,20}") {
            if let Ok(digest) = text.parse::<Digest>() {
                prop_assert_eq!(digest.to_string(), text);
            }
        }

        #[test]
        fn pieces_with_pauses_hash_like_the_whole(algorithm in algorithms(), pieces: Vec<Vec<u8>>) {
            let mut hasher = Hasher::new(algorithm);
            for piece in &pieces {
                hasher.update(piece);
                hasher = Hasher::restore(&hasher.save()).unwrap();
            }
            prop_assert_eq!(hasher.algorithm(), algorithm);
            prop_assert_eq!(hasher.finish(), Digest::of(algorithm, &pieces.concat()));
        }
    }
}
