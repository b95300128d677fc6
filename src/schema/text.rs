//! The formats of texts that schemas name.

use crate::catalog::MediaId;
use crate::clock::parse_date;

/// Returns what is wrong with a text of a format. Formats that are not known accept everything.
pub(super) fn format_fault(format: &str, text: &str) -> Option<String> {
    match format {
        "uuid" if uuid::Uuid::try_parse(text).is_err() || text.len() != 36 => Some("must be a UUID".into()),
        "date" if parse_date(text).is_none() => Some("must be a date, YYYY-MM-DD".into()),
        "date-time" if chrono::DateTime::parse_from_rfc3339(text).is_err() => {
            Some("must be a time as in RFC 3339".into())
        }
        "media-id" => text.parse::<MediaId>().err().map(|error| error.to_string()),
        _ => None,
    }
}
