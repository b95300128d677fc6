//! Two or more programs under the same load, in short rounds by turns, so that whatever else the machine
//! does meets all of them.

use std::time::Duration;

use crate::Result;
use crate::load::{self, Plan, Until};
use crate::service::Process;

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
    /// Processor time per answer over all rounds, in microseconds: other work on the machine hardly
    /// touches it.
    pub processor: f64,
}

impl Outcome {
    /// How long the slow answers take, measured by the usual ones.
    pub fn spread(&self) -> f64 {
        self.p99 / self.p50
    }
}

#[derive(Default)]
struct Lane {
    /// Where its connections stand in the plan.
    places: Vec<usize>,
    rates: Vec<f64>,
    latencies: Vec<u32>,
    processor_time: f64,
}

/// Lets each of `runners` answer `plan`; the outcomes come in their order.
///
/// # Errors
/// A connection broke, or a program answered with anything but success.
pub async fn run<const N: usize>(what: &str, plan: &Plan, runners: [&Process; N]) -> Result<[Outcome; N]> {
    eprintln!("  {what}");
    let mut lanes: [Lane; N] = std::array::from_fn(|_| Lane::default());
    for turn in 0..=ROUNDS {
        for (lane, runner) in lanes.iter_mut().zip(runners) {
            let time = if turn == 0 { WARM_UP } else { ROUND };
            let before = runner.processor_time()?;
            let places = std::mem::take(&mut lane.places);
            let seen = load::round(runner.address, plan, Until::Passed(time), places).await?;
            if seen.refused > 0 {
                return Err(format!("{what}: {} answers were not successes", seen.refused).into());
            }
            if turn > 0 {
                lane.rates.push(seen.rate());
                lane.processor_time += runner.processor_time()? - before;
                lane.latencies.extend(seen.latencies);
            }
            lane.places = seen.places;
        }
    }
    Ok(lanes.map(Lane::outcome))
}

impl Lane {
    fn outcome(mut self) -> Outcome {
        self.rates.sort_by(f64::total_cmp);
        self.latencies.sort_unstable();
        let part = |hundredths: usize| {
            let at = self.latencies.len() * hundredths / 100;
            f64::from(self.latencies.get(at).copied().unwrap_or_default()) / 1000.0
        };
        Outcome {
            rate: self.rates.get(self.rates.len() / 2).copied().unwrap_or_default(),
            p50: part(50),
            p99: part(99),
            processor: self.processor_time * 1e6 / self.latencies.len().max(1) as f64,
        }
    }
}
