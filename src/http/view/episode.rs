//! Watched episodes and seasons on the wire.

use chrono::NaiveDate;
use entity::watched_episode;
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use super::attribution::Attribution;
use super::clearable;
use super::media::Cover;
use crate::catalog;
use crate::http::text::{Date, MediaId, Timestamp};
use crate::library::{episode, page};
use crate::media;

/// The next episode to watch.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct NextEpisode {
    pub season: i32,
    pub episode: i32,
    /// When it aired or will air.
    pub air_date: Option<Date>,
}

impl From<media::Slot> for NextEpisode {
    fn from(slot: media::Slot) -> Self {
        Self { season: slot.place.season, episode: slot.place.number, air_date: slot.airs_on.map(Date) }
    }
}

/// An episode that the account has seen.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct WatchedEpisode {
    pub media_id: String,
    /// 0 holds the specials.
    pub season: i32,
    pub episode: i32,
    /// The day on the person's calendar; absent when unknown.
    pub watched_on: Option<Date>,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<watched_episode::Model> for WatchedEpisode {
    fn from(row: watched_episode::Model) -> Self {
        Self {
            media_id: row.media_id,
            season: row.season,
            episode: row.number,
            watched_on: page::date(row.watched_on.as_deref()).map(Date),
            revision: row.revision,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// One page of watched episodes, by season and number.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct WatchedEpisodePage {
    pub items: Vec<WatchedEpisode>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// A mark on one episode.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct WatchedEpisodeWrite {
    /// Without it the day that is there stays, or the day of the write is taken; null when unknown.
    #[oai(nullable)]
    pub watched_on: MaybeUndefined<Date>,
    /// The day on the phone's calendar; without it the account's time zone decides.
    pub on: Option<Date>,
}

impl From<WatchedEpisodeWrite> for episode::Write {
    fn from(write: WatchedEpisodeWrite) -> Self {
        Self {
            watched_on: clearable(write.watched_on).map(|date| date.map(|date| date.0)),
            on: write.on.map(|date| date.0),
            keeps_status: false,
        }
    }
}

/// A mark on everything that has aired. Repeated on another day it has the same effect.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct AiredEpisodesWrite {
    /// The day on the phone's calendar: only what aired up to then is marked.
    pub on: Date,
    /// The day that new marks get: `on` without it; null when unknown.
    #[oai(nullable)]
    pub watched_on: MaybeUndefined<Date>,
}

/// A mark on the episodes of a season that have aired: all of them, or those from `first` to `last`.
/// Repeated on another day it has the same effect.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct SeasonEpisodesWrite {
    /// The day on the phone's calendar: only what aired up to then is marked.
    pub on: Date,
    #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
    pub first: Option<i32>,
    #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
    pub last: Option<i32>,
    /// The day that new marks get: `on` without it; null when unknown.
    #[oai(nullable)]
    pub watched_on: MaybeUndefined<Date>,
}

/// The day that new marks get.
pub fn day_of(watched_on: MaybeUndefined<Date>, on: Date) -> Option<NaiveDate> {
    clearable(watched_on).unwrap_or(Some(on)).map(|date| date.0)
}

/// A season as the details of its series list it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct SeasonSummary {
    /// 0 holds the specials.
    pub number: i32,
    pub title: Option<String>,
    /// When its first episode airs: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub air_date: Option<String>,
    pub episode_count: Option<i32>,
    pub cover: Option<Cover>,
}

impl SeasonSummary {
    pub fn new(season: &catalog::SeasonSummary) -> Self {
        Self {
            number: number(season.number),
            title: season.title.clone(),
            air_date: season.air_date.clone(),
            episode_count: season.episode_count.map(number),
            cover: None,
        }
    }
}

/// An episode of a season, with what the account says of it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct SeasonEpisode {
    pub number: i32,
    pub title: Option<String>,
    pub overview: Option<String>,
    pub air_date: Option<Date>,
    pub runtime_minutes: Option<i32>,
    /// Whether the account has marked it.
    pub watched: bool,
    /// The day on the person's calendar; absent when unknown or not watched.
    pub watched_on: Option<Date>,
}

/// A season with its episodes.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Season {
    pub media_id: MediaId,
    /// 0 holds the specials.
    pub number: i32,
    pub title: Option<String>,
    pub overview: Option<String>,
    /// When its first episode airs: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub air_date: Option<String>,
    pub cover: Option<Cover>,
    pub episodes: Vec<SeasonEpisode>,
    /// What the source's terms ask to be shown beside its data.
    pub attribution: Attribution,
}

impl Season {
    /// A season and the account's marks in it.
    pub fn new(
        id: catalog::MediaId,
        season: &catalog::Season,
        marks: &[watched_episode::Model],
        cover: Option<Cover>,
    ) -> Self {
        let episode = |episode: &catalog::Episode| {
            let mark = marks.iter().find(|mark| mark.number == number(episode.number));
            SeasonEpisode {
                number: number(episode.number),
                title: episode.title.clone(),
                overview: episode.overview.clone(),
                air_date: episode.air_date.map(Date),
                runtime_minutes: episode.runtime_minutes.map(number),
                watched: mark.is_some(),
                watched_on: mark.and_then(|mark| page::date(mark.watched_on.as_deref())).map(Date),
            }
        };
        Self {
            number: number(season.number),
            title: season.title.clone(),
            overview: season.overview.clone(),
            air_date: season.air_date.clone(),
            cover,
            episodes: season.episodes.iter().map(episode).collect(),
            attribution: Attribution::of(id.source()),
            media_id: MediaId(id),
        }
    }
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
