//! What it costs a phone to send one change and to read one change, by the size of its library: it is not
//! to matter.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::service::Process;
use crate::{Result, load, seed};

/// Libraries of three sizes.
pub const SIZES: [(&str, usize); 3] =
    [("bench-small", 100), ("bench-medium", 10_000), (seed::LARGE_USER, seed::LARGE)];

const WARM_UP: usize = 20;

/// What one size showed, in microseconds: medians over the turns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// From sending one mutation to its result, the commit included.
    pub push: f64,
    /// From asking for what is new to the one change that is.
    pub pull: f64,
}

impl Outcome {
    pub fn both(&self) -> f64 {
        self.push + self.pull
    }
}

/// One account's phone.
struct Phone<'a> {
    token: &'a str,
    cursor: String,
    /// The newest revision that it has read.
    head: i64,
    pushes: Vec<f64>,
    pulls: Vec<f64>,
}

/// Lets a phone of each size sync by turns; `tokens` and the outcomes are in the order of [`SIZES`].
///
/// # Errors
/// A mutation was not applied, or what came back was not the one change.
pub async fn run(service: &Process, tokens: &[String; 3], turns: usize) -> Result<[Outcome; 3]> {
    let mut phones = Vec::with_capacity(tokens.len());
    for token in tokens {
        phones.push(Phone::new(service, token).await?);
    }
    for turn in 0..WARM_UP + turns {
        for phone in &mut phones {
            phone.sync(service, turn).await?;
        }
    }
    let mut outcomes = [Outcome::default(); 3];
    for (outcome, mut phone) in outcomes.iter_mut().zip(phones) {
        *outcome = Outcome { push: median(&mut phone.pushes), pull: median(&mut phone.pulls) };
    }
    Ok(outcomes)
}

impl<'a> Phone<'a> {
    /// A phone that has read everything.
    async fn new(service: &Process, token: &'a str) -> Result<Self> {
        let mut path = "/v1/sync?limit=1000".to_owned();
        loop {
            let page = load::fetch(service.address, &load::get(&path, token)).await?;
            let page: serde_json::Value = serde_json::from_slice(&page)?;
            let cursor = page["cursor"].as_str().ok_or("a page without a cursor")?.to_owned();
            if page["has_more"] == false {
                let head = head(&page)?;
                return Ok(Self { token, cursor, head, pushes: Vec::new(), pulls: Vec::new() });
            }
            path = format!("/v1/sync?limit=1000&cursor={cursor}");
        }
    }

    async fn sync(&mut self, service: &Process, turn: usize) -> Result<()> {
        // Another value each time: what is so already would be no change.
        let body = serde_json::json!({
            "cursor": self.cursor,
            "mutations": [{
                "id": Uuid::new_v4(), "made_at": "2026-01-02T00:00:00.000Z",
                "kind": "entry", "key": seed::LARGE_FIRST, "base_revision": self.head,
                "set": { "rating": turn % 100 + 1 },
            }],
        });
        let request = load::post("/v1/sync", self.token, &body.to_string());
        let (answer, push) = timed(service, &request).await?;
        if answer["results"][0]["outcome"] != "applied" {
            return Err(format!("a mutation was not applied: {answer}").into());
        }
        let path = format!("/v1/sync?limit=1000&cursor={}", self.cursor);
        let (page, pull) = timed(service, &load::get(&path, self.token)).await?;
        if page["changes"].as_array().map(Vec::len) != Some(1) {
            return Err("not the one change that was made".into());
        }
        self.cursor = page["cursor"].as_str().ok_or("a page without a cursor")?.to_owned();
        self.head = head(&page)?;
        if turn >= WARM_UP {
            self.pushes.push(micros(push));
            self.pulls.push(micros(pull));
        }
        Ok(())
    }
}

fn head(page: &serde_json::Value) -> Result<i64> {
    Ok(page["head"].as_i64().ok_or("a page without a head")?)
}

async fn timed(service: &Process, request: &[u8]) -> Result<(serde_json::Value, Duration)> {
    let asked = Instant::now();
    let answer = load::fetch(service.address, request).await?;
    let took = asked.elapsed();
    Ok((serde_json::from_slice(&answer)?, took))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
