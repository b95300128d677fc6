//! Library entries on the wire.

use entity::value;
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use super::episode::NextEpisode;
use super::media::{Cover, MediaKind, MediaState, MediaSummary};
use super::{clearable, wire_enum};
use crate::http::text::{Date, Timestamp};
use crate::library::entry;
use crate::library::episode::Following;
use crate::library::page;
use crate::library::rules;

wire_enum! {
    /// Where a person is with a title.
    Status mirrors value::Status { Backlog, InProgress, Completed, Dropped }
}

wire_enum! {
    /// Who set the status: the person's own word always wins.
    StatusSetBy mirrors value::StatusSetBy { Person, Progress }
}

wire_enum! {
    /// What progress is counted in.
    ProgressUnit mirrors value::ProgressUnit { Episodes, Pages, Minutes, Percent }
}

/// How far a person has come.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(rename = "EntryProgress", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Progress {
    pub unit: ProgressUnit,
    #[oai(validator(minimum(value = "0"), maximum(value = "10000000")))]
    pub current: i32,
    #[oai(validator(minimum(value = "1"), maximum(value = "10000000")))]
    pub total: Option<i32>,
}

impl From<Progress> for rules::Progress {
    fn from(progress: Progress) -> Self {
        Self { unit: progress.unit.into(), current: progress.current, total: progress.total }
    }
}

impl From<&Following> for Progress {
    fn from(following: &Following) -> Self {
        let total = following.aired.filter(|aired| *aired > 0);
        Self { unit: ProgressUnit::Episodes, current: following.watched, total }
    }
}

/// What a title shows of the account's own entry.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct EntryMark {
    pub status: Status,
    /// 1 to 100.
    pub rating: Option<i32>,
    pub favorite: bool,
}

/// What one account says of one media item.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct LibraryEntry {
    pub media_id: MediaIdText,
    pub kind: MediaKind,
    pub status: Status,
    pub status_set_by: StatusSetBy,
    /// 1 to 100; absent means none.
    pub rating: Option<i32>,
    pub favorite: bool,
    /// Of a series: how many of the episodes that have aired are watched; derived, specials never count.
    pub progress: Option<Progress>,
    /// Of a series: whether every episode that has aired is watched. It changes nothing by itself.
    pub caught_up: Option<bool>,
    /// Of a series: the first aired episode behind the last one watched, else the first that was left
    /// out, else the first to come.
    pub next_episode: Option<NextEpisode>,
    pub started_on: Option<Date>,
    pub finished_on: Option<Date>,
    pub revision: i64,
    pub added_at: Timestamp,
    pub updated_at: Timestamp,
    /// What the source said of the title; absent while none has been asked.
    pub media_state: Option<MediaState>,
    /// What is known of the title; null while nothing is.
    #[oai(nullable, skip_serializing_if_is_none = false)]
    #[serialize_always]
    pub media: Option<MediaSummary>,
}

/// A media id on its way out, which was checked on its way in.
pub type MediaIdText = String;

impl LibraryEntry {
    pub fn new(entry: entry::Entry, cover: Option<Cover>) -> Self {
        let row = entry.row;
        let kind = match row.kind.as_str() {
            "tv" => MediaKind::Tv,
            "game" => MediaKind::Game,
            "book" => MediaKind::Book,
            _ => MediaKind::Movie,
        };
        let date = |text: Option<String>| page::date(text.as_deref()).map(Date);
        Self {
            media_id: row.media_id,
            kind,
            status: row.status.into(),
            status_set_by: row.status_set_by.into(),
            rating: row.rating,
            favorite: row.favorite,
            progress: match &entry.following {
                Some(following) => Some(Progress::from(following)),
                None => row.progress_unit.zip(row.progress_current).map(|(unit, current)| Progress {
                    unit: unit.into(),
                    current,
                    total: row.progress_total,
                }),
            },
            caught_up: entry.following.map(|following| following.caught_up),
            next_episode: entry.following.and_then(|following| following.next).map(NextEpisode::from),
            started_on: date(row.started_on),
            finished_on: date(row.finished_on),
            revision: row.revision,
            added_at: Timestamp(row.added_at),
            updated_at: Timestamp(row.updated_at),
            media_state: entry.media_state.map(MediaState::from),
            media: entry.media.map(|media| MediaSummary::new(media, cover)),
        }
    }
}

