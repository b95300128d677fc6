//! Counts of what happened, per source. Numbers only: no text, no id.

use std::sync::atomic::{AtomicU64, Ordering};

use super::breaker::BreakerState;
use super::media_id::SourceName;

/// A look at all counters. They count from the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub sources: Vec<SourceStats>,
    /// The sources' image hosts.
    pub pictures: Vec<SourceStats>,
    /// The approximate weight of all kept answers, in bytes.
    pub cache_bytes: u64,
    pub cache_entries: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceStats {
    pub source: SourceName,
    /// HTTP requests sent, retries and sign-ins included.
    pub requests: u64,
    /// Requests that brought no answer: no connection, time-out, an error status, nonsense.
    pub errors: u64,
    /// Lookups not made, or refused by the source, because an allowance was used up.
    pub rate_limited: u64,
    pub cache_hits: u64,
    pub cache_misses: u64,
    /// Older answers given because the source did not answer.
    pub stale_served: u64,
    /// Searches the source refused to understand; they count as searches without results.
    pub texts_refused: u64,
    /// How often the source was left alone for a while because it failed again and again.
    pub breaker_opened: u64,
    pub breaker: BreakerState,
}

/// The counters of one source.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: Counter,
    pub(super) errors: Counter,
    pub(super) rate_limited: Counter,
    pub(super) cache_hits: Counter,
    pub(super) cache_misses: Counter,
    pub(super) stale_served: Counter,
    pub(super) texts_refused: Counter,
    pub(super) breaker_opened: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn read(&self, source: SourceName, breaker: BreakerState) -> SourceStats {
        SourceStats {
            source,
            requests: self.requests.get(),
            errors: self.errors.get(),
            rate_limited: self.rate_limited.get(),
            cache_hits: self.cache_hits.get(),
            cache_misses: self.cache_misses.get(),
            stale_served: self.stale_served.get(),
            texts_refused: self.texts_refused.get(),
            breaker_opened: self.breaker_opened.get(),
            breaker,
        }
    }
}
