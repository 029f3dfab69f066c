//! The least that a durable push can cost: receive from loopback, SHA-256, write, fsync.
//!
//! Run as a process of its own (`haven-bench bare`), so that its CPU time is read like a
//! server's. A request is a length of 8 bytes (little-endian) and that many bytes; the answer is
//! an HTTP head, so that the generator's client reads it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::content::Family;
use crate::http1::Method;
use crate::load::Work;
use crate::registry::expect;

/// So many bytes are received before they are hashed and written. Of 64 KiB, 256 KiB and 1 MiB,
/// filled or as they come, this took the least CPU per GiB.
const PIECE: usize = 256 * 1024;

/// Serves until the process is ended; files are left in `folder`.
pub fn serve(address: &str, folder: &Path) -> Outcome<()> {
    let listener =
        TcpListener::bind(address).map_err(|error| format!("listen on {address}: {error}"))?;
    for stream in listener.incoming() {
        let stream = stream.map_err(|error| format!("accept: {error}"))?;
        let folder = folder.to_owned();
        thread::spawn(move || {
            if let Err(error) = receive_all(stream, &folder) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn receive_all(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; PIECE];
    loop {
        let mut size = [0; 8];
        match stream.read_exact(&mut size) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let mut left = u64::from_le_bytes(size);
        let mut hash = Sha256::new();
        let mut file = File::create(next_file(folder))?;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = &mut buffer[..wanted];
            stream.read_exact(piece)?;
            hash.update(&*piece);
            file.write_all(piece)?;
            left -= wanted as u64;
        }
        std::hint::black_box(hash.finalize());
        file.sync_data()?;
        stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")?;
    }
}

fn next_file(folder: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    folder.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string())
}

/// Sends new blobs of a family to a bare receiver.
pub fn push(family: &Family) -> Work {
    let family = family.clone();
    Box::new(move |connection| {
        let blob = family.unique();
        let [common, signature] = blob.parts();
        let size = blob.size().to_le_bytes();
        let answer = connection.exchange(&[&size, common, signature], Method::Other)?;
        expect(&answer, 201, "push to the bare receiver")
    })
}
