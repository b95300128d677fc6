//! The seasons of series that people track, kept per language, and the schedule made from them.

use std::collections::HashMap;

use entity::media_season;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};

use super::refresh;
use super::schedule::Schedule;
use crate::catalog::{Language, MediaId, MediaItem, Season};
use crate::clock::{self, Millis};
use crate::db::{Db, execute, row};
use crate::error::Result;

/// A season as it is kept.
pub struct Kept {
    pub season: Season,
    pub refreshed_at: Millis,
}

/// When the episodes of a series air; `None` while they are not known.
pub async fn schedule(connection: &impl ConnectionTrait, id: &MediaId) -> Result<Option<Schedule>> {
    let found = row(connection, "SELECT schedule FROM media WHERE id = $1", [id.as_str().into()]).await?;
    let text: Option<String> = found.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    Ok(text.as_deref().map(Schedule::parse))
}

/// What is kept of the seasons of a series in `language`, by number.
pub async fn kept(
    connection: &impl ConnectionTrait,
    id: &MediaId,
    language: Language,
) -> Result<HashMap<u32, Kept>> {
    let found = media_season::Entity::find()
        .filter(media_season::Column::MediaId.eq(id.as_str()))
        .filter(media_season::Column::Language.eq(language.as_str()))
        .all(connection)
        .await?;
    let kept = |row: media_season::Model| {
        let season: Season = serde_json::from_str(&row.details).ok()?;
        Some((season.number, Kept { season, refreshed_at: row.refreshed_at }))
    };
    Ok(found.into_iter().filter_map(kept).collect())
}

/// One season as it was told last: for when the source is away.
pub async fn find_season(db: &Db, id: &MediaId, number: u32, language: Language) -> Result<Option<Season>> {
    Ok(kept(db.read(), id, language).await?.remove(&number).map(|kept| kept.season))
}

/// Keeps what a source said of some seasons of `series`, and forgets seasons that
/// are no longer listed. Once every listed season is known there is a schedule; where it has changed the
/// series is unsettled until the accounts that follow it have been told.
pub async fn remember_seasons(
    db: &Db,
    series: &MediaItem,
    language: Language,
    fresh: &[Season],
) -> Result<()> {
    let (id, listed) = (&series.id, &series.seasons);
    let key = || sea_orm::Value::from(id.as_str());
    let tx = db.shared().begin().await?;
    // Holds the series' row, so that of two instances the second sees what the first one kept.
    execute(&tx, "UPDATE media SET refreshed_at = refreshed_at WHERE id = $1", [key()]).await?;
    let now = clock::now();
    for season in fresh {
        let (Ok(number), Ok(details)) = (i32::try_from(season.number), serde_json::to_string(season)) else {
            continue;
        };
        let row = media_season::ActiveModel {
            media_id: Set(id.to_string()),
            season: Set(number),
            language: Set(language.as_str().to_owned()),
            details: Set(details),
            refreshed_at: Set(now),
        };
        let columns =
            [media_season::Column::MediaId, media_season::Column::Season, media_season::Column::Language];
        media_season::Entity::insert(row)
            .on_conflict(
                OnConflict::columns(columns)
                    .update_columns([media_season::Column::Details, media_season::Column::RefreshedAt])
                    .to_owned(),
            )
            .exec_without_returning(&tx)
            .await?;
    }
    let numbers = listed.iter().filter_map(|season| i32::try_from(season.number).ok());
    media_season::Entity::delete_many()
        .filter(media_season::Column::MediaId.eq(id.as_str()))
        .filter(media_season::Column::Season.is_not_in(numbers))
        .exec(&tx)
        .await?;
    let all = kept(&tx, id, language).await?;
    if listed.iter().all(|season| all.contains_key(&season.number)) {
        let schedule = Schedule::of(all.values().map(|kept| &kept.season));
        let period = refresh::period(id.kind(), series.release_date.as_deref(), Some(&schedule), now);
        let again = refresh::jittered(now, period);
        execute(&tx, "UPDATE media SET refresh_at = $2 WHERE id = $1", [key(), again.into()]).await?;
        execute(
            &tx,
            "UPDATE media SET schedule = $2, unsettled = TRUE \
             WHERE id = $1 AND schedule IS DISTINCT FROM $2",
            [key(), schedule.to_text().into()],
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
