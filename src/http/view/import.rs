//! Imports on the wire.

use entity::{import, value};
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use super::wire_enum;
use crate::http::problem::ViolationBody;
use crate::http::text::Timestamp;
use crate::import::archive::{Counts, Faults};
use crate::import::report::{self, NOT_TAKEN, NotTaken};

wire_enum! {
    /// How far an import has come: `applying`, all of it is `done`, or `failed`: given up, and what was taken
    /// stays.
    ImportState mirrors value::ImportState { Applying, Done, Failed }
}

/// Rows of an archive by what they are.
#[derive(Debug, Clone, Object, Serialize)]
pub struct ImportCounts {
    /// 1 for the account's settings.
    pub settings: i64,
    pub entries: i64,
    pub reviews: i64,
    pub comments: i64,
    pub history_events: i64,
    pub episodes: i64,
    pub pending_episodes: i64,
    pub lists: i64,
    pub list_items: i64,
}

impl From<Counts> for ImportCounts {
    fn from(counts: Counts) -> Self {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            settings: count(counts.settings),
            entries: count(counts.entries),
            reviews: count(counts.reviews),
            comments: count(counts.comments),
            history_events: count(counts.history_events),
            episodes: count(counts.episodes),
            pending_episodes: count(counts.pending_episodes),
            lists: count(counts.lists),
            list_items: count(counts.list_items),
        }
    }
}

/// Why a row was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, poem_openapi::Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum LeftReason {
    /// Something was there under the same key: it stays as it is.
    Exists,
    /// The account keeps as many of these as it may.
    NoRoom,
}

/// A row of the archive that was not taken.
#[derive(Debug, Clone, Object, Serialize)]
pub struct ImportRow {
    /// A JSON pointer into the archive.
    pub pointer: String,
    pub reason: LeftReason,
}

impl From<NotTaken> for ImportRow {
    fn from(row: NotTaken) -> Self {
        let reason = if row.no_room { LeftReason::NoRoom } else { LeftReason::Exists };
        Self { pointer: row.pointer, reason }
    }
}

/// What became of the rows of an archive, so far.
#[derive(Debug, Clone, Object, Serialize)]
pub struct ImportReport {
    /// What the archive holds.
    pub archive: ImportCounts,
    pub taken: ImportCounts,
    /// Rows of which something was there under the same key: it stays as it is.
    pub left: ImportCounts,
    /// Rows beyond what an account may keep.
    pub no_room: ImportCounts,
    /// The first 1,000 of the rows that were not taken.
    pub rows: Vec<ImportRow>,
    /// What an import never takes, in words.
    pub not_taken: Vec<String>,
}

/// An archive that is taken back.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Import {
    pub id: Uuid,
    pub state: ImportState,
    pub report: ImportReport,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Whether it was sent before, by a request with the same `Idempotency-Key`. Only in the answer to one.
    pub duplicate: Option<bool>,
}

impl Import {
    pub fn new(row: import::Model, duplicate: Option<bool>) -> Self {
        let report = report::Report::of(&row);
        Self {
            id: row.id,
            state: row.state.into(),
            report: ImportReport {
                archive: report.archive.into(),
                taken: report.taken.into(),
                left: report.left.into(),
                no_room: report.no_room.into(),
                rows: report.rows.into_iter().map(ImportRow::from).collect(),
                not_taken: not_taken(),
            },
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            duplicate,
        }
    }
}

fn not_taken() -> Vec<String> {
    NOT_TAKEN.iter().map(|text| (*text).to_owned()).collect()
}

/// One page of imports, oldest first.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct ImportPage {
    pub items: Vec<Import>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// What a look at an archive has shown; nothing was written.
#[derive(Debug, Clone, Object, Serialize)]
pub struct ImportCheck {
    /// Whether it would be taken.
    pub valid: bool,
    /// Rows that are as they should be.
    pub archive: ImportCounts,
    /// How many things are wrong with it.
    pub error_count: i64,
    /// The first 1,000 of them, each with its place in the archive.
    pub errors: Vec<ViolationBody>,
    /// What an import never takes, in words.
    pub not_taken: Vec<String>,
}

impl ImportCheck {
    pub fn new(counts: Counts, faults: Faults) -> Self {
        let body =
            |one: crate::error::Violation| ViolationBody { pointer: one.pointer, message: one.message };
        Self {
            valid: faults.is_empty(),
            archive: counts.into(),
            error_count: i64::try_from(faults.count).unwrap_or(i64::MAX),
            errors: faults.listed.into_iter().map(body).collect(),
            not_taken: not_taken(),
        }
    }
}
