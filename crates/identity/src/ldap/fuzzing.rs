//! What is parsed here, for the fuzz targets.

use super::{ber::Writer, filter::Filter, message};

/// Whether bytes are a message that a client gets.
pub(crate) fn message(bytes: &[u8]) -> bool {
    message::read(bytes).is_ok()
}

/// A filter as it is sent.
pub(crate) fn filter(text: &str) -> Option<Vec<u8>> {
    let filter = Filter::parse(text).ok()?;
    let mut writer = Writer::default();
    filter.write(&mut writer);
    Some(writer.into_bytes())
}
