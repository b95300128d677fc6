//! What a person typed, made fit to leave: cleaned, bounded, and refused if it looks like personal
//! data. Only a [`SearchText`] can reach a source.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::personal_data;

/// The most characters a search text may have after cleaning.
pub const MAX_CHARS: usize = 100;

/// More bytes than this are not even cleaned.
const MAX_RAW_BYTES: usize = 4096;

/// A search text in NFC and lower case (accents kept), without control characters, with single
/// blanks, 1 to [`MAX_CHARS`] characters as typed. It is both what the sources get and what cached
/// answers are kept under, so that "Dune" and "dune " are one request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SearchText(Arc<str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchTextError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most 100 characters")]
    TooLong,
    #[error("must not contain an e-mail address, a phone number or a web address")]
    PersonalData,
}

impl SearchText {
    pub fn parse(raw: &str) -> Result<Self, SearchTextError> {
        if raw.len() > MAX_RAW_BYTES {
            return Err(SearchTextError::TooLong);
        }
        let text = clean(raw);
        if text.is_empty() {
            return Err(SearchTextError::Empty);
        }
        if text.chars().count() > MAX_CHARS {
            return Err(SearchTextError::TooLong);
        }
        if personal_data::is_in(&text) {
            return Err(SearchTextError::PersonalData);
        }
        Ok(Self(lower_case(&text).into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `title` is the very title searched for, but for case.
    pub(super) fn is_title(&self, title: &str) -> bool {
        title.chars().flat_map(char::to_lowercase).eq(self.0.chars())
    }
}

/// The text itself never shows, not even in a debug print.
impl fmt::Debug for SearchText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchText(…)")
    }
}

fn lower_case(text: &str) -> String {
    text.to_lowercase().nfc().collect()
}

fn clean(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for character in raw.nfc() {
        if character.is_whitespace() {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        } else if !character.is_control() && !is_invisible(character) {
            text.push(character);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Characters that do not show (Unicode's default ignorable ones): nothing to find titles by, but good
/// for hiding an address in.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
#[path = "search_text_test.rs"]
mod tests;
