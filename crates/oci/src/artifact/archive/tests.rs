#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

/// A header and the bytes after it.
fn entry(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; BLOCK];
    header[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = kind;
    header[257..262].copy_from_slice(b"ustar");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn tar(entries: &[(u8, &str, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        entries.iter().flat_map(|(kind, name, content)| entry(*kind, name, content)).collect();
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_of_a_chart_is_found_whatever_its_case() {
    let chart = gzip(&tar(&[
        (b'5', "app/", b""),
        (b'0', "app/Chart.yaml", b"name: app"),
        (b'0', "app/charts/db/values.yaml", b"of another"),
        (b'2', "app/readme.md", b""),
        (b'0', "app/values.yaml", b"a: 1"),
        (0, "./app/README.md", b"no such folder"),
        (b'0', "app/README.md", b"# App"),
    ]));
    let find = |name| chart_file(chart.as_slice(), name).unwrap();
    assert_eq!(find("values.yaml").unwrap(), b"a: 1");
    assert_eq!(find("readme.md").unwrap(), b"no such folder");
    assert_eq!(find("LICENSE"), None);
    for odd in [b"".as_slice(), b"nothing", &gzip(b"nothing")] {
        assert!(matches!(chart_file(odd, "values.yaml"), Err(ArchiveError::Malformed)), "{odd:?}");
    }
    // Cut off anywhere, there is an error or the file, never half of it.
    for end in 0..chart.len() {
        if let Ok(Some(found)) = chart_file(&chart[..end], "values.yaml") {
            assert_eq!(found, b"a: 1");
        }
    }
}

#[test]
fn long_names_come_before_their_entry() {
    let long = format!("app/{}/values.yaml", "x".repeat(200));
    let (name, path) = (format!("{long}\0"), "25 path=app/values.yaml\n".to_owned());
    assert_eq!(path.len(), 24);
    let path = path.replace("25", "24");
    let archive = gzip(&tar(&[
        (b'L', "././@LongLink", name.as_bytes()),
        (b'0', "app/values.yaml", b"not this"),
        (b'x', "pax", path.as_bytes()),
        (b'0', "elsewhere", b"this"),
    ]));
    assert_eq!(chart_file(archive.as_slice(), "values.yaml").unwrap().unwrap(), b"this");
}

#[test]
fn what_is_too_large_is_not_unpacked() {
    let large = vec![b'x'; usize::try_from(LONGEST_FILE).unwrap() + 1];
    let archive = tar(&[(b'0', "app/values.yaml", &large)]);
    let found = chart_file(gzip(&archive).as_slice(), "values.yaml");
    assert!(matches!(found, Err(ArchiveError::TooLarge)));
    assert!(matches!(joined_files(archive.as_slice()), Err(ArchiveError::TooLarge)));
    let half = vec![b'x'; usize::try_from(LONGEST_FILE).unwrap() / 2 + 1];
    let archive = tar(&[(b'0', "a", &half), (b'0', "b", &half)]);
    assert!(matches!(joined_files(archive.as_slice()), Err(ArchiveError::TooLarge)));
    // A bomb: a file that is said to be larger than anything.
    let mut bomb = entry(b'0', "app/x", b"");
    bomb[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    bomb[148..156].copy_from_slice(b"        ");
    let sum: u32 = bomb[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
    bomb[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    bomb.extend_from_slice(&entry(b'0', "app/values.yaml", b""));
    assert!(matches!(
        chart_file(gzip(&bomb).as_slice(), "values.yaml"),
        Err(ArchiveError::TooLarge)
    ));
    let many: Vec<u8> =
        std::iter::repeat_n(entry(b'0', "a", b""), MOST_ENTRIES + 1).flatten().collect();
    assert!(matches!(joined_files(many.as_slice()), Err(ArchiveError::TooLarge)));
}

#[test]
fn files_of_a_tar_are_joined() {
    let archive = tar(&[(b'5', "d/", b""), (b'0', "d/a", b"one "), (b'0', "b", b"two")]);
    assert_eq!(joined_files(archive.as_slice()).unwrap(), b"one two");
    assert_eq!(joined_files([].as_slice()).unwrap(), b"");
}

proptest! {
    #[test]
    fn no_bytes_do_any_harm(
        content in proptest::collection::vec(any::<u8>(), 0..2000),
        at in 0..1024_usize,
        byte: u8,
    ) {
        let mut archive = tar(&[(b'0', "app/values.yaml", &content)]);
        let spoiled = archive.clone();
        prop_assert_eq!(joined_files(spoiled.as_slice()).unwrap(), content);
        archive[at] = byte;
        let _anything = joined_files(archive.as_slice());
        let _anything = chart_file(gzip(&archive).as_slice(), "values.yaml");
    }
}

#[test]
fn numbers_are_octal_or_binary() {
    assert_eq!(number(b"0000644\0"), Some(0o644));
    assert_eq!(number(b" 17 \0\0\0\0"), Some(0o17));
    assert_eq!(number(b"8\0\0\0"), None);
    assert_eq!(number(b""), Some(0));
    assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 1, 2]), Some(258));
    assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
    assert_eq!(number(&[0xff; 8]), Some(u64::MAX >> 1));
    // Negative, or more than any archive holds.
    assert_eq!(number(&[0xff; 12]), None);
}

#[test]
fn a_size_that_no_archive_has_is_refused() {
    for kind in [b'0', b'L', b'x'] {
        let mut archive = entry(kind, "name", b"");
        archive[124..136].copy_from_slice(&[0x80, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        archive[148..156].copy_from_slice(b"        ");
        let sum: u64 = archive[..BLOCK].iter().map(|byte| u64::from(*byte)).sum();
        // The sum of a header may be in binary, too.
        archive[148..156].copy_from_slice(&sum.to_be_bytes());
        archive[148] = 0x80;
        assert!(matches!(joined_files(&archive[..]), Err(ArchiveError::TooLarge)), "{kind}");
    }
}
