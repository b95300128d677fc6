//! A person with a library of 100,000 entries downloads a copy of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::service::Process;
use crate::{Result, load, seed};

const TURNS: usize = 3;
/// Reads between two looks at the memory.
const LOOK: usize = 16;
/// What every entry has once.
const ENTRY: &[u8] = b"\"media_id\":";

/// What one program showed.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Entries per second: the median of the turns.
    pub rate: f64,
    /// The most memory in use beyond that before the download, in MiB, without what is mapped of files.
    pub growth: f64,
}

/// Lets both be downloaded from by turns: the service first, then the bare program.
///
/// # Errors
/// A download was refused, ended early, or did not hold the whole library.
pub async fn run(service: &Process, bare: &Process, token: &str) -> Result<[Outcome; 2]> {
    let mut rates = [Vec::new(), Vec::new()];
    let mut outcomes = [Outcome::default(), Outcome::default()];
    for _ in 0..TURNS {
        let made = load::post("/v1/account/exports", token, r#"{"format":"json"}"#);
        let made: serde_json::Value = serde_json::from_slice(&load::fetch(service.address, &made).await?)?;
        let copy = made["url"].as_str().ok_or("an export without an address")?;
        for (index, (runner, path)) in [(service, copy), (bare, "/v1/export")].into_iter().enumerate() {
            let before = runner.own_memory()?;
            let (took, most) = read(runner, path, token).await?;
            rates[index].push(seed::LARGE as f64 / took.as_secs_f64());
            outcomes[index].growth = outcomes[index].growth.max(most - before);
        }
    }
    for (rates, outcome) in rates.iter_mut().zip(&mut outcomes) {
        rates.sort_by(f64::total_cmp);
        outcome.rate = rates.get(TURNS / 2).copied().unwrap_or_default();
    }
    Ok(outcomes)
}

/// How long the whole took, and the most memory seen on the way.
async fn read(runner: &Process, path: &str, token: &str) -> Result<(Duration, f64)> {
    let started = Instant::now();
    let mut stream = connect(runner.address, path, token).await?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut kept, mut entries, mut most) = (0, 0, 0.0_f64);
    let mut last = Vec::new();
    for turn in 0.. {
        // What may be the beginning of a name stays in front of what comes next.
        let read = stream.read(buffer.get_mut(kept..).unwrap_or_default()).await?;
        let seen = buffer.get(..kept + read).unwrap_or_default();
        if read == 0 {
            last.extend_from_slice(seen);
            break;
        }
        entries += seen.windows(ENTRY.len()).filter(|window| *window == ENTRY).count();
        let rest = seen.len().saturating_sub(ENTRY.len() - 1);
        kept = seen.len() - rest;
        buffer.copy_within(rest..rest + kept, 0);
        if turn % LOOK == 0 {
            most = most.max(runner.own_memory()?);
        }
    }
    if !last.trim_ascii_end().ends_with(b"}") || entries != seed::LARGE {
        return Err(format!("{entries} entries were read instead of {}", seed::LARGE).into());
    }
    Ok((started.elapsed(), most))
}

async fn connect(address: SocketAddr, path: &str, token: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let request = String::from_utf8(load::get(path, token))?;
    // To HTTP/1.0 a body of unknown length comes as it is, with nothing between its pieces.
    let request = request.replace("HTTP/1.1", "HTTP/1.0");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}
