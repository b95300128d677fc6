//! How an archive writes times.

use chrono::{DateTime, SecondsFormat};

use super::format::Timestamp;
use crate::clock::Millis;

impl From<Millis> for Timestamp {
    fn from(millis: Millis) -> Self {
        let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
        Self(time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}
