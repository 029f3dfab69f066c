//! Sizes and durations as people write them in configuration, and as Harbor shows them.

use std::time::Duration;

use crate::{Error, Result};

const SIZE_UNITS: [(&str, u64); 6] = [
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// In milliseconds.
const DURATION_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a size in bytes, such as `4MiB`, `64 KiB`, `1500B` or `1500`. Units are powers of 1024.
///
/// # Errors
/// Invalid if it is anything else, or beyond 2^64.
pub fn parse_size(text: &str) -> Result<u64> {
    let wrong = || {
        Error::invalid("a size is a whole number and B, KiB, MiB, GiB, TiB or PiB, such as 4MiB")
    };
    let (number, unit) = leading_number(text.trim()).ok_or_else(wrong)?;
    let factor = match unit.trim_start() {
        "" => 1,
        unit => factor(&SIZE_UNITS, |name| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?,
    };
    number.checked_mul(factor).ok_or_else(wrong)
}

/// Writes a size exactly, in the largest unit that allows it: `4MiB`, `1500B`.
pub fn format_size(bytes: u64) -> String {
    let fits = |(_, factor): &&(&str, u64)| bytes >= *factor && bytes.is_multiple_of(*factor);
    SIZE_UNITS
        .iter()
        .find(fits)
        .map_or("0B".into(), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

/// Writes a size for a person, with one decimal, as Harbor does: `512 B`, `1.0 MiB`.
pub fn human_size(bytes: u64) -> String {
    let fits = |(_, factor): &&(&str, u64)| *factor > 1 && bytes >= *factor;
    match SIZE_UNITS.iter().find(fits) {
        // Sizes beyond 2^53 lose digits that one decimal does not show.
        Some((unit, factor)) => format!("{:.1} {unit}", bytes as f64 / *factor as f64),
        None => format!("{bytes} B"),
    }
}

/// Reads a duration, such as `30s`, `250ms`, `24h`, `7d` or `1h30m`.
///
/// # Errors
/// Invalid if it is anything else, or longer than 100 years.
pub fn parse_duration(text: &str) -> Result<Duration> {
    const LONGEST: u64 = 36_525 * 86_400_000;
    let wrong = || {
        Error::invalid(
            "a duration is whole numbers with ms, s, m, h or d, such as 30s, 24h or 1h30m",
        )
    };
    let mut total = 0_u64;
    let mut rest = text.trim();
    loop {
        let (number, after) = leading_number(rest).ok_or_else(wrong)?;
        let unit_length = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at(unit_length);
        let factor = factor(&DURATION_UNITS, |name| name == unit).ok_or_else(wrong)?;
        total = number
            .checked_mul(factor)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(wrong)?;
        if next.is_empty() {
            break;
        }
        rest = next;
    }
    if total > LONGEST {
        return Err(Error::invalid("a duration is at most 36525d"));
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration of whole milliseconds exactly, in as few units as needed: `7d`, `1h30m`.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in DURATION_UNITS {
        if rest >= factor {
            text += &format!("{}{unit}", rest / factor);
            rest %= factor;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

fn factor(units: &[(&str, u64)], is_it: impl Fn(&str) -> bool) -> Option<u64> {
    units.iter().find(|(name, _)| is_it(name)).map(|(_, factor)| *factor)
}

/// Splits digits from what follows them.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::Kind;

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("1500", 1500),
            ("1500B", 1500),
            (" 64 KiB ", 65_536),
            ("4MiB", 4 << 20),
            ("4mib", 4 << 20),
            ("10GiB", 10 << 30),
            ("2TiB", 2 << 40),
            ("16383PiB", 16_383 << 50),
        ] {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for text in [
            "",
            "MiB",
            "-1",
            "+1",
            "1.5MiB",
            "4MB",
            "4M",
            "4 MiB x",
            "16384PiB",
            "99999999999999999999",
            "é",
        ] {
            assert!(parse_size(text).unwrap_err().is(Kind::Invalid), "{text}");
        }
    }

    #[test]
    fn reads_durations() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            (" 1h30m ", 5_400_000),
            ("36525d", 36_525 * 86_400_000),
        ] {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "1h30",
            "1h 30m",
            "1S",
            "36526d",
            "99999999999999999999s",
            "1é",
        ] {
            assert!(parse_duration(text).unwrap_err().is(Kind::Invalid), "{text}");
        }
    }

    #[test]
    fn writes_them_short_and_exactly() {
        for (bytes, text) in [
            (0, "0B"),
            (1500, "1500B"),
            (1 << 10, "1KiB"),
            (4 << 20, "4MiB"),
            ((1 << 20) + 1, "1048577B"),
        ] {
            assert_eq!(format_size(bytes), text);
        }
        for (millis, text) in
            [(0, "0s"), (250, "250ms"), (30_000, "30s"), (86_400_000, "1d"), (5_400_000, "1h30m")]
        {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn shows_sizes_as_harbor_does() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            ((1 << 30) - 1, "1024.0 MiB"),
            (5 << 40, "5.0 TiB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: u64, millis in 0..36_525 * 86_400_000_u64) {
            prop_assert_eq!(parse_size(&format_size(bytes)).unwrap(), bytes);
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)).unwrap(), duration);
        }

        #[test]
        fn no_text_panics(text in "[0-9]{0,22}[a-zA-Z ]{0,4}|.{0,10}") {
            let _ = (parse_size(&text), parse_duration(&text));
        }
    }
}
