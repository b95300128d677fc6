//! Reading and writing the shared tables.

use std::collections::{HashMap, HashSet};

use entity::value::MediaState;
use entity::{media, media_text};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, QueryFilter, QueryResult, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use super::{language_kept, refresh, sort_title};
use crate::catalog::{
    Cover, CoverRef, Creator, ExternalIds, Kind, Language, MediaId, MediaItem, SeasonSummary, SeriesStatus,
};
use crate::clock::{self, Millis};
use crate::db::Db;
use crate::error::Result;

/// What is shown of a title beside a person's own rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub title: String,
    pub cover: Option<Cover>,
    pub release_date: Option<String>,
    pub runtime_minutes: Option<i32>,
    pub page_count: Option<i32>,
    pub season_count: Option<i32>,
    pub episode_count: Option<i32>,
}

/// What a statement selects of a title, as `m` and `t`, to show it beside a row.
macro_rules! summary_columns {
    () => {
        "m.state, COALESCE(t.title, m.title), m.release_date, m.runtime_minutes, m.page_count, \
         m.season_count, m.episode_count, COALESCE(t.cover, m.cover)"
    };
}
pub(crate) use summary_columns;

/// Joins the title of each row of `$table` in the language that is `$2`.
macro_rules! with_summary {
    ($table:literal) => {
        concat!(
            $table,
            " e LEFT JOIN media m ON m.id = e.media_id \
             LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = $2"
        )
    };
}
pub(crate) use with_summary;

/// What `summary_columns` selected, of which `first` is the first column; `media_id` is the title's.
pub fn read_summary(
    row: &QueryResult,
    first: usize,
    media_id: usize,
) -> Result<(Option<MediaState>, Option<Summary>), DbErr> {
    let title: Option<String> = row.try_get_by_index(first + 1)?;
    let cover: Option<String> = row.try_get_by_index(first + 7)?;
    let media_id: String = row.try_get_by_index(media_id)?;
    let summary = match title {
        Some(title) => Some(Summary {
            title,
            cover: cover.and_then(|cover| cover_of(&media_id, &cover)),
            release_date: row.try_get_by_index(first + 2)?,
            runtime_minutes: row.try_get_by_index(first + 3)?,
            page_count: row.try_get_by_index(first + 4)?,
            season_count: row.try_get_by_index(first + 5)?,
            episode_count: row.try_get_by_index(first + 6)?,
        }),
        None => None,
    };
    Ok((row.try_get_by_index(first)?, summary))
}

/// What the sources have said of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTitle {
    pub state: MediaState,
    /// None for a title that its source never knew.
    pub summary: Option<Summary>,
    /// Whether it is known in the language asked for.
    pub translated: bool,
}

/// What has no language and is neither filtered nor sorted by.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    original_title: Option<String>,
    creators: Vec<Creator>,
    platforms: Vec<String>,
    series_status: Option<SeriesStatus>,
    external_ids: ExternalIds,
    seasons: Vec<SeasonSummary>,
}

/// Whether the source has already said something of this title, be it that it knows none such.
pub async fn is_known(connection: &impl ConnectionTrait, id: &MediaId) -> Result<bool> {
    Ok(media::Entity::find_by_id(id.as_str()).one(connection).await?.is_some())
}

/// Those of `ids` that a source has said something of, and whether it is known in `language`.
pub async fn known_among(
    connection: &impl ConnectionTrait,
    ids: &[MediaId],
    language: Language,
) -> Result<HashMap<MediaId, bool>, DbErr> {
    let mut found = HashMap::new();
    for part in ids.chunks(500) {
        let texts = || part.iter().map(MediaId::as_str);
        let known: Vec<String> = media::Entity::find()
            .select_only()
            .column(media::Column::Id)
            .filter(media::Column::Id.is_in(texts()))
            .into_tuple()
            .all(connection)
            .await?;
        if known.is_empty() {
            continue;
        }
        let translated: Vec<String> = media_text::Entity::find()
            .select_only()
            .column(media_text::Column::MediaId)
            .filter(media_text::Column::MediaId.is_in(texts()))
            .filter(media_text::Column::Language.eq(language.as_str()))
            .into_tuple()
            .all(connection)
            .await?;
        let (known, translated): (HashSet<String>, HashSet<String>) =
            (known.into_iter().collect(), translated.into_iter().collect());
        for id in part.iter().filter(|id| known.contains(id.as_str())) {
            // The sources of games and books have one language for all.
            let one_language = matches!(id.kind(), Kind::Game | Kind::Book);
            found.insert(id.clone(), one_language || translated.contains(id.as_str()));
        }
    }
    Ok(found)
}

