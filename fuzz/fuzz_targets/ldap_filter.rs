//! A filter that somebody typed, and names of entries: read or refused; what is read can be
//! sent, and is no larger than a few times what was typed.
#![no_main]

use identity::ldap::{looks_like_a_dn, normal_dn};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(sent) = identity::fuzzing::ldap_filter(text) {
        assert!(sent.len() <= 16 * text.len() + 64, "{} from {}", sent.len(), text.len());
    }
    let normal = normal_dn(text);
    assert_eq!(normal_dn(&normal), normal);
    let _ = looks_like_a_dn(text);
});
