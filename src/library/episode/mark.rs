//! The marks of one entry inside one change: rows, the compact set on the entry, and what a first
//! mark does to its status.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::value::TombstoneKind;
use entity::{library_entry, watched_episode};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::watched::Watched;
use super::{MAX_MARKS, Span};
use crate::catalog::MediaId;
use crate::db::{Change, Counted, rows};
use crate::error::{Error, Result};
use crate::library::{entry, require_entry, rules};
use crate::media::{self, Place, Schedule};

/// Rows written by one statement.
const CHUNK: usize = 200;

/// The marks of one entry. [`Marks::close`] writes what follows from their changes.
pub(super) struct Marks {
    entry: library_entry::Model,
    pub(super) schedule: Option<Schedule>,
    before: BTreeSet<Place>,
    pub(super) places: BTreeSet<Place>,
    /// A first mark does not set the status.
    pub(super) keeps_status: bool,
}

impl Marks {
    /// Of an entry that must be there.
    pub(super) async fn open(change: &Change, id: &MediaId) -> Result<Self> {
        let entry = require_entry(change, id).await?;
        let schedule = media::schedule(change.tx(), id).await?;
        let places = entry.watched.as_deref().map(Watched::parse).unwrap_or_default().places();
        Ok(Self { entry, schedule, before: places.clone(), places, keeps_status: false })
    }

    pub(super) fn entry_revision(&self) -> i64 {
        self.entry.revision
    }

    /// The episodes of `span` that aired up to `by`; `None` while the episodes are not known.
    pub(super) fn aired(&self, span: Span, by: NaiveDate) -> Option<Vec<Place>> {
        let slots = self.schedule.as_ref()?.slots().iter();
        Some(
            slots
                .filter(|slot| span.holds(slot.place) && slot.has_aired(by))
                .map(|slot| slot.place)
                .collect(),
        )
    }

    /// Marks what is not marked yet; gives the new rows.
    pub(super) async fn add(
        &mut self,
        change: &mut Change,
        places: &[Place],
        watched_on: Option<String>,
    ) -> Result<Vec<watched_episode::Model>> {
        let mut added = Vec::new();
        for place in places.iter().filter(|place| !self.places.contains(place)) {
            let revision = change.next_revision();
            added.push(watched_episode::Model {
                account_id: change.account_id(),
                media_id: self.entry.media_id.clone(),
                season: place.season,
                number: place.number,
                source_episode_id: self.source_id(*place),
                watched_on: watched_on.clone(),
                revision,
                created_at: change.now(),
                updated_at: change.now(),
                stamps: change.stamps(None, revision, &[("watched_on", true)]),
            });
        }
        if self.places.len() + added.len() > MAX_MARKS {
            return Err(Error::LimitReached {
                what: "watched episodes of a series",
                limit: MAX_MARKS as u64,
            });
        }
        change.require_room(Counted::Events, added.len() as u64)?;
        insert(change, &added).await?;
        self.places.extend(added.iter().map(|row| Place { season: row.season, number: row.number }));
        Ok(added)
    }

    /// Takes the marks off `span`; each leaves a tombstone.
    pub(super) async fn remove(&mut self, change: &mut Change, span: Span) -> Result<()> {
        let gone: Vec<Place> = self.places.iter().copied().filter(|place| span.holds(*place)).collect();
        self.remove_places(change, &gone).await
    }

    pub(super) async fn remove_places(&mut self, change: &mut Change, gone: &[Place]) -> Result<()> {
        delete(change, &self.entry.media_id, gone).await?;
        for place in gone {
            self.places.remove(place);
        }
        let keys = gone.iter().map(|place| key(&self.entry.media_id, *place)).collect();
        change.bury_all(TombstoneKind::Episode, keys).await
    }

    pub(super) fn source_id(&self, place: Place) -> Option<i64> {
        self.schedule.as_ref()?.at(place).map(|slot| slot.source_id)
    }

