//! Titles on the wire.

use entity::value;
use poem_openapi::{Enum, Object};
use serde::Serialize;

use super::attribution::Attribution;
use super::entry::{EntryMark, Status};
use super::episode::SeasonSummary;
use super::wire_enum;
use crate::catalog::{self, MediaItem as Item};
use crate::http::text::{Language, MediaId};
use crate::media;

/// What a title is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Movie,
    Tv,
    Game,
    Book,
}

/// Where titles are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Tmdb,
    Igdb,
    GoogleBooks,
}

impl From<catalog::Kind> for MediaKind {
    fn from(kind: catalog::Kind) -> Self {
        match kind {
            catalog::Kind::Movie => Self::Movie,
            catalog::Kind::Tv => Self::Tv,
            catalog::Kind::Game => Self::Game,
            catalog::Kind::Book => Self::Book,
        }
    }
}

impl From<MediaKind> for catalog::Kind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Movie => Self::Movie,
            MediaKind::Tv => Self::Tv,
            MediaKind::Game => Self::Game,
            MediaKind::Book => Self::Book,
        }
    }
}

impl From<catalog::SourceName> for Source {
    fn from(source: catalog::SourceName) -> Self {
        match source {
            catalog::SourceName::Tmdb => Self::Tmdb,
            catalog::SourceName::Igdb => Self::Igdb,
            catalog::SourceName::GoogleBooks => Self::GoogleBooks,
        }
    }
}

/// What somebody did for a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CreatorRole {
    Director,
    Creator,
    Author,
    Developer,
    Publisher,
    Writer,
    Actor,
    /// A company that produced it.
    Studio,
    /// Where a series is first shown.
    Network,
}

impl From<catalog::Role> for CreatorRole {
    fn from(role: catalog::Role) -> Self {
        match role {
            catalog::Role::Director => Self::Director,
            catalog::Role::Creator => Self::Creator,
            catalog::Role::Author => Self::Author,
            catalog::Role::Developer => Self::Developer,
            catalog::Role::Publisher => Self::Publisher,
            catalog::Role::Writer => Self::Writer,
            catalog::Role::Actor => Self::Actor,
            catalog::Role::Studio => Self::Studio,
            catalog::Role::Network => Self::Network,
        }
    }
}

/// Somebody, or some company, that made a title.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Creator {
    pub name: String,
    pub role: CreatorRole,
    /// Whom an actor plays.
    pub character: Option<String>,
}

wire_enum! {
    /// How far along a series is.
    SeriesStatus mirrors catalog::SeriesStatus { Planned, InProduction, Returning, Ended, Canceled }
}

/// What other registers call a title.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct ExternalIds {
    pub imdb_id: Option<String>,
    pub tvdb_id: Option<String>,
    pub wikidata_id: Option<String>,
    pub isbn_10: Option<String>,
    pub isbn_13: Option<String>,
}

/// Where a title's cover is, relative to the server. The addresses need no token, do not change and are the
/// same for everybody.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Cover {
    /// About 150 pixels wide.
    pub small: String,
    /// About 300 pixels wide.
    pub medium: String,
    /// About 600 pixels wide or more.
    pub large: String,
    /// A few bytes in base64 to draw until the picture is there (<https://evanw.github.io/thumbhash>);
    /// absent until somebody has fetched it.
    pub thumbhash: Option<String>,
}

impl Cover {
    /// None that the source does not have.
    pub fn new(known: &media::Known) -> Option<Self> {
        let thumbhash = match &known.sight {
            media::Sight::Missing => return None,
            media::Sight::Seen(thumbhash) => thumbhash.clone(),
            media::Sight::Unseen => None,
        };
        let [small, medium, large] = known.addresses.clone();
        Some(Self { small, medium, large, thumbhash })
    }
}

/// One title as its source describes it. A search shows less of it than a look-up by id.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct MediaItem {
    pub id: MediaId,
    pub kind: MediaKind,
    pub source: Source,
    pub title: String,
    pub original_title: Option<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: as exactly as the source knows.
    pub release_date: Option<String>,
    pub overview: Option<String>,
    pub genres: Vec<String>,
    /// Absent where the source has none.
    pub cover: Option<Cover>,
    /// At most ten in each role; the cast in the order of the titles.
    pub creators: Vec<Creator>,
    pub runtime_minutes: Option<i32>,
    pub page_count: Option<i32>,
    pub platforms: Vec<String>,
    pub season_count: Option<i32>,
    pub episode_count: Option<i32>,
    /// Of a series: the specials (season 0) first.
    pub seasons: Option<Vec<SeasonSummary>>,
    pub series_status: Option<SeriesStatus>,
    pub external_ids: ExternalIds,
    /// What the source's terms ask to be shown beside its data.
    pub attribution: Attribution,
    /// The account's own entry, if the title is in its library.
    pub entry: Option<EntryMark>,
}

