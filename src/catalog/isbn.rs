//! International standard book numbers: only those whose check digit is right.

use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use super::item::ExternalIds;

/// A book's number. Both forms of one number, 10 and 13 digits, are the same value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Isbn(Arc<str>);

impl Isbn {
    /// Reads what a person types or a scanner sees: with hyphens, blanks, `ISBN` before it, in
    /// full-width digits, or with the 2 or 5 digits that stand beside a barcode after a blank.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.nfkc().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let (label, form) = (after_label(&text), after_form(&text));
        let readings = [Some(text.as_str()), label, form].into_iter().flatten();
        readings.map(str::trim).find_map(|text| thirteen(text).or_else(|| without_add_on(text))).map(Self)
    }

    /// The 13 digits.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a title bears this number, in either form.
    pub(super) fn is_among(&self, ids: &ExternalIds) -> bool {
        let own = [&ids.isbn_13, &ids.isbn_10].into_iter().flatten();
        own.filter_map(|number| thirteen(number)).any(|number| number == self.0)
    }
}

/// What follows `ISBN`, and a colon if there is one.
fn after_label(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let label = text.get(..4)?.eq_ignore_ascii_case("isbn");
    text.get(4..).filter(|_| label).map(|rest| rest.trim_start().trim_start_matches(':'))
}

/// What follows `ISBN-13` or `ISBN-10`. That the rest begins so by chance the check digit tells.
fn after_form(text: &str) -> Option<&str> {
    let rest = after_label(text)?.trim_start_matches(['-', ' ']);
    let rest = rest.strip_prefix("13").or_else(|| rest.strip_prefix("10"))?;
    Some(rest.trim_start().trim_start_matches(':'))
}

fn without_add_on(text: &str) -> Option<Arc<str>> {
    let (number, add_on) = text.rsplit_once(' ')?;
    let is_add_on = matches!(add_on.len(), 2 | 5) && add_on.bytes().all(|byte| byte.is_ascii_digit());
    isbn_13(number).filter(|_| is_add_on).map(Arc::from)
}

/// The 13 digits of a number in either form.
fn thirteen(text: &str) -> Option<Arc<str>> {
    isbn_13(text).or_else(|| isbn_10(text).map(|short| lengthened(&short))).map(Arc::from)
}

/// Every number of 10 digits has one of 13, with a check digit of its own.
fn lengthened(isbn_10: &str) -> String {
    let digits: String = "978".chars().chain(isbn_10.chars().take(9)).collect();
    let check = (10 - weighted_sum(&digits) % 10) % 10;
    format!("{digits}{check}")
}

fn weighted_sum(digits: &str) -> u32 {
    let digits = digits.chars().filter_map(|c| c.to_digit(10));
    digits.zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum()
}

/// `text` without hyphens and blanks, if that is an ISBN-13 (978 or 979) with a right check digit.
pub(super) fn isbn_13(text: &str) -> Option<String> {
    let number = compact(text);
    let right = number.len() == 13
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (number.starts_with("978") || number.starts_with("979"))
        && weighted_sum(&number).is_multiple_of(10);
    right.then_some(number)
}

/// `text` without hyphens and blanks, if that is an ISBN-10 with a right check digit (0 to 9 or X).
pub(super) fn isbn_10(text: &str) -> Option<String> {
    let number = compact(text);
    let mut sum = 0;
    for (place, c) in number.chars().enumerate() {
        let digit = if place == 9 && c == 'X' { 10 } else { c.to_digit(10)? };
        sum += digit * (10 - u32::try_from(place).ok().filter(|&place| place < 10)?);
    }
    (number.len() == 10 && sum.is_multiple_of(11)).then_some(number)
}

pub(super) fn is_isbn(text: &str) -> bool {
    isbn_13(text).is_some() || isbn_10(text).is_some()
}

fn compact(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}'))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
#[path = "isbn_test.rs"]
mod tests;
