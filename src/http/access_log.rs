//! What the log and the metrics say of a request. A request that anybody can make in any number without
//! an account is counted and summed up once a second; every other request has a line of its own. Nothing
//! that a client chose is written: the method is one of the known ones, the route is the template.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use poem::http::Method;

use crate::telemetry::{Metrics, method_label};

/// How often the summary is written, at most.
const PERIOD: Duration = Duration::from_secs(1);

/// The statuses that the summary names, each with a counter. What else is refused counts as `other`.
const STATUSES: [u16; 6] = [400, 401, 404, 405, 413, 429];

/// One answered request.
pub struct Entry<'a> {
    pub request_id: &'a str,
    pub method: &'a Method,
    pub route: &'static str,
    pub status: u16,
    /// The code of the problem that was answered.
    pub problem: Option<&'static str>,
    /// Whether the request was made by somebody with an account.
    pub authenticated: bool,
    /// Whether a monitoring system asks this route again and again.
    pub probe: bool,
    pub took: Duration,
}

impl Entry<'_> {
    /// Whether the request is part of the summary instead of having a line.
    fn is_summarized(&self) -> bool {
        match self.status {
            401 | 405 | 413 | 429 => true,
            400..=499 => !self.authenticated,
            _ => self.probe && self.status < 400,
        }
    }
}

/// Writes the lines and keeps the counters of the running second. Clones share them.
#[derive(Clone, Default)]
pub struct AccessLog(Arc<Counters>);

#[derive(Default)]
struct Counters {
    by_status: [AtomicU64; STATUSES.len()],
    other: AtomicU64,
    probes: AtomicU64,
    /// Whether a task waits for the end of the second.
    scheduled: AtomicBool,
}

impl AccessLog {
    /// Counts an answered request and logs it. Must be called within the runtime.
    pub fn record(&self, metrics: &Metrics, entry: &Entry<'_>) {
        metrics.answered(entry.method, entry.route, entry.status, entry.took);
        if let Some(reason) = entry.problem
            && (400..500).contains(&entry.status)
        {
            metrics.request_refused(entry.status, reason);
        }
        if entry.is_summarized() {
            self.sum_up(entry);
            return;
        }
        tracing::info!(
            request_id = %entry.request_id,
            method = method_label(entry.method),
            route = entry.route,
            status = entry.status,
            ms = entry.took.as_secs_f64() * 1000.0,
            "request"
        );
    }

    fn sum_up(&self, entry: &Entry<'_>) {
        let counters = &self.0;
        let index = STATUSES.iter().position(|status| *status == entry.status);
        let counter = match index.and_then(|index| counters.by_status.get(index)) {
            Some(counter) => counter,
            None if entry.probe && entry.status < 400 => &counters.probes,
            None => &counters.other,
        };
        counter.fetch_add(1, Ordering::SeqCst);
        if !counters.scheduled.swap(true, Ordering::SeqCst) {
            let counters = Arc::clone(counters);
            tokio::spawn(async move {
                tokio::time::sleep(PERIOD).await;
                // Cleared first: whatever is counted from now on schedules the next summary.
                counters.scheduled.store(false, Ordering::SeqCst);
                counters.write();
            });
        }
    }
}

impl Counters {
    fn write(&self) {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::SeqCst);
        let [invalid, unauthorized, not_found, method_not_allowed, too_large, rate_limited] =
            self.by_status.each_ref().map(take);
        let (other, probes) = (take(&self.other), take(&self.probes));
        tracing::info!(
            invalid,
            unauthorized,
            not_found,
            method_not_allowed,
            too_large,
            rate_limited,
            other,
            probes,
            "requests.summarized"
        );
    }
}

#[cfg(test)]
#[path = "access_log_test.rs"]
mod tests;