/// Keeps what a source said of a title in `language`.
pub async fn remember(db: &Db, item: &MediaItem, language: Language) -> Result<()> {
    let now = clock::now();
    let language = language_kept(&item.id, language);
    let id = item.id.as_str().to_owned();
    let details = Details {
        original_title: item.original_title.clone(),
        creators: item.creators.clone(),
        platforms: item.platforms.clone(),
        series_status: item.series_status,
        external_ids: item.external_ids.clone(),
        seasons: item.seasons.clone(),
    };
    let cover = item.cover.as_ref().map(|cover| cover.as_str().to_owned());
    let number = |value: Option<u32>| value.and_then(|value| i32::try_from(value).ok());
    let row = media::ActiveModel {
        id: Set(id.clone()),
        state: Set(MediaState::Known),
        title: Set(Some(item.title.clone())),
        sort_title: Set(Some(sort_title(&item.title))),
        cover: Set(cover.clone()),
        release_date: Set(item.release_date.clone()),
        runtime_minutes: Set(number(item.runtime_minutes)),
        page_count: Set(number(item.page_count)),
        season_count: Set(number(item.season_count)),
        episode_count: Set(number(item.episode_count)),
        details: Set(serde_json::to_string(&details).ok()),
        refreshed_at: Set(now),
        refresh_at: Set(refresh_at(&item.id, item.release_date.as_deref(), now)),
        schedule: NotSet,
        unsettled: NotSet,
    };
    let text = media_text::ActiveModel {
        media_id: Set(id),
        language: Set(language.as_str().to_owned()),
        title: Set(item.title.clone()),
        sort_title: Set(sort_title(&item.title)),
        cover: Set(cover),
        overview: Set(item.overview.clone()),
        genres: Set(serde_json::to_string(&item.genres).unwrap_or_else(|_| "[]".into())),
        refreshed_at: Set(now),
    };
    let tx = db.shared().begin().await?;
    let mut columns = vec![
        media::Column::State,
        media::Column::ReleaseDate,
        media::Column::RuntimeMinutes,
        media::Column::PageCount,
        media::Column::SeasonCount,
        media::Column::EpisodeCount,
        media::Column::Details,
        media::Column::RefreshedAt,
        media::Column::RefreshAt,
    ];
    // The title to fall back on is the default language's; any other only where there is none yet.
    if language == Language::DEFAULT {
        columns.extend([media::Column::Title, media::Column::SortTitle, media::Column::Cover]);
    }
    media::Entity::insert(row)
        .on_conflict(OnConflict::column(media::Column::Id).update_columns(columns).to_owned())
        .exec_without_returning(&tx)
        .await?;
    media_text::Entity::insert(text)
        .on_conflict(
            OnConflict::columns([media_text::Column::MediaId, media_text::Column::Language])
                .update_columns([
                    media_text::Column::Title,
                    media_text::Column::SortTitle,
                    media_text::Column::Cover,
                    media_text::Column::Overview,
                    media_text::Column::Genres,
                    media_text::Column::RefreshedAt,
                ])
                .to_owned(),
        )
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

fn refresh_at(id: &MediaId, release_date: Option<&str>, now: Millis) -> Millis {
    refresh::jittered(now, refresh::period(id.kind(), release_date, None, now))
}

/// Keeps that the source has no such title. What was known before stays, as long as the source's terms
/// allow: a source that merged or deleted a title takes nothing from the person.
pub async fn remember_unknown(db: &Db, id: &MediaId) -> Result<()> {
    let now = clock::now();
    let row = media::ActiveModel {
        id: Set(id.as_str().to_owned()),
        state: Set(MediaState::UnknownToSource),
        title: Set(None),
        sort_title: Set(None),
        cover: Set(None),
        release_date: Set(None),
        runtime_minutes: Set(None),
        page_count: Set(None),
        season_count: Set(None),
        episode_count: Set(None),
        details: Set(None),
        refreshed_at: Set(now),
        refresh_at: Set(refresh_at(id, None, now)),
        schedule: NotSet,
        unsettled: NotSet,
    };
    media::Entity::insert(row)
        .on_conflict(
            OnConflict::column(media::Column::Id)
                .update_columns([media::Column::State, media::Column::RefreshAt])
                .to_owned(),
        )
        .exec_without_returning(db.shared())
        .await?;
    Ok(())
}

/// The whole of what is kept of a title, as the catalog would show it: for when the source is away.
pub async fn find(db: &Db, id: &MediaId, language: Language) -> Result<Option<MediaItem>> {
    let found = items(db.read(), &[id.as_str()], language).await?;
    Ok(found.into_values().next())
}

/// The same of several; what nothing is kept of is absent.
pub async fn items(
    connection: &impl ConnectionTrait,
    ids: &[&str],
    language: Language,
) -> Result<HashMap<String, MediaItem>, DbErr> {
    let found =
        media::Entity::find().filter(media::Column::Id.is_in(ids.iter().copied())).all(connection).await?;
    let languages = [language.as_str(), Language::DEFAULT.as_str()];
    let texts = media_text::Entity::find()
        .filter(media_text::Column::MediaId.is_in(ids.iter().copied()))
        .filter(media_text::Column::Language.is_in(languages))
        .all(connection)
        .await?;
    let mut texts: HashMap<(String, String), media_text::Model> =
        texts.into_iter().map(|text| ((text.media_id.clone(), text.language.clone()), text)).collect();
    let item = |row: media::Model| {
        let id: MediaId = row.id.parse().ok()?;
        let text = texts.remove(&(row.id.clone(), language_kept(&id, language).as_str().to_owned()));
        Some((row.id.clone(), item(id, row, text)?))
    };
    Ok(found.into_iter().filter_map(item).collect())
}

fn item(id: MediaId, row: media::Model, text: Option<media_text::Model>) -> Option<MediaItem> {
    let title = text.as_ref().map(|text| text.title.clone()).or(row.title)?;
    let details: Details =
        row.details.and_then(|details| serde_json::from_str(&details).ok()).unwrap_or_default();
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let cover = text.as_ref().and_then(|text| text.cover.clone()).or(row.cover);
    Some(MediaItem {
        title,
        original_title: details.original_title,
        release_date: row.release_date,
        overview: text.as_ref().and_then(|text| text.overview.clone()),
        genres: text.and_then(|text| serde_json::from_str(&text.genres).ok()).unwrap_or_default(),
        cover: cover.and_then(|cover| CoverRef::new(id.source(), &cover)),
        creators: details.creators,
        runtime_minutes: number(row.runtime_minutes),
        page_count: number(row.page_count),
        platforms: details.platforms,
        season_count: number(row.season_count),
        episode_count: number(row.episode_count),
        series_status: details.series_status,
        external_ids: details.external_ids,
        seasons: details.seasons,
        id,
    })
}

/// What is known of each of `ids`; one that no source was asked about yet is absent, one that its
/// source does not know is there without a summary unless it once was known.
pub async fn summaries(
    connection: &impl ConnectionTrait,
    ids: &[String],
    language: Language,
) -> Result<HashMap<String, KnownTitle>, DbErr> {
    let rows = media::Entity::find()
        .filter(media::Column::Id.is_in(ids.iter().map(String::as_str)))
        .all(connection)
        .await?;
    let texts = media_text::Entity::find()
        .filter(media_text::Column::MediaId.is_in(ids.iter().map(String::as_str)))
        .filter(media_text::Column::Language.eq(language.as_str()))
        .all(connection)
        .await?;
    let mut texts: HashMap<String, (String, Option<String>)> =
        texts.into_iter().map(|text| (text.media_id, (text.title, text.cover))).collect();
    let summary = |row: media::Model| {
        let (translated, cover) = texts.remove(&row.id).unzip();
        let cover = cover.flatten().or(row.cover);
        // The sources of games and books have one language for all.
        let is_translated =
            translated.is_some() || row.id.starts_with("game:") || row.id.starts_with("book:");
        let title = translated.or(row.title);
        let summary = title.map(|title| Summary {
            title,
            cover: cover.and_then(|cover| cover_of(&row.id, &cover)),
            release_date: row.release_date,
            runtime_minutes: row.runtime_minutes,
            page_count: row.page_count,
            season_count: row.season_count,
            episode_count: row.episode_count,
        });
        (row.id, KnownTitle { state: row.state, summary, translated: is_translated })
    };
    Ok(rows.into_iter().map(summary).collect())
}

/// The picture that a kept reference names.
pub fn cover_of(media_id: &str, reference: &str) -> Option<Cover> {
    // Every title of a kind has the same source.
    let kind: Kind = media_id.split(':').next()?.parse().ok()?;
    Cover::new(kind.source(), reference)
}
