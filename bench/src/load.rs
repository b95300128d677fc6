//! A small HTTP/1 load generator: so many connections, each with one request under way, requests made
//! beforehand, answers read by their `Content-Length` and not looked into. It runs on one thread beside
//! what it measures, so it does as little as it can.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Result;

/// How long one answer may take; a round is given this much longer than it should last.
const PATIENCE: Duration = Duration::from_secs(15);
/// Larger headers are not ours.
const MAX_HEADER: usize = 16 * 1024;

/// What each connection sends, over and over, in this order.
#[derive(Clone)]
pub struct Plan(Arc<Vec<Vec<Vec<u8>>>>);

impl Plan {
    /// One list of requests for each connection.
    pub fn new(requests: Vec<Vec<Vec<u8>>>) -> Self {
        Self(Arc::new(requests))
    }

    /// The same request on all connections.
    pub fn same(connections: usize, request: &[u8]) -> Self {
        Self::new(vec![vec![request.to_vec()]; connections])
    }
}

/// When a round ends.
#[derive(Clone, Copy)]
pub enum Until {
    Passed(Duration),
    /// Every request was sent once.
    Once,
}

/// What a round saw.
#[derive(Default)]
pub struct Seen {
    pub seconds: f64,
    /// Of answers with a success status, in microseconds.
    pub latencies: Vec<u32>,
    /// Answers with any other status.
    pub refused: u64,
    /// Where each connection stood in its list, for the next round to go on from.
    pub places: Vec<usize>,
}

impl Seen {
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }
}

/// Runs one round in a thread of its own. `places` is what the round before left, or empty.
///
/// # Errors
/// A connection broke, or an answer took longer than [`PATIENCE`].
pub async fn round(address: SocketAddr, plan: &Plan, until: Until, places: Vec<usize>) -> Result<Seen> {
    let plan = plan.clone();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let limit = match until {
            Until::Passed(time) => time + PATIENCE,
            Until::Once => 8 * PATIENCE,
        };
        runtime.block_on(async { timeout(limit, connections(address, plan, until, places)).await })?
    })
    .await?
}

async fn connections(address: SocketAddr, plan: Plan, until: Until, places: Vec<usize>) -> Result<Seen> {
    let mut streams = Vec::with_capacity(plan.0.len());
    for _ in 0..plan.0.len() {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let started = Instant::now();
    let mut running = Vec::with_capacity(streams.len());
    for (index, stream) in streams.into_iter().enumerate() {
        let first = places.get(index).copied().unwrap_or_default();
        running.push(tokio::spawn(connection(stream, plan.clone(), index, first, until, started)));
    }
    let mut seen = Seen::default();
    for connection in running {
        let mut one = connection.await??;
        seen.latencies.append(&mut one.latencies);
        seen.refused += one.refused;
        seen.places.append(&mut one.places);
    }
    seen.seconds = started.elapsed().as_secs_f64();
    Ok(seen)
}

async fn connection(
    mut stream: TcpStream,
    plan: Plan,
    index: usize,
    first: usize,
    until: Until,
    started: Instant,
) -> Result<Seen> {
    let requests = plan.0.get(index).map_or(&[][..], Vec::as_slice);
    let mut seen = Seen { places: vec![first], ..Seen::default() };
    let mut buffer = vec![0; 64 * 1024];
    for (sent, request) in requests.iter().cycle().skip(first % requests.len().max(1)).enumerate() {
        let over = match until {
            Until::Passed(time) => started.elapsed() >= time,
            Until::Once => sent >= requests.len(),
        };
        if over {
            break;
        }
        let asked = Instant::now();
        stream.write_all(request).await?;
        let (success, _) = answer(&mut stream, &mut buffer, |_| {}).await?;
        match success {
            true => seen.latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX)),
            false => seen.refused += 1,
        }
        seen.places = vec![first + sent + 1];
    }
    Ok(seen)
}

/// Sends one request and gives the body of a successful answer.
///
/// # Errors
/// No answer in time, or one without a success status.
pub async fn fetch(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    timeout(PATIENCE, async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request).await?;
        let mut body = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        match answer(&mut stream, &mut buffer, |part| body.extend_from_slice(part)).await? {
            (true, _) => Ok(body),
            (false, line) => Err(format!("{line}: {}", String::from_utf8_lossy(&body)).into()),
        }
    })
    .await?
}

/// Reads one answer: whether its status says success, and its first line if not.
async fn answer(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    mut body: impl FnMut(&[u8]),
) -> Result<(bool, String)> {
    let mut filled = 0;
    let (end, head) = loop {
        let free = buffer.get_mut(filled..).unwrap_or_default();
        let read = stream.read(free).await?;
        filled += read;
        let found = buffer.get(..filled).unwrap_or_default();
        if let Some(end) = found.windows(4).position(|four| four == b"\r\n\r\n") {
            break (end + 4, std::str::from_utf8(found.get(..end).unwrap_or_default())?);
        }
        if read == 0 || filled > MAX_HEADER {
            return Err("the connection ended before its answer".into());
        }
    };
    let line = head.lines().next().unwrap_or_default();
    let success = line.starts_with("HTTP/1.1 2");
    let line = if success { String::new() } else { line.to_owned() };
    let length = head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut left = (end + length.unwrap_or(0)).saturating_sub(filled);
    body(buffer.get(end..filled).unwrap_or_default());
    while left > 0 {
        let read = stream.read(buffer).await?;
        if read == 0 {
            return Err("the connection ended within an answer".into());
        }
        body(buffer.get(..read).unwrap_or_default());
        left = left.saturating_sub(read);
    }
    Ok((success, line))
}

/// A request as the phone sends it.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// The same with a JSON body.
pub fn patch(path: &str, token: &str, body: &str) -> Vec<u8> {
    with_body("PATCH", path, token, body)
}

/// As [`patch`].
pub fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    with_body("POST", path, token, body)
}

fn with_body(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
