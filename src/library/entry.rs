//! One library entry: reading it with what is known of its title, writing it, deleting it with all
//! that hangs on it.

use entity::library_entry;
use entity::value::{MediaState, TombstoneKind};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::page;
use super::rules::{self, Progress, State, Write};
use crate::account::{self, Locale};
use crate::catalog::{Cover, Kind, MediaId};
use crate::db::{Change, Counted, Db, execute, rows};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::library::episode::{self, Following, Watched};
use crate::library::history;
use crate::media::{self, Summary};

/// An entry and what is known of its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub row: library_entry::Model,
    /// None while no source has said anything of the title.
    pub media_state: Option<MediaState>,
    pub media: Option<Summary>,
    /// How far the account has come, if it is a series.
    pub following: Option<Following>,
}

impl Entry {
    pub fn cover(&self) -> Option<Cover> {
        self.media.as_ref()?.cover.clone()
    }
}

/// What a write did.
pub struct Written {
    pub entry: Entry,
    pub created: bool,
    /// The title is not known yet, or not in the language asked for.
    pub wanted: bool,
}

/// Whether a write may make the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    Allowed,
    Refused,
}

pub async fn get(db: &Db, account: Uuid, id: &MediaId, locale: Locale) -> Result<Entry> {
    page::one(db.read(), account, id, locale).await?.ok_or(Error::NotFound)
}

