//! Lists and their items on the wire.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;
use uuid::Uuid;

use super::clearable;
use super::media::{Cover, MediaState, MediaSummary};
use crate::error::{Error, Result, Violation};
use crate::http::text::{MediaId, Timestamp};
use crate::list::order::Place;
use crate::list::{self as domain, item};

/// An account's own ordered collection of media items.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct MediaList {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub item_count: i64,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<domain::List> for MediaList {
    fn from(list: domain::List) -> Self {
        Self {
            id: list.row.id,
            name: list.row.name,
            description: list.row.description,
            item_count: list.item_count,
            revision: list.row.revision,
            created_at: Timestamp(list.row.created_at),
            updated_at: Timestamp(list.row.updated_at),
        }
    }
}

/// One page of lists, oldest first.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct MediaListPage {
    pub items: Vec<MediaList>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// The whole of a list's own fields. What is absent is cleared.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct MediaListWrite {
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: String,
    #[oai(nullable, validator(min_length = 1, max_length = 2000))]
    pub description: Option<String>,
}

impl From<MediaListWrite> for domain::Write {
    fn from(write: MediaListWrite) -> Self {
        Self { name: Some(write.name), description: Some(write.description) }
    }
}

/// Changes to a list: what is absent stays, null clears.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct MediaListPatch {
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: Option<String>,
    #[oai(nullable, validator(min_length = 1, max_length = 2000))]
    pub description: MaybeUndefined<String>,
}

/// One media item of a list.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct ListItem {
    pub media_id: String,
    pub list_id: Uuid,
    pub note: Option<String>,
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

impl ListItem {
    pub fn new(item: item::Item, cover: Option<Cover>) -> Self {
        Self {
            media_id: item.row.media_id,
            list_id: item.row.list_id,
            note: item.row.note,
            revision: item.row.revision,
            added_at: Timestamp(item.row.added_at),
            updated_at: Timestamp(item.row.updated_at),
            media_state: item.media_state.map(MediaState::from),
            media: item.media.map(|media| MediaSummary::new(media, cover)),
        }
    }
}

/// One page of a list, in its order.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct ListItemPage {
    pub items: Vec<ListItem>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// The whole of an item. An absent note is cleared. Without `before` and `after` a new item goes to
/// the end and one that is there keeps its place; both at once are refused.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ListItemWrite {
    #[oai(nullable, validator(min_length = 1, max_length = 1000))]
    pub note: Option<String>,
    /// Put it directly before this item of the list.
    pub before: Option<MediaId>,
    /// Put it directly after this item of the list.
    pub after: Option<MediaId>,
}

impl ListItemWrite {
    pub fn domain(self) -> Result<item::Write> {
        Ok(item::Write { note: Some(self.note), place: place(self.before, self.after)? })
    }
}

/// Changes to an item: what is absent stays, null clears.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ListItemPatch {
    #[oai(nullable, validator(min_length = 1, max_length = 1000))]
    pub note: MaybeUndefined<String>,
    /// Put it directly before this item of the list.
    pub before: Option<MediaId>,
    /// Put it directly after this item of the list.
    pub after: Option<MediaId>,
}

impl ListItemPatch {
    pub fn domain(self) -> Result<item::Write> {
        Ok(item::Write { note: clearable(self.note), place: place(self.before, self.after)? })
    }
}

impl From<MediaListPatch> for domain::Write {
    fn from(patch: MediaListPatch) -> Self {
        Self { name: patch.name, description: clearable(patch.description) }
    }
}

pub(super) fn place(before: Option<MediaId>, after: Option<MediaId>) -> Result<Place> {
    match (before, after) {
        (None, None) => Ok(Place::AsIs),
        (Some(anchor), None) => Ok(Place::Before(anchor.0)),
        (None, Some(anchor)) => Ok(Place::After(anchor.0)),
        (Some(_), Some(_)) => Err(Error::Invalid {
            code: "invalid_place",
            violations: vec![
                Violation::new("/before", "cannot be given with after"),
                Violation::new("/after", "cannot be given with before"),
            ],
        }),
    }
}
