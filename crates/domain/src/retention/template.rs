//! The templates of rules: how a rule chooses among the artifacts that its selectors mean.

use std::collections::BTreeMap;

use kit::{Error, Result};
use serde_json::Value;

/// How a rule chooses, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Template {
    /// The last pushed.
    LatestPushed(usize),
    /// The last pulled.
    LatestPulled(usize),
    /// What was pushed in the last days.
    PushedWithin(i64),
    /// What was pulled in the last days.
    PulledWithin(i64),
    /// Everything.
    Always,
    /// The newest versions of each minor release, by the names of the tags.
    VersionsPerMinor(usize),
    /// What is signed.
    Signed,
}

/// What a template is called, and what its number is, if it has one.
#[derive(Clone, Copy, Debug)]
pub struct TemplateInfo {
    /// Its name, which is its number's too.
    pub name: &'static str,
    /// What it keeps.
    pub display_text: &'static str,
    /// What the number counts: `COUNT` or `DAYS`; none if there is no number.
    pub unit: Option<&'static str>,
    /// Whether Harbor has it.
    pub is_harbors: bool,
}

const fn info(
    name: &'static str,
    display_text: &'static str,
    unit: Option<&'static str>,
    is_harbors: bool,
) -> TemplateInfo {
    TemplateInfo { name, display_text, unit, is_harbors }
}

/// All templates, Harbor's in its order first.
pub const TEMPLATES: [TemplateInfo; 7] = [
    info("latestPushedK", "the most recently pushed # artifacts", Some("COUNT"), true),
    info("latestPulledN", "the most recently pulled # artifacts", Some("COUNT"), true),
    info("nDaysSinceLastPush", "pushed within the last # days", Some("DAYS"), true),
    info("nDaysSinceLastPull", "pulled within the last # days", Some("DAYS"), true),
    info("always", "always", None, true),
    info("latestVersionsPerMinor", "the newest # versions of each minor", Some("COUNT"), false),
    info("signed", "signed", None, false),
];

/// What a number is when a rule does not say it.
const DEFAULT_COUNT: i64 = 10;
const DEFAULT_DAYS: i64 = 30;

/// The largest numbers, which are Harbor's.
const LARGEST_COUNT: i64 = 32_766;
const LARGEST_DAYS: i64 = 20_190_904;

impl Template {
    /// Reads a template by its name and the parameters of its rule.
    ///
    /// # Errors
    /// Invalid when there is no such template, or its number is not allowed.
    pub(super) fn read(name: &str, params: &BTreeMap<String, Value>) -> Result<Self> {
        let Some(info) = TEMPLATES.iter().find(|info| info.name == name) else {
            let names: Vec<_> = TEMPLATES.iter().map(|info| info.name).collect();
            return Err(Error::invalid(format!("a template is one of {}", names.join(", "))));
        };
        let number = match info.unit {
            None => 0,
            Some(unit) => number(name, params.get(name), unit == "DAYS")?,
        };
        let count = usize::try_from(number).map_err(Error::internal)?;
        Ok(match name {
            "latestPushedK" => Self::LatestPushed(count),
            "latestPulledN" => Self::LatestPulled(count),
            "nDaysSinceLastPush" => Self::PushedWithin(number),
            "nDaysSinceLastPull" => Self::PulledWithin(number),
            "latestVersionsPerMinor" => Self::VersionsPerMinor(count),
            "signed" => Self::Signed,
            _ => Self::Always,
        })
    }

    /// What it keeps, for people.
    pub(super) fn text(name: &str, params: &BTreeMap<String, Value>) -> String {
        let info = TEMPLATES.iter().find(|info| info.name == name);
        let text = info.map_or(name, |info| info.display_text);
        let days = info.is_some_and(|info| info.unit == Some("DAYS"));
        let number = number(name, params.get(name), days).unwrap_or_default();
        text.replace('#', &number.to_string())
    }
}

fn number(name: &str, value: Option<&Value>, days: bool) -> Result<i64> {
    let (default, largest) =
        if days { (DEFAULT_DAYS, LARGEST_DAYS) } else { (DEFAULT_COUNT, LARGEST_COUNT) };
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(default) };
    // Go's clients may write a whole number with a fraction of nothing.
    #[allow(clippy::cast_possible_truncation)]
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64);
    let number = value.as_i64().or_else(|| value.as_f64().and_then(whole));
    match number {
        None => Err(Error::invalid(format!("{name} type error"))),
        Some(number) if number < 0 => Err(Error::invalid(format!("{name} is less than zero"))),
        Some(number) if number > largest => Err(Error::invalid(format!("{name} is too large"))),
        Some(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn read(name: &str, number: Value) -> Result<Template> {
        Template::read(name, &BTreeMap::from([(name.to_owned(), number)]))
    }

    #[test]
    fn templates_have_a_number_or_a_default() {
        for (name, number, expected) in [
            ("latestPushedK", json!(3), Template::LatestPushed(3)),
            ("latestPushedK", json!(3.0), Template::LatestPushed(3)),
            ("latestPushedK", json!(null), Template::LatestPushed(10)),
            ("latestPulledN", json!(0), Template::LatestPulled(0)),
            ("nDaysSinceLastPush", json!(20_190_904), Template::PushedWithin(20_190_904)),
            ("nDaysSinceLastPull", json!(null), Template::PulledWithin(30)),
            ("always", json!("whatever"), Template::Always),
            ("latestVersionsPerMinor", json!(2), Template::VersionsPerMinor(2)),
            ("signed", json!(1), Template::Signed),
        ] {
            assert_eq!(read(name, number).unwrap(), expected, "{name}");
        }
        assert_eq!(
            Template::read("latestPulledN", &BTreeMap::new()).unwrap(),
            Template::LatestPulled(10)
        );
        for (name, number, said) in [
            ("latestPushedK", json!(-1), "latestPushedK is less than zero"),
            ("latestPushedK", json!(32_767), "latestPushedK is too large"),
            ("nDaysSinceLastPull", json!(20_190_905), "nDaysSinceLastPull is too large"),
            ("latestPulledN", json!("3"), "latestPulledN type error"),
            ("latestPulledN", json!(1.5), "latestPulledN type error"),
            ("latestPulledN", json!(1e300), "latestPulledN type error"),
            ("latestPulledN", json!([]), "latestPulledN type error"),
        ] {
            assert_eq!(read(name, number).unwrap_err().message, said);
        }
        assert!(read("nothing", json!(1)).is_err());
        assert!(read("", json!(1)).is_err());
    }

    #[test]
    fn texts_say_the_number() {
        let params = BTreeMap::from([("latestPushedK".to_owned(), json!(3))]);
        let said = Template::text("latestPushedK", &params);
        assert_eq!(said, "the most recently pushed 3 artifacts");
        assert_eq!(Template::text("nDaysSinceLastPull", &params), "pulled within the last 30 days");
    }
}
