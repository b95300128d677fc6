//! Why a lookup brought no answer.

use super::answer::{State, Unavailable};
use super::media_id::SourceName;

/// The settings of a source cannot be used. It names the source and never a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct CatalogError {
    pub source_name: SourceName,
    pub reason: &'static str,
}

/// Shared by all that wait for the same flight, hence `Copy` and without any text of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    NotConfigured,
    /// The source's allowance, or the caller's part of it, is used up.
    RateLimited {
        retry_after_seconds: u64,
    },
    /// The source is down, unreachable, refuses our credentials or talks nonsense.
    Unavailable {
        retry_after_seconds: u64,
    },
    /// It may still answer; the caller no longer waits.
    TimedOut,
}

impl Failure {
    /// For faults that say nothing of how long they last.
    pub(super) const UNAVAILABLE: Failure = Failure::Unavailable { retry_after_seconds: 30 };

    pub(super) fn state(self) -> State {
        match self {
            Failure::NotConfigured => State::NotConfigured,
            Failure::RateLimited { .. } => State::RateLimited,
            Failure::Unavailable { .. } => State::Failed,
            Failure::TimedOut => State::TimedOut,
        }
    }
}

impl From<Failure> for Unavailable {
    fn from(failure: Failure) -> Self {
        let seconds = match failure {
            Failure::RateLimited { retry_after_seconds } | Failure::Unavailable { retry_after_seconds } => {
                retry_after_seconds
            }
            // The answer is probably on its way into the cache.
            Failure::TimedOut => 5,
            // Somebody has to change the settings first.
            Failure::NotConfigured => 3600,
        };
        Unavailable { retry_after_seconds: seconds.max(1) }
    }
}
