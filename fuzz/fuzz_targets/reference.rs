//! A reference that is accepted is written as it was read, and has one meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Reference, Tag};

fuzz_target!(|text: &str| {
    match text.parse::<Reference>() {
        Ok(Reference::Tag(tag)) => {
            assert_eq!(tag.as_str(), text);
            assert!(
                text.len() <= Tag::LONGEST
                    && !text.contains([':', '/', '%'])
                    && !text.starts_with('.')
            );
        }
        Ok(Reference::Digest(digest)) => {
            assert_eq!(digest.to_string(), text);
            assert!(text.parse::<Tag>().is_err());
        }
        Err(error) => assert!(error.to_string().len() < 200),
    }
});
