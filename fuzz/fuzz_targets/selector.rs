//! What selects repositories and tags is read or refused, and matches whatever name within
//! its bounds: a first line with the kind, one with the pattern, and the name.
#![no_main]

use kit::{Selector, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (kind, pattern, name) = (line(), line(), line());
    if let Ok(selector) = Selector::parse(kind, pattern) {
        let name: String = name.chars().take(255).collect();
        let _ = selector.matches(&name);
        if kind == "semver" && selector.matches(&name) {
            assert!(Version::of(&name).is_some());
        }
    }
    // A name with everything escaped matches itself and nothing that is longer.
    let escaped: String = name.chars().flat_map(|c| ['\\', c]).collect();
    if let Ok(Selector::Pattern(pattern)) = Selector::parse("doublestar", &escaped)
        && !name.contains('/')
    {
        assert!(pattern.matches(name));
        assert!(!pattern.matches(&format!("{name}x")));
    }
});
