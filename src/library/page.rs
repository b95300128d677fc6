//! Reading entries together with what is known of their titles: one statement, decoded by position,
//! because this is what a phone asks for most.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use entity::library_entry;
use entity::value::Status;
use sea_orm::ExprTrait;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::entry::Entry;
use super::episode::{self, Following, Watched};
use crate::account::Locale;
use crate::catalog::{Kind, Language, MediaId};
use crate::clock::Millis;
use crate::db::{Db, rows};
use crate::error::Result;
use crate::media::{self, Schedule, summary_columns, with_summary};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    UpdatedAt,
    AddedAt,
    Title,
    Rating,
    FinishedOn,
}

/// Which entries, in which order.
#[derive(Debug, Clone)]
pub struct Query {
    pub kinds: Vec<Kind>,
    pub statuses: Vec<Status>,
    pub favorite: Option<bool>,
    pub min_rating: Option<i32>,
    pub max_rating: Option<i32>,
    /// Part of the title, in any case and without regard to accents.
    pub text: Option<String>,
    pub updated_since: Option<Millis>,
    pub sort: Sort,
    pub descending: bool,
    pub language: Language,
}

/// Where a page ended: the sort value of its last row and its media id.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Position(pub SortValue, pub String);

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    Number(i64),
    Text(String),
}

const COLUMNS: &str = concat!(
    "e.account_id, e.media_id, e.kind, e.status, e.status_set_by, e.rating, e.favorite, e.progress_unit, \
     e.progress_current, e.progress_total, e.started_on, e.finished_on, e.awaits_media, e.revision, \
     e.added_at, e.updated_at, ",
    summary_columns!(),
    ", m.schedule, e.watched"
);

/// The first column that tells of the title.
const SUMMARY: usize = 16;
/// The column behind [`COLUMNS`].
const LAST: usize = 26;

const TABLES: &str = with_summary!("library_entry");

/// One page of entries, and where it ended if there are more.
pub async fn list(
    db: &Db,
    account: Uuid,
    query: &Query,
    today: NaiveDate,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<Entry>, Option<Position>)> {
    let (sql, values) = statement(account, query, after, limit + 1);
    let mut found = rows(db.read(), &sql, values).await?;
    let more = found.len() as u64 > limit;
    if more {
        found.pop();
    }
    let end = match found.last().filter(|_| more) {
        Some(row) => Some(Position(sort_value(row, query.sort)?, row.try_get_by_index(1)?)),
        None => None,
    };
    let entries = found.iter().map(|row| decode(row, today)).collect::<Result<Vec<_>, DbErr>>()?;
    Ok((entries, end))
}

/// One entry.
pub async fn one(
    connection: &impl ConnectionTrait,
    account: Uuid,
    id: &MediaId,
    locale: Locale,
) -> Result<Option<Entry>> {
    let sql = format!("SELECT {COLUMNS}, e.stamps FROM {TABLES} WHERE e.account_id = $1 AND e.media_id = $3");
    let values = [account.into(), locale.language.as_str().into(), id.as_str().into()];
    let found = rows(connection, &sql, values).await?;
    let Some(row) = found.first() else { return Ok(None) };
    let mut entry = decode(row, locale.today)?;
    entry.row.stamps = row.try_get_by_index(LAST)?;
    Ok(Some(entry))
}

/// The entries that were last changed under one of `revisions`, in no particular order.
pub async fn changed(
    connection: &impl ConnectionTrait,
    account: Uuid,
    revisions: &RangeInclusive<i64>,
    locale: Locale,
) -> Result<Vec<Entry>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE e.account_id = $1 AND e.revision >= $3 AND e.revision <= $4"
    );
    let (first, last) = (*revisions.start(), *revisions.end());
    let values = [account.into(), locale.language.as_str().into(), first.into(), last.into()];
    let found = rows(connection, &sql, values).await?;
    Ok(found.iter().map(|row| decode(row, locale.today)).collect::<Result<_, DbErr>>()?)
}

/// The account's entries among `ids`, in no particular order.
pub async fn among(db: &Db, account: Uuid, ids: &[MediaId]) -> Result<Vec<library_entry::Model>> {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let ids = ids.iter().map(MediaId::as_str);
    Ok(library_entry::Entity::find()
        .filter(library_entry::Column::AccountId.eq(account).and(library_entry::Column::MediaId.is_in(ids)))
        .all(db.read())
        .await?)
}

