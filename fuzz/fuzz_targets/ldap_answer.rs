//! Whatever a directory answers is read or refused, without a panic and without more memory
//! than it sent.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = identity::fuzzing::ldap_message(bytes);
});
