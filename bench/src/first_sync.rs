//! A phone that has nothing reads a library of 100,000 entries, page by page.

use std::time::{Duration, Instant};

use crate::load;
use crate::service::Process;
use crate::{Result, seed};

const PAGE: usize = 1000;
const TURNS: usize = 3;

/// What one program showed.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Changes per second: the median of the turns.
    pub rate: f64,
    /// The most memory in use at the end of a page beyond that before the first one, in MiB, without and
    /// with what is mapped of the database's file.
    pub growth: f64,
    pub with_file: f64,
}

/// Lets each program be read by turns; the outcomes come in their order.
///
/// # Errors
/// A page was refused, or the pages did not hold the whole library.
pub async fn run<const N: usize>(runners: [&Process; N], token: &str) -> Result<[Outcome; N]> {
    let mut rates: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    let mut outcomes: [Outcome; N] = std::array::from_fn(|_| Outcome::default());
    for _ in 0..TURNS {
        for ((runner, rates), outcome) in runners.iter().zip(&mut rates).zip(&mut outcomes) {
            let (took, growth, with_file) = read(runner, token).await?;
            rates.push(seed::LARGE as f64 / took.as_secs_f64());
            outcome.growth = outcome.growth.max(growth);
            outcome.with_file = outcome.with_file.max(with_file);
        }
    }
    for (mut rates, outcome) in rates.into_iter().zip(&mut outcomes) {
        rates.sort_by(f64::total_cmp);
        outcome.rate = rates.get(TURNS / 2).copied().unwrap_or_default();
    }
    Ok(outcomes)
}

async fn read(runner: &Process, token: &str) -> Result<(Duration, f64, f64)> {
    let mut path = format!("/v1/sync?limit={PAGE}");
    let before = (runner.own_memory()?, runner.memory()?);
    let mut most = (0.0_f64, 0.0_f64);
    let (mut read, mut took) = (0, Duration::ZERO);
    loop {
        let asked = Instant::now();
        let page = load::fetch(runner.address, &load::get(&path, token)).await?;
        took += asked.elapsed();
        most = (most.0.max(runner.own_memory()?), most.1.max(runner.memory()?));
        let page = String::from_utf8(page)?;
        read += page.matches("\"kind\":\"entry\"").count();
        if page.contains("\"has_more\":false") {
            break;
        }
        let cursor = page.rsplit_once("\"cursor\":\"").and_then(|(_, rest)| rest.split('"').next());
        path = format!("/v1/sync?limit={PAGE}&cursor={}", cursor.ok_or("a page without a cursor")?);
    }
    if read != seed::LARGE {
        return Err(format!("{read} entries were read instead of {}", seed::LARGE).into());
    }
    Ok((took, most.0 - before.0, most.1 - before.1))
}