fn statement(account: Uuid, query: &Query, after: Option<Position>, limit: u64) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![account.into(), query.language.as_str().into()];
    let mut bind = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut filters = vec!["e.account_id = $1".to_owned()];
    if !query.kinds.is_empty() {
        let names: Vec<_> = query.kinds.iter().map(|kind| bind(kind.as_str().into())).collect();
        filters.push(format!("e.kind IN ({})", names.join(", ")));
    }
    if !query.statuses.is_empty() {
        let names: Vec<_> = query.statuses.iter().map(|status| bind((*status).into())).collect();
        filters.push(format!("e.status IN ({})", names.join(", ")));
    }
    if let Some(favorite) = query.favorite {
        filters.push(format!("e.favorite = {}", bind(favorite.into())));
    }
    if let Some(rating) = query.min_rating {
        filters.push(format!("e.rating >= {}", bind(rating.into())));
    }
    if let Some(rating) = query.max_rating {
        filters.push(format!("e.rating <= {}", bind(rating.into())));
    }
    if let Some(time) = query.updated_since {
        filters.push(format!("e.updated_at >= {}", bind(time.into())));
    }
    if let Some(text) = &query.text {
        let pattern = bind(format!("%{}%", escape_like(&media::sort_title(text))).into());
        filters.push(format!("COALESCE(t.sort_title, m.sort_title) LIKE {pattern} ESCAPE '\\'"));
    }
    let key = sort_expression(query.sort, query.descending);
    let (compare, order) = if query.descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(Position(value, media_id)) = after {
        let value = bind(match value {
            SortValue::Number(number) => number.into(),
            SortValue::Text(text) => text.into(),
        });
        let media_id = bind(media_id.into());
        filters.push(format!("({key}, e.media_id) {compare} ({value}, {media_id})"));
    }
    let limit = bind(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let filters = filters.join(" AND ");
    let sql = format!(
        "SELECT {COLUMNS}, {key} FROM {TABLES} WHERE {filters} \
         ORDER BY {key} {order}, e.media_id {order} LIMIT {limit}"
    );
    (sql, values)
}

/// Entries without the value come last in either direction.
fn sort_expression(sort: Sort, descending: bool) -> &'static str {
    match (sort, descending) {
        (Sort::UpdatedAt, _) => "e.updated_at",
        (Sort::AddedAt, _) => "e.added_at",
        (Sort::Rating, true) => "CAST(COALESCE(e.rating, 0) AS bigint)",
        (Sort::Rating, false) => "CAST(COALESCE(e.rating, 101) AS bigint)",
        (Sort::FinishedOn, true) => "COALESCE(e.finished_on, '')",
        (Sort::FinishedOn, false) => "COALESCE(e.finished_on, '~')",
        (Sort::Title, true) => "COALESCE(t.sort_title, m.sort_title, '')",
        (Sort::Title, false) => "COALESCE(t.sort_title, m.sort_title, '\u{10FFFF}')",
    }
}

fn sort_value(row: &QueryResult, sort: Sort) -> Result<SortValue, DbErr> {
    Ok(match sort {
        Sort::UpdatedAt | Sort::AddedAt | Sort::Rating => SortValue::Number(row.try_get_by_index(LAST)?),
        Sort::Title | Sort::FinishedOn => SortValue::Text(row.try_get_by_index(LAST)?),
    })
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn decode(row: &QueryResult, today: NaiveDate) -> Result<Entry, DbErr> {
    let (media_state, media) = media::read_summary(row, SUMMARY, 1)?;
    let entry = library_entry::Model {
        account_id: row.try_get_by_index(0)?,
        media_id: row.try_get_by_index(1)?,
        kind: row.try_get_by_index(2)?,
        status: row.try_get_by_index(3)?,
        status_set_by: row.try_get_by_index(4)?,
        rating: row.try_get_by_index(5)?,
        favorite: row.try_get_by_index(6)?,
        progress_unit: row.try_get_by_index(7)?,
        progress_current: row.try_get_by_index(8)?,
        progress_total: row.try_get_by_index(9)?,
        started_on: row.try_get_by_index(10)?,
        finished_on: row.try_get_by_index(11)?,
        awaits_media: row.try_get_by_index(12)?,
        revision: row.try_get_by_index(13)?,
        added_at: row.try_get_by_index(14)?,
        updated_at: row.try_get_by_index(15)?,
        watched: row.try_get_by_index(25)?,
        // Writes alone need them, one row at a time.
        stamps: None,
    };
    let following = match entry.kind.as_str() {
        "tv" => Some(following(row, entry.watched.as_deref(), today)?),
        _ => None,
    };
    Ok(Entry { row: entry, media_state, media, following })
}

fn following(row: &QueryResult, watched: Option<&str>, today: NaiveDate) -> Result<Following, DbErr> {
    let schedule: Option<String> = row.try_get_by_index(24)?;
    let schedule = schedule.as_deref().map(Schedule::parse);
    let watched = watched.map(Watched::parse).unwrap_or_default();
    Ok(episode::follow(schedule.as_ref(), &watched, today))
}

/// The day that a stored date names.
pub fn date(text: Option<&str>) -> Option<NaiveDate> {
    text.and_then(|text| text.parse().ok())
}
