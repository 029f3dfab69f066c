//! What an artifact is: read from its manifest, its configuration and its layers, in Harbor's
//! words. Nothing here reads more than it is given, and nothing fails: content that is not what
//! it should be says nothing.

mod accessory;
mod archive;
mod attributes;
mod kind;
mod model;

pub use accessory::AccessoryKind;
pub use archive::{ArchiveError, LONGEST_FILE, chart_file, joined_files};
pub use attributes::{LONGEST_ATTRIBUTES, LONGEST_CONFIG, attributes, history, member};
pub use kind::{Addition, AdditionError, ArtifactKind, content_type};
pub use model::{document, files};

/// The type of a picture that may be an icon, by its first bytes.
pub fn icon_type(bytes: &[u8]) -> Option<&'static str> {
    const STARTS: [(&[u8], &str); 4] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
    ];
    STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, of_type)| *of_type)
}
