//! Rows of an archive that hold every bound that the API holds, as typed values. Making them is a pure
//! function of the row: each thing that is wrong is named with its place, all of them at once.

use std::collections::HashSet;
use std::hash::Hash;

use chrono::NaiveDate;
use entity::value::{Precision, ProgressUnit, Status, StatusSetBy};
use sea_orm::ActiveEnum;
use uuid::Uuid;

use super::bounds;
use crate::account;
use crate::archive::format;
use crate::catalog::{Kind, MediaId};
use crate::clock::{self, Millis};
use crate::error::{Error, Violation};
use crate::library::comment::{self, Anchor};
use crate::library::episode::{MAX_MARKS, MAX_PENDING, Span};
use crate::library::history::{self, Finished};
use crate::library::rules::{self, Progress, State, Write};
use crate::library::{MAX_PER_ENTRY, review};
use crate::list::MAX_ITEMS;
use crate::media::Place;

/// A title of the library with all that hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub media_id: MediaId,
    pub state: State,
    pub added_at: Millis,
    pub updated_at: Millis,
    pub review: Option<Review>,
    pub comments: Vec<Comment>,
    pub history: Vec<HistoryEvent>,
    pub episodes: Vec<Episode>,
    /// In the order in which they were asked for.
    pub pending_episodes: Vec<PendingEpisodes>,
}

