//! A set of keys, a line feed, a token: what nobody's key signed is refused, whatever the set
//! and the token are.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (keys, token) = text.split_once('\n').unwrap_or(("{\"keys\":[]}", text));
    // The private half of no key of the seeds is known to anybody.
    assert!(identity::fuzzing::token(keys, token).is_none());
});
