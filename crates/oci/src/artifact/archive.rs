//! Files in archives: a reader of tar that knows its bounds. It takes what it needs of the
//! format (POSIX `pax`, and the long names of GNU) and passes over everything else.

use std::io::{self, Read};

/// The most bytes that are read of an archive, unpacked.
const LONGEST_ARCHIVE: u64 = 100 * 1024 * 1024;

/// The most bytes of one file that are kept, and of all files together where they are joined.
pub const LONGEST_FILE: u64 = 4 * 1024 * 1024;

/// The most entries that are looked at.
const MOST_ENTRIES: usize = 20_000;

/// The most bytes of a name, or of a header that may hold one.
const LONGEST_HEADER: u64 = 64 * 1024;

const BLOCK: usize = 512;

/// Why nothing is found in an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no archive of the kind that it should be, or it is damaged.
    #[error("the content is not the archive that it should be")]
    Malformed,
    /// It, or the file in it, is larger than what is read.
    #[error("the file is too large to be processed")]
    TooLarge,
}

impl From<io::Error> for ArchiveError {
    fn from(_: io::Error) -> Self {
        Self::Malformed
    }
}

/// The file of a Helm chart (a gzipped tar with one folder) that has a name in its outermost
/// folder, in whatever case; none if there is none.
///
/// # Errors
/// When the archive is not one, or is too large.
pub fn chart_file(archive: impl Read, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut entries = Entries::new(flate2::read::MultiGzDecoder::new(archive));
    while let Some(entry) = entries.next_entry()? {
        let path = entry.name.trim_start_matches("./");
        let inside = path.split_once('/').map(|(_, rest)| rest);
        if entry.is_file && inside.is_some_and(|rest| rest.eq_ignore_ascii_case(name)) {
            let mut file = Vec::new();
            entries.keep(&mut file)?;
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// All files of a tar, one after the other.
///
/// # Errors
/// When the archive is not one, or is too large.
pub fn joined_files(archive: impl Read) -> Result<Vec<u8>, ArchiveError> {
    let mut entries = Entries::new(archive);
    let mut joined = Vec::new();
    while let Some(entry) = entries.next_entry()? {
        if entry.is_file {
            entries.keep(&mut joined)?;
        }
    }
    Ok(joined)
}

struct Entry {
    name: String,
    is_file: bool,
}

struct Entries<R> {
    reader: R,
    /// How many bytes may still be read.
    budget: u64,
    /// How many bytes of the current entry have not been read, and how many fill its block.
    unread: u64,
    padding: u64,
    seen: usize,
}

impl<R: Read> Entries<R> {
    fn new(reader: R) -> Self {
        Self { reader, budget: LONGEST_ARCHIVE, unread: 0, padding: 0, seen: 0 }
    }

    /// Goes to the next entry that has a name of its own; none at the end.
    fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let mut long_name = None;
        loop {
            self.pass_over()?;
            let Some(header) = self.header()? else { return Ok(None) };
            self.seen += 1;
            if self.seen > MOST_ENTRIES {
                return Err(ArchiveError::TooLarge);
            }
            self.unread = number(&header[124..136]).ok_or(ArchiveError::Malformed)?;
            self.padding = self.unread.wrapping_neg() % BLOCK as u64;
            match header[156] {
                b'L' => long_name = Some(text(&self.small()?)),
                b'x' => long_name = pax_path(&self.small()?).or(long_name),
                kind => {
                    let name = long_name.take().unwrap_or_else(|| short_name(&header));
                    return Ok(Some(Entry { name, is_file: matches!(kind, b'0' | 0) }));
                }
            }
        }
    }

    /// The next header; none at the end, which two empty blocks mark, or nothing more.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.reader.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(ArchiveError::Malformed),
                read => filled += read,
            }
        }
        self.spend(BLOCK as u64)?;
        if block == [0; BLOCK] {
            return Ok(None);
        }
        let written = number(&block[148..156]).ok_or(ArchiveError::Malformed)?;
        let sum = block.iter().enumerate().map(|(at, byte)| {
            if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) }
        });
        if sum.sum::<u64>() == written { Ok(Some(block)) } else { Err(ArchiveError::Malformed) }
    }

    /// The bytes of an entry that describes the next one.
    fn small(&mut self) -> Result<Vec<u8>, ArchiveError> {
        if self.unread > LONGEST_HEADER {
            return Err(ArchiveError::TooLarge);
        }
        let mut bytes = Vec::new();
        self.keep(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads the current entry to the end of what is kept.
    fn keep(&mut self, kept: &mut Vec<u8>) -> Result<(), ArchiveError> {
        if (kept.len() as u64).saturating_add(self.unread) > LONGEST_FILE {
            return Err(ArchiveError::TooLarge);
        }
        self.spend(self.unread)?;
        let read = self.reader.by_ref().take(self.unread).read_to_end(kept)?;
        if read as u64 != self.unread {
            return Err(ArchiveError::Malformed);
        }
        self.unread = 0;
        Ok(())
    }

    /// Goes to the end of the current entry.
    fn pass_over(&mut self) -> Result<(), ArchiveError> {
        let rest = self.unread.saturating_add(self.padding);
        self.spend(rest)?;
        (self.unread, self.padding) = (0, 0);
        let passed = io::copy(&mut self.reader.by_ref().take(rest), &mut io::sink())?;
        // Some writers leave the padding of the last entry out.
        if passed == rest || passed + (BLOCK as u64) > rest {
            return Ok(());
        }
        Err(ArchiveError::Malformed)
    }

    fn spend(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.budget = self.budget.checked_sub(bytes).ok_or(ArchiveError::TooLarge)?;
        Ok(())
    }
}

/// A number in octal digits, or, where the first bit is set, in binary.
fn number(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        return rest.iter().try_fold(u64::from(first & 0x7f), |number, byte| {
            Some(number.checked_mul(256)? | u64::from(*byte))
        });
    }
    let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

/// The name in a header, with the folders before it.
fn short_name(header: &[u8; BLOCK]) -> String {
    let name = text(&header[..100]);
    let folders =
        if &header[257..262] == b"ustar" { text(&header[345..500]) } else { String::new() };
    if folders.is_empty() { name } else { format!("{folders}/{name}") }
}

/// The path in a `pax` header: records of `<length> <key>=<value>\n`.
fn pax_path(mut records: &[u8]) -> Option<String> {
    loop {
        let space = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(text(path));
        }
        records = &records[length..];
    }
}

#[cfg(test)]
mod tests;
