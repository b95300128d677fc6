//! What a device costs that is connected and waits: idle streams of events, by the thousand.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::load::{self, Plan, Until};
use crate::service::Process;
use crate::{Result, seed};

pub const STREAMS: usize = 1000;

/// How long the streams stay open before the memory is looked at.
const REST: Duration = Duration::from_secs(2);
/// How long a stream may take to say where its account stands.
const PATIENCE: Duration = Duration::from_secs(15);

/// KiB that each of [`STREAMS`] idle streams adds to a service that has served before.
///
/// # Errors
/// A stream was refused. Both processes need some 1,100 file descriptors.
pub async fn run(binary: &Path, settings: &[(&'static str, String)], tokens: &[String]) -> Result<f64> {
    let process = Process::serve(binary, settings)?;
    // What the first requests leave behind for ever is no stream's.
    let heads: Vec<_> = tokens.iter().take(64).map(|token| vec![load::get("/v1/sync/head", token)]).collect();
    load::round(process.address, &Plan::new(heads), Until::Passed(Duration::from_secs(2)), Vec::new())
        .await?;
    sleep(REST).await;
    let before = process.memory()?;
    let mut streams = Vec::with_capacity(STREAMS);
    for number in 0..STREAMS {
        let token = tokens.get(number % seed::ACCOUNTS).map(String::as_str).unwrap_or_default();
        let mut stream = TcpStream::connect(process.address).await?;
        stream.write_all(&load::get("/v1/sync/events", token)).await?;
        timeout(PATIENCE, first_event(&mut stream)).await??;
        streams.push(stream);
    }
    sleep(REST).await;
    let after = process.memory()?;
    drop(streams);
    Ok((after - before) * 1024.0 / STREAMS as f64)
}

async fn first_event(stream: &mut TcpStream) -> Result<()> {
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    while !text.windows(5).any(|five| five == b"data:") {
        let read = stream.read(&mut part).await?;
        if read == 0 || text.len() > part.len() {
            return Err(format!("no event: {}", String::from_utf8_lossy(&text)).into());
        }
        text.extend_from_slice(part.get(..read).unwrap_or_default());
    }
    Ok(())
}
