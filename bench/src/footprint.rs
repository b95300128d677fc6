//! What the service weighs and how quickly it comes up.

use std::path::Path;
use std::time::Duration;

use crate::load::{self, Plan, Until};
use crate::service::Process;
use crate::{Result, flood};

/// The bound on the cache while it is measured, in bytes.
pub const CACHE: usize = 16 << 20;

/// Searches that fill the cache one and a half times over: a page of them weighs some 40 KiB there.
const SEARCHES: usize = 600;
const CONNECTIONS: usize = 64;
const STARTS: usize = 5;

/// Milliseconds from the creation of the process to its first ready answer, on an existing database:
/// the median.
pub fn start(binary: &Path, settings: &[(&'static str, String)]) -> Result<f64> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(Process::serve(binary, settings)?.started_in.as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(STARTS / 2).copied().unwrap_or_default())
}

/// MiB in use a second after the start.
pub async fn idle(binary: &Path, settings: &[(&'static str, String)]) -> Result<f64> {
    let process = Process::serve(binary, settings)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    process.memory()
}

/// MiB in use beyond the cache's bound once the cache is full and while 64 connections read pages.
pub async fn full(binary: &Path, settings: &[(&'static str, String)], token: &str) -> Result<f64> {
    let mut settings = settings.to_vec();
    settings.push(("TMDB_BASE_URL", format!("http://{}/3", flood::start().await?)));
    settings.push(("OMNITRACK_CACHE_BYTES", CACHE.to_string()));
    let process = Process::serve(binary, &settings)?;
    let mut searches = vec![Vec::new(); CONNECTIONS];
    for number in 0..SEARCHES {
        // Numbers with letters between them, so that they are no telephone number.
        let path = format!("/v1/search?q=home%20{number}%20way&kind=movie");
        if let Some(connection) = searches.get_mut(number % CONNECTIONS) {
            connection.push(load::get(&path, token));
        }
    }
    // TMDB's allowance decides how long this takes: 25 requests a second.
    let seen = load::round(process.address, &Plan::new(searches), Until::Once, Vec::new()).await?;
    if seen.latencies.len() != SEARCHES {
        return Err("the searches that fill the cache were refused".into());
    }
    let pages = Plan::same(CONNECTIONS, &load::get("/v1/library", token));
    let reading = load::round(process.address, &pages, Until::Passed(Duration::from_secs(2)), Vec::new());
    let while_reading = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        process.memory()
    };
    let (read, memory) = tokio::join!(reading, while_reading);
    read?;
    Ok(memory? - CACHE as f64 / f64::from(1 << 20))
}
