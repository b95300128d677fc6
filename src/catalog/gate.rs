//! Keeps requests to one source within its allowance: so many a second, so many open at once, so
//! many a day, none while the source has asked for a pause or fails again and again. Whoever would
//! wait too long is refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::breaker::{Breaker, Trial};
use super::day_share::{DayCount, next_pacific_midnight, pacific_day};
use super::failure::Failure;
use crate::clock::Millis;

pub(super) type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// The longest a request waits for its turn, and again for a free place.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// What a source allows; see [`Gate::new`] for the share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) per_second: f64,
    /// How many may come at once after a quiet time.
    pub(super) burst: u32,
    /// Requests open at the same time.
    pub(super) open: usize,
    /// Requests per day of California, if the source counts them.
    pub(super) per_day: Option<u32>,
}

pub(super) struct Gate {
    clock: Clock,
    closed: Mutex<Closed>,
    pub(super) breaker: Breaker,
    pace: Pace,
    places: Semaphore,
    day: Option<(DayCount, u32)>,
}

/// The right to make one request.
pub(super) struct Pass<'a> {
    /// To be told how it went.
    pub(super) trial: Trial<'a>,
    _place: SemaphorePermit<'a>,
}

/// Until when no request is made, and what those who come meanwhile are told.
#[derive(Debug, Clone, Copy, Default)]
struct Closed {
    until: Millis,
    limited: bool,
}

impl Gate {
    /// A gate for `share` (above 0, at most 1) of the allowance.
    pub(super) fn new(allowance: Allowance, share: f64, clock: Clock) -> Self {
        let part = |number: f64| (number * share).floor().max(1.0);
        Self {
            breaker: Breaker::new(clock.clone()),
            clock,
            closed: Mutex::default(),
            pace: Pace::new(allowance.per_second * share, part(f64::from(allowance.burst)) as u32),
            places: Semaphore::new(part(allowance.open as f64) as usize),
            day: allowance.per_day.map(|calls| (DayCount::default(), part(f64::from(calls)) as u32)),
        }
    }

    pub(super) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Waits for the right to make one request; it ends with the returned pass.
    pub(super) async fn enter(&self) -> Result<Pass<'_>, Failure> {
        self.check_open()?;
        let busy = Failure::RateLimited { retry_after_seconds: MAX_WAIT.as_secs() };
        let wait = self.pace.reserve(MAX_WAIT).ok_or(busy)?;
        tokio::time::sleep(wait).await;
        let place = match tokio::time::timeout(MAX_WAIT, self.places.acquire()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) | Err(_) => return Err(busy),
        };
        // The source may have asked for a pause meanwhile.
        self.check_open()?;
        let trial = self.breaker.enter()?;
        if let Some((count, limit)) = &self.day
            && !count.take(pacific_day(self.now()), *limit)
        {
            self.close_for_the_day();
            self.check_open()?;
        }
        Ok(Pass { trial, _place: place })
    }

    /// Fails while the source is not to be asked.
    pub(super) fn check_open(&self) -> Result<(), Failure> {
        let Closed { until, limited } = *lock(&self.closed);
        let left = until - self.now();
        if left <= 0 {
            return self.breaker.check();
        }
        let retry_after_seconds = u64::try_from(left).unwrap_or(0).div_ceil(1000);
        Err(if limited {
            Failure::RateLimited { retry_after_seconds }
        } else {
            Failure::Unavailable { retry_after_seconds }
        })
    }

    /// Makes no request for `pause`; `limited` tells an allowance used up from a fault.
    pub(super) fn close(&self, pause: Duration, limited: bool) {
        let pause = Millis::try_from(pause.as_millis()).unwrap_or(Millis::MAX / 2);
        self.close_until(self.now().saturating_add(pause), limited);
    }

    /// Makes no request until the next day begins in California.
    pub(super) fn close_for_the_day(&self) {
        self.close_until(next_pacific_midnight(self.now()), true);
    }

    fn close_until(&self, until: Millis, limited: bool) {
        let mut closed = lock(&self.closed);
        if until > closed.until {
            *closed = Closed { until, limited };
        }
    }

    /// How long California's day still lasts.
    pub(super) fn seconds_left_today(&self) -> u64 {
        let now = self.now();
        u64::try_from(next_pacific_midnight(now) - now).unwrap_or(0).div_ceil(1000)
    }

    /// The most calls a day, if they are counted.
    pub(super) fn day_limit(&self) -> Option<u32> {
        self.day.as_ref().map(|(_, limit)| *limit)
    }
}

/// A token bucket that hands out turns in order of arrival.
struct Pace {
    interval: Duration,
    /// How far turns may run ahead of an even pace.
    ahead: Duration,
    /// When the next turn would be due at an even pace.
    due: Mutex<Instant>,
}

impl Pace {
    fn new(per_second: f64, burst: u32) -> Self {
        let interval = Duration::from_secs_f64((1.0 / per_second).clamp(0.0, 3600.0));
        Self { interval, ahead: interval * burst.saturating_sub(1), due: Mutex::new(Instant::now()) }
    }

    /// How long to wait for the next turn, which is then taken; `None` if longer than `max`.
    fn reserve(&self, max: Duration) -> Option<Duration> {
        let now = Instant::now();
        let mut due = lock(&self.due);
        let wait = due.saturating_duration_since(now).saturating_sub(self.ahead);
        if wait > max {
            return None;
        }
        *due = (*due).max(now) + self.interval;
        Some(wait)
    }
}

/// Nothing that runs under these locks can leave them in disorder.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