impl MediaItem {
    pub fn new(item: &Item, cover: Option<Cover>, entry: Option<EntryMark>) -> Self {
        let number = |value: Option<u32>| value.and_then(|value| i32::try_from(value).ok());
        let ids = item.external_ids.clone();
        Self {
            id: MediaId(item.id.clone()),
            kind: item.id.kind().into(),
            source: item.id.source().into(),
            title: item.title.clone(),
            original_title: item.original_title.clone(),
            release_date: item.release_date.clone(),
            overview: item.overview.clone(),
            genres: item.genres.clone(),
            cover,
            creators: item
                .creators
                .iter()
                .map(|creator| Creator {
                    name: creator.name.clone(),
                    role: creator.role.into(),
                    character: creator.character.clone(),
                })
                .collect(),
            runtime_minutes: number(item.runtime_minutes),
            page_count: number(item.page_count),
            platforms: item.platforms.clone(),
            season_count: number(item.season_count),
            episode_count: number(item.episode_count),
            seasons: (item.id.kind() == catalog::Kind::Tv && !item.seasons.is_empty())
                .then(|| item.seasons.iter().map(SeasonSummary::new).collect()),
            series_status: item.series_status.map(SeriesStatus::from),
            external_ids: ExternalIds {
                imdb_id: ids.imdb_id,
                tvdb_id: ids.tvdb_id,
                wikidata_id: ids.wikidata_id,
                isbn_10: ids.isbn_10,
                isbn_13: ids.isbn_13,
            },
            attribution: Attribution::of(item.id.source()),
            entry,
        }
    }

    /// Gives the seasons of a series their pictures, in their order.
    #[must_use]
    pub fn with_posters(mut self, posters: Vec<Option<Cover>>) -> Self {
        for (season, poster) in self.seasons.iter_mut().flatten().zip(posters) {
            season.cover = poster;
        }
        self
    }
}

wire_enum! {
    /// What the source said of a title.
    MediaState mirrors value::MediaState { Known, UnknownToSource }
}

/// What is shown of a title beside a person's own rows.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct MediaSummary {
    pub title: String,
    /// Absent where the source has none.
    pub cover: Option<Cover>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub release_date: Option<String>,
    pub runtime_minutes: Option<i32>,
    pub page_count: Option<i32>,
    pub season_count: Option<i32>,
    pub episode_count: Option<i32>,
}

impl MediaSummary {
    pub fn new(summary: media::Summary, cover: Option<Cover>) -> Self {
        Self {
            cover,
            title: summary.title,
            release_date: summary.release_date,
            runtime_minutes: summary.runtime_minutes,
            page_count: summary.page_count,
            season_count: summary.season_count,
            episode_count: summary.episode_count,
        }
    }
}

/// How a source fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    Ok,
    TimedOut,
    Failed,
    RateLimited,
    NotConfigured,
    /// It has nothing of the sort: asking again will not help.
    NotOffered,
}

impl From<catalog::State> for SourceState {
    fn from(state: catalog::State) -> Self {
        match state {
            catalog::State::Ok => Self::Ok,
            catalog::State::TimedOut => Self::TimedOut,
            catalog::State::Failed => Self::Failed,
            catalog::State::RateLimited => Self::RateLimited,
            catalog::State::NotConfigured => Self::NotConfigured,
            catalog::State::NotOffered => Self::NotOffered,
        }
    }
}

/// What one source contributed.
#[derive(Debug, Clone, Object, Serialize)]
pub struct SourceReport {
    pub source: Source,
    pub state: SourceState,
    /// Whether the next page may hold more.
    pub has_more: bool,
}

impl From<catalog::SourceState> for SourceReport {
    fn from(state: catalog::SourceState) -> Self {
        Self { source: state.source.into(), state: state.state.into(), has_more: state.has_more }
    }
}

/// What the sources found.
#[derive(Debug, Clone, Object, Serialize)]
pub struct SearchAnswer {
    pub items: Vec<MediaItem>,
    pub sources: Vec<SourceReport>,
}

/// Why a title is not among the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// The source has no such title.
    UnknownToSource,
    /// The source does not answer just now, and nothing older is known.
    SourceUnavailable,
}

/// A title that could not be shown.
#[derive(Debug, Clone, Object, Serialize)]
pub struct MissingMedia {
    pub id: MediaId,
    pub reason: MissingReason,
}

/// Several titles by id.
#[derive(Debug, Clone, Object, Serialize)]
pub struct MediaBatch {
    /// In the order asked for.
    pub items: Vec<MediaItem>,
    pub missing: Vec<MissingMedia>,
}

impl EntryMark {
    /// What a title shows of the account's own entry.
    pub fn new(row: &entity::library_entry::Model) -> Self {
        Self { status: Status::from(row.status), rating: row.rating, favorite: row.favorite }
    }
}

/// The language of a call: what it names, else the account's.
pub fn language(named: Option<Language>, account: &entity::account::Model) -> catalog::Language {
    named.map_or_else(|| crate::account::language(account), |language| language.0.unwrap_or_default())
}
