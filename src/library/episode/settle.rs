//! What a new schedule means for the accounts that follow the series: marks move with their episodes,
//! and what was asked for before the episodes were known is done.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{pending_episodes, watched_episode};
use uuid::Uuid;

use super::mark::{self, Marks};
use super::{Span, pending};
use crate::account;
use crate::catalog::MediaId;
use crate::clock;
use crate::db::{Change, Counted, Db, execute, row, rows};
use crate::error::{Error, Result};
use crate::media::{Place, Schedule};

/// Accounts taken up by one statement, and series by one sweep.
const BATCH: i64 = 100;

/// Settles every series whose schedule has changed: also one that a crash left behind.
pub async fn settle_all(db: &Db) -> Result<()> {
    let unsettled =
        rows(db.read(), "SELECT id FROM media WHERE unsettled ORDER BY id LIMIT $1", [BATCH.into()]).await?;
    for series in unsettled {
        let id: String = series.try_get_by_index(0)?;
        if let Ok(id) = id.parse() {
            settle(db, &id).await?;
        }
    }
    Ok(())
}

/// Brings the marks of all accounts that follow a series in line with its schedule.
pub async fn settle(db: &Db, id: &MediaId) -> Result<()> {
    let key = || sea_orm::Value::from(id.as_str());
    let now = row(db.read(), "SELECT schedule FROM media WHERE id = $1 AND unsettled", [key()]).await?;
    let Some(now) = now else { return Ok(()) };
    let schedule: Option<String> = now.try_get_by_index(0)?;
    let mut after = Uuid::nil();
    loop {
        let accounts = rows(
            db.read(),
            "SELECT e.account_id FROM library_entry e WHERE e.media_id = $1 AND e.account_id > $2 \
             AND (e.watched IS NOT NULL OR EXISTS (SELECT 1 FROM pending_episodes p \
                  WHERE p.account_id = e.account_id AND p.media_id = e.media_id)) \
             ORDER BY e.account_id LIMIT $3",
            [key(), after.into(), BATCH.into()],
        )
        .await?;
        let Some(last) = accounts.last() else { break };
        after = last.try_get_by_index(0)?;
        for account in &accounts {
            settle_account(db, account.try_get_by_index(0)?, id).await?;
        }
    }
    // A schedule that changed meanwhile stays unsettled.
    execute(
        db.shared(),
        "UPDATE media SET unsettled = FALSE WHERE id = $1 AND schedule IS NOT DISTINCT FROM $2",
        [key(), schedule.into()],
    )
    .await?;
    Ok(())
}

async fn settle_account(db: &Db, account: Uuid, id: &MediaId) -> Result<()> {
    // Erased in between: its marks are gone with it.
    let Some(mut change) = db.change_unless_erased(account).await? else { return Ok(()) };
    if settle_in(&mut change, id).await? {
        change.keep();
        change.commit().await?;
    }
    Ok(())
}

