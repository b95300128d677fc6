//! What the catalog answers, and how it keeps time.

use std::sync::Arc;
use std::time::Duration;

use super::item::MediaItem;
use super::media_id::{MediaId, SourceName};
use crate::clock::{self, Millis};

/// What all sources together found.
#[derive(Debug, Clone)]
pub struct SearchAnswer {
    /// An exact title first, then the sources' own orders interleaved; no title twice.
    pub items: Vec<Arc<MediaItem>>,
    /// One for each source that was needed.
    pub sources: Vec<SourceState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceState {
    pub source: SourceName,
    pub state: State,
    /// Whether the next page may hold more.
    pub has_more: bool,
}

/// How one source did in one search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It answered, now or earlier: a kept answer that is past its time counts, too.
    Ok,
    TimedOut,
    Failed,
    RateLimited,
    NotConfigured,
    /// It has nothing of the sort for anybody.
    NotOffered,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::TimedOut => "timed_out",
            State::Failed => "failed",
            State::RateLimited => "rate_limited",
            State::NotConfigured => "not_configured",
            State::NotOffered => "not_offered",
        }
    }
}

/// What a source says of one id.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<T = MediaItem> {
    Found {
        item: Arc<T>,
        /// The source could not be asked just now; this is what it said earlier (at most 7 days ago).
        stale: bool,
    },
    /// The source has nothing under this id.
    Unknown,
}

/// What there is to say of each of several titles.
pub type Answers = Vec<(MediaId, Result<Answer, Unavailable>)>;

/// No source could answer and nothing older is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("source unavailable")]
pub struct Unavailable {
    /// At least 1.
    pub retry_after_seconds: u64,
}

/// How long callers wait, and what time it is. The defaults serve; tests have their own.
#[derive(Clone)]
pub struct Timing {
    /// How long a search waits for its slowest source.
    pub search_deadline: Duration,
    /// How long a caller waits for details.
    pub lookup_deadline: Duration,
    /// How long one request to a source may take, from its connection to the end of the answer.
    pub request_timeout: Duration,
    /// How long a page of hits waits for the names of their genres.
    pub genre_patience: Duration,
    /// The mean pause before the first retry; it doubles for the second.
    pub retry_pause: Duration,
    pub clock: Arc<dyn Fn() -> Millis + Send + Sync>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            search_deadline: Duration::from_millis(2500),
            lookup_deadline: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            genre_patience: Duration::from_millis(500),
            retry_pause: Duration::from_millis(200),
            clock: Arc::new(clock::now),
        }
    }
}
