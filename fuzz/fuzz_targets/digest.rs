//! A digest that is accepted is written as it was read; an error stays short.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::Digest;

fuzz_target!(|text: &str| {
    match text.parse::<Digest>() {
        Ok(digest) => {
            assert_eq!(digest.to_string(), text);
            assert_eq!(digest.hex().len(), 2 * digest.algorithm().hash_len());
        }
        Err(error) => assert!(error.to_string().len() < 200),
    }
});
