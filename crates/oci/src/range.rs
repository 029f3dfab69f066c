//! Parts of blobs: the `Range` header of a download (RFC 9110, section 14) and the
//! `Content-Range` header of an uploaded chunk (distribution-spec, "Pushing a blob in chunks").

use std::ops::Range;

/// The most ranges that one request may ask for. Podman's partial pulls ask for up to 1024,
/// and for fewer after they were refused.
pub const MOST_RANGES: usize = 1024;

/// What a `Range` header asks for, of content of a known size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Everything: the unit is not bytes, or the content is empty. Answered with 200.
    Full,
    /// These parts, none of them empty: one is answered with 206, several with 206 and
    /// `multipart/byteranges`. They come in the order they were asked for, as podman expects to
    /// get them; only if some overlap they are sorted and merged, so that no byte is sent twice.
    Ranges(Vec<Range<u64>>),
    /// No part of it exists, or a range ends before it begins. Answered with 416.
    Unsatisfiable,
    /// It is not a range at all, and is ignored: answered with 200.
    Malformed,
    /// More than [`MOST_RANGES`]. Answered with 400, which makes podman ask for fewer.
    TooMany,
}

impl Selection {
    /// Reads a `Range` header for content of `size` bytes.
    pub fn of(header: &str, size: u64) -> Self {
        let Some((unit, set)) = header.split_once('=') else {
            return Self::Malformed;
        };
        if !unit.trim_matches(BLANKS).eq_ignore_ascii_case("bytes") {
            return Self::Full;
        }
        if set.split(',').count() > MOST_RANGES {
            return Self::TooMany;
        }
        let mut ranges = Vec::new();
        let mut is_backwards = false;
        let mut is_empty = true;
        // Empty members of a list are allowed (RFC 9110, section 5.6.1).
        for text in
            set.split(',').map(|text| text.trim_matches(BLANKS)).filter(|text| !text.is_empty())
        {
            is_empty = false;
            match part(text, size) {
                Part::Exists(range) => ranges.push(range),
                Part::Beyond => {}
                Part::Backwards => is_backwards = true,
                Part::Malformed => return Self::Malformed,
            }
        }
        if is_empty {
            return Self::Malformed;
        }
        if is_backwards {
            return Self::Unsatisfiable;
        }
        if size == 0 {
            return Self::Full;
        }
        if ranges.is_empty() {
            return Self::Unsatisfiable;
        }
        Self::Ranges(merged_if_overlapping(ranges))
    }
}

/// One range of a `Range` header.
enum Part {
    /// It is there, cut at the end of the content.
    Exists(Range<u64>),
    /// It begins at or after the end.
    Beyond,
    /// Its end is before its beginning.
    Backwards,
    /// It is not a range.
    Malformed,
}

fn part(text: &str, size: u64) -> Part {
    let Some((first, last)) = text.split_once('-') else {
        return Part::Malformed;
    };
    if first.is_empty() {
        return match number(last) {
            None => Part::Malformed,
            Some(suffix) if suffix == 0 || size == 0 => Part::Beyond,
            Some(suffix) => Part::Exists(size.saturating_sub(suffix)..size),
        };
    }
    let Some(first) = number(first) else {
        return Part::Malformed;
    };
    let last = if last.is_empty() { Some(u64::MAX) } else { number(last) };
    match last {
        None => Part::Malformed,
        Some(last) if last < first => Part::Backwards,
        Some(_) if first >= size => Part::Beyond,
        Some(last) => Part::Exists(first..last.saturating_add(1).min(size)),
    }
}

