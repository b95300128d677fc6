//! Keeps requests to one source within its allowance: so many a second, so many open at once, so
//! many a day, none while the source has asked for a pause or fails again and again. Those that wait
//! are served in turns by share; whoever would wait too long is refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::breaker::{Breaker, Trial};
use super::failure::Failure;
use super::fair_share::{Claim, DayCount, next_pacific_midnight, pacific_day};
use crate::clock::Millis;
use crate::fair_queue::{FairQueue, Limits, Permit, Priority};

pub(super) type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// The longest a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The same where nobody waits for the answer.
const MAX_BACKGROUND_WAIT: Duration = Duration::from_secs(10);

/// Requests that wait at once.
const MAX_WAITING: usize = 256;

/// The part of a day's calls that is kept for the shares that used least, as a divisor.
const KEPT_OF_DAY: u32 = 5;
/// The part of a day's calls up to which a share has used little, as a divisor.
const LITTLE_OF_DAY: u32 = 100;

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
    turns: FairQueue,
    day: Option<(DayCount, u32)>,
}

/// The right to make one request.
pub(super) struct Pass<'a> {
    /// To be told how it went.
    pub(super) trial: Trial<'a>,
    _permit: Permit,
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
        let open = part(allowance.open as f64) as usize;
        let turns = FairQueue::new(Limits {
            per_second: allowance.per_second * share,
            burst: part(f64::from(allowance.burst)) as u32,
            open,
            // Slow answers to one share leave places to the others.
            open_per_lane: open.div_ceil(2),
            waiting: MAX_WAITING,
        });
        Self {
            breaker: Breaker::new(clock.clone()),
            clock,
            closed: Mutex::default(),
            turns,
            day: allowance.per_day.map(|calls| (DayCount::default(), part(f64::from(calls)) as u32)),
        }
    }

    pub(super) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Waits for the right to make one request; it ends with the returned pass.
    pub(super) async fn enter(&self, claim: &Claim) -> Result<Pass<'_>, Failure> {
        self.check_open()?;
        let max_wait = match claim.turn.priority() {
            Priority::Background => MAX_BACKGROUND_WAIT,
            Priority::Interactive | Priority::Urgent => MAX_WAIT,
        };
        let permit = self
            .turns
            .enter(claim.turn.clone(), max_wait)
            .await
            .map_err(|_| Failure::RateLimited { retry_after_seconds: MAX_WAIT.as_secs() })?;
        // The source may have asked for a pause meanwhile.
        self.check_open()?;
        let trial = self.breaker.enter()?;
        self.take_of_day(claim)?;
        Ok(Pass { trial, _permit: permit })
    }

    /// Counts one call of the day, if the source counts them. The last fifth of a day is for shares that
    /// have used little of it, so that a few that use much leave something to everybody else.
    fn take_of_day(&self, claim: &Claim) -> Result<(), Failure> {
        let Some((count, limit)) = &self.day else { return Ok(()) };
        let day = pacific_day(self.now());
        let little = (limit / LITTLE_OF_DAY).max(1);
        let kept = if claim.share.count().used(day) > little { limit / KEPT_OF_DAY } else { 0 };
        if count.take(day, limit - kept) {
            return Ok(());
        }
        if kept == 0 {
            self.close_for_the_day();
            self.check_open()?;
        }
        Err(Failure::RateLimited { retry_after_seconds: self.seconds_left_today() })
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

/// Nothing that runs under these locks can leave them in disorder.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
