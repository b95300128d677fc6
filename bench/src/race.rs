//! Two or more programs under the same load, in short rounds by turns, so that whatever else the machine
//! does meets all of them.

use std::net::SocketAddr;
use std::time::Duration;

use crate::Result;
use crate::load::{self, Plan, Until};

const WARM_UP: Duration = Duration::from_millis(600);
const ROUND: Duration = Duration::from_millis(2000);
const ROUNDS: usize = 3;

/// How one program did.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Answers per second: the median of the rounds.
    pub rate: f64,
    /// Over the answers of all rounds, in milliseconds.
    pub p50: f64,
    pub p99: f64,
}

impl Outcome {
    /// How long the slow answers take, measured by the usual ones.
    pub fn spread(&self) -> f64 {
        self.p99 / self.p50
    }
}

/// Lets each of `runners` answer `plan`; the outcomes come in their order.
///
/// # Errors
/// A connection broke, or a program answered with anything but success.
pub async fn run(what: &str, plan: &Plan, runners: &[SocketAddr]) -> Result<Vec<Outcome>> {
    eprintln!("  {what}");
    let mut places = vec![Vec::new(); runners.len()];
    let mut rates = vec![Vec::new(); runners.len()];
    let mut latencies = vec![Vec::new(); runners.len()];
    for turn in 0..=ROUNDS {
        for (index, runner) in runners.iter().enumerate() {
            let time = if turn == 0 { WARM_UP } else { ROUND };
            let before = places.get_mut(index).map(std::mem::take).unwrap_or_default();
            let seen = load::round(*runner, plan, Until::Passed(time), before).await?;
            if seen.refused > 0 {
                return Err(format!("{what}: {} answers were not successes", seen.refused).into());
            }
            let rate = seen.rate();
            let (Some(place), Some(rates), Some(latencies)) =
                (places.get_mut(index), rates.get_mut(index), latencies.get_mut(index))
            else {
                continue;
            };
            *place = seen.places;
            if turn > 0 {
                rates.push(rate);
                latencies.extend(seen.latencies);
            }
        }
    }
    Ok(rates.into_iter().zip(latencies).map(|(rates, latencies)| outcome(rates, latencies)).collect())
}

fn outcome(mut rates: Vec<f64>, mut latencies: Vec<u32>) -> Outcome {
    rates.sort_by(f64::total_cmp);
    latencies.sort_unstable();
    let part = |hundredths: usize| {
        let at = latencies.len() * hundredths / 100;
        f64::from(latencies.get(at).copied().unwrap_or_default()) / 1000.0
    };
    Outcome { rate: rates.get(rates.len() / 2).copied().unwrap_or_default(), p50: part(50), p99: part(99) }
}
