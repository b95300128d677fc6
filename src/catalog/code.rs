//! What a title can be found by besides its id: numbers of other registers and names in addresses.
//! Parsing is the only way to make one, so a code that exists is safe in what a source is sent.

use std::sync::Arc;

use super::address;
use super::isbn::Isbn;
use super::media_id::MediaId;
use super::personal_data;

/// Something that stands for a title, or for a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// The title's own id, from the address of a page about it.
    Title(MediaId),
    Isbn(Isbn),
    Imdb(ImdbId),
    Tvdb(TvdbId),
    Slug(Slug),
}

impl Code {
    pub fn isbn(text: &str) -> Option<Self> {
        Isbn::parse(text).map(Self::Isbn)
    }

    /// `tt` and 7 to 10 digits.
    pub fn imdb(text: &str) -> Option<Self> {
        ImdbId::parse(text).map(Self::Imdb)
    }

    /// A number from 1 to 2,147,483,647.
    pub fn tvdb(number: i32) -> Option<Self> {
        TvdbId::new(number).map(Self::Tvdb)
    }

    /// What the address of a page at a source, or at IMDb, is about. Of the address nothing else is kept.
    pub fn address(text: &str) -> Option<Self> {
        address::read(text)
    }
}

/// An id of IMDb: a film, a series or an episode.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImdbId(Arc<str>);

impl ImdbId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("tt")?;
        let well_formed = (7..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        well_formed.then(|| Self(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number of TheTVDB: a series or an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TvdbId(i32);

impl TvdbId {
    pub(super) fn new(number: i32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    pub(super) fn number(self) -> i32 {
        self.0
    }
}

/// What IGDB calls a game in the address of its page; nothing that holds an address or a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(Arc<str>);

impl Slug {
    const MAX_LEN: usize = 200;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=Self::MAX_LEN).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !personal_data::is_in_id(text);
        well_formed.then(|| Self(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_forms_of_their_registers() {
        for text in ["tt0133093", "tt01330931", "tt0133093111"] {
            assert_eq!(ImdbId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "tt", "tt013309", "tt01330931111", "nm0000206", "TT0133093", "0133093", "tt01330９3"]
        {
            assert_eq!(ImdbId::parse(text), None, "{text}");
        }
        assert_eq!(TvdbId::new(121_361).map(TvdbId::number), Some(121_361));
        assert_eq!((TvdbId::new(0), TvdbId::new(-1)), (None, None));
        for text in ["portal-2", "hades--1", "1942", "n"] {
            assert_eq!(Slug::parse(text).unwrap().as_str(), text);
        }
        for text in
            ["", "-", "-a", "a-", "Portal", "a_b", "a\"; fields *;", "a b", "pokémon", &"a".repeat(201)]
        {
            assert_eq!(Slug::parse(text), None, "{text}");
        }
    }
}
