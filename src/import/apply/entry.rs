//! Entries with all that hangs on them.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::value::{Precision, TombstoneKind};
use entity::{comment, history_event, library_entry, pending_episodes, review, watched_episode};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::fresh::{self, Found, Seeker};
use super::{EntryFate, Fate, Wanted, insert, unbury};
use crate::catalog::MediaId;
use crate::db::{Change, Counted, text_bytes};
use crate::error::Result;
use crate::import::checked::{self, Entry};
use crate::library::comment as notes;
use crate::library::entry::child_key;
use crate::library::episode::{self, MAX_MARKS, Watched};
use crate::library::{MAX_PER_ENTRY, history};
use crate::media::{self, Place, Schedule};

const ENTRY_FIELDS: [(&str, bool); 6] = [
    ("status", true),
    ("rating", true),
    ("favorite", true),
    ("progress", true),
    ("started_on", true),
    ("finished_on", true),
];
const REVIEW_FIELDS: [(&str, bool); 3] = [("title", true), ("body", true), ("spoiler", true)];
const COMMENT_FIELDS: [(&str, bool); 2] = [("body", true), ("anchor", true)];
const EVENT_FIELDS: [(&str, bool); 2] = [("finished_on", true), ("precision", true)];
const EPISODE_FIELDS: [(&str, bool); 1] = [("watched_on", true)];

/// What is there already of the entries that come.
struct There {
    entries: HashMap<String, library_entry::Model>,
    reviews: HashSet<String>,
    /// By title: how many there are. Their keys are in the sets.
    comments: HashMap<String, u64>,
    events: HashMap<String, u64>,
    comment_keys: HashSet<String>,
    event_keys: HashSet<String>,
}

/// The new rows.
#[derive(Default)]
struct Rows {
    entries: Vec<library_entry::Model>,
    /// Entries that are there and whose marks have changed.
    marked: Vec<library_entry::Model>,
    reviews: Vec<review::Model>,
    comments: Vec<comment::Model>,
    events: Vec<history_event::Model>,
    episodes: Vec<watched_episode::Model>,
    pending: Vec<pending_episodes::Model>,
    /// Series whose waiting calls can be done at once, because the episodes are known.
    ready: Vec<MediaId>,
}

pub(super) async fn apply(
    change: &mut Change,
    entries: &[Entry],
    wanted: &mut Wanted,
) -> Result<Vec<EntryFate>> {
    let there = There::of(change, entries).await?;
    let new: BTreeSet<MediaId> = entries
        .iter()
        .map(|entry| &entry.media_id)
        .filter(|id| !there.entries.contains_key(id.as_str()))
        .cloned()
        .collect();
    let known = wanted.note(change, &new).await?;
    let mut comments = ids(change, TombstoneKind::Comment, entries, &there.comment_keys, |entry| {
        entry.comments.iter().map(|row| (row.id, false)).collect()
    })
    .await?;
    let mut events = ids(change, TombstoneKind::HistoryEvent, entries, &there.event_keys, |entry| {
        entry.history.iter().map(|row| (row.id, is_of_its_day(&entry.media_id, row))).collect()
    })
    .await?;
    let mut rows = Rows::default();
    let mut fates = Vec::with_capacity(entries.len());
    for entry in entries {
        let schedule = match entry.episodes.is_empty() && entry.pending_episodes.is_empty() {
            true => None,
            false => media::schedule(change.tx(), &entry.media_id).await?,
        };
        if !there.entries.contains_key(entry.media_id.as_str()) && change.room(Counted::Entries) == 0 {
            // Without the entry nothing that hangs on it can be kept.
            comments.by_ref().take(entry.comments.len()).for_each(drop);
            events.by_ref().take(entry.history.len()).for_each(drop);
            fates.push(EntryFate::without_room(entry));
            continue;
        }
        let mut one = One { change, rows: &mut rows, there: &there, entry };
        let awaits_media = !known.contains(&entry.media_id);
        fates.push(EntryFate {
            pending_episodes: one.pending(schedule.is_some()),
            episodes: Vec::new(),
            ..one.fate(awaits_media, comments.by_ref(), events.by_ref())
        });
        let episodes = one.episodes(schedule.as_ref());
        if let Some(fate) = fates.last_mut() {
            fate.episodes = episodes;
        }
    }
    rows.write(change).await?;
    Ok(fates)
}

impl EntryFate {
    /// Of an entry that the account may not keep.
    fn without_room(entry: &Entry) -> Self {
        Self {
            entry: Fate::NoRoom,
            review: entry.review.as_ref().map(|_| Fate::NoRoom),
            comments: vec![Fate::NoRoom; entry.comments.len()],
            history: vec![Fate::NoRoom; entry.history.len()],
            episodes: vec![Fate::NoRoom; entry.episodes.len()],
            pending_episodes: vec![Fate::NoRoom; entry.pending_episodes.len()],
        }
    }
}

