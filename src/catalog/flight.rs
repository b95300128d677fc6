//! Lookups on their way: however many ask for the same thing, one request is made, and whoever stops
//! waiting does not stop it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::cache::{Cache, Value};
use super::failure::Failure;
use super::fair_share::Claim;
use super::gate::lock;
use super::request::Lookup;
use crate::fair_queue::Turn;

/// The most lookups under way at once; whoever would start another is refused.
const MAX_OPEN: usize = 1024;

pub(super) type Outcome = Result<Value, Failure>;

/// The lookups under way and the cache that their answers land in.
pub(super) struct Flights {
    open: Mutex<HashMap<Lookup, Flight>>,
    cache: Arc<Cache>,
}

/// A lookup under way: where its outcome will be, and its place in the source's queue.
struct Flight {
    landing: watch::Receiver<Option<Outcome>>,
    turn: Arc<Turn>,
}

/// How a wish to look something up is met.
pub(super) enum Boarded {
    /// The answer came in the meantime.
    Landed(Value),
    Flying(Flying),
}

/// A seat in a flight.
pub(super) struct Flying(watch::Receiver<Option<Outcome>>);

impl Flying {
    /// Waits for the landing. A flight that crashed was in vain.
    pub(super) async fn landing(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(Failure::UNAVAILABLE)),
            Err(_) => Err(Failure::UNAVAILABLE),
        }
    }
}

impl Flights {
    pub(super) fn new(cache: Arc<Cache>) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), cache })
    }

    /// Joins the flight for `lookup`, or starts one with `fetch`, unless `permit` refuses that. Where the
    /// claim is more urgent than that of a flight under way, the flight gets its place in the queue.
    pub(super) fn board<F>(
        self: &Arc<Self>,
        lookup: &Lookup,
        claim: &Claim,
        permit: impl FnOnce() -> Result<(), Failure>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Boarded, Failure>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut open = lock(&self.open);
        if let Some(flight) = open.get(lookup) {
            Claim::join(&flight.turn, claim);
            return Ok(Boarded::Flying(Flying(flight.landing.clone())));
        }
        // A flight that has just landed is in the cache before it leaves the map.
        if let Some(value) = self.cache.fresh(lookup) {
            return Ok(Boarded::Landed(value));
        }
        if open.len() >= MAX_OPEN {
            return Err(Failure::RateLimited { retry_after_seconds: 1 });
        }
        permit()?;
        let (landed, flight) = watch::channel(None);
        open.insert(lookup.clone(), Flight { landing: flight.clone(), turn: claim.turn.clone() });
        drop(open);
        let ticket = Ticket { flights: self.clone(), lookup: lookup.clone() };
        let fetch = fetch();
        tokio::spawn(async move {
            let outcome = fetch.await;
            if let Ok(value) = &outcome {
                ticket.flights.cache.insert(ticket.lookup.clone(), value.clone());
            }
            landed.send_replace(Some(outcome));
        });
        Ok(Boarded::Flying(Flying(flight)))
    }
}

/// Takes the flight off the map, also when it crashes.
struct Ticket {
    flights: Arc<Flights>,
    lookup: Lookup,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.flights.open).remove(&self.lookup);
    }
}

#[cfg(test)]
#[path = "flight_test.rs"]
mod tests;
