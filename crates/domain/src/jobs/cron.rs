//! When schedules fire: cron with Harbor's six fields, in UTC.

use std::fmt;

use croner::parser::{CronParser, Seconds, Year};
use kit::{Error, Result, Time};

/// The longest pattern, in bytes.
const LONGEST: usize = 256;

/// How far ahead a moment is looked for, in years: the 29th of February comes every eighth
/// year at the latest.
const FARTHEST: i16 = 8;

/// A pattern of moments: seconds, minutes, hours, days of the month, months, days of the week.
/// Days of the month and of the week are alternatives where both are said.
#[derive(Clone)]
pub struct Cron {
    text: String,
    pattern: Box<croner::Cron>,
}

impl Cron {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Invalid, and what is wrong with it: it has not six fields, is none, would fire more
    /// than once a minute, or never.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = |why: String| Err(Error::invalid(why));
        if text.trim().is_empty() {
            return refused("empty cron string is invalid".to_owned());
        }
        if text.len() > LONGEST {
            return refused(format!("a cron string has at most {LONGEST} characters"));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 6 || text.contains('@') {
            return refused(format!(
                "expected exactly 6 fields, found {}: [{text}]; they are seconds, minutes, \
                 hours, day of month, month, day of week",
                fields.len()
            ));
        }
        if fields[0] != "0" {
            return refused(
                "the 1st field (indicating Seconds of time) of the cron setting must be 0"
                    .to_owned(),
            );
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .sloppy_ranges(true)
            .build();
        let pattern = match parser.parse(&fields.join(" ")) {
            Ok(pattern) => Box::new(pattern),
            Err(error) => return refused(error.to_string()),
        };
        let cron = Self { text: text.trim().to_owned(), pattern };
        if !cron.ever_fires() {
            return refused(format!("the cron string never fires: [{text}]"));
        }
        Ok(cron)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first moment after another one.
    pub fn after(&self, time: Time) -> Option<Time> {
        let start = jiff::Timestamp::from_microsecond(time.0).ok()?;
        let start = start.to_zoned(jiff::tz::TimeZone::UTC);
        let next = self.pattern.find_next_occurrence(&start, false).ok()?;
        Some(Time(next.timestamp().as_microsecond()))
    }

    /// Whether there is a moment within the years in which every date comes.
    fn ever_fires(&self) -> bool {
        const YEAR: i64 = 366 * 24 * 3600 * 1_000_000;
        const EPOCH: Time = Time(1_700_000_000_000_000);
        let latest = EPOCH.0 + i64::from(FARTHEST) * YEAR;
        self.after(EPOCH).is_some_and(|next| next.0 < latest)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn next(cron: &str, after: &str) -> String {
        let after: jiff::Timestamp = after.parse().unwrap();
        let next = Cron::parse(cron).unwrap().after(Time(after.as_microsecond())).unwrap();
        jiff::Timestamp::from_microsecond(next.0).unwrap().to_string()
    }

    #[test]
    fn moments_are_found() {
        // A Thursday.
        let after = "2026-11-26T15:59:30Z";
        for (cron, expected) in [
            ("0 * * * * *", "2026-11-26T16:00:00Z"),
            ("0 0 * * * *", "2026-11-26T16:00:00Z"),
            ("0 0 0 * * *", "2026-11-27T00:00:00Z"),
            ("0 0 0 * * 0", "2026-11-29T00:00:00Z"),
            ("0 0 0 * * SUN", "2026-11-29T00:00:00Z"),
            ("0 0 0 * * 1-5", "2026-11-27T00:00:00Z"),
            ("0 0/20 8-10 * * ?", "2026-11-27T08:00:00Z"),
            ("0 */7 * ? * *", "2026-11-26T16:00:00Z"),
            ("0 0 0 1 jan *", "2027-01-01T00:00:00Z"),
            ("0 0 0 29 2 *", "2028-02-29T00:00:00Z"),
            // The 13th, or a Friday.
            ("0 0 12 13 * 5", "2026-11-27T12:00:00Z"),
            ("  0   30 4 1,15 *   * ", "2026-12-01T04:30:00Z"),
        ] {
            assert_eq!(next(cron, after), expected, "{cron}");
        }
        assert_eq!(next("0 0 * * * *", "2026-11-26T16:00:00Z"), "2026-11-26T17:00:00Z");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (cron, expected) in [
            ("", "empty cron string is invalid"),
            ("   ", "empty cron string is invalid"),
            ("0 0 * * *", "expected exactly 6 fields, found 5"),
            ("0 0 0 * * * 2030", "expected exactly 6 fields, found 7"),
            ("@daily", "expected exactly 6 fields, found 1"),
            ("0 0 0 * * @daily", "expected exactly 6 fields"),
            ("* * * * * *", "must be 0"),
            ("*/5 * * * * *", "must be 0"),
            ("0 60 * * * *", "Component"),
            ("0 0 24 * * *", "Component"),
            ("0 0 0 0 * *", "Component"),
            ("0 0 0 * 13 *", "Component"),
            ("0 5-1 * * * *", ""),
            ("0 */0 * * * *", ""),
            ("0 x * * * *", ""),
            ("0 0 0 31 2 *", "never fires"),
            ("0 0 0 30 2 *", "never fires"),
            ("0 0 0 31 4,6,9,11 *", "never fires"),
        ] {
            let error = Cron::parse(cron).unwrap_err();
            assert!(error.message.contains(expected), "{cron}: {}", error.message);
        }
        assert!(Cron::parse(&format!("0 {} * * * *", "1,".repeat(200))).is_err());
    }
}