impl Entry {
    /// How many rows it comes to.
    pub fn rows(&self) -> usize {
        1 + usize::from(self.review.is_some())
            + self.comments.len()
            + self.history.len()
            + self.episodes.len()
            + self.pending_episodes.len()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    pub text: review::Text,
    pub created_at: Millis,
    pub updated_at: Millis,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub id: Uuid,
    pub text: comment::Text,
    pub created_at: Millis,
    pub updated_at: Millis,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    pub id: Uuid,
    pub finished: Finished,
    pub created_at: Millis,
    pub updated_at: Millis,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    pub place: Place,
    pub source_episode_id: Option<i64>,
    pub watched_on: Option<NaiveDate>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PendingEpisodes {
    pub watched: bool,
    pub span: Span,
    /// There for a mark, absent where marks are taken off.
    pub aired_by: Option<NaiveDate>,
    pub watched_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct List {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// In the person's order.
    pub items: Vec<ListItem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ListItem {
    pub media_id: MediaId,
    pub note: Option<String>,
    pub added_at: Millis,
    pub updated_at: Millis,
}

/// An account's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub language: Option<String>,
    pub time_zone: String,
    pub progress_sets_status: bool,
}

/// The entry that stands at `pointer`, or everything that is wrong with it.
pub fn check_entry(row: &format::Entry, pointer: &str) -> Result<Entry, Vec<Violation>> {
    let mut check = Check::new();
    let media_id = check.media_id(&row.media_id, &at(pointer, "media_id"));
    let kind = media_id.as_ref().map(MediaId::kind);
    let state = check.state(row, kind, pointer);
    let added_at = check.time(&row.added_at, &at(pointer, "added_at"));
    let updated_at = check.time(&row.updated_at, &at(pointer, "updated_at"));
    let review = row.review.as_ref().map(|review| check.review(review, &at(pointer, "review")));
    let comments = check.all(&row.comments, MAX_PER_ENTRY, &at(pointer, "comments"), |check, row, place| {
        check.comment(row, media_id.as_ref(), place)
    });
    let history = check.all(&row.history, MAX_PER_ENTRY, &at(pointer, "history"), Check::event);
    let episodes =
        check.all(&row.episodes, MAX_MARKS as u64, &at(pointer, "episodes"), |check, row, place| {
            check.episode(row, kind, place)
        });
    let pending_episodes = check.all(
        &row.pending_episodes,
        MAX_PENDING as u64,
        &at(pointer, "pending_episodes"),
        |check, row, place| check.pending(row, kind, place),
    );
    check.unique(row.comments.iter().map(|row| row.id), &at(pointer, "comments"), "id");
    check.unique(row.history.iter().map(|row| row.id), &at(pointer, "history"), "id");
    check.unique(row.episodes.iter().map(|row| (row.season, row.number)), &at(pointer, "episodes"), "number");
    check.finish((|| {
        Some(Entry {
            media_id: media_id?,
            state: state?,
            added_at: added_at?,
            updated_at: updated_at?,
            review: match review {
                Some(review) => Some(review?),
                None => None,
            },
            comments: comments?,
            history: history?,
            episodes: episodes?,
            pending_episodes: pending_episodes?,
        })
    })())
}

/// The list that stands at `pointer`, or everything that is wrong with it.
pub fn check_list(row: &format::List, pointer: &str) -> Result<List, Vec<Violation>> {
    let mut check = Check::new();
    let name = check.text(&row.name, bounds::NAME, &at(pointer, "name"));
    let description =
        check.optional_text(row.description.as_deref(), bounds::DESCRIPTION, &at(pointer, "description"));
    let created_at = check.time(&row.created_at, &at(pointer, "created_at"));
    let updated_at = check.time(&row.updated_at, &at(pointer, "updated_at"));
    let items = check.all(&row.items, MAX_ITEMS, &at(pointer, "items"), Check::item);
    check.unique(row.items.iter().map(|row| &row.media_id), &at(pointer, "items"), "media_id");
    check.finish((|| {
        Some(List {
            id: row.id,
            name: name?,
            description: description?,
            created_at: created_at?,
            updated_at: updated_at?,
            items: items?,
        })
    })())
}

/// The settings that stand at `pointer`, or everything that is wrong with them.
pub fn check_settings(row: &format::Account, pointer: &str) -> Result<Settings, Vec<Violation>> {
    let mut check = Check::new();
    if let Some(language) = &row.language {
        check.text(language, bounds::LANGUAGE, &at(pointer, "language"));
    }
    check.text(&row.time_zone, bounds::TIME_ZONE, &at(pointer, "time_zone"));
    let patch = account::Patch {
        language: Some(row.language.clone()),
        time_zone: Some(row.time_zone.clone()),
        progress_sets_status: Some(row.progress_sets_status),
    };
    check.domain(account::check(patch), pointer);
    check.finish(Some(Settings {
        language: row.language.clone(),
        time_zone: row.time_zone.clone(),
        progress_sets_status: row.progress_sets_status,
    }))
}

/// A place below another one.
pub(super) fn at(pointer: &str, name: impl std::fmt::Display) -> String {
    format!("{pointer}/{name}")
}

/// One check under way. What cannot be made is `None`, and why is in `found`.
struct Check {
    found: Vec<Violation>,
    now: Millis,
}

impl Check {
    fn new() -> Self {
        Self { found: Vec::new(), now: clock::now() }
    }

    fn finish<T>(self, made: Option<T>) -> Result<T, Vec<Violation>> {
        match made {
            Some(made) if self.found.is_empty() => Ok(made),
            _ => Err(self.found),
        }
    }

    fn wrong<T>(&mut self, pointer: &str, message: impl Into<String>) -> Option<T> {
        self.found.push(Violation::new(pointer, message));
        None
    }

    /// What the domain says of a value, with its places below `pointer`.
    fn domain<T>(&mut self, outcome: Result<T, Error>, pointer: &str) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(Error::Invalid { violations, .. }) => {
                self.below(violations, pointer);
                None
            }
            Err(error) => self.wrong(pointer, error.to_string()),
        }
    }

    fn below(&mut self, violations: Vec<Violation>, pointer: &str) {
        let moved = |one: Violation| Violation::new(format!("{pointer}{}", one.pointer), one.message);
        self.found.extend(violations.into_iter().map(moved));
    }

    /// Every one of `rows`, of which there may be `most`.
    fn all<R, T>(
        &mut self,
        rows: &[R],
        most: u64,
        pointer: &str,
        mut one: impl FnMut(&mut Self, &R, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        if rows.len() as u64 > most {
            return self.wrong(pointer, format!("must have at most {most} items"));
        }
        let each = rows.iter().enumerate().map(|(index, row)| one(self, row, &at(pointer, index)));
        // Not the first fault alone: each is looked at.
        let made: Vec<Option<T>> = each.collect();
        made.into_iter().collect()
    }

    fn unique<K: Eq + Hash>(&mut self, keys: impl Iterator<Item = K>, pointer: &str, name: &str) {
        let mut seen = HashSet::new();
        for (index, key) in keys.enumerate() {
            if !seen.insert(key) {
                self.found.push(Violation::new(format!("{pointer}/{index}/{name}"), "stands here twice"));
            }
        }
    }

    fn media_id(&mut self, text: &str, pointer: &str) -> Option<MediaId> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => self.wrong(pointer, format!("{error}")),
        }
    }

    fn text(&mut self, text: &str, most: usize, pointer: &str) -> Option<String> {
        let length = text.chars().count();
        if length == 0 {
            self.wrong(pointer, "must have at least 1 characters")
        } else if length > most {
            self.wrong(pointer, format!("must have at most {most} characters"))
        } else if text.contains('\0') {
            self.wrong(pointer, "must not contain the character NUL")
        } else {
            Some(text.to_owned())
        }
    }

    fn optional_text(&mut self, text: Option<&str>, most: usize, pointer: &str) -> Option<Option<String>> {
        match text {
            Some(text) => self.text(text, most, pointer).map(Some),
            None => Some(None),
        }
    }

