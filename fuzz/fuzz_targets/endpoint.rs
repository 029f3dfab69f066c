//! A path that names an endpoint names a repository that is safe, and only what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Endpoint, RepositoryName};

fuzz_target!(|path: &str| match Endpoint::of(path) {
    Ok(endpoint) => {
        if let Some(name) = endpoint.repository() {
            assert_eq!(name.as_str().parse::<RepositoryName>().as_ref(), Ok(name));
            assert!(path.contains(name.as_str()));
        }
        if let Endpoint::Upload(_, id) = endpoint {
            assert!(!id.contains('/') && path.ends_with(&id));
        }
    }
    Err(error) => assert!(error.to_string().len() < 300),
});