impl There {
    async fn of(change: &Change, entries: &[Entry]) -> Result<Self> {
        let account = change.account_id();
        let found = library_entry::Entity::find()
            .filter(library_entry::Column::AccountId.eq(account))
            .filter(library_entry::Column::MediaId.is_in(entries.iter().map(|entry| entry.media_id.as_str())))
            .all(change.tx())
            .await?;
        let found: HashMap<String, library_entry::Model> =
            found.into_iter().map(|row| (row.media_id.clone(), row)).collect();
        let those = |with: &dyn Fn(&Entry) -> bool| -> Vec<String> {
            let there = |entry: &&Entry| found.contains_key(entry.media_id.as_str()) && with(entry);
            entries.iter().filter(there).map(|entry| entry.media_id.to_string()).collect()
        };
        let reviews: Vec<String> = match those(&|entry| entry.review.is_some()) {
            with if with.is_empty() => Vec::new(),
            with => {
                review::Entity::find()
                    .select_only()
                    .column(review::Column::MediaId)
                    .filter(review::Column::AccountId.eq(account))
                    .filter(review::Column::MediaId.is_in(with))
                    .into_tuple()
                    .all(change.tx())
                    .await?
            }
        };
        let comments: Vec<(String, Uuid)> = match those(&|entry| !entry.comments.is_empty()) {
            with if with.is_empty() => Vec::new(),
            with => {
                comment::Entity::find()
                    .select_only()
                    .columns([comment::Column::MediaId, comment::Column::Id])
                    .filter(comment::Column::AccountId.eq(account))
                    .filter(comment::Column::MediaId.is_in(with))
                    .into_tuple()
                    .all(change.tx())
                    .await?
            }
        };
        let events: Vec<(String, Uuid)> = match those(&|entry| !entry.history.is_empty()) {
            with if with.is_empty() => Vec::new(),
            with => {
                history_event::Entity::find()
                    .select_only()
                    .columns([history_event::Column::MediaId, history_event::Column::Id])
                    .filter(history_event::Column::AccountId.eq(account))
                    .filter(history_event::Column::MediaId.is_in(with))
                    .into_tuple()
                    .all(change.tx())
                    .await?
            }
        };
        let (comments, comment_keys) = counted(comments);
        let (events, event_keys) = counted(events);
        Ok(Self {
            entries: found,
            reviews: reviews.into_iter().collect(),
            comments,
            events,
            comment_keys,
            event_keys,
        })
    }
}

/// How many there are of each title, and the keys of all.
fn counted(rows: Vec<(String, Uuid)>) -> (HashMap<String, u64>, HashSet<String>) {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut keys = HashSet::with_capacity(rows.len());
    for (media_id, id) in rows {
        keys.insert(format!("{media_id}/{id}"));
        *counts.entry(media_id).or_default() += 1;
    }
    (counts, keys)
}

/// Whether the event's id says no more than the title and the day: those of a completion.
fn is_of_its_day(media_id: &MediaId, event: &checked::HistoryEvent) -> bool {
    event.finished.precision == Precision::Day
        && event.finished.on.is_some_and(|day| history::finish_id(media_id, day) == event.id)
}

/// Under which ids the children of one kind come, in the order of the entries.
async fn ids(
    change: &Change,
    kind: TombstoneKind,
    entries: &[Entry],
    alive: &HashSet<String>,
    children: impl Fn(&Entry) -> Vec<(Uuid, bool)>,
) -> Result<std::vec::IntoIter<Found>> {
    let seekers: Vec<Seeker> = entries
        .iter()
        .flat_map(|entry| {
            let parent = format!("{}/", entry.media_id);
            let seeker = move |(id, lasting)| Seeker { parent: parent.clone(), id, lasting };
            children(entry).into_iter().map(seeker)
        })
        .collect();
    Ok(fresh::find(change, kind, &seekers, alive).await?.into_iter())
}

/// One entry on its way in.
struct One<'a> {
    change: &'a mut Change,
    rows: &'a mut Rows,
    there: &'a There,
    entry: &'a Entry,
}

