//! The one source of time. Instants are whole milliseconds since 1970 in UTC, because that is what
//! both databases keep without loss and what the API shows.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// The current time, cut to milliseconds.
pub fn now() -> Millis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// A calendar date written `YYYY-MM-DD`, between the years 1000 and 9999.
pub fn parse_date(text: &str) -> Option<chrono::NaiveDate> {
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
        && !text.starts_with('0');
    shaped.then(|| text.parse().ok()).flatten()
}
