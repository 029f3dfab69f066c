//! The body of a response: a range of a blob.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{files::FileReader, objects::ObjectReader};

/// A range of a blob as the body of a response. Its size is known exactly from the start; if
/// the store then has fewer bytes, the body ends with an error and the connection is cut, so
/// that no client takes a part for the whole.
///
/// What it gives is memory of the bounded pool: whoever wants to keep it copies it.
pub struct Reader {
    source: Source,
    remaining: u64,
}

enum Source {
    Whole(Bytes),
    File(FileReader),
    Object(ObjectReader),
}

impl Reader {
    /// Bytes that are all here.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { remaining: bytes.len() as u64, source: Source::Whole(bytes) }
    }

    /// The rest of a file.
    pub(crate) fn file(reader: FileReader) -> Self {
        Self { remaining: reader.remaining(), source: Source::File(reader) }
    }

    /// Has the bytes of a file lie behind what is given, for the kernel to send them
    /// ([`crate::Unread`]). To be called only where nobody looks at them on the way.
    pub fn unread(&mut self) {
        if let Source::File(reader) = &mut self.source {
            reader.unread();
        }
    }

    /// So many bytes of an object.
    pub(crate) fn object(reader: ObjectReader, size: u64) -> Self {
        Self { remaining: size, source: Source::Object(reader) }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let bytes = match &mut self.source {
            Source::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Source::File(reader) => ready!(reader.poll_chunk(cx)),
            Source::Object(reader) => ready!(reader.poll_chunk(cx)),
        };
        let bytes = bytes.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        let Some(remaining) = self.remaining.checked_sub(bytes.len() as u64) else {
            return Poll::Ready(Some(Err(io::ErrorKind::InvalidData.into())));
        };
        self.remaining = remaining;
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
