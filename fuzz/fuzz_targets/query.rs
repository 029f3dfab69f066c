//! What a list is asked for is read or refused within its bounds, and a text that is asked for
//! exactly comes back as it was, whatever it holds.
#![no_main]

use kit::query::{Filter, Pattern, Sort, flag, moment, number};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = (Sort::parse(text), number(text), flag(text), moment(text));
    if let Ok(filter) = Filter::parse(text) {
        assert!(filter.terms().len() <= 32);
        assert!(filter.terms().iter().all(|term| !term.key.is_empty()));
    }
    if text.is_empty() || text.len() > 8000 || text.contains([',', '%']) {
        return;
    }
    let filter = Filter::parse(&format!("k=\\{text}")).unwrap();
    assert_eq!(filter.terms()[0].pattern, Pattern::Exact(text.to_owned()));
});
