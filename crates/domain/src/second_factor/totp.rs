//! Codes by time (RFC 6238): SHA-1, six digits, thirty seconds, which is what phones know.

use aws_lc_rs::hmac;
use kit::{Secret, Time};

/// As many bytes as SHA-1 gives (RFC 4226, section 4).
const LENGTH: usize = 20;

const DIGITS: usize = 6;

const SECONDS: i64 = 30;

/// How many steps a phone's clock may be off.
const SKEW: i64 = 1;

/// A secret that phone and server share.
pub(super) struct Totp(Vec<u8>);

impl Totp {
    /// A new one.
    pub(super) fn make() -> Self {
        Self(kit::random_bytes::<LENGTH>().to_vec())
    }

    /// The one with these bytes.
    pub(super) fn of(secret: &[u8]) -> Self {
        Self(secret.to_vec())
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.0
    }

    /// As phones take it.
    pub(super) fn in_base32(&self) -> Secret {
        base32(&self.0).into()
    }

    /// The step whose code this is, at a time: this one or one beside it. All are computed, so
    /// that the time it takes does not tell which it was.
    pub(super) fn step_of(&self, code: &str, now: Time) -> Option<i64> {
        let this = now.seconds().div_euclid(SECONDS);
        let mut found = None;
        for step in this - SKEW..=this + SKEW {
            if kit::constant_time_eq(self.code(step).as_bytes(), code.as_bytes()) {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step (RFC 4226, section 5.3).
    pub(super) fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[tag.len() - 1] & 0xf);
        let number =
            tag[at..at + 4].iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:0width$}", (number & 0x7fff_ffff) % 1_000_000, width = DIGITS)
    }
}

/// Whether a text has the form of a code.
pub(super) fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Base32 (RFC 4648) without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B; the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_specification() {
        let totp = Totp::of(b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.code(seconds / 30), code);
            let now = Time::from_seconds(seconds);
            assert_eq!(totp.step_of(code, now), Some(seconds / 30));
            assert_eq!(totp.step_of(code, Time::from_seconds(seconds + 30)), Some(seconds / 30));
            assert_eq!(totp.step_of(code, Time::from_seconds(seconds - 30)), Some(seconds / 30));
            assert_eq!(totp.step_of(code, Time::from_seconds(seconds + 60)), None);
            assert_eq!(totp.step_of(code, Time::from_seconds(seconds - 60)), None);
        }
        for odd in ["", "28708", "2870822", "x87082", "２８７０８２", "\0"] {
            assert_eq!(totp.step_of(odd, Time::from_seconds(59)), None, "{odd}");
        }
    }

    /// RFC 4648, section 10, without the padding.
    #[test]
    fn base32_is_that_of_the_specification() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(Totp::make().in_base32().reveal().len(), 32);
    }
}
