//! Scopes that are accepted mean the same once written out, and fit between quotes in a header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::Scope;

fuzz_target!(|text: &str| {
    let Ok(scopes) = Scope::parse_list(text) else {
        return;
    };
    assert!(scopes.len() <= Scope::MOST);
    let texts: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    assert!(
        texts
            .iter()
            .all(|text| !text.contains(['"', '\\', '\r', '\n']))
    );
    assert_eq!(Scope::parse_list(&texts.join(" ")), Ok(scopes));
});