impl One<'_> {
    fn media_id(&self) -> String {
        self.entry.media_id.to_string()
    }

    fn is_there(&self) -> bool {
        self.there.entries.contains_key(self.entry.media_id.as_str())
    }

    /// The entry, its review, its comments and its history.
    fn fate(
        &mut self,
        awaits_media: bool,
        comments: &mut impl Iterator<Item = Found>,
        events: &mut impl Iterator<Item = Found>,
    ) -> EntryFate {
        EntryFate {
            entry: self.own(awaits_media),
            review: self.review(),
            comments: self.comments(comments),
            history: self.events(events),
            episodes: Vec::new(),
            pending_episodes: Vec::new(),
        }
    }

    fn own(&mut self, awaits_media: bool) -> Fate {
        if self.is_there() {
            return Fate::Left;
        }
        let (media_id, entry) = (self.media_id(), self.entry);
        let state = &entry.state;
        let revision = self.change.next_revision();
        self.change.count_added(Counted::Entries, 1);
        self.rows.entries.push(library_entry::Model {
            account_id: self.change.account_id(),
            media_id,
            kind: entry.media_id.kind().as_str().to_owned(),
            status: state.status,
            status_set_by: state.status_set_by,
            rating: state.rating,
            favorite: state.favorite,
            progress_unit: state.progress.map(|progress| progress.unit),
            progress_current: state.progress.map(|progress| progress.current),
            progress_total: state.progress.and_then(|progress| progress.total),
            started_on: state.started_on.map(|date| date.to_string()),
            finished_on: state.finished_on.map(|date| date.to_string()),
            awaits_media,
            revision,
            added_at: entry.added_at,
            updated_at: entry.updated_at,
            watched: None,
            stamps: self.change.stamps(None, revision, &ENTRY_FIELDS),
        });
        Fate::Taken
    }

    fn review(&mut self) -> Option<Fate> {
        let review = self.entry.review.as_ref()?;
        if self.there.reviews.contains(self.entry.media_id.as_str()) {
            return Some(Fate::Left);
        }
        let length = text_bytes([Some(review.text.body.as_str()), review.text.title.as_deref()]);
        if self.change.replace_text(0, length).is_err() {
            return Some(Fate::NoRoom);
        }
        let revision = self.change.next_revision();
        self.rows.reviews.push(review::Model {
            account_id: self.change.account_id(),
            media_id: self.media_id(),
            title: review.text.title.clone(),
            body: review.text.body.clone(),
            spoiler: review.text.spoiler,
            revision,
            created_at: review.created_at,
            updated_at: review.updated_at,
            stamps: self.change.stamps(None, revision, &REVIEW_FIELDS),
        });
        Some(Fate::Taken)
    }

    fn comments(&mut self, ids: &mut impl Iterator<Item = Found>) -> Vec<Fate> {
        let mut count = self.there.comments.get(self.entry.media_id.as_str()).copied().unwrap_or(0);
        let mut fates = Vec::with_capacity(self.entry.comments.len());
        for (row, found) in self.entry.comments.iter().zip(ids) {
            let length = row.text.body.len() as u64;
            let fits = self.change.room(Counted::TextBytes) >= length;
            let (fate, id) = room(found, &mut count, fits);
            fates.push(fate);
            let Some(id) = id else { continue };
            self.change.count_added(Counted::TextBytes, length);
            let revision = self.change.next_revision();
            let (anchor_kind, anchor_season, anchor_number) = notes::columns(row.text.anchor);
            self.rows.comments.push(comment::Model {
                account_id: self.change.account_id(),
                media_id: self.media_id(),
                id,
                body: row.text.body.clone(),
                anchor_kind,
                anchor_season,
                anchor_number,
                revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
                stamps: self.change.stamps(None, revision, &COMMENT_FIELDS),
            });
        }
        fates
    }

    fn events(&mut self, ids: &mut impl Iterator<Item = Found>) -> Vec<Fate> {
        let mut count = self.there.events.get(self.entry.media_id.as_str()).copied().unwrap_or(0);
        let mut fates = Vec::with_capacity(self.entry.history.len());
        for (row, found) in self.entry.history.iter().zip(ids) {
            let fits = self.change.room(Counted::Events) > 0;
            let (fate, id) = room(found, &mut count, fits);
            fates.push(fate);
            let Some(id) = id else { continue };
            self.change.count_added(Counted::Events, 1);
            let revision = self.change.next_revision();
            self.rows.events.push(history_event::Model {
                account_id: self.change.account_id(),
                media_id: self.media_id(),
                id,
                finished_on: row.finished.on.map(|date| date.to_string()),
                finished_precision: row.finished.precision,
                revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
                stamps: self.change.stamps(None, revision, &EVENT_FIELDS),
            });
        }
        fates
    }

    /// Calls that wait get lower numbers than the marks: what is marked was marked after them, else they
    /// would have taken it back.
    fn pending(&mut self, known: bool) -> Vec<Fate> {
        let calls = &self.entry.pending_episodes;
        if self.is_there() {
            return vec![Fate::Left; calls.len()];
        }
        for call in calls {
            self.rows.pending.push(pending_episodes::Model {
                account_id: self.change.account_id(),
                media_id: self.media_id(),
                revision: self.change.next_revision(),
                watched: call.watched,
                season: call.span.season,
                first: call.span.first,
                last: call.span.last,
                aired_by: call.aired_by.map(|date| date.to_string()),
                watched_on: call.watched_on.map(|date| date.to_string()),
            });
        }
        if known && !calls.is_empty() {
            self.rows.ready.push(self.entry.media_id.clone());
        }
        vec![Fate::Taken; calls.len()]
    }

    /// The marks, each where the source now has its episode.
    fn episodes(&mut self, schedule: Option<&Schedule>) -> Vec<Fate> {
        if self.entry.episodes.is_empty() {
            return Vec::new();
        }
        let there = self.there.entries.get(self.entry.media_id.as_str());
        let watched = there.and_then(|row| row.watched.as_deref()).map(Watched::parse).unwrap_or_default();
        let mut places = watched.places();
        let before = places.len();
        let now_at = schedule.map(Schedule::places_by_source_id).unwrap_or_default();
        let mut fates = Vec::with_capacity(self.entry.episodes.len());
        for row in &self.entry.episodes {
            let moved = row.source_episode_id.and_then(|id| now_at.get(&id)).copied();
            let place = moved.unwrap_or(row.place);
            if places.contains(&place) {
                fates.push(Fate::Left);
                continue;
            }
            if places.len() >= MAX_MARKS || self.change.room(Counted::Events) == 0 {
                fates.push(Fate::NoRoom);
                continue;
            }
            places.insert(place);
            self.change.count_added(Counted::Events, 1);
            fates.push(Fate::Taken);
            let named = schedule.and_then(|schedule| schedule.at(place)).map(|slot| slot.source_id);
            let revision = self.change.next_revision();
            self.rows.episodes.push(watched_episode::Model {
                account_id: self.change.account_id(),
                media_id: self.media_id(),
                season: place.season,
                number: place.number,
                source_episode_id: row.source_episode_id.or(named),
                watched_on: row.watched_on.map(|date| date.to_string()),
                revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
                stamps: self.change.stamps(None, revision, &EPISODE_FIELDS),
            });
        }
        if places.len() > before {
            self.mark(there, places);
        }
        fates
    }

    /// The compact set of marks on the entry, which is a change of an entry that is there.
    fn mark(&mut self, there: Option<&library_entry::Model>, places: BTreeSet<Place>) {
        let watched = places.into_iter().collect::<Watched>().to_text();
        match there {
            Some(row) => {
                let (revision, updated_at) = (self.change.next_revision(), self.change.now());
                self.rows.marked.push(library_entry::Model { watched, revision, updated_at, ..row.clone() });
            }
            None => {
                if let Some(row) = self.rows.entries.last_mut() {
                    row.watched = watched;
                }
            }
        }
    }
}

