//! Reads what sources send: every field may be absent, null, empty or of another type than it should
//! be, and none of that fails the row it is in. Text comes out clean and bounded.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::item::{Creator, MAX_PER_ROLE, Role};

const MAX_LINE: usize = 300;
const MAX_PARAGRAPHS: usize = 8000;
const MAX_NAMES: usize = 40;

/// One line of text: NFC, single blanks, at most 300 characters, never empty.
pub(super) fn line(row: &Value, key: &str) -> Option<String> {
    clean_line(row.get(key)?.as_str()?)
}

pub(super) fn clean_line(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    bounded(&words.join(" "), MAX_LINE)
}

/// Text with line breaks, at most one empty line in a row, at most 8,000 characters, never empty.
pub(super) fn paragraphs(row: &Value, key: &str) -> Option<String> {
    clean_paragraphs(row.get(key)?.as_str()?)
}

pub(super) fn clean_paragraphs(text: &str) -> Option<String> {
    let mut clean = String::new();
    let mut breaks = 0;
    for line in text.lines() {
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        if words.is_empty() {
            breaks += 1;
            continue;
        }
        if !clean.is_empty() {
            clean.push_str(if breaks > 0 { "\n\n" } else { "\n" });
        }
        breaks = 0;
        clean.push_str(&words.join(" "));
    }
    bounded(&clean, MAX_PARAGRAPHS)
}

fn bounded(text: &str, max: usize) -> Option<String> {
    let mut text: String = text.nfc().take(max).collect();
    text.truncate(text.trim_end().len());
    text.shrink_to_fit();
    (!text.is_empty()).then_some(text)
}

/// A whole number above 0, also one that is written as text or with a fraction of zero.
pub(super) fn id(row: &Value, key: &str) -> Option<u64> {
    let number = match row.get(key)? {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().filter(|n| n.fract() == 0.0 && *n > 0.0).map(|n| n as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|&number| number > 0)
}

/// A count above 0; sources write 0 for "not known".
pub(super) fn count(row: &Value, key: &str) -> Option<u32> {
    id(row, key).and_then(|number| u32::try_from(number).ok())
}

/// The rows of a list; none if it is no list.
pub(super) fn rows<'a>(row: &'a Value, key: &str) -> &'a [Value] {
    row.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The `name` of each object in a list. Bare ids among them, which name nothing, are left out.
pub(super) fn names(row: &Value, key: &str) -> Vec<String> {
    distinct(rows(row, key).iter().filter_map(|object| line(object, "name")))
}

/// At most 40, none twice.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if kept.len() < MAX_NAMES && !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept.shrink_to_fit();
    kept
}

/// Adds a creator, unless it is there in that role or there are enough of them.
pub(super) fn add_creator(creators: &mut Vec<Creator>, name: Option<String>, role: Role) {
    add(creators, name, role, None);
}

/// Adds one of the cast. Whoever plays several is there once, with the first.
pub(super) fn add_actor(creators: &mut Vec<Creator>, name: Option<String>, character: Option<String>) {
    add(creators, name, Role::Actor, character);
}

fn add(creators: &mut Vec<Creator>, name: Option<String>, role: Role, character: Option<String>) {
    let Some(name) = name else { return };
    let mut others = creators.iter().filter(|other| other.role == role);
    if others.clone().count() < MAX_PER_ROLE && others.all(|other| other.name != name) {
        creators.push(Creator { name, role, character });
    }
}

/// The longest beginning of the text that is a year, a month or a day: "1999*" is a year, "19??"
/// is nothing.
pub(super) fn date(row: &Value, key: &str) -> Option<String> {
    parse_date(row.get(key)?.as_str()?)
}

pub(super) fn parse_date(text: &str) -> Option<String> {
    let text = text.trim();
    let number = |from: usize, to: usize| -> Option<u32> {
        let part = text.get(from..to)?;
        let ends = !text.get(to..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        (ends && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let follows = |at: usize| text.get(at..=at) == Some("-");
    let year = number(0, 4).filter(|year| *year >= 1000)?;
    let month = number(5, 7).filter(|month| follows(4) && (1..=12).contains(month));
    let day = month.and_then(|month| {
        let day = number(8, 10).filter(|_| follows(7))?;
        chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).map(|_| day)
    });
    let length = match (month, day) {
        (Some(_), Some(_)) => 10,
        (Some(_), None) => 7,
        _ => 4,
    };
    text.get(..length).map(str::to_owned)
}

/// The day of a time in seconds since 1970, which may be negative.
pub(super) fn day_of_seconds(row: &Value, key: &str) -> Option<String> {
    let time = chrono::DateTime::from_timestamp(row.get(key)?.as_i64()?, 0)?;
    parse_date(&time.format("%Y-%m-%d").to_string())
}

/// `prefix` and digits, such as `tt0133093`.
pub(super) fn numbered(row: &Value, key: &str, prefix: &str) -> Option<String> {
    let text = row.get(key)?.as_str()?.trim();
    let digits = text.strip_prefix(prefix)?;
    let well_formed = (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| text.to_owned())
}

#[cfg(test)]
#[path = "field_test.rs"]
mod tests;
