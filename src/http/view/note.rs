//! Reviews, comments and history events on the wire.

use entity::{comment, history_event, review, value};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use super::wire_enum;
use crate::error::{Error, Result, Violation};
use crate::http::text::{Date, Timestamp};
use crate::library;
use crate::library::page;

/// The one review of an entry.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Review {
    pub media_id: String,
    pub title: Option<String>,
    pub body: String,
    /// Whether the text gives the plot away.
    pub spoiler: bool,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<review::Model> for Review {
    fn from(row: review::Model) -> Self {
        Self {
            media_id: row.media_id,
            title: row.title,
            body: row.body,
            spoiler: row.spoiler,
            revision: row.revision,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// The whole of a review. What is absent is cleared.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ReviewWrite {
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    pub title: Option<String>,
    #[oai(validator(min_length = 1, max_length = 20000))]
    pub body: String,
    /// Whether the text gives the plot away.
    #[oai(default)]
    pub spoiler: bool,
}

impl From<ReviewWrite> for library::review::Text {
    fn from(write: ReviewWrite) -> Self {
        Self { title: write.title, body: write.body, spoiler: write.spoiler }
    }
}

wire_enum! {
    /// What a comment is attached to.
    AnchorKind mirrors value::AnchorKind { Episode, Page, Percent }
}

/// The place in the title that a comment is attached to. `episode` needs `season` and `episode`,
/// `page` needs `page`, `percent` needs `percent`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields)]
pub struct CommentAnchor {
    pub kind: AnchorKind,
    #[oai(validator(minimum(value = "0"), maximum(value = "100000")))]
    pub season: Option<i32>,
    #[oai(validator(minimum(value = "0"), maximum(value = "100000")))]
    pub episode: Option<i32>,
    #[oai(validator(minimum(value = "0"), maximum(value = "10000000")))]
    pub page: Option<i32>,
    #[oai(validator(minimum(value = "0"), maximum(value = "100")))]
    pub percent: Option<i32>,
}

impl CommentAnchor {
    pub(super) fn domain(&self) -> Result<library::comment::Anchor> {
        use library::comment::Anchor;
        let given = [
            ("season", self.season, self.kind == AnchorKind::Episode),
            ("episode", self.episode, self.kind == AnchorKind::Episode),
            ("page", self.page, self.kind == AnchorKind::Page),
            ("percent", self.percent, self.kind == AnchorKind::Percent),
        ];
        let wrong = given.into_iter().filter_map(|(name, value, wanted)| match (value, wanted) {
            (None, true) => Some(Violation::new(format!("/anchor/{name}"), "is required for this kind")),
            (Some(_), false) => {
                Some(Violation::new(format!("/anchor/{name}"), "does not belong to this kind"))
            }
            _ => None,
        });
        let violations: Vec<_> = wrong.collect();
        let anchor = match (self.season, self.episode, self.page, self.percent) {
            (Some(season), Some(episode), None, None) => Some(Anchor::Episode { season, episode }),
            (None, None, Some(page), None) => Some(Anchor::Page(page)),
            (None, None, None, Some(percent)) => Some(Anchor::Percent(percent)),
            _ => None,
        };
        match anchor {
            Some(anchor) if violations.is_empty() => Ok(anchor),
            _ => Err(Error::Invalid { code: "invalid_anchor", violations }),
        }
    }
}

impl From<library::comment::Anchor> for CommentAnchor {
    fn from(anchor: library::comment::Anchor) -> Self {
        use library::comment::Anchor;
        let none = Self { kind: AnchorKind::Page, season: None, episode: None, page: None, percent: None };
        match anchor {
            Anchor::Episode { season, episode } => {
                Self { kind: AnchorKind::Episode, season: Some(season), episode: Some(episode), ..none }
            }
            Anchor::Page(page) => Self { page: Some(page), ..none },
            Anchor::Percent(percent) => Self { kind: AnchorKind::Percent, percent: Some(percent), ..none },
        }
    }
}

/// A dated note on an entry.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Comment {
    pub id: Uuid,
    pub media_id: String,
    pub body: String,
    pub anchor: Option<CommentAnchor>,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<comment::Model> for Comment {
    fn from(row: comment::Model) -> Self {
        Self {
            id: row.id,
            anchor: library::comment::anchor(&row).map(CommentAnchor::from),
            media_id: row.media_id,
            body: row.body,
            revision: row.revision,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// One page of comments, oldest first.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct CommentPage {
    pub items: Vec<Comment>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// The whole of a comment. What is absent is cleared.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CommentWrite {
    #[oai(validator(min_length = 1, max_length = 5000))]
    pub body: String,
    #[oai(nullable)]
    pub anchor: Option<CommentAnchor>,
}

impl CommentWrite {
    pub fn domain(self) -> Result<library::comment::Text> {
        let anchor = self.anchor.map(|anchor| anchor.domain()).transpose()?;
        Ok(library::comment::Text { body: self.body, anchor })
    }
}

wire_enum! {
    /// How exactly a date is remembered.
    DatePrecision mirrors value::Precision { Day, Month, Year, Unknown }
}

/// One time an entry was finished.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct HistoryEvent {
    pub id: Uuid,
    pub media_id: String,
    /// The first day of the period that `precision` names; absent when unknown.
    pub finished_on: Option<Date>,
    pub precision: DatePrecision,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<history_event::Model> for HistoryEvent {
    fn from(row: history_event::Model) -> Self {
        Self {
            id: row.id,
            finished_on: page::date(row.finished_on.as_deref()).map(Date),
            precision: row.finished_precision.into(),
            media_id: row.media_id,
            revision: row.revision,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// One page of history, the latest first, unknown dates last.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct HistoryEventPage {
    pub items: Vec<HistoryEvent>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// The whole of a history event.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct HistoryEventWrite {
    /// Any day of the period that `precision` names; left out when unknown.
    #[oai(nullable)]
    pub finished_on: Option<Date>,
    pub precision: DatePrecision,
}

impl From<HistoryEventWrite> for library::history::Finished {
    fn from(write: HistoryEventWrite) -> Self {
        Self { on: write.finished_on.map(|date| date.0), precision: write.precision.into() }
    }
}
