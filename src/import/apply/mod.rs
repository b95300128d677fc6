//! Applying rows that were checked, by natural key: a title by its media id, what hangs on it by its id or
//! place, a list by its id, an item by its list and media id. What is there stays as it is; what is
//! missing below it is taken, so that of two libraries that are merged nothing is lost. Applied again, the
//! same rows change nothing.
//!
//! - An entry that is there keeps what it says. Reviews, comments, history events and watched episodes
//!   that it lacks are taken; calls that wait for episodes come with a new entry only, because on one that is
//!   there they could take back what was said since.
//! - A list that is there keeps its name, its items their notes and places; missing items go to the end, in
//!   their order.
//! - What was deleted is taken, for who takes things back wants them back. An id that a phone chose is not
//!   used again, though: the row comes under an id made from the one that was deleted (`fresh`).
//! - Times are kept, revisions are new, one a row. The status follows nothing: it is what the row says.
//! - Settings are taken only while the account's own were never changed.

mod entry;
mod fresh;
mod list;

use std::collections::{BTreeSet, HashSet};

use entity::tombstone;
use entity::value::TombstoneKind;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::checked;
use crate::account::{self, Patch};
use crate::catalog::MediaId;
use crate::db::{Change, Db, row};
use crate::error::Result;
use crate::expected::Expected;
use crate::media;

/// Rows of one statement: an engine bounds the values of one.
const CHUNK: usize = 500;
/// Entries, or lists, looked up at once.
const AT_ONCE: usize = 200;

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Taken,
    /// Something is there under this key: it stays.
    Left,
    /// The account keeps as many of these as it may.
    NoRoom,
}

/// What became of an entry and of what hangs on it, in the order of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFate {
    pub entry: Fate,
    pub review: Option<Fate>,
    pub comments: Vec<Fate>,
    pub history: Vec<Fate>,
    pub episodes: Vec<Fate>,
    pub pending_episodes: Vec<Fate>,
}

/// What became of a list and its items, in the order of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFate {
    pub list: Fate,
    pub items: Vec<Fate>,
}

/// How many rows met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub taken: u64,
    pub left: u64,
    pub no_room: u64,
}

impl Tally {
    pub fn of<'a>(fates: impl IntoIterator<Item = &'a Fate>) -> Self {
        let mut tally = Self::default();
        for fate in fates {
            match fate {
                Fate::Taken => tally.taken += 1,
                Fate::Left => tally.left += 1,
                Fate::NoRoom => tally.no_room += 1,
            }
        }
        tally
    }
}

/// Applies entries in one transaction: best some hundreds of rows a call, because the account is locked
/// as long as it lasts.
pub async fn entries(db: &Db, account: Uuid, entries: &[checked::Entry]) -> Result<Vec<EntryFate>> {
    let mut change = db.change(account).await?;
    let mut wanted = Wanted::default();
    let fates = entries_in(&mut change, entries, &mut wanted).await?;
    let language = account::language(change.account());
    change.commit().await?;
    wanted.queue(db, language).await;
    Ok(fates)
}

/// The same inside a change. `wanted` is to be queued after the commit.
pub async fn entries_in(
    change: &mut Change,
    entries: &[checked::Entry],
    wanted: &mut Wanted,
) -> Result<Vec<EntryFate>> {
    let mut fates = Vec::with_capacity(entries.len());
    for part in entries.chunks(AT_ONCE) {
        fates.extend(entry::apply(change, part, wanted).await?);
    }
    Ok(fates)
}

/// Applies lists in one transaction; see [`entries`].
pub async fn lists(db: &Db, account: Uuid, lists: &[checked::List]) -> Result<Vec<ListFate>> {
    let mut change = db.change(account).await?;
    let mut wanted = Wanted::default();
    let fates = lists_in(&mut change, lists, &mut wanted).await?;
    let language = account::language(change.account());
    change.commit().await?;
    wanted.queue(db, language).await;
    Ok(fates)
}

