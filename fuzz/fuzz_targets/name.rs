//! A repository name that is accepted is safe in a path and in a URL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::RepositoryName;

fuzz_target!(|text: &str| {
    let Ok(name) = text.parse::<RepositoryName>() else {
        return;
    };
    assert_eq!(name.as_str(), text);
    assert!(text.len() <= RepositoryName::LONGEST);
    assert!(
        text.split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.'))
    );
    let is_safe =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"./_-".contains(&byte);
    assert!(text.bytes().all(is_safe));
    let parts = [Some(name.project()), name.rest()];
    assert_eq!(
        parts.into_iter().flatten().collect::<Vec<_>>().join("/"),
        text
    );
});