/// The same inside a change; tells whether there was anything to do it with.
pub async fn settle_in(change: &mut Change, id: &MediaId) -> Result<bool> {
    let mut marks = match Marks::open(change, id).await {
        Ok(marks) => marks,
        Err(Error::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    let Some(schedule) = marks.schedule.clone() else { return Ok(false) };
    let kept = mark::all(change, id).await?;
    follow_source(change, &mut marks, &schedule, &kept).await?;
    let waiting = pending::all(change, id).await?;
    let day = waiting
        .iter()
        .rev()
        .find_map(|call| date(call.aired_by.as_deref()))
        .unwrap_or_else(|| account::day(change.account(), None));
    let wish = Wish::of(&waiting, &schedule, &marks.places, &kept);
    marks.remove_places(change, &wish.gone).await?;
    for (watched_on, mut places) in wish.added {
        // Nobody is there to be told: marks are made as far as there is room.
        places.truncate(usize::try_from(change.room(Counted::Events)).unwrap_or(usize::MAX));
        marks.add(change, &places, watched_on).await?;
    }
    pending::clear(change, id).await?;
    marks.close(change, day).await?;
    Ok(true)
}

/// Moves each mark to where the source now has its episode. A mark whose episode the source no longer
/// knows stays in its place, and is on what is there now. Where two come together the one that was
/// there already, or the first, stands for both.
async fn follow_source(
    change: &mut Change,
    marks: &mut Marks,
    schedule: &Schedule,
    kept: &HashMap<Place, watched_episode::Model>,
) -> Result<()> {
    let places = schedule.places_by_source_id();
    let now_at = |row: &watched_episode::Model| row.source_episode_id.and_then(|id| places.get(&id)).copied();
    let mut moved: BTreeMap<Place, Place> = BTreeMap::new();
    for (place, row) in kept {
        match now_at(row) {
            Some(target) if target != *place => {
                moved.insert(*place, target);
            }
            Some(_) => {}
            None => {
                if let Some(source_id) = marks.source_id(*place) {
                    mark::name_source(change, &row.media_id, *place, source_id).await?;
                }
            }
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    let stay: BTreeSet<Place> = kept.keys().filter(|place| !moved.contains_key(place)).copied().collect();
    let mut arriving: BTreeMap<Place, watched_episode::Model> = BTreeMap::new();
    for (from, to) in &moved {
        let Some(row) = kept.get(from).filter(|_| !stay.contains(to)) else { continue };
        arriving.entry(*to).or_insert_with(|| watched_episode::Model {
            season: to.season,
            number: to.number,
            ..row.clone()
        });
    }
    let (left, refilled): (Vec<Place>, Vec<Place>) =
        moved.keys().copied().partition(|from| !arriving.contains_key(from));
    marks.remove_places(change, &left).await?;
    if let Some(row) = arriving.values().next() {
        mark::delete(change, &row.media_id, &refilled).await?;
    }
    let mut rows: Vec<watched_episode::Model> = arriving.into_values().collect();
    for row in &mut rows {
        row.revision = change.next_revision();
        row.updated_at = change.now();
    }
    mark::insert(change, &rows).await?;
    marks.places.extend(rows.iter().map(|row| Place { season: row.season, number: row.number }));
    Ok(())
}

/// What waiting calls come to, taken in their order.
struct Wish {
    gone: Vec<Place>,
    /// New marks by the day that they get.
    added: BTreeMap<Option<String>, Vec<Place>>,
}

impl Wish {
    fn of(
        waiting: &[pending_episodes::Model],
        schedule: &Schedule,
        marked: &BTreeSet<Place>,
        kept: &HashMap<Place, watched_episode::Model>,
    ) -> Self {
        let (mut gone, mut added) = (BTreeSet::new(), BTreeMap::new());
        for call in waiting {
            let span = Span::of(call);
            if call.watched {
                let by = date(call.aired_by.as_deref()).unwrap_or_else(today);
                for slot in
                    schedule.slots().iter().filter(|slot| span.holds(slot.place) && slot.has_aired(by))
                {
                    if !marked.contains(&slot.place) || gone.contains(&slot.place) {
                        added.entry(slot.place).or_insert_with(|| call.watched_on.clone());
                    }
                }
            } else {
                added.retain(|place, _| !span.holds(*place));
                // What the person marked after they asked for this stays.
                let older = |place: &Place| kept.get(place).is_none_or(|row| row.revision < call.revision);
                gone.extend(marked.iter().copied().filter(|place| span.holds(*place) && older(place)));
            }
        }
        // A mark that goes and comes again stays.
        let gone = gone.into_iter().filter(|place| added.remove(place).is_none()).collect();
        let mut by_day: BTreeMap<Option<String>, Vec<Place>> = BTreeMap::new();
        for (place, watched_on) in added {
            by_day.entry(watched_on).or_default().push(place);
        }
        Self { gone, added: by_day }
    }
}

fn date(text: Option<&str>) -> Option<NaiveDate> {
    text.and_then(|text| text.parse().ok())
}

fn today() -> NaiveDate {
    chrono::DateTime::from_timestamp_millis(clock::now()).unwrap_or_default().date_naive()
}
