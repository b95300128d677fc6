//! Search texts as single sources get them: without what has a meaning in their query languages.

use std::sync::Arc;

use super::search_text::SearchText;

/// A search text that is harmless inside a quoted string of IGDB's query language.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct IgdbText(Arc<str>);

impl IgdbText {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Quotes and backslashes could end the string and a semicolon confuses IGDB's parser; none of
    /// them helps to find a title. `None` if nothing is left.
    pub(super) fn new(text: &SearchText) -> Option<Self> {
        words(text.as_str(), |c| matches!(c, '"' | '\\' | ';') || c.is_control(), |word| word).map(Self)
    }
}

/// A search text without Google's operators.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct GoogleBooksText(Arc<str>);

impl GoogleBooksText {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `intitle:` and its like, phrases, alternatives and exclusions would change what is searched.
    /// Lower case has taken their meaning from `OR` and `AND`. `None` if nothing is left.
    pub(super) fn new(text: &SearchText) -> Option<Self> {
        let is_operator = |c| matches!(c, ':' | '"' | '“' | '”' | '|' | '*' | '(' | ')');
        words(text.as_str(), is_operator, |word| word.trim_start_matches(['-', '+', '~'])).map(Self)
    }
}

/// The words of `text` between blanks and what `is_gap` names, each trimmed, with single blanks.
fn words(text: &str, is_gap: impl Fn(char) -> bool, trim: impl Fn(&str) -> &str) -> Option<Arc<str>> {
    let words: Vec<&str> =
        text.split(|c: char| c == ' ' || is_gap(c)).map(trim).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" ").into())
}
