//! A blocking HTTP/1.1 client of one connection.
//!
//! The generator shares its two or so cores with the server it measures, so it does as little as
//! it can: requests are bytes made beforehand, answers are read for status, length and Location
//! only, bodies are read into one buffer and dropped.

use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Outcome;

/// No answer head of a registry is longer, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// How long one read or write may stand still before the run is given up.
const STALLED: Duration = Duration::from_secs(120);

/// What an answer's head said.
#[derive(Debug, Default, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `Content-Length`, in bytes; 0 when absent.
    pub length: u64,
    /// `Location`, as sent.
    pub location: Option<String>,
    /// `WWW-Authenticate` with a Bearer challenge, as sent.
    pub challenge: Option<String>,
}

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    head_end: usize,
}

impl Connection {
    /// Connects with Nagle's algorithm off; `buffer` is the size of one read of a body, in bytes.
    pub fn open(address: SocketAddr, buffer: usize) -> Outcome<Connection> {
        let stream = TcpStream::connect_timeout(&address, STALLED)
            .map_err(|error| format!("connect to {address}: {error}"))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(STALLED)))
            .and_then(|()| stream.set_write_timeout(Some(STALLED)))
            .map_err(|error| format!("socket options: {error}"))?;
        Ok(Connection { stream, buffer: vec![0; buffer.max(LONGEST_HEAD)], filled: 0, head_end: 0 })
    }

    /// Sends `parts` as one request and reads the whole answer; the body is dropped.
    pub fn exchange(&mut self, parts: &[&[u8]], method: Method) -> Outcome<Answer> {
        self.exchange_into(parts, method, |_| {})
    }

    /// Sends `parts` as one request and hands each piece of the answer's body to `take`.
    pub fn exchange_into(
        &mut self,
        parts: &[&[u8]],
        method: Method,
        take: impl FnMut(&[u8]),
    ) -> Outcome<Answer> {
        self.send(parts)?;
        let answer = self.receive_head()?;
        let length = if method == Method::Head { 0 } else { answer.length };
        self.receive_body(length, take)?;
        Ok(answer)
    }

    /// Sends bytes, in as few system calls as the kernel allows.
    pub fn send(&mut self, parts: &[&[u8]]) -> Outcome<()> {
        write_all_vectored(&mut self.stream, parts).map_err(|error| format!("send: {error}"))
    }

    /// Reads an answer's head. What follows it belongs to [`Connection::receive_body`].
    pub fn receive_head(&mut self) -> Outcome<Answer> {
        self.filled = 0;
        loop {
            let read = self
                .stream
                .read(&mut self.buffer[self.filled..])
                .map_err(|error| format!("receive: {error}"))?;
            if read == 0 {
                return Err("the server closed the connection".to_owned());
            }
            let searched = self.filled.saturating_sub(3);
            self.filled += read;
            if let Some(end) = find_blank_line(&self.buffer[searched..self.filled]) {
                self.head_end = searched + end;
                return read_head(&self.buffer[..self.head_end]);
            }
            if self.filled >= LONGEST_HEAD {
                return Err("the answer's head is too long".to_owned());
            }
        }
    }

    /// Reads `length` bytes of body, piece by piece.
    pub fn receive_body(&mut self, length: u64, mut take: impl FnMut(&[u8])) -> Outcome<()> {
        let mut left = length;
        while left > 0 || self.head_end < self.filled {
            let piece = self.receive_piece(left)?;
            left -= piece.len() as u64;
            take(piece);
        }
        Ok(())
    }

    /// The next piece of a body of which `left` bytes are still to come.
    pub fn receive_piece(&mut self, left: u64) -> Outcome<&[u8]> {
        let early = self.head_end..self.filled;
        if !early.is_empty() {
            (self.head_end, self.filled) = (0, 0);
            return match early.len() as u64 <= left {
                true => Ok(&self.buffer[early]),
                false => Err(format!("{} bytes came for a body of {left}", early.len())),
            };
        }
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
        let read = self
            .stream
            .read(&mut self.buffer[..wanted])
            .map_err(|error| format!("receive with {left} bytes to come: {error}"))?;
        if read == 0 {
            return Err(format!("the body ended with {left} bytes to come"));
        }
        Ok(&self.buffer[..read])
    }
}

/// What an answer's length depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The answer has no body, whatever its `Content-Length` says.
    Head,
    /// Every other method.
    Other,
}

fn find_blank_line(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn read_head(head: &[u8]) -> Outcome<Answer> {
    let text =
        std::str::from_utf8(head).map_err(|_| "the answer's head is not UTF-8".to_owned())?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| format!("no status in {text:?}"))?;
    let mut answer = Answer { status, ..Answer::default() };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            answer.length = value.parse().map_err(|_| format!("Content-Length {value:?}"))?;
        } else if name.eq_ignore_ascii_case("location") {
            answer.location = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("www-authenticate") && value.starts_with("Bearer") {
            answer.challenge = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(format!("an answer of unknown length (Transfer-Encoding: {value})"));
        }
    }
    Ok(answer)
}

fn write_all_vectored(stream: &mut TcpStream, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = slices.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match stream.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_status_length_and_location() {
        let answer = read_head(
            b"HTTP/1.1 202 Accepted\r\ncontent-length: 12\r\nLOCATION: /v2/a/blobs/uploads/1\r\n\r\n",
        )
        .unwrap();
        assert_eq!(answer.status, 202);
        assert_eq!(answer.length, 12);
        assert_eq!(answer.location.as_deref(), Some("/v2/a/blobs/uploads/1"));
    }

    #[test]
    fn an_answer_of_unknown_length_is_refused() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(read_head(b"nonsense\r\n\r\n").is_err());
    }
}
