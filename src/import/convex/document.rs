//! One document of a table, and its values as what they are to be. Each value that cannot be taken is named
//! by its field and by what it should have been, never by what it is.

use base64::Engine as _;
use chrono::{DateTime, Datelike as _, NaiveDate};
use chrono_tz::Tz;
use entity::value::Precision;
use serde_json::{Map, Value};

use super::mapping::Field;
use crate::archive::format::Timestamp;
use crate::clock::Millis;

/// A document whose name is known.
#[derive(Debug)]
pub struct Document {
    /// What Convex calls it.
    pub id: String,
    pub fields: Map<String, Value>,
}

impl Document {
    /// # Errors
    /// What is wrong with the line.
    pub fn parse(line: &[u8]) -> Result<Self, &'static str> {
        let fields: Map<String, Value> =
            serde_json::from_slice(line).map_err(|_| "the line is not a JSON object")?;
        match fields.get("_id").and_then(Value::as_str) {
            Some(id) if is_id(id) => Ok(Self { id: id.to_owned(), fields }),
            _ => Err("_id is not an id"),
        }
    }
}

/// Whether a text can be the name of a document, and be shown.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The Clerk user id in `user_…` or in a token identifier, `https://issuer|user_…`.
pub fn clerk_id(text: &str) -> Option<&str> {
    let id = text.rsplit('|').next().unwrap_or_default();
    let rest = id.strip_prefix("user_")?;
    let is_plain = (1..=100).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then_some(id)
}

/// Reads the values of one document and gathers what is wrong with them.
pub struct Reader<'d> {
    document: &'d Document,
    zone: Tz,
    faults: Vec<String>,
}

impl<'d> Reader<'d> {
    pub fn new(document: &'d Document, zone: Tz) -> Self {
        Self { document, zone, faults: Vec::new() }
    }

    pub fn id(&self) -> &'d str {
        &self.document.id
    }

    pub fn find(&self, field: &Field) -> Option<&'d Value> {
        field.find(&self.document.fields)
    }

    pub fn wrong<T>(&mut self, field: &Field, what: &str) -> Option<T> {
        self.faults.push(format!("{}: {what}", field.name()));
        None
    }

    /// What was made, unless something was wrong.
    pub fn finish<T>(self, made: Option<T>) -> Result<T, Vec<String>> {
        match made {
            Some(made) if self.faults.is_empty() => Ok(made),
            _ => Err(self.faults),
        }
    }

    /// A text. An empty one counts as absent.
    pub fn text(&mut self, field: &Field) -> Option<String> {
        match self.find(field)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            _ => self.wrong(field, "must be a text"),
        }
    }

    /// A text that has to be there.
    pub fn required(&mut self, field: &Field) -> Option<String> {
        let before = self.faults.len();
        let text = self.text(field);
        match text {
            None if self.faults.len() == before => self.wrong(field, "is missing"),
            text => text,
        }
    }

    /// A word or a number, as a text.
    pub fn word(&mut self, field: &Field) -> Option<String> {
        let value = self.find(field)?;
        match (value, number(value)) {
            (Value::String(_), _) => self.text(field),
            (_, Some(number)) if number.fract() == 0.0 && number.abs() < 1e15 => Some(format!("{number:.0}")),
            _ => self.wrong(field, "must be a text or a whole number"),
        }
    }

    pub fn flag(&mut self, field: &Field) -> Option<bool> {
        match self.find(field)? {
            Value::Bool(flag) => Some(*flag),
            _ => self.wrong(field, "must be true or false"),
        }
    }

    pub fn number(&mut self, field: &Field) -> Option<f64> {
        match number(self.find(field)?) {
            Some(number) => Some(number),
            None => self.wrong(field, "must be a number"),
        }
    }

    /// A number without its fraction.
    pub fn whole(&mut self, field: &Field) -> Option<i32> {
        let number = self.number(field)?;
        // The cast cuts what is out of bounds to the bound, which no field takes.
        Some(number.trunc() as i32)
    }

    /// A moment that has to be there: milliseconds, or a text as in ISO 8601.
    pub fn moment(&mut self, field: &Field) -> Option<Timestamp> {
        let Some(value) = self.find(field) else { return self.wrong(field, "is missing") };
        match moment(value).and_then(DateTime::from_timestamp_millis) {
            Some(time) => Some(Timestamp(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))),
            None => self.wrong(field, "must be a time"),
        }
    }

    /// A calendar day, if there is one.
    pub fn day(&mut self, field: &Field) -> Option<NaiveDate> {
        match self.date(field)? {
            (day, Precision::Day) => Some(day),
            _ => self.wrong(field, "must be a day"),
        }
    }

    /// A calendar day, month or year, if there is one: of a moment its day in the zone.
    pub fn date(&mut self, field: &Field) -> Option<(NaiveDate, Precision)> {
        let value = self.find(field)?;
        if value.as_str() == Some("") {
            return None;
        }
        let named = value.as_str().and_then(calendar_date);
        let found = named.or_else(|| {
            let time = DateTime::from_timestamp_millis(moment(value)?)?;
            Some((time.with_timezone(&self.zone).date_naive(), Precision::Day))
        });
        match found.filter(|(date, _)| (1000..=9999).contains(&date.year())) {
            Some(found) => Some(found),
            None => self.wrong(field, "must be a date"),
        }
    }
}

/// A number as Convex writes it: a JSON number, or a 64-bit one as a text or as its eight bytes.
fn number(value: &Value) -> Option<f64> {
    let found = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Object(members) => {
            let bytes = base64::prelude::BASE64_STANDARD.decode(members.get("$integer")?.as_str()?).ok()?;
            Some(i64::from_le_bytes(bytes.try_into().ok()?) as f64)
        }
        _ => None,
    };
    found.filter(|number| number.is_finite())
}

fn moment(value: &Value) -> Option<Millis> {
    if let Value::String(text) = value {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.timestamp_millis());
        }
        if let Ok(date) = text.parse::<NaiveDate>() {
            return Some(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
        }
    }
    let millis = number(value)?;
    (millis.abs() < 1e15).then_some(millis as Millis)
}

/// `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
fn calendar_date(text: &str) -> Option<(NaiveDate, Precision)> {
    let is_shaped = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let (whole, precision) = match text.len() {
        10 => (text.to_owned(), Precision::Day),
        7 => (format!("{text}-01"), Precision::Month),
        4 => (format!("{text}-01-01"), Precision::Year),
        _ => return None,
    };
    let date = whole.parse().ok().filter(|_| is_shaped)?;
    Some((date, precision))
}