/// The same inside a change. `wanted` is to be queued after the commit.
pub async fn lists_in(
    change: &mut Change,
    lists: &[checked::List],
    wanted: &mut Wanted,
) -> Result<Vec<ListFate>> {
    list::apply(change, lists, wanted).await
}

/// Applies settings, unless the person has already chosen others here.
pub async fn settings(db: &Db, account: Uuid, settings: &checked::Settings) -> Result<Fate> {
    let mut change = db.change(account).await?;
    let fate = settings_in(&mut change, settings).await?;
    change.commit().await?;
    Ok(fate)
}

/// The same inside a change.
pub async fn settings_in(change: &mut Change, settings: &checked::Settings) -> Result<Fate> {
    if change.account().settings_revision != account::UNCHANGED {
        return Ok(Fate::Left);
    }
    let patch = Patch {
        language: Some(settings.language.clone()),
        time_zone: Some(settings.time_zone.clone()),
        progress_sets_status: Some(settings.progress_sets_status),
    };
    account::update_in(change, &Expected::Anything, patch).await?;
    Ok(Fate::Taken)
}

/// Titles that are not known, or not in the account's language: to be queued after the commit.
#[derive(Debug, Default)]
pub struct Wanted(BTreeSet<MediaId>);

impl Wanted {
    /// Queues them. A failure loses nothing: the sweep finds the rows that wait.
    pub async fn queue(self, db: &Db, language: crate::catalog::Language) {
        let ids: Vec<MediaId> = self.0.into_iter().collect();
        if let Err(error) = media::queue_many(db, &ids, language).await {
            tracing::warn!(%error, "titles not queued; the sweep will find them");
        }
    }

    /// Which of `ids` are known to us; the others, and those that lack the account's language, are wanted.
    async fn note(&mut self, change: &Change, ids: &BTreeSet<MediaId>) -> Result<HashSet<MediaId>> {
        let language = account::language(change.account());
        let ids: Vec<MediaId> = ids.iter().cloned().collect();
        let known = media::known_among(change.tx(), &ids, language).await?;
        self.0.extend(ids.into_iter().filter(|id| known.get(id) != Some(&true)));
        Ok(known.into_keys().collect())
    }
}

/// Writes new rows.
async fn insert<E, M, A>(change: &Change, rows: Vec<M>) -> Result<()>
where
    E: EntityTrait<Model = M, ActiveModel = A>,
    M: IntoActiveModel<A> + sea_orm::ModelTrait<Entity = E>,
    A: ActiveModelTrait<Entity = E>,
{
    let mut rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).peekable();
    while rows.peek().is_some() {
        let part: Vec<A> = rows.by_ref().take(CHUNK).collect();
        E::insert_many(part).exec_without_returning(change.tx()).await?;
    }
    Ok(())
}

/// Whether the account has tombstones of this kind at all: most who import have none.
async fn has_tombstones(change: &Change, kind: TombstoneKind) -> Result<bool> {
    let found = row(
        change.tx(),
        "SELECT 1 FROM tombstone WHERE account_id = $1 AND kind = $2 LIMIT 1",
        [change.account_id().into(), kind.into()],
    )
    .await?;
    Ok(found.is_some())
}

/// Takes the tombstones off keys that live again.
async fn unbury(change: &Change, kind: TombstoneKind, keys: Vec<String>) -> Result<()> {
    if keys.is_empty() || !has_tombstones(change, kind).await? {
        return Ok(());
    }
    for part in keys.chunks(CHUNK) {
        change.unbury_all(kind, part.iter().cloned()).await?;
    }
    Ok(())
}

/// Which of `keys` were deleted.
async fn buried(change: &Change, kind: TombstoneKind, keys: &[String]) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    for part in keys.chunks(CHUNK) {
        let rows: Vec<String> = tombstone::Entity::find()
            .select_only()
            .column(tombstone::Column::Key)
            .filter(tombstone::Column::AccountId.eq(change.account_id()))
            .filter(tombstone::Column::Kind.eq(kind))
            .filter(tombstone::Column::Key.is_in(part.iter().map(String::as_str)))
            .into_tuple()
            .all(change.tx())
            .await?;
        found.extend(rows);
    }
    Ok(found)
}