    /// Stamps the entry if what it shows has changed. The first progress on a backlog entry moves it to
    /// `in_progress`, unless the account does not want that.
    pub(super) async fn close(mut self, change: &mut Change, day: NaiveDate) -> Result<()> {
        if self.places == self.before {
            return Ok(());
        }
        let before = entry::state(&self.entry);
        let regular = |places: &BTreeSet<Place>| places.iter().any(|place| !place.is_special());
        let starts = !regular(&self.before) && regular(&self.places);
        if starts && !self.keeps_status && change.account().progress_sets_status {
            let mut state = entry::state(&self.entry);
            rules::start_by_progress(&mut state, day);
            self.entry.status = state.status;
            self.entry.status_set_by = state.status_set_by;
            self.entry.started_on = state.started_on.map(|date| date.to_string());
        }
        let started = entry::state(&self.entry) != before;
        self.entry.watched = self.places.iter().copied().collect::<Watched>().to_text();
        let revision = change.next_revision();
        let fields = [("status", started), ("started_on", started)];
        self.entry.stamps = change.stamps(self.entry.stamps.as_deref(), revision, &fields);
        self.entry.revision = revision;
        self.entry.updated_at = change.now();
        let row = self.entry.into_active_model().reset_all();
        library_entry::Entity::update(row).exec_without_returning(change.tx()).await?;
        Ok(())
    }
}

pub(super) async fn find(
    change: &Change,
    id: &MediaId,
    place: Place,
) -> Result<Option<watched_episode::Model>> {
    let key = (change.account_id(), id.to_string(), place.season, place.number);
    Ok(watched_episode::Entity::find_by_id(key).one(change.tx()).await?)
}

/// Every mark of an entry by its place.
pub(super) async fn all(change: &Change, id: &MediaId) -> Result<HashMap<Place, watched_episode::Model>> {
    let found = watched_episode::Entity::find()
        .filter(watched_episode::Column::AccountId.eq(change.account_id()))
        .filter(watched_episode::Column::MediaId.eq(id.as_str()))
        .all(change.tx())
        .await?;
    Ok(found.into_iter().map(|row| (Place { season: row.season, number: row.number }, row)).collect())
}

/// Gives a mark another day.
pub(super) async fn redate(
    change: &mut Change,
    row: watched_episode::Model,
    watched_on: Option<String>,
) -> Result<watched_episode::Model> {
    let revision = change.next_revision();
    let stamps = change.stamps(row.stamps.as_deref(), revision, &[("watched_on", true)]);
    let row = watched_episode::Model { watched_on, revision, updated_at: change.now(), stamps, ..row };
    let active = row.clone().into_active_model().reset_all();
    watched_episode::Entity::update(active).exec_without_returning(change.tx()).await?;
    Ok(row)
}

/// Writes new marks, counts them and takes the tombstones off their keys. Whether there is room for them is
/// the caller's to ask.
pub(super) async fn insert(change: &mut Change, marks: &[watched_episode::Model]) -> Result<()> {
    for chunk in marks.chunks(CHUNK) {
        let active = chunk.iter().map(|row| row.clone().into_active_model().reset_all());
        watched_episode::Entity::insert_many(active).exec_without_returning(change.tx()).await?;
        change.count_added(Counted::Events, chunk.len() as u64);
        let keys =
            chunk.iter().map(|row| key(&row.media_id, Place { season: row.season, number: row.number }));
        change.unbury_all(TombstoneKind::Episode, keys).await?;
    }
    Ok(())
}

/// Deletes marks without a tombstone.
pub(super) async fn delete(change: &mut Change, media_id: &str, places: &[Place]) -> Result<()> {
    let mut seasons: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for place in places {
        seasons.entry(place.season).or_default().push(place.number);
    }
    for (season, numbers) in seasons {
        for part in numbers.chunks(CHUNK) {
            let gone = watched_episode::Entity::delete_many()
                .filter(watched_episode::Column::AccountId.eq(change.account_id()))
                .filter(watched_episode::Column::MediaId.eq(media_id))
                .filter(watched_episode::Column::Season.eq(season))
                .filter(watched_episode::Column::Number.is_in(part.iter().copied()))
                .exec(change.tx())
                .await?;
            change.count_removed(Counted::Events, gone.rows_affected);
        }
    }
    Ok(())
}

/// Tells marks which episodes of the source they are on, now that its ids are known. What an account
/// sees does not change by that: no revision.
pub(super) async fn name_source(change: &Change, media_id: &str, place: Place, source_id: i64) -> Result<()> {
    rows(
        change.tx(),
        "UPDATE watched_episode SET source_episode_id = $5 \
         WHERE account_id = $1 AND media_id = $2 AND season = $3 AND number = $4",
        [
            change.account_id().into(),
            media_id.into(),
            place.season.into(),
            place.number.into(),
            source_id.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The tombstone key of a mark.
pub fn key(media_id: &str, place: Place) -> String {
    format!("{media_id}/{}/{}", place.season, place.number)
}