/// Writes one entry.
pub async fn write(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    locale: Locale,
    expected: &Expected,
    create: Create,
    write: &Write,
) -> Result<Written> {
    let mut change = db.change(account).await?;
    let written = write_in(&mut change, id, locale, expected, create, write).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write_in(
    change: &mut Change,
    id: &MediaId,
    locale: Locale,
    expected: &Expected,
    create: Create,
    write: &Write,
) -> Result<Written> {
    check(id, write)?;
    let account = change.account_id();
    let before = page::one(change.tx(), account, id, locale).await?;
    expected.allows(before.as_ref().map(|entry| entry.row.revision))?;
    if before.is_none() && create == Create::Refused {
        return Err(Error::NotFound);
    }
    let day = account::day(change.account(), write.on);
    let old = before.as_ref().map(|entry| state(&entry.row));
    let outcome = rules::apply(old.as_ref(), write, day, change.account().progress_sets_status);
    if let (Some(old), Some(entry)) = (old, &before)
        && old == outcome.state
    {
        return Ok(Written { entry: entry.clone(), created: false, wanted: false });
    }
    let created = before.is_none();
    let (entry, wanted) = store(change, id, locale, before, &outcome.state).await?;
    if let Some(date) = outcome.finished {
        history::add_finish(change, id, date).await?;
    }
    Ok(Written { entry, created, wanted })
}

/// Deletes an entry with its review, comments and history. What is not there is deleted already.
pub async fn delete(db: &Db, account: Uuid, id: &MediaId, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, id, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, id: &MediaId, expected: &Expected) -> Result<()> {
    let key = (change.account_id(), id.as_str().to_owned());
    let Some(row) = library_entry::Entity::find_by_id(key.clone()).one(change.tx()).await? else {
        return expected.allows_absence();
    };
    expected.allows(Some(row.revision))?;
    bury_children(change, id).await?;
    library_entry::Entity::delete_by_id(key).exec(change.tx()).await?;
    change.count_removed(Counted::Entries, 1);
    change.bury(TombstoneKind::Entry, id.to_string()).await
}

/// The entry's own tombstone stands for what hung on it; ids chosen by a phone get one each, so that
/// they are never used again.
async fn bury_children(change: &mut Change, id: &MediaId) -> Result<()> {
    let account = change.account_id();
    let key = || [account.into(), id.as_str().into()];
    let reviews = rows(
        change.tx(),
        "DELETE FROM review WHERE account_id = $1 AND media_id = $2 \
         RETURNING octet_length(body) + COALESCE(octet_length(title), 0)",
        key(),
    )
    .await?;
    let marks = "DELETE FROM watched_episode WHERE account_id = $1 AND media_id = $2";
    let marks = execute(change.tx(), marks, key()).await?;
    let pending = "DELETE FROM pending_episodes WHERE account_id = $1 AND media_id = $2";
    execute(change.tx(), pending, key()).await?;
    let comments = rows(
        change.tx(),
        "DELETE FROM comment WHERE account_id = $1 AND media_id = $2 RETURNING octet_length(body), id",
        key(),
    )
    .await?;
    let events = rows(
        change.tx(),
        "DELETE FROM history_event WHERE account_id = $1 AND media_id = $2 RETURNING 0, id",
        key(),
    )
    .await?;
    for row in reviews.iter().chain(&comments) {
        let length: i32 = row.try_get_by_index(0)?;
        change.count_removed(Counted::TextBytes, length.unsigned_abs().into());
    }
    change.count_removed(Counted::Events, marks + events.len() as u64);
    for (kind, children) in [(TombstoneKind::Comment, comments), (TombstoneKind::HistoryEvent, events)] {
        for child in children {
            change.bury(kind, child_key(id, child.try_get_by_index(1)?)).await?;
        }
    }
    Ok(())
}

/// The tombstone key of a comment or history event.
pub fn child_key(id: &MediaId, child: Uuid) -> String {
    format!("{id}/{child}")
}

fn check(id: &MediaId, write: &Write) -> Result<()> {
    if id.kind() == Kind::Tv && write.progress.is_some_and(|progress| progress.is_some()) {
        return Err(Error::invalid(
            "progress_is_derived",
            "/progress",
            "is derived from the watched episodes of a series",
        ));
    }
    match rules::check(id.kind(), write) {
        violations if violations.is_empty() => Ok(()),
        violations => Err(Error::Invalid { code: "invalid_entry", violations }),
    }
}

/// Stamps and stores the new state; tells, too, whether the title is still to be looked up. A new entry
/// notes whether its title is unknown to us.
async fn store(
    change: &mut Change,
    id: &MediaId,
    locale: Locale,
    before: Option<Entry>,
    state: &State,
) -> Result<(Entry, bool)> {
    let (account, now) = (change.account_id(), change.now());
    let revision = change.next_revision();
    let created = before.is_none();
    let stamps = {
        let row = before.as_ref().map(|entry| &entry.row);
        let old = row.map(self::state);
        let differs =
            |field: &dyn Fn(&State, &State) -> bool| old.as_ref().is_none_or(|old| field(old, state));
        let fields = [
            (
                "status",
                differs(&|old, new| (old.status, old.status_set_by) != (new.status, new.status_set_by)),
            ),
            ("rating", differs(&|old, new| old.rating != new.rating)),
            ("favorite", differs(&|old, new| old.favorite != new.favorite)),
            ("progress", differs(&|old, new| old.progress != new.progress)),
            ("started_on", differs(&|old, new| old.started_on != new.started_on)),
            ("finished_on", differs(&|old, new| old.finished_on != new.finished_on)),
        ];
        change.stamps(row.and_then(|row| row.stamps.as_deref()), revision, &fields)
    };
    let mut wanted = false;
    let (added_at, awaits_media, watched, media_state, media, following) = match before {
        Some(Entry { row, media_state, media, following }) => {
            (row.added_at, row.awaits_media, row.watched, media_state, media, following)
        }
        None => {
            let ids = [id.to_string()];
            let known = media::summaries(change.tx(), &ids, locale.language).await?.remove(id.as_str());
            wanted = known.as_ref().is_none_or(|known| !known.translated);
            let awaits = known.is_none();
            let (media_state, media) = known.map_or((None, None), |known| (Some(known.state), known.summary));
            let following = match id.kind() {
                Kind::Tv => {
                    let schedule = media::schedule(change.tx(), id).await?;
                    Some(episode::follow(schedule.as_ref(), &Watched::default(), locale.today))
                }
                _ => None,
            };
            (now, awaits, None, media_state, media, following)
        }
    };
    let row = library_entry::Model {
        account_id: account,
        media_id: id.to_string(),
        kind: id.kind().as_str().to_owned(),
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
        added_at,
        updated_at: now,
        watched,
        stamps,
    };
    let active = row.clone().into_active_model().reset_all();
    if created {
        // A tombstone of an earlier entry stays: it alone tells that what hung on that one is gone.
        change.add_one(Counted::Entries)?;
        library_entry::Entity::insert(active).exec_without_returning(change.tx()).await?;
    } else {
        library_entry::Entity::update(active).exec_without_returning(change.tx()).await?;
    }
    Ok((Entry { row, media_state, media, following }, wanted))
}

pub(super) fn state(row: &library_entry::Model) -> State {
    let date = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    State {
        status: row.status,
        status_set_by: row.status_set_by,
        rating: row.rating,
        favorite: row.favorite,
        progress: row.progress_unit.zip(row.progress_current).map(|(unit, current)| Progress {
            unit,
            current,
            total: row.progress_total,
        }),
        started_on: date(&row.started_on),
        finished_on: date(&row.finished_on),
    }
}