    /// One of the names of an enum.
    fn name<E>(&mut self, text: &str, pointer: &str) -> Option<E>
    where
        E: ActiveEnum<Value = String> + sea_orm::Iterable,
    {
        match E::try_from_value(&text.to_owned()) {
            Ok(value) => Some(value),
            Err(_) => {
                let names: Vec<String> = E::iter().map(|value| value.to_value()).collect();
                self.wrong(pointer, format!("must be one of {}", names.join(", ")))
            }
        }
    }

    fn number(&mut self, number: i32, (least, most): (i32, i32), pointer: &str) -> Option<i32> {
        if number < least {
            self.wrong(pointer, format!("must be at least {least}"))
        } else if number > most {
            self.wrong(pointer, format!("must be at most {most}"))
        } else {
            Some(number)
        }
    }

    fn optional_number(
        &mut self,
        number: Option<i32>,
        bounds: (i32, i32),
        pointer: &str,
    ) -> Option<Option<i32>> {
        match number {
            Some(number) => self.number(number, bounds, pointer).map(Some),
            None => Some(None),
        }
    }

    /// A time, cut to now where it is ahead: what lies in the future would hide later changes.
    fn time(&mut self, time: &format::Timestamp, pointer: &str) -> Option<Millis> {
        match chrono::DateTime::parse_from_rfc3339(&time.0) {
            Ok(time) if time.timestamp_millis() >= 0 => Some(time.timestamp_millis().min(self.now)),
            Ok(_) => self.wrong(pointer, "must not be before 1970"),
            Err(_) => self.wrong(pointer, "must be a time as in RFC 3339"),
        }
    }

    fn date(&mut self, date: Option<&format::Date>, pointer: &str) -> Option<Option<NaiveDate>> {
        let Some(date) = date else { return Some(None) };
        match clock::parse_date(&date.0) {
            Some(date) => Some(Some(date)),
            None => self.wrong(pointer, "must be a date, YYYY-MM-DD"),
        }
    }

    fn state(&mut self, row: &format::Entry, kind: Option<Kind>, pointer: &str) -> Option<State> {
        let status = self.name::<Status>(&row.status, &at(pointer, "status"));
        let status_set_by = self.name::<StatusSetBy>(&row.status_set_by, &at(pointer, "status_set_by"));
        let rating = self.optional_number(row.rating, bounds::RATING, &at(pointer, "rating"));
        let progress = match &row.progress {
            Some(progress) => self.progress(progress, kind, pointer).map(Some),
            None => Some(None),
        };
        let started_on = self.date(row.started_on.as_ref(), &at(pointer, "started_on"));
        let finished_on = self.date(row.finished_on.as_ref(), &at(pointer, "finished_on"));
        Some(State {
            status: status?,
            status_set_by: status_set_by?,
            rating: rating?,
            favorite: row.favorite,
            progress: progress?,
            started_on: started_on?,
            finished_on: finished_on?,
        })
    }

    fn progress(&mut self, row: &format::Progress, kind: Option<Kind>, entry: &str) -> Option<Progress> {
        let pointer = at(entry, "progress");
        let unit = self.name::<ProgressUnit>(&row.unit, &at(&pointer, "unit"));
        let current = self.number(row.current, (0, bounds::PROGRESS), &at(&pointer, "current"));
        let total = self.optional_number(row.total, (1, bounds::PROGRESS), &at(&pointer, "total"));
        let progress = Progress { unit: unit?, current: current?, total: total? };
        match kind {
            Some(Kind::Tv) => self.wrong(&pointer, "is derived from the watched episodes of a series"),
            Some(kind) => {
                let write = Write { progress: Some(Some(progress)), ..Write::default() };
                let violations = rules::check(kind, &write);
                let fine = violations.is_empty();
                self.below(violations, entry);
                fine.then_some(progress)
            }
            None => None,
        }
    }

    fn review(&mut self, row: &format::Review, pointer: &str) -> Option<Review> {
        let title = self.optional_text(row.title.as_deref(), bounds::NAME, &at(pointer, "title"));
        let body = self.text(&row.body, bounds::REVIEW, &at(pointer, "body"));
        let created_at = self.time(&row.created_at, &at(pointer, "created_at"));
        let updated_at = self.time(&row.updated_at, &at(pointer, "updated_at"));
        Some(Review {
            text: review::Text { title: title?, body: body?, spoiler: row.spoiler },
            created_at: created_at?,
            updated_at: updated_at?,
        })
    }

    fn comment(&mut self, row: &format::Comment, entry: Option<&MediaId>, pointer: &str) -> Option<Comment> {
        let body = self.text(&row.body, bounds::COMMENT, &at(pointer, "body"));
        let anchor = match &row.anchor {
            Some(anchor) => self.anchor(anchor, &at(pointer, "anchor")).map(Some),
            None => Some(None),
        };
        let created_at = self.time(&row.created_at, &at(pointer, "created_at"));
        let updated_at = self.time(&row.updated_at, &at(pointer, "updated_at"));
        let text = comment::Text { body: body?, anchor: anchor? };
        self.domain(comment::check(entry?, &text), pointer)?;
        Some(Comment { id: row.id, text, created_at: created_at?, updated_at: updated_at? })
    }

