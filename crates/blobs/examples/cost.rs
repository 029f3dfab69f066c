//! What the store costs in processor time, behind a bare HTTP server:
//!
//! ```text
//! cargo run --release -p haven-blobs --example cost -- <folder> get 268435456 4
//! cargo run --release -p haven-blobs --example cost -- <folder> put 4096 8
//! ```
//!
//! Instead of a folder, `s3` takes the bucket that `HAVEN_TEST_S3_ENDPOINT` and the like name.
//! The client is a process of its own, so that what is measured is the server alone.

#![allow(clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use blobs::{Options, Place, Reader, S3Place, Store, Stored};
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use oci::{Algorithm, Digest, Hasher};

const SECONDS: u64 = 3;

/// All content is made of this.
static PIECE: [u8; 1 << 16] = [7; 1 << 16];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["client", address, what, size, connections] => {
            client(
                address.parse().unwrap(),
                what,
                size.parse().unwrap(),
                connections.parse().unwrap(),
            );
        }
        [folder, what, size, connections] => serve(folder, what, size, connections),
        _ => panic!("usage: cost <folder> get|put <size> <connections>"),
    }
}

fn serve(folder: &str, what: &str, size: &str, connections: &str) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let address = runtime.block_on(listen(folder, size.parse().unwrap()));
    let before = (processor_time(), Instant::now());
    let client = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["client", &address.to_string(), what, size, connections])
        .output()
        .unwrap();
    let took = processor_time() - before.0;
    let count: u32 = String::from_utf8(client.stdout).unwrap().trim().parse().unwrap();
    let gib = f64::from(count) * size.parse::<f64>().unwrap() / f64::from(1 << 30);
    println!(
        "{what} {size}: {count} in {:.1} s; {:?} of processor each; {:.3} s per GiB; {} KiB resident at most",
        before.1.elapsed().as_secs_f64(),
        took / count.max(1),
        took.as_secs_f64() / gib,
        peak_memory(),
    );
}

async fn listen(folder: &str, size: usize) -> SocketAddr {
    let place = match folder {
        "s3" => Place::S3(bucket()),
        folder => Place::Files { root: folder.into() },
    };
    let store = Store::open(&place, &Options::default()).await.unwrap();
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut writer = store.resume(store.begin("first"), Algorithm::Sha256).await.unwrap();
    for _ in 0..size / PIECE.len() {
        hasher.update(&PIECE);
        writer.write(Bytes::from_static(&PIECE)).await.unwrap();
    }
    let rest = Bytes::from_static(&PIECE[..size % PIECE.len()]);
    hasher.update(&rest);
    writer.write(rest).await.unwrap();
    let digest = hasher.finish();
    let stored = Arc::new(writer.finish(&digest).await.unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (store, stored) = (store.clone(), stored.clone());
            let answer = service_fn(move |request| {
                let answer = answer(request, store.clone(), stored.clone(), digest);
                async move { answer.await.inspect_err(|error| eprintln!("{error:?}")) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .max_buf_size(128 * 1024)
                    .serve_connection(TokioIo::new(stream), answer),
            );
        }
    });
    address
}

fn bucket() -> S3Place {
    let variable = |name: &str| std::env::var(format!("HAVEN_TEST_S3_{name}")).unwrap();
    S3Place {
        endpoint: Some(variable("ENDPOINT").parse().unwrap()),
        region: variable("REGION"),
        bucket: variable("BUCKET"),
        prefix: format!("cost-{}", uuid::Uuid::new_v4()),
        access_key: variable("ACCESS_KEY"),
        secret_key: variable("SECRET_KEY").into(),
        path_style: true,
        redirect: false,
    }
}

async fn answer(
    request: Request<Incoming>,
    store: Store,
    stored: Arc<Stored>,
    digest: Digest,
) -> kit::Result<Response<Either<Reader, Full<Bytes>>>> {
    if request.method() == hyper::Method::GET {
        let reader = store.read(&stored.key, stored.size, 0..stored.size).await?;
        return Ok(Response::new(Either::Left(reader)));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let mut writer = store.resume(store.begin(&id), Algorithm::Sha256).await?;
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        writer.write(frame.unwrap().into_data().unwrap()).await?;
    }
    let pushed = writer.finish(&digest).await?;
    // In a bucket each push is an object of its own; they must not pile up.
    if pushed.key != stored.key {
        store.delete(&[pushed.key]).await?;
    }
    Ok(Response::new(Either::Right(Full::new(Bytes::new()))))
}

/// Asks again and again, and prints how often it got an answer.
fn client(address: SocketAddr, what: &str, size: usize, connections: usize) {
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let asking = (0..connections).map(|_| {
        let what = what.to_owned();
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            let mut buffer = vec![0; 1 << 20];
            let mut count = 0;
            while Instant::now() < until {
                let body_size = if what == "get" {
                    stream.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
                    size
                } else {
                    let head =
                        format!("PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: {size}\r\n\r\n");
                    stream.write_all(head.as_bytes()).unwrap();
                    for _ in 0..size / PIECE.len() {
                        stream.write_all(&PIECE).unwrap();
                    }
                    stream.write_all(&PIECE[..size % PIECE.len()]).unwrap();
                    0
                };
                skip_answer(&mut stream, &mut buffer, body_size);
                count += 1;
            }
            count
        })
    });
    let asking: Vec<_> = asking.collect();
    let count: u32 = asking.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{count}");
}

fn skip_answer(stream: &mut TcpStream, buffer: &mut [u8], body_size: usize) {
    let mut received = 0;
    let mut end = None;
    while end.is_none_or(|end| received < end) {
        let read = stream.read(&mut buffer[if end.is_none() { received } else { 0 }..]).unwrap();
        assert!(read > 0);
        received += read;
        if end.is_none() {
            let head = buffer[..received].windows(4).position(|window| window == b"\r\n\r\n");
            assert!(head.is_none() || buffer.starts_with(b"HTTP/1.1 200"));
            end = head.map(|head| head + 4 + body_size);
        }
    }
}

fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
