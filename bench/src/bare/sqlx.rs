//! poem + sqlx, with the settings that the service opens its database with.

use std::fmt::Write as _;
use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::wire::{self, Entry, Mark, Progress, Summary};
use super::{
    ACCOUNT, CHANGES, LANGUAGE, LANGUAGE_COLUMN, LOCK, ONE, PAGE, Pages, REVISION_COLUMN, ROWS, STORE,
    SYNC_ROWS, Store,
};
use crate::Result;

const PATIENCE: Duration = Duration::from_secs(5);

pub struct Sqlite {
    read: sqlx::SqlitePool,
    write: sqlx::SqlitePool,
}

pub struct Postgres {
    read: sqlx::PgPool,
    write: sqlx::PgPool,
}

impl Sqlite {
    pub async fn open(url: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .pragma("mmap_size", "268435456")
            .pragma("cache_size", "-8192")
            .statement_cache_capacity(256);
        let pool = |connections| {
            PoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
        };
        Ok(Self {
            write: pool(1).connect_with(options.clone()).await?,
            read: pool(4).connect_with(options).await?,
        })
    }
}

impl Postgres {
    pub async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?;
        let pool =
            PoolOptions::new().max_connections(16).acquire_timeout(PATIENCE).test_before_acquire(false);
        let pool = pool.connect_with(options).await?;
        Ok(Self { read: pool.clone(), write: pool })
    }
}

/// The two engines differ in a few words, and in Rust's eyes in every type.
macro_rules! engine {
    ($engine:ident, $row:ident, $begin:literal) => {
        impl Pages for $engine {
            async fn account(&self, id: Uuid) -> Result<Option<String>> {
                let row = sqlx::query(ACCOUNT).bind(id).fetch_optional(&self.read).await?;
                let Some(row) = row else { return Ok(None) };
                let language: Option<String> = row.try_get(LANGUAGE_COLUMN)?;
                Ok(Some(language.unwrap_or_else(|| LANGUAGE.to_owned())))
            }

            async fn page(&self, account: Uuid, language: &str) -> Result<Vec<Entry>> {
                let page = sqlx::query(PAGE).bind(account).bind(language).bind(ROWS);
                page.fetch_all(&self.read).await?.iter().map(Self::entry).collect()
            }
        }

        impl Store for $engine {
            async fn marks(&self, account: Uuid, ids: &[String]) -> Result<Vec<(String, Mark)>> {
                let mut sql = "SELECT account_id, media_id, kind, status, status_set_by, rating, favorite, \
                    progress_unit, progress_current, progress_total, started_on, finished_on, awaits_media, \
                    revision, added_at, updated_at FROM library_entry WHERE account_id = $1 AND media_id IN ("
                    .to_owned();
                for index in 0..ids.len() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(sql, "{comma}${}", index + 2)?;
                }
                sql.push(')');
                let mut query = sqlx::query(AssertSqlSafe(sql)).bind(account);
                for id in ids {
                    query = query.bind(id);
                }
                let mark = |row: &$row| {
                    let mark =
                        Mark { status: row.try_get(3)?, rating: row.try_get(5)?, favorite: row.try_get(6)? };
                    Ok((row.try_get(1)?, mark))
                };
                query.fetch_all(&self.read).await?.iter().map(mark).collect()
            }

            async fn changes(&self, account: Uuid, language: &str, after: i64) -> Result<Vec<Entry>> {
                let page = sqlx::query(CHANGES).bind(account).bind(language).bind(after).bind(SYNC_ROWS);
                page.fetch_all(&self.read).await?.iter().map(Self::entry).collect()
            }

            async fn rate(&self, account: Uuid, id: &str, rating: i32) -> Result<Entry> {
                let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
                let mut tx = self.write.begin_with($begin).await?;
                let locked = sqlx::query(LOCK).bind(account).fetch_one(&mut *tx).await?;
                let one = sqlx::query(ONE).bind(account).bind(LANGUAGE).bind(id);
                let before = Self::entry(&one.fetch_one(&mut *tx).await?)?;
                let revision = locked.try_get(REVISION_COLUMN)?;
                let entry = Entry { rating: Some(rating), revision, updated_at: now, ..before };
                let progress = entry.progress.as_ref();
                sqlx::query(STORE)
                    .bind(account)
                    .bind(id)
                    .bind(&entry.kind)
                    .bind(&entry.status)
                    .bind(&entry.status_set_by)
                    .bind(entry.rating)
                    .bind(entry.favorite)
                    .bind(progress.map(|progress| &progress.unit))
                    .bind(progress.map(|progress| progress.current))
                    .bind(progress.and_then(|progress| progress.total))
                    .bind(&entry.started_on)
                    .bind(&entry.finished_on)
                    .bind(entry.revision)
                    .bind(entry.added_at)
                    .bind(entry.updated_at)
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                Ok(entry)
            }
        }

        impl $engine {
            fn entry(row: &$row) -> Result<Entry> {
                let unit: Option<String> = row.try_get(7)?;
                let progress = match unit {
                    Some(unit) => Some(Progress { unit, current: row.try_get(8)?, total: row.try_get(9)? }),
                    None => None,
                };
                let title: Option<String> = row.try_get(17)?;
                let media = match title {
                    Some(title) => Some(Summary {
                        cover: wire::cover(row.try_get::<Option<String>, _>(23)?.as_deref()),
                        title,
                        release_date: row.try_get(18)?,
                        runtime_minutes: row.try_get(19)?,
                        page_count: row.try_get(20)?,
                        season_count: row.try_get(21)?,
                        episode_count: row.try_get(22)?,
                    }),
                    None => None,
                };
                let kind: String = row.try_get(2)?;
                let (schedule, watched) = (row.try_get::<Option<String>, _>(24)?, row.try_get::<Option<String>, _>(25)?);
                let following = (kind == "tv").then(|| wire::follow(schedule.as_deref(), watched.as_deref()));
                let (progress, caught_up, next_episode) = match following {
                    Some((progress, caught_up, next)) => (Some(progress), Some(caught_up), next),
                    None => (progress, None, None),
                };
                Ok(Entry {
                    media_id: row.try_get(1)?,
                    kind,
                    status: row.try_get(3)?,
                    status_set_by: row.try_get(4)?,
                    rating: row.try_get(5)?,
                    favorite: row.try_get(6)?,
                    progress,
                    caught_up,
                    next_episode,
                    started_on: row.try_get(10)?,
                    finished_on: row.try_get(11)?,
                    revision: row.try_get(13)?,
                    added_at: row.try_get(14)?,
                    updated_at: row.try_get(15)?,
                    media_state: row.try_get(16)?,
                    media,
                })
            }
        }
    };
}

engine!(Sqlite, SqliteRow, "BEGIN IMMEDIATE");
engine!(Postgres, PgRow, "BEGIN");
