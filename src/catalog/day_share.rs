//! Counts calls per day: a source whose allowance is a number of calls a day needs it for itself
//! and for each of those who draw on it. Whose count a handle is, nobody here can know.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Millis;

/// One caller's part of Google's day. Cheap to clone; clones share the count. The caller keeps one
/// per account; it starts anew by itself at midnight Pacific time.
#[derive(Debug, Clone, Default)]
pub struct DayShare(Arc<DayCount>);

impl DayShare {
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn count(&self) -> &DayCount {
        &self.0
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
        let share = DayShare::new();
        assert!(share.count().take(7, 2));
        assert!(share.clone().count().take(7, 2));
        assert!(!share.count().take(7, 2));
        assert!(share.count().take(8, 2));
        assert!(!DayShare::new().count().take(8, 0));
    }
}
