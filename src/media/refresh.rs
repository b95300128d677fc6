//! Which titles are looked up again, and when: by what happens to them (episodes that air, a release
//! that is near) and by interest (somebody is in the middle of it). What nobody refers to any more is
//! forgotten, and what a source's terms no longer let us keep is taken off the titles that stay.

use chrono::{DateTime, NaiveDate};
use rand::Rng as _;
use uuid::Uuid;

use super::fill::Wanted;
use super::schedule::Schedule;
use crate::catalog::{Kind, Language, MediaId};
use crate::clock::{self, Millis};
use crate::db::{Db, execute, row, rows};
use crate::error::Result;

const DAY: Millis = 24 * 3_600_000;

/// The most titles that one round has looked up again.
const ROUND: i64 = 50;

/// Whose wishes these are in the order of lookups: no account's.
const SERVICE: Uuid = Uuid::nil();

/// TMDB's terms: nothing of theirs is kept for more than six months. A title is asked for again long
/// before; this is for when that fails.
const TERM: Millis = 175 * DAY;

/// How long after `now` a title is worth another look, before jitter.
pub fn period(kind: Kind, released: Option<&str>, schedule: Option<&Schedule>, now: Millis) -> Millis {
    let today = DateTime::from_timestamp_millis(now).unwrap_or_default().date_naive();
    let near = |day: NaiveDate, days: i64| (day - today).num_days().abs() <= days;
    let airing = schedule.is_some_and(|schedule| {
        schedule.next_airing(today).is_some_and(|day| near(day, 10))
            || schedule.last_airing(today).is_some_and(|day| near(day, 10))
    });
    let released = released.and_then(|date| date.parse().ok());
    match (airing, released) {
        (true, _) => DAY,
        (_, Some(day)) if near(day, 14) => 2 * DAY,
        (_, Some(day)) if day > today || near(day, 90) => 7 * DAY,
        // A running series may get a new season any time.
        _ if kind == Kind::Tv => 21 * DAY,
        _ => 60 * DAY,
    }
}

/// A time up to a fifth before or after the end of `period`, so that titles that came together do not
/// stay together.
pub fn jittered(now: Millis, period: Millis) -> Millis {
    let fifth = period / 5;
    now + period + rand::rng().random_range(-fifth..=fifth)
}

/// Queues titles that are due, at most one round; forgets those that nobody refers to. One that fails
/// does not stop the others: it is due again later.
pub async fn refresh(db: &Db, wanted: &Wanted) -> Result<()> {
    let due = rows(
        db.read(),
        "SELECT id FROM media WHERE refresh_at <= $1 ORDER BY refresh_at LIMIT $2",
        [clock::now().into(), ROUND.into()],
    )
    .await?;
    for due in due {
        let id: String = due.try_get_by_index(0)?;
        if let Err(error) = refresh_one(db, wanted, &id).await {
            tracing::warn!(%error, "a title could not be queued for another look");
        }
    }
    Ok(())
}

async fn refresh_one(db: &Db, wanted: &Wanted, media_id: &str) -> Result<()> {
    let tracked = languages(db, media_id).await?;
    let Ok(id) = media_id.parse::<MediaId>() else { return forget(db, media_id).await };
    if tracked.is_empty() {
        return forget(db, media_id).await;
    }
    // Whatever comes of it, this title is not due again at once, at this or another instance.
    let in_progress = row(
        db.read(),
        "SELECT 1 FROM library_entry WHERE media_id = $1 AND status = 'in_progress' LIMIT 1",
        [media_id.into()],
    )
    .await?
    .is_some();
    let pause = if in_progress { 7 * DAY } else { 30 * DAY };
    let taken = execute(
        db.shared(),
        "UPDATE media SET refresh_at = $2 WHERE id = $1 AND refresh_at <= $3",
        [media_id.into(), jittered(clock::now(), pause).into(), clock::now().into()],
    )
    .await?;
    if taken == 1 {
        for language in tracked {
            wanted.add(db, SERVICE, &id, language).await;
        }
    }
    Ok(())
}

/// The languages that those who refer to a title read; none if nobody does. Which of them is whose is
/// not asked.
async fn languages(db: &Db, media_id: &str) -> Result<Vec<Language>> {
    let found = rows(
        db.read(),
        "SELECT DISTINCT a.language FROM account a JOIN library_entry e ON e.account_id = a.id \
         WHERE e.media_id = $1 \
         UNION SELECT DISTINCT a.language FROM account a JOIN list_item i ON i.account_id = a.id \
         WHERE i.media_id = $1",
        [media_id.into()],
    )
    .await?;
    let mut languages = Vec::new();
    for row in found {
        let name: Option<String> = row.try_get_by_index(0)?;
        let language = name.as_deref().and_then(Language::parse).unwrap_or_default();
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(languages)
}

async fn forget(db: &Db, media_id: &str) -> Result<()> {
    let tx = db.shared().begin().await?;
    for table in ["media_wanted", "media_season", "media_text"] {
        let sql = format!("DELETE FROM {table} WHERE media_id = $1");
        execute(&tx, &sql, [media_id.into()]).await?;
    }
    let forgotten = execute(
        &tx,
        "DELETE FROM media WHERE id = $1 \
         AND NOT EXISTS (SELECT 1 FROM library_entry e WHERE e.media_id = $1) \
         AND NOT EXISTS (SELECT 1 FROM list_item i WHERE i.media_id = $1)",
        [media_id.into()],
    )
    .await?;
    // Somebody has come to refer to it meanwhile: nothing is taken.
    match forgotten {
        1 => tx.commit().await?,
        _ => tx.rollback().await?,
    }
    Ok(())
}

/// Makes rows wait again whose title was forgotten in the very moment in which they were written.
async fn repair(db: &Db) -> Result<()> {
    for table in ["library_entry", "list_item"] {
        let sql = format!(
            "UPDATE {table} SET awaits_media = TRUE WHERE NOT awaits_media \
             AND NOT EXISTS (SELECT 1 FROM media m WHERE m.id = {table}.media_id)"
        );
        execute(db.shared(), &sql, []).await?;
    }
    Ok(())
}

/// What is due once a day. Takes off titles of TMDB what its terms no longer let us keep; title and
/// date stay with whoever tracks them. Tells how many rows that were.
pub async fn expire(db: &Db) -> Result<u64> {
    repair(db).await?;
    let before = clock::now() - TERM;
    let theirs = "(media_id LIKE 'movie:tmdb:%' OR media_id LIKE 'tv:tmdb:%')";
    let texts = format!(
        "UPDATE media_text SET overview = NULL, cover = NULL, genres = '[]' \
         WHERE refreshed_at < $1 AND {theirs} AND (overview IS NOT NULL OR cover IS NOT NULL OR genres <> '[]')"
    );
    let seasons = format!("DELETE FROM media_season WHERE refreshed_at < $1 AND {theirs}");
    let titles = "UPDATE media SET cover = NULL, details = NULL \
                  WHERE refreshed_at < $1 AND (id LIKE 'movie:tmdb:%' OR id LIKE 'tv:tmdb:%') \
                  AND (cover IS NOT NULL OR details IS NOT NULL)";
    let mut expired = 0;
    for sql in [texts.as_str(), seasons.as_str(), titles] {
        expired += execute(db.shared(), sql, [before.into()]).await?;
    }
    Ok(expired)
}

#[cfg(test)]
#[path = "refresh_test.rs"]
mod tests;