/// One page of the library.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct LibraryEntryPage {
    pub items: Vec<LibraryEntry>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// The whole of an entry. What is absent is cleared, except the two dates, which stay as they are.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct LibraryEntryWrite {
    pub status: Status,
    /// 1 to 100.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "100")))]
    pub rating: Option<i32>,
    #[oai(default)]
    pub favorite: bool,
    /// Not for tv: there it is derived from the watched episodes.
    #[oai(nullable)]
    pub progress: Option<Progress>,
    /// Filled by a move into `in_progress` if empty.
    #[oai(nullable)]
    pub started_on: MaybeUndefined<Date>,
    /// Filled by a move into `completed` if empty.
    #[oai(nullable)]
    pub finished_on: MaybeUndefined<Date>,
    /// The day on the phone's calendar; without it the account's time zone decides.
    pub on: Option<Date>,
}

impl From<LibraryEntryWrite> for rules::Write {
    fn from(write: LibraryEntryWrite) -> Self {
        Self {
            status: Some(write.status.into()),
            rating: Some(write.rating),
            favorite: Some(write.favorite),
            progress: Some(write.progress.map(rules::Progress::from)),
            started_on: clearable(write.started_on).map(|date| date.map(|date| date.0)),
            finished_on: clearable(write.finished_on).map(|date| date.map(|date| date.0)),
            on: write.on.map(|date| date.0),
            keeps_status: false,
        }
    }
}

/// Changes to an entry: what is absent stays, null clears.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct LibraryEntryPatch {
    pub status: Option<Status>,
    /// 1 to 100.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "100")))]
    pub rating: MaybeUndefined<i32>,
    pub favorite: Option<bool>,
    /// Not for tv: there it is derived from the watched episodes.
    #[oai(nullable)]
    pub progress: MaybeUndefined<Progress>,
    #[oai(nullable)]
    pub started_on: MaybeUndefined<Date>,
    #[oai(nullable)]
    pub finished_on: MaybeUndefined<Date>,
    /// The day on the phone's calendar; without it the account's time zone decides.
    pub on: Option<Date>,
}

impl From<LibraryEntryPatch> for rules::Write {
    fn from(patch: LibraryEntryPatch) -> Self {
        Self {
            status: patch.status.map(Into::into),
            rating: clearable(patch.rating),
            favorite: patch.favorite,
            progress: clearable(patch.progress).map(|progress| progress.map(rules::Progress::from)),
            started_on: clearable(patch.started_on).map(|date| date.map(|date| date.0)),
            finished_on: clearable(patch.finished_on).map(|date| date.map(|date| date.0)),
            on: patch.on.map(|date| date.0),
            keeps_status: false,
        }
    }
}

/// What the library can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, poem_openapi::Enum)]
#[oai(rename_all = "snake_case")]
pub enum EntrySort {
    UpdatedAt,
    AddedAt,
    Title,
    Rating,
    FinishedOn,
}

impl From<EntrySort> for page::Sort {
    fn from(sort: EntrySort) -> Self {
        match sort {
            EntrySort::UpdatedAt => Self::UpdatedAt,
            EntrySort::AddedAt => Self::AddedAt,
            EntrySort::Title => Self::Title,
            EntrySort::Rating => Self::Rating,
            EntrySort::FinishedOn => Self::FinishedOn,
        }
    }
}

/// Which way to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, poem_openapi::Enum)]
#[oai(rename_all = "snake_case")]
pub enum SortDirection {
    Asc,
    Desc,
}