/// Whether a child is taken, and under which id. `fits`: the account may keep it.
fn room(found: Found, count: &mut u64, fits: bool) -> (Fate, Option<Uuid>) {
    match found {
        Found::There(_) => (Fate::Left, None),
        Found::Free(id) if fits && *count < MAX_PER_ENTRY => {
            *count += 1;
            (Fate::Taken, Some(id))
        }
        Found::Free(_) | Found::Nothing => (Fate::NoRoom, None),
    }
}

impl Rows {
    async fn write(self, change: &mut Change) -> Result<()> {
        let reviews = self.reviews.iter().map(|row| row.media_id.clone()).collect();
        let episodes = self.episodes.iter();
        let episodes = episodes.map(|row| episode::key(&row.media_id, place(row))).collect();
        let events = self.events.iter();
        let events = events.filter_map(|row| Some(child_key(&row.media_id.parse().ok()?, row.id))).collect();
        insert(change, self.entries).await?;
        for row in self.marked {
            let row = row.into_active_model().reset_all();
            library_entry::Entity::update(row).exec_without_returning(change.tx()).await?;
        }
        insert(change, self.reviews).await?;
        insert(change, self.comments).await?;
        insert(change, self.events).await?;
        insert(change, self.pending).await?;
        insert(change, self.episodes).await?;
        unbury(change, TombstoneKind::Review, reviews).await?;
        unbury(change, TombstoneKind::Episode, episodes).await?;
        unbury(change, TombstoneKind::HistoryEvent, events).await?;
        for id in self.ready {
            episode::settle_in(change, &id).await?;
        }
        Ok(())
    }
}

fn place(row: &watched_episode::Model) -> Place {
    Place { season: row.season, number: row.number }
}
