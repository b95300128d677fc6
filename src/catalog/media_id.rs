//! Names of titles: which kind, at which source, under which id. Parsing is the only way to make
//! one from outside text, so an id that exists is safe to place in a source's address.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::personal_data;

/// What a title is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Movie,
    Tv,
    Game,
    Book,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Movie, Kind::Tv, Kind::Game, Kind::Book];

    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Movie => "movie",
            Kind::Tv => "tv",
            Kind::Game => "game",
            Kind::Book => "book",
        }
    }

    /// The one source that knows titles of this kind.
    pub const fn source(self) -> SourceName {
        match self {
            Kind::Movie | Kind::Tv => SourceName::Tmdb,
            Kind::Game => SourceName::Igdb,
            Kind::Book => SourceName::GoogleBooks,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = MediaIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(MediaIdError::UnknownKind)
    }
}

/// Where titles are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceName {
    Tmdb,
    Igdb,
    GoogleBooks,
}

impl SourceName {
    pub const ALL: [SourceName; 3] = [SourceName::Tmdb, SourceName::Igdb, SourceName::GoogleBooks];

    pub const fn as_str(self) -> &'static str {
        match self {
            SourceName::Tmdb => "tmdb",
            SourceName::Igdb => "igdb",
            SourceName::GoogleBooks => "google_books",
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SourceName {
    type Err = MediaIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|source| source.as_str() == text).ok_or(MediaIdError::UnknownSource)
    }
}

/// Why a text names no title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaIdError {
    #[error("must have the form kind:source:id")]
    Form,
    #[error("the kind must be movie, tv, game or book")]
    UnknownKind,
    #[error("the source must be tmdb, igdb or google_books")]
    UnknownSource,
    #[error("this source has no titles of this kind")]
    WrongSource,
    #[error("the id at tmdb must be a whole number from 1 to 2147483647 without leading zeros")]
    TmdbId,
    #[error("the id at igdb must be a whole number from 1 to 9223372036854775807 without leading zeros")]
    IgdbId,
    #[error("the id at google_books must be 1 to 40 letters, digits, hyphens or underscores")]
    GoogleBooksId,
}

/// One title: `{kind}:{source}:{source id}`, such as `movie:tmdb:603`. Cheap to clone; ordered and
/// compared by its text, as the databases do it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId {
    text: Arc<str>,
    kind: Kind,
}

impl MediaId {
    /// The longest text that parses, in bytes.
    pub const MAX_LEN: usize = "book:google_books:".len() + 40;

    /// The id of the title that its source calls `source_id`.
    pub fn new(kind: Kind, source_id: &str) -> Result<Self, MediaIdError> {
        match kind.source() {
            // TMDB answers ids beyond 32 bits with a choice of odd errors.
            SourceName::Tmdb if !is_number_up_to(source_id, i32::MAX as u64) => Err(MediaIdError::TmdbId),
            // The databases keep signed numbers.
            SourceName::Igdb if !is_number_up_to(source_id, i64::MAX as u64) => Err(MediaIdError::IgdbId),
            SourceName::GoogleBooks if !is_volume_id(source_id) => Err(MediaIdError::GoogleBooksId),
            source => Ok(Self { text: format!("{kind}:{source}:{source_id}").into(), kind }),
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn source(&self) -> SourceName {
        self.kind.source()
    }

    /// What the source itself calls the title.
    pub fn source_id(&self) -> &str {
        self.text.rsplit(':').next().unwrap_or_default()
    }

    /// The source's id as a number; `None` for books, whose ids are words.
    pub(super) fn number(&self) -> Option<u64> {
        match self.source() {
            SourceName::GoogleBooks => None,
            SourceName::Tmdb | SourceName::Igdb => self.source_id().parse().ok(),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn is_number_up_to(text: &str, max: u64) -> bool {
    !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u64>().is_ok_and(|number| (1..=max).contains(&number))
}

/// Whether `text` can be a volume id of Google Books: never an address or a phone number in its letters.
pub(super) fn is_volume_id(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !personal_data::is_in_id(text)
}

impl FromStr for MediaId {
    type Err = MediaIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(kind), Some(source), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(MediaIdError::Form);
        };
        let kind: Kind = kind.parse()?;
        let source: SourceName = source.parse()?;
        if kind.source() != source {
            return Err(MediaIdError::WrongSource);
        }
        Self::new(kind, id)
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for MediaId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for MediaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[path = "media_id_test.rs"]
mod tests;
