//! What became of an archive: kept with the import, so that whoever asks later is told the same.

use serde::{Deserialize, Serialize};

use super::apply::{EntryFate, Fate, ListFate};
use super::archive::Counts;
use super::checked::at;

/// Rows that were not taken and are listed.
const MAX_LISTED: usize = 1_000;

/// What an import never takes, in words for the person.
pub const NOT_TAKEN: [&str; 4] = [
    "devices: each registers itself",
    "consents: they are given anew",
    "profile: name and e-mail addresses are kept by Clerk",
    "records: what the service noted to do its work",
];

/// How many rows were taken and how many were not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What the archive holds.
    pub archive: Counts,
    pub taken: Counts,
    /// Something was there under the same key.
    pub left: Counts,
    /// The account keeps as many of these as it may.
    pub no_room: Counts,
    /// The first of those that were not taken.
    pub rows: Vec<NotTaken>,
    /// Rows that passed the check and were not as the format says afterwards.
    #[serde(default)]
    pub refused: u64,
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTaken {
    pub pointer: String,
    /// It found no room; else something was there.
    pub no_room: bool,
}

type Count = fn(&mut Counts) -> &mut u64;

impl Report {
    pub fn settings(&mut self, pointer: &str, fate: Fate) {
        self.one(|| pointer.to_owned(), fate, |counts| &mut counts.settings);
    }

    pub fn entry(&mut self, pointer: &str, fate: &EntryFate) {
        self.one(|| pointer.to_owned(), fate.entry, |counts| &mut counts.entries);
        if let Some(review) = fate.review {
            self.one(|| at(pointer, "review"), review, |counts| &mut counts.reviews);
        }
        self.many(&at(pointer, "comments"), &fate.comments, |counts| &mut counts.comments);
        self.many(&at(pointer, "history"), &fate.history, |counts| &mut counts.history_events);
        self.many(&at(pointer, "episodes"), &fate.episodes, |counts| &mut counts.episodes);
        let pending = at(pointer, "pending_episodes");
        self.many(&pending, &fate.pending_episodes, |counts| &mut counts.pending_episodes);
    }

    pub fn list(&mut self, pointer: &str, fate: &ListFate) {
        self.one(|| pointer.to_owned(), fate.list, |counts| &mut counts.lists);
        self.many(&at(pointer, "items"), &fate.items, |counts| &mut counts.list_items);
    }

    fn many(&mut self, pointer: &str, fates: &[Fate], count: Count) {
        for (index, fate) in fates.iter().enumerate() {
            self.one(|| at(pointer, index), *fate, count);
        }
    }

    fn one(&mut self, pointer: impl FnOnce() -> String, fate: Fate, count: Count) {
        let counts = match fate {
            Fate::Taken => &mut self.taken,
            Fate::Left => &mut self.left,
            Fate::NoRoom => &mut self.no_room,
        };
        *count(counts) += 1;
        if fate != Fate::Taken && self.rows.len() < MAX_LISTED {
            self.rows.push(NotTaken { pointer: pointer(), no_room: fate == Fate::NoRoom });
        }
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".into())
    }

    /// What an import says; one that says nothing readable says nothing.
    pub fn of(row: &entity::import::Model) -> Self {
        serde_json::from_str(&row.report).unwrap_or_default()
    }
}
