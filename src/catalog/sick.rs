//! For tests: a source on loopback that answers well until it falls ill, in all the ways in which
//! servers and the networks before them do. It writes bytes, not HTTP.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a source does instead of answering.
#[derive(Debug, Clone)]
pub(super) enum Illness {
    Silent,
    HangsUp,
    /// These bytes, and then the connection ends.
    Says(String),
    /// These bytes, and then nothing more.
    Stalls(String),
    /// These bytes, and then so many more, as fast as they go.
    Pours(String, usize),
    /// These bytes, and then one more now and again, for ever.
    Drips(String),
}

pub(super) struct Sick {
    pub(super) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    illness: Mutex<Option<Illness>>,
    asked: AtomicUsize,
    poured: AtomicUsize,
}

impl Sick {
    /// It is well at first.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::<Shared>::default();
        let served = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = served.clone();
                // A client that leaves is part of the matter.
                tokio::spawn(async move { serve(stream, &shared).await });
            }
        });
        Self { url, shared }
    }

    pub(super) fn falls_ill(&self, illness: Illness) {
        *self.shared.illness.lock().unwrap() = Some(illness);
    }

    pub(super) fn recovers(&self) {
        *self.shared.illness.lock().unwrap() = None;
    }

    /// Requests so far, sign-ins apart.
    pub(super) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Bytes that were taken from it when it poured.
    pub(super) fn poured(&self) -> usize {
        self.shared.poured.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let path = read_request(&mut stream).await?;
    let illness = match path.as_str() {
        "/token" => None,
        _ => {
            shared.asked.fetch_add(1, Ordering::SeqCst);
            shared.illness.lock().unwrap().clone()
        }
    };
    match illness {
        None => stream.write_all(ok(well(&path)).as_bytes()).await?,
        Some(Illness::HangsUp) => {}
        Some(Illness::Silent) => stall(&mut stream).await,
        Some(Illness::Says(text)) => stream.write_all(text.as_bytes()).await?,
        Some(Illness::Stalls(text)) => {
            stream.write_all(text.as_bytes()).await?;
            stall(&mut stream).await;
        }
        Some(Illness::Pours(text, total)) => {
            stream.write_all(text.as_bytes()).await?;
            let chunk = [b'1'; 65_536];
            for _ in 0..total / chunk.len() {
                stream.write_all(&chunk).await?;
                shared.poured.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
        Some(Illness::Drips(text)) => {
            stream.write_all(text.as_bytes()).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.write_all(b"1").await?;
            }
        }
    }
    stream.shutdown().await
}

/// Waits until the client leaves.
async fn stall(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0; 1]).await;
}

/// Reads a request to its end and tells its path.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            let target = head.split(' ').nth(1).unwrap_or_default();
            return Ok(target.split('?').next().unwrap_or_default().to_owned());
        }
    }
}

/// An answer that is well.
pub(super) fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// An answer with this status, these headers (each with its line's end) and a body.
pub(super) fn with_status(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn well(path: &str) -> &'static str {
    match path {
        "/token" => r#"{"access_token":"t","expires_in":5000000}"#,
        "/v4/games" => r#"[{"id":1,"name":"Game"}]"#,
        "/3/search/multi" => r#"{"results":[{"media_type":"movie","id":7,"title":"Movie"}]}"#,
        "/b/volumes" => r#"{"totalItems":1,"items":[{"id":"a","volumeInfo":{"title":"Book"}}]}"#,
        "/b/volumes/a" => r#"{"id":"a","volumeInfo":{"title":"Book"}}"#,
        path if path.starts_with("/3/movie/") => r#"{"id":7,"title":"Movie"}"#,
        _ => r#"{"genres":[]}"#,
    }
}