/// Adjacent ranges are left apart: a client that asked for both expects two parts.
fn merged_if_overlapping(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = ranges.clone();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    if sorted.is_sorted_by(|left, right| left.end <= right.start) {
        return ranges;
    }
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The `Content-Range` header of a chunk is not `first-last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Content-Range of a chunk is its first and its last byte, such as 0-1023")]
pub struct ChunkRangeError;

/// Reads where in its blob a chunk belongs. The specification writes `first-last`; HTTP's own
/// form, `bytes first-last/size` with `*` for an unknown size, is taken as well.
pub fn parse_chunk_range(header: &str) -> Result<Range<u64>, ChunkRangeError> {
    let header = header.trim_matches(BLANKS);
    let range = match header.split_once(' ') {
        None => header,
        Some((unit, rest)) => {
            let (range, size) = rest.split_once('/').ok_or(ChunkRangeError)?;
            if !unit.eq_ignore_ascii_case("bytes") || (size != "*" && number(size).is_none()) {
                return Err(ChunkRangeError);
            }
            range
        }
    };
    let (first, last) = range.split_once('-').ok_or(ChunkRangeError)?;
    let first = number(first).ok_or(ChunkRangeError)?;
    let end = number(last).and_then(|last| last.checked_add(1)).ok_or(ChunkRangeError)?;
    if end <= first || i64::try_from(end).is_err() {
        return Err(ChunkRangeError);
    }
    Ok(first..end)
}

const BLANKS: [char; 2] = [' ', '\t'];

/// A number of digits only. One that is too large stands for the largest, which is beyond the
/// end of any content.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]

    use proptest::prelude::*;

    use super::*;

    fn ranges(list: &[Range<u64>]) -> Selection {
        Selection::Ranges(list.to_vec())
    }

    #[test]
    fn reads_ranges_of_content() {
        let huge = "9".repeat(30);
        let cases = [
            ("bytes=0-0", ranges(&[0..1])),
            ("bytes=0-", ranges(&[0..1000])),
            ("bytes=500-1499", ranges(&[500..1000])),
            ("bytes=999-", ranges(&[999..1000])),
            ("bytes=-1", ranges(&[999..1000])),
            ("bytes=-5000", ranges(&[0..1000])),
            ("Bytes = 0-1", ranges(&[0..2])),
            (&format!("bytes=0-{huge}"), ranges(&[0..1000])),
            ("bytes=0-1,5-6", ranges(&[0..2, 5..7])),
            ("bytes=5-6 ,\t0-1", ranges(&[5..7, 0..2])),
            ("bytes=,0-1,,5-6,", ranges(&[0..2, 5..7])),
            ("bytes=0-1,2-3", ranges(&[0..2, 2..4])),
            ("bytes=5-9,0-5", ranges(&[0..10])),
            ("bytes=0-9,2-3,-1", ranges(&[0..10, 999..1000])),
            ("bytes=0-1,5000-6000", ranges(&[0..2])),
            ("bytes=1000-", Selection::Unsatisfiable),
            ("bytes=5000-10000,6000-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=500-0", Selection::Unsatisfiable),
            ("bytes=0-1,500-0", Selection::Unsatisfiable),
            (&format!("bytes={huge}-"), Selection::Unsatisfiable),
            ("items=0-1", Selection::Full),
            ("", Selection::Malformed),
            ("bytes", Selection::Malformed),
            ("bytes=", Selection::Malformed),
            ("bytes=,", Selection::Malformed),
            ("bytes=-", Selection::Malformed),
            ("bytes=1", Selection::Malformed),
            ("bytes=a-b", Selection::Malformed),
            ("bytes=+1-2", Selection::Malformed),
            ("bytes=1-2-3", Selection::Malformed),
            ("bytes=--1", Selection::Malformed),
            ("bytes=0 - 1", Selection::Malformed),
            ("bytes=0-1;2-3", Selection::Malformed),
        ];
        for (header, expected) in cases {
            assert_eq!(Selection::of(header, 1000), expected, "{header}");
        }
    }

    #[test]
    fn empty_content_is_served_whole() {
        for header in ["bytes=0-", "bytes=0-99", "bytes=-5"] {
            assert_eq!(Selection::of(header, 0), Selection::Full, "{header}");
        }
    }

    #[test]
    fn the_number_of_ranges_is_bounded() {
        let header = |count: u64| {
            let ranges: Vec<String> = (0..count).map(|i| format!("{}-{}", 2 * i, 2 * i)).collect();
            format!("bytes={}", ranges.join(","))
        };
        let most = MOST_RANGES as u64;
        let expected: Vec<Range<u64>> = (0..most).map(|i| 2 * i..2 * i + 1).collect();
        assert_eq!(Selection::of(&header(most), 10_000), Selection::Ranges(expected));
        assert_eq!(Selection::of(&header(most + 1), 10_000), Selection::TooMany);
        assert_eq!(
            Selection::of(&format!("bytes={}", ",".repeat(most as usize)), 10),
            Selection::TooMany
        );
    }

    #[test]
    fn reads_where_a_chunk_belongs() {
        for (header, range) in [
            ("0-0", 0..1),
            ("1024-2047", 1024..2048),
            (" 7-8 ", 7..9),
            ("bytes 7-8/*", 7..9),
            ("bytes 7-8/100", 7..9),
            ("0-9223372036854775806", 0..i64::MAX as u64),
        ] {
            assert_eq!(parse_chunk_range(header), Ok(range), "{header}");
        }
        for header in [
            "",
            "-",
            "0",
            "0-",
            "-1",
            "1-0",
            "a-b",
            "bytes=0-1",
            "bytes=0-1/2",
            "bytes 0-1",
            "bytes */2",
            "bytes 0-1/",
            "bytes 0-1/x",
            "items 0-1/2",
            "0-1/2",
            "0-1,2-3",
            "0-+1",
            "0-9223372036854775807",
            "0-18446744073709551615",
        ] {
            assert_eq!(parse_chunk_range(header), Err(ChunkRangeError), "{header}");
        }
    }

    proptest! {
        #[test]
        fn ranges_select_what_was_asked_for_and_nothing_twice(
            size in 1..200_u64,
            asked in prop::collection::vec((0..250_u64, 0..50_u64), 1..8),
        ) {
            let texts: Vec<String> = asked.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
            let mut wanted: Vec<u64> = asked.iter().flat_map(|(first, more)| *first..=first + more).collect();
            wanted.retain(|byte| *byte < size);
            wanted.sort_unstable();
            wanted.dedup();
            let mut selected = match Selection::of(&format!("bytes={}", texts.join(",")), size) {
                Selection::Ranges(ranges) => ranges.into_iter().flatten().collect::<Vec<u64>>(),
                Selection::Unsatisfiable => Vec::new(),
                other => panic!("{other:?}"),
            };
            selected.sort_unstable();
            prop_assert_eq!(selected, wanted);
        }

        #[test]
        fn any_header_gives_ranges_inside_the_content(header in "(bytes=)?[0-9,\\- ]{0,30}|.{0,20}", size: u64) {
            if let Selection::Ranges(ranges) = Selection::of(&header, size) {
                prop_assert!(!ranges.is_empty());
                prop_assert!(ranges.iter().all(|range| range.start < range.end && range.end <= size));
            }
        }

        #[test]
        fn chunk_ranges_come_back(first in 0..i64::MAX as u64, length in 1..=u64::from(u32::MAX)) {
            let end = first.saturating_add(length).min(i64::MAX as u64);
            prop_assert_eq!(parse_chunk_range(&format!("{first}-{}", end - 1)), Ok(first..end));
        }
    }
}
