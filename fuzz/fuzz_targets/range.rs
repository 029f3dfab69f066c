//! Ranges lie inside the content, and none of its bytes is sent twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::range::{MOST_RANGES, Selection, parse_chunk_range};

fuzz_target!(|input: (u64, &str)| {
    let (size, header) = input;
    if let Selection::Ranges(mut ranges) = Selection::of(header, size) {
        assert!(!ranges.is_empty() && ranges.len() <= MOST_RANGES);
        assert!(
            ranges
                .iter()
                .all(|range| range.start < range.end && range.end <= size)
        );
        ranges.sort_by_key(|range| range.start);
        assert!(ranges.is_sorted_by(|left, right| left.end <= right.start));
    }
    if let Ok(range) = parse_chunk_range(header) {
        assert!(range.start < range.end && i64::try_from(range.end).is_ok());
        let written = format!("{}-{}", range.start, range.end - 1);
        assert_eq!(parse_chunk_range(&written), Ok(range));
    }
});
