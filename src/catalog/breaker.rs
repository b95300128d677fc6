//! Stops asking a source that fails again and again. After a run of failures it opens for a pause;
//! when that is over, one request goes through as a probe: an answer closes it, a failure opens it
//! for twice as long. It goes by the clock it is given and by nothing else, so it has no jitter.
//!
//! What counts as a failure is said in `wire`: no answer at all, an answer broken off or too large, a
//! server's error, nonsense. A refusal (404, 429, 401) shows a source that works. What shows neither
//! is no evidence: it neither opens nor closes, and a probe that brought none makes room for another.

use std::sync::Mutex;
use std::time::Duration;

use super::failure::Failure;
use super::gate::{Clock, lock};
use crate::clock::Millis;

/// Failures without an answer between them that open it: more than one lookup with all its retries.
pub(super) const RUN: u32 = 10;

const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// A source that is back is found out no later than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(160);

pub(super) struct Breaker {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Millis,
        pause: Duration,
    },
    /// The probe is on its way.
    Probing {
        pause: Duration,
    },
}

/// How a breaker stands, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BreakerState {
    #[default]
    Closed,
    /// The pause is over; the next request is, or was, the probe.
    HalfOpen,
    Open,
}

/// What a request showed of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    Works,
    Fails,
    None,
}

impl Breaker {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Fails while nothing may be asked; promises nothing to those who may.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.refusal(*lock(&self.state)).map_or(Ok(()), Err)
    }

    /// The right to make one request, which may be the probe.
    pub(super) fn enter(&self) -> Result<Trial<'_>, Failure> {
        let mut state = lock(&self.state);
        if let Some(failure) = self.refusal(*state) {
            return Err(failure);
        }
        let is_probe = match *state {
            State::Open { pause, .. } => {
                *state = State::Probing { pause };
                true
            }
            _ => false,
        };
        Ok(Trial { breaker: self, is_probe })
    }

    pub(super) fn state(&self) -> BreakerState {
        match *lock(&self.state) {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until, .. } if until > (self.clock)() => BreakerState::Open,
            State::Open { .. } | State::Probing { .. } => BreakerState::HalfOpen,
        }
    }

    fn refusal(&self, state: State) -> Option<Failure> {
        let left = match state {
            State::Closed { .. } => 0,
            State::Open { until, .. } => until - (self.clock)(),
            State::Probing { .. } => 1,
        };
        let retry_after_seconds = u64::try_from(left).unwrap_or(0).div_ceil(1000);
        (left > 0).then_some(Failure::Unavailable { retry_after_seconds })
    }

    fn open_for(&self, pause: Duration) -> State {
        let length = Millis::try_from(pause.as_millis()).unwrap_or(Millis::MAX / 2);
        State::Open { until: (self.clock)().saturating_add(length), pause }
    }

    /// Takes a request's evidence into account; true if that opened the breaker.
    fn learn(&self, evidence: Evidence, is_probe: bool) -> bool {
        let mut state = lock(&self.state);
        let next = match (*state, evidence) {
            (State::Probing { .. }, Evidence::Works) if is_probe => State::Closed { failures: 0 },
            (State::Probing { pause }, Evidence::Fails) if is_probe => {
                self.open_for((pause * 2).min(LONGEST_PAUSE))
            }
            // The next one to come is the probe.
            (State::Probing { pause }, Evidence::None) if is_probe => State::Open { until: 0, pause },
            (State::Closed { .. }, Evidence::Works) => State::Closed { failures: 0 },
            (State::Closed { failures }, Evidence::Fails) if failures + 1 < RUN => {
                State::Closed { failures: failures + 1 }
            }
            (State::Closed { .. }, Evidence::Fails) => self.open_for(FIRST_PAUSE),
            // Late news of a request that was made before it opened: the probe knows better.
            (state, _) => state,
        };
        let opened = *state != next && matches!(next, State::Open { until, .. } if until > 0);
        *state = next;
        opened
    }
}

/// A request that was let through.
pub(super) struct Trial<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Trial<'_> {
    /// Tells what the request showed; true if that opened the breaker.
    pub(super) fn tell(mut self, evidence: Evidence) -> bool {
        let opened = self.breaker.learn(evidence, self.is_probe);
        self.is_probe = false;
        opened
    }
}

/// A request that was never made, or whose task died, shows nothing.
impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.learn(Evidence::None, true);
        }
    }
}

#[cfg(test)]
#[path = "breaker_test.rs"]
mod tests;
