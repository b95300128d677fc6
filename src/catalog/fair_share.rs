//! A caller's fair share of the sources: turns in their queues, and calls of a day where a source counts
//! them. Whose share a handle is, nobody here can know.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Millis;
use crate::fair_queue::{Priority, Turn};

/// One caller's turns at the sources and its part of Google's day. Cheap to clone; clones are one caller.
/// The caller's owner keeps one per account; the day's count starts anew by itself at midnight Pacific
/// time. Nothing of it is sent to a source.
#[derive(Debug, Clone)]
pub struct FairShare(Arc<Share>);

#[derive(Debug)]
struct Share {
    /// A number of this process, made from nothing.
    lane: u64,
    priority: Priority,
    day: DayCount,
}

impl FairShare {
    /// The share of somebody who waits for the answers.
    pub fn new() -> Self {
        Self::with(Priority::Interactive)
    }

    /// The share of work that nobody waits for. A person who comes to wait for one of its lookups raises
    /// that lookup to the person's own place.
    pub fn background() -> Self {
        Self::with(Priority::Background)
    }

    fn with(priority: Priority) -> Self {
        static LANES: AtomicU64 = AtomicU64::new(0);
        let lane = LANES.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Share { lane, priority, day: DayCount::default() }))
    }

    pub(super) fn count(&self) -> &DayCount {
        &self.0.day
    }

    /// A claim to one request that counts as `cost` in the share's turns.
    pub(super) fn claim(&self, cost: u64) -> Claim {
        let turn = Turn::new(self.0.lane, self.0.priority, cost);
        Claim { turn: Arc::new(turn), share: self.clone() }
    }
}

impl Default for FairShare {
    fn default() -> Self {
        Self::new()
    }
}

/// On whose behalf a lookup asks its source.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) turn: Arc<Turn>,
    pub(super) share: FairShare,
}

impl Claim {
    /// A claim to a further request for the same answer, with the place that the first has by now.
    pub(super) fn further(&self) -> Self {
        Self { turn: Arc::new(self.turn.again()), share: self.share.clone() }
    }

    /// Lets whoever joins the lookup raise it.
    pub(super) fn join(turn: &Turn, joiner: &Claim) {
        turn.raise(joiner.share.0.lane, joiner.turn.priority());
    }
}

/// The day in the upper half, the calls made on it in the lower.
#[derive(Debug, Default)]
pub(super) struct DayCount(AtomicU64);

impl DayCount {
    /// Counts one call on `day`, unless `limit` calls have been made on it.
    pub(super) fn take(&self, day: u32, limit: u32) -> bool {
        let counted = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |packed| {
            let used = if (packed >> 32) == u64::from(day) { packed & u64::from(u32::MAX) } else { 0 };
            (used < u64::from(limit)).then_some(u64::from(day) << 32 | (used + 1))
        });
        counted.is_ok()
    }
}

impl DayCount {
    /// The calls counted on `day`.
    pub(super) fn used(&self, day: u32) -> u32 {
        let packed = self.0.load(Ordering::Acquire);
        let used = if (packed >> 32) == u64::from(day) { packed & u64::from(u32::MAX) } else { 0 };
        u32::try_from(used).unwrap_or(u32::MAX)
    }
}

/// The day in California, as a number of days since 1970: Google's day.
pub(super) fn pacific_day(now: Millis) -> u32 {
    u32::try_from(pacific_date(now).signed_duration_since(chrono::NaiveDate::default()).num_days())
        .unwrap_or(0)
}

/// When the next day begins in California.
pub(super) fn next_pacific_midnight(now: Millis) -> Millis {
    let midnight = pacific_date(now).succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
    midnight
        .and_then(|time| time.and_local_timezone(chrono_tz::America::Los_Angeles).earliest())
        .map_or(now + 24 * 3_600_000, |time| time.timestamp_millis())
}

fn pacific_date(now: Millis) -> chrono::NaiveDate {
    chrono::DateTime::from_timestamp_millis(now)
        .unwrap_or_default()
        .with_timezone(&chrono_tz::America::Los_Angeles)
        .date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[test]
    fn a_day_ends_at_midnight_pacific_in_summer_and_winter() {
        for (now, midnight) in [
            ("2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"),
            ("2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"),
            ("2026-01-15T12:00:00Z", "2026-01-16T08:00:00Z"),
            // The clocks change on this day.
            ("2026-03-08T09:00:00Z", "2026-03-09T07:00:00Z"),
        ] {
            assert_eq!(next_pacific_midnight(at(now)), at(midnight), "{now}");
            assert_eq!(pacific_day(at(now)) + 1, pacific_day(at(midnight)), "{now}");
        }
    }

    #[test]
    fn a_share_is_used_up_and_comes_back_with_the_day() {
        let share = FairShare::new();
        assert!(share.count().take(7, 2));
        assert!(share.clone().count().take(7, 2));
        assert!(!share.count().take(7, 2));
        assert!(share.count().take(8, 2));
        assert!(!FairShare::new().count().take(8, 0));
    }
}
