//! What a purge is to take.

use std::{collections::BTreeSet, time::Duration};

use kit::{Error, Result, Time};
use serde_json::Value;

use crate::{
    audit::{Event, Old},
    jobs::Attributes,
};

/// The longest that entries are kept, in hours: longer is for ever.
const LONGEST: i64 = 240_000;

/// The word for all events but those of artifacts that Harbor purges by themselves.
const OTHER: &str = "other";

/// The events that the word `other` leaves out.
const ARTIFACTS: [Event; 3] = [Event::CreateArtifact, Event::DeleteArtifact, Event::PullArtifact];

/// What a purge is to take, as clients say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long entries are kept, in hours. 0 takes nothing.
    pub(super) hours: i64,
    /// Which kinds of events go.
    pub(super) events: BTreeSet<Event>,
    /// As the client named them.
    named: (&'static str, String),
    /// Whether it is only counted.
    pub(super) dry_run: bool,
}

impl Plan {
    /// Reads what a client sends.
    ///
    /// # Errors
    /// Invalid, in Harbor's words.
    pub fn read(parameters: &Attributes) -> Result<Self> {
        if parameters.is_empty() {
            return Err(Error::invalid("schedule parameter cann't be empty"));
        }
        let hours = parameters.get("audit_retention_hour");
        let hours = hours.ok_or_else(|| Error::invalid("audit_retention_hour should provide"))?;
        let hours = hours
            .as_i64()
            .filter(|hours| *hours >= 0)
            .ok_or_else(|| Error::invalid("audit_retention_hour should be integer format"))?;
        if hours > LONGEST {
            let message = format!("audit_retention_hour should be less than {LONGEST}");
            return Err(Error::invalid(message));
        }
        let text = |name| parameters.get(name).and_then(Value::as_str);
        let (named, events) = match (text("include_event_types"), text("include_operations")) {
            (Some(types), _) => (("include_event_types", types.to_owned()), by_type(types)),
            (None, Some(operations)) => {
                (("include_operations", operations.to_owned()), by_operation(operations))
            }
            (None, None) => return Err(Error::invalid("include_event_types should provide")),
        };
        // What is neither is no word for deleting.
        let dry_run = match parameters.get("dry_run") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(dry_run)) => *dry_run,
            Some(_) => return Err(Error::invalid("dry_run should be true or false")),
        };
        Ok(Self { hours, events, named, dry_run })
    }

    /// What is to be done and shown.
    pub(super) fn parameters(&self) -> Attributes {
        let (name, events) = &self.named;
        Attributes::from_iter([
            ("audit_retention_hour".to_owned(), self.hours.into()),
            ("dry_run".to_owned(), self.dry_run.into()),
            ((*name).to_owned(), events.as_str().into()),
        ])
    }

    /// What goes at a moment; nothing for one that keeps everything.
    pub(super) fn old(&self, now: Time) -> Option<Old> {
        let hours = u64::try_from(self.hours).ok().filter(|hours| *hours > 0)?;
        let before = now.before(Duration::from_secs(hours * 3600));
        (!self.events.is_empty()).then(|| Old { before, events: self.events.clone() })
    }

    /// As the client named the events that go.
    pub(super) fn named(&self) -> (&'static str, &str) {
        (self.named.0, &self.named.1)
    }
}

/// The events with some names, as Harbor takes them: one that is not known does not matter.
fn by_type(names: &str) -> BTreeSet<Event> {
    let mut events = BTreeSet::new();
    for name in names.split(',').map(|name| name.trim().to_ascii_lowercase()) {
        match Event::from_name(&name) {
            Some(event) => drop(events.insert(event)),
            None if name == OTHER => {
                events.extend(Event::ALL.into_iter().filter(|event| !ARTIFACTS.contains(event)));
            }
            None => {}
        }
    }
    events
}

/// The events of some operations, as older clients name them.
fn by_operation(names: &str) -> BTreeSet<Event> {
    let names: Vec<String> =
        names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    let is_named = |event: &Event| names.iter().any(|name| name == event.operation());
    Event::ALL.into_iter().filter(is_named).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<Plan> {
        Plan::read(value.as_object().unwrap())
    }

    #[test]
    fn what_clients_send_is_understood() {
        let plan = read(json!({
            "audit_retention_hour": 24,
            "include_event_types": "create_artifact, PULL_artifact,no_such_event",
            "dry_run": true,
        }))
        .unwrap();
        assert_eq!(plan.events, [Event::CreateArtifact, Event::PullArtifact].into());
        let old = plan.old(Time::from_seconds(100_000)).unwrap();
        assert_eq!((old.before, plan.dry_run), (Time::from_seconds(13_600), true));
        assert_eq!(Plan::read(&plan.parameters()).unwrap(), plan);
        let other = json!({"audit_retention_hour": 1, "include_event_types": "other"});
        let others = read(other).unwrap().events;
        assert_eq!(others.len(), Event::ALL.len() - 3);
        let operations = json!({"audit_retention_hour": 1, "include_operations": "create,pull"});
        let operations = read(operations).unwrap();
        assert!(operations.events.contains(&Event::CreateProject));
        assert!(!operations.events.contains(&Event::DeleteArtifact));
        assert_eq!(Plan::read(&operations.parameters()).unwrap(), operations);
        let none = json!({"audit_retention_hour": 1, "include_event_types": ""});
        assert_eq!(read(none).unwrap().old(Time(0)), None);
        let never = json!({"audit_retention_hour": 0, "include_event_types": "other"});
        assert_eq!(read(never).unwrap().old(Time(0)), None);
    }

    #[test]
    fn what_is_wrong_is_said_in_harbors_words() {
        for (sent, expected) in [
            (json!({}), "schedule parameter cann't be empty"),
            (json!({"dry_run": true}), "audit_retention_hour should provide"),
            (json!({"audit_retention_hour": "x"}), "audit_retention_hour should be integer format"),
            (json!({"audit_retention_hour": 1.5}), "audit_retention_hour should be integer format"),
            (json!({"audit_retention_hour": -1}), "audit_retention_hour should be integer format"),
            (
                json!({"audit_retention_hour": 240_001}),
                "audit_retention_hour should be less than 240000",
            ),
            (json!({"audit_retention_hour": 24}), "include_event_types should provide"),
            (
                json!({"audit_retention_hour": 24, "include_event_types": "", "dry_run": "true"}),
                "dry_run should be true or false",
            ),
        ] {
            assert_eq!(read(sent).unwrap_err().message, expected);
        }
    }
}