    fn anchor(&mut self, row: &format::Anchor, pointer: &str) -> Option<Anchor> {
        let (number, season) = (at(pointer, "number"), at(pointer, "season"));
        if row.kind != "episode" && row.season.is_some() {
            return self.wrong(&season, "does not belong to this kind");
        }
        match (row.kind.as_str(), row.season) {
            ("episode", Some(given)) => {
                let season = self.number(given, (0, bounds::ANCHOR_ORDINAL), &season);
                let episode = self.number(row.number, (0, bounds::ANCHOR_ORDINAL), &number);
                Some(Anchor::Episode { season: season?, episode: episode? })
            }
            ("episode", None) => self.wrong(&season, "is required for this kind"),
            ("page", _) => self.number(row.number, (0, bounds::PROGRESS), &number).map(Anchor::Page),
            ("percent", _) => self.number(row.number, (0, 100), &number).map(Anchor::Percent),
            _ => self.wrong(&at(pointer, "kind"), "must be one of episode, page, percent"),
        }
    }

    fn event(&mut self, row: &format::HistoryEvent, pointer: &str) -> Option<HistoryEvent> {
        let on = self.date(row.finished_on.as_ref(), &at(pointer, "finished_on"));
        let precision = self.name::<Precision>(&row.precision, &at(pointer, "precision"));
        let created_at = self.time(&row.created_at, &at(pointer, "created_at"));
        let updated_at = self.time(&row.updated_at, &at(pointer, "updated_at"));
        let finished = self.domain(history::normal(Finished { on: on?, precision: precision? }), pointer)?;
        Some(HistoryEvent { id: row.id, finished, created_at: created_at?, updated_at: updated_at? })
    }

    fn episode(&mut self, row: &format::Episode, kind: Option<Kind>, pointer: &str) -> Option<Episode> {
        if kind.is_some_and(|kind| kind != Kind::Tv) {
            return self.wrong(pointer, "only series have episodes");
        }
        let season = self.number(row.season, (0, bounds::ORDINAL), &at(pointer, "season"));
        let number = self.number(row.number, (0, bounds::ORDINAL), &at(pointer, "number"));
        let watched_on = self.date(row.watched_on.as_ref(), &at(pointer, "watched_on"));
        let created_at = self.time(&row.created_at, &at(pointer, "created_at"));
        let updated_at = self.time(&row.updated_at, &at(pointer, "updated_at"));
        if row.source_episode_id.is_some_and(|id| id < 0) {
            return self.wrong(&at(pointer, "source_episode_id"), "must be at least 0");
        }
        Some(Episode {
            place: Place { season: season?, number: number? },
            source_episode_id: row.source_episode_id,
            watched_on: watched_on?,
            created_at: created_at?,
            updated_at: updated_at?,
        })
    }

    fn pending(
        &mut self,
        row: &format::PendingEpisodes,
        kind: Option<Kind>,
        pointer: &str,
    ) -> Option<PendingEpisodes> {
        if kind.is_some_and(|kind| kind != Kind::Tv) {
            return self.wrong(pointer, "only series have episodes");
        }
        let ordinal = (0, bounds::ORDINAL);
        let season = self.optional_number(row.season, ordinal, &at(pointer, "season"));
        let first = self.optional_number(row.first, ordinal, &at(pointer, "first"));
        let last = self.optional_number(row.last, ordinal, &at(pointer, "last"));
        let aired_by = self.date(row.aired_by.as_ref(), &at(pointer, "aired_by"));
        let watched_on = self.date(row.watched_on.as_ref(), &at(pointer, "watched_on"));
        let span = Span { season: season?, first: first?, last: last? };
        self.domain(span.check("/last"), pointer)?;
        let (aired_by, watched_on) = (aired_by?, watched_on?);
        if row.watched != aired_by.is_some() {
            return self.wrong(&at(pointer, "aired_by"), "goes with a mark, and with nothing else");
        }
        Some(PendingEpisodes { watched: row.watched, span, aired_by, watched_on })
    }

    fn item(&mut self, row: &format::ListItem, pointer: &str) -> Option<ListItem> {
        let media_id = self.media_id(&row.media_id, &at(pointer, "media_id"));
        let note = self.optional_text(row.note.as_deref(), bounds::NOTE, &at(pointer, "note"));
        let added_at = self.time(&row.added_at, &at(pointer, "added_at"));
        let updated_at = self.time(&row.updated_at, &at(pointer, "updated_at"));
        Some(ListItem { media_id: media_id?, note: note?, added_at: added_at?, updated_at: updated_at? })
    }
}
