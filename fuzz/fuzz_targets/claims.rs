//! Claims that say anything: somebody with groups of a bounded number and
//! length, or nobody.
#![no_main]

use identity::oidc::Names;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (filter, claims) = text.split_once('\n').unwrap_or(("", text));
    let names = Names {
        user: "name".to_owned(),
        groups: "groups".to_owned(),
        group_filter: filter.to_owned(),
        admin_group: "admins".to_owned(),
        ..Names::default()
    };
    if names.check().is_err() {
        return;
    }
    if let Some(person) = identity::fuzzing::person(claims, &names) {
        assert_eq!(person.username, person.username.trim());
        assert!(person.groups.len() <= 1000);
        assert!(person.groups.iter().all(|group| group.len() <= 255));
    }
});
