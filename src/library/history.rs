//! History: one event for each time an entry was finished, with the date as the person remembers it.

use chrono::{Datelike, NaiveDate};
use entity::history_event;
use entity::value::{Precision, TombstoneKind};
use sea_orm::ExprTrait;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entry::child_key;
use super::{MAX_PER_ENTRY, require_entry};
use crate::catalog::MediaId;
use crate::db::{Change, Counted, Db};
use crate::error::{Error, Result};
use crate::expected::Expected;

/// The UUID namespace of events that a completion makes. Part of the contract: a phone that is
/// offline names the same event.
pub const NAMESPACE: Uuid = uuid::uuid!("6f6d6e69-7472-5163-8b66-696e69736865");

/// When something was finished, as exactly as the person knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    pub on: Option<NaiveDate>,
    pub precision: Precision,
}

/// Where a page ended: the date (empty when unknown) and the id of its last event.
pub type Position = (String, Uuid);

/// The id of the event for finishing `id` on `date`: UUIDv5 over `<media id>/<YYYY-MM-DD>`.
pub fn finish_id(id: &MediaId, date: NaiveDate) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{id}/{date}").as_bytes())
}

/// The events of an entry that exists: the latest first, unknown dates last.
pub async fn list(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<history_event::Model>, Option<Position>)> {
    use sea_orm::sea_query::{Expr, Func};
    let date = || Func::coalesce([Expr::col(history_event::Column::FinishedOn), Expr::val("")]);
    let mut query = history_event::Entity::find()
        .filter(
            history_event::Column::AccountId.eq(account).and(history_event::Column::MediaId.eq(id.as_str())),
        )
        .order_by_desc(Expr::expr(date()))
        .order_by_desc(history_event::Column::Id)
        .limit(limit + 1);
    if let Some((finished_on, event)) = after {
        let earlier = Expr::expr(date()).lt(finished_on.as_str());
        let beside = Expr::expr(date()).eq(finished_on.as_str()).and(history_event::Column::Id.lt(event));
        query = query.filter(earlier.or(beside));
    }
    let mut found = query.all(db.read()).await?;
    if found.is_empty() {
        super::entry_exists(db, account, id).await?;
    }
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = found.last().filter(|_| more).map(|row| (row.finished_on.clone().unwrap_or_default(), row.id));
    Ok((found, end))
}

pub async fn get(db: &Db, account: Uuid, id: &MediaId, event: Uuid) -> Result<history_event::Model> {
    let key = (account, id.to_string(), event);
    history_event::Entity::find_by_id(key).one(db.read()).await?.ok_or(Error::NotFound)
}

pub async fn put(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    event: Uuid,
    expected: &Expected,
    finished: Finished,
) -> Result<(history_event::Model, bool)> {
    let mut change = db.change(account).await?;
    let written = write(&mut change, id, event, expected, finished).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write(
    change: &mut Change,
    id: &MediaId,
    event: Uuid,
    expected: &Expected,
    finished: Finished,
) -> Result<(history_event::Model, bool)> {
    let finished = normal(finished)?;
    let account = change.account_id();
    require_entry(change, id).await?;
    let key = (account, id.to_string(), event);
    let before = history_event::Entity::find_by_id(key).one(change.tx()).await?;
    if before.is_none() && change.is_buried(TombstoneKind::HistoryEvent, child_key(id, event)).await? {
        return Err(Error::Deleted);
    }
    expected.allows(before.as_ref().map(|row| row.revision))?;
    let date = finished.on.map(|date| date.to_string());
    if let Some(row) = &before
        && (&row.finished_on, row.finished_precision) == (&date, finished.precision)
    {
        return Ok((row.clone(), false));
    }
    let created = before.is_none();
    let row = store(change, id, event, before, finished).await?;
    Ok((row, created))
}

/// The event of a completion. One that is there already stays as it is.
pub(super) async fn add_finish(change: &mut Change, id: &MediaId, date: NaiveDate) -> Result<()> {
    let event = finish_id(id, date);
    let key = (change.account_id(), id.to_string(), event);
    if history_event::Entity::find_by_id(key).one(change.tx()).await?.is_some() {
        return Ok(());
    }
    change.unbury(TombstoneKind::HistoryEvent, child_key(id, event)).await?;
    store(change, id, event, None, Finished { on: Some(date), precision: Precision::Day }).await?;
    Ok(())
}

async fn store(
    change: &mut Change,
    id: &MediaId,
    event: Uuid,
    before: Option<history_event::Model>,
    finished: Finished,
) -> Result<history_event::Model> {
    let account = change.account_id();
    let created = before.is_none();
    if created {
        let count = history_event::Entity::find()
            .filter(
                history_event::Column::AccountId
                    .eq(account)
                    .and(history_event::Column::MediaId.eq(id.as_str())),
            )
            .count(change.tx())
            .await?;
        if count >= MAX_PER_ENTRY {
            return Err(Error::LimitReached { what: "history events of an entry", limit: MAX_PER_ENTRY });
        }
        change.add_one(Counted::Events)?;
    }
    let revision = change.next_revision();
    let date = finished.on.map(|date| date.to_string());
    let old = before.as_ref();
    let fields = [
        ("finished_on", old.is_none_or(|row| row.finished_on != date)),
        ("precision", old.is_none_or(|row| row.finished_precision != finished.precision)),
    ];
    let stamps = change.stamps(old.and_then(|row| row.stamps.as_deref()), revision, &fields);
    let row = history_event::Model {
        account_id: account,
        media_id: id.to_string(),
        id: event,
        finished_on: date,
        finished_precision: finished.precision,
        revision,
        created_at: before.map_or(change.now(), |row| row.created_at),
        updated_at: change.now(),
        stamps,
    };
    let active = row.clone().into_active_model().reset_all();
    if created {
        history_event::Entity::insert(active).exec_without_returning(change.tx()).await?;
    } else {
        history_event::Entity::update(active).exec(change.tx()).await?;
    }
    Ok(row)
}

pub async fn delete(db: &Db, account: Uuid, id: &MediaId, event: Uuid, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, id, event, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, id: &MediaId, event: Uuid, expected: &Expected) -> Result<()> {
    let key = (change.account_id(), id.to_string(), event);
    let Some(row) = history_event::Entity::find_by_id(key.clone()).one(change.tx()).await? else {
        return expected.allows_absence();
    };
    expected.allows(Some(row.revision))?;
    history_event::Entity::delete_by_id(key).exec(change.tx()).await?;
    change.count_removed(Counted::Events, 1);
    change.bury(TombstoneKind::HistoryEvent, child_key(id, event)).await
}

/// A date is kept as the first day of the period that its precision names.
pub fn normal(finished: Finished) -> Result<Finished> {
    let wrong = |message| Error::invalid("invalid_date", "/finished_on", message);
    let on = match (finished.on, finished.precision) {
        (None, Precision::Unknown) => None,
        (Some(_), Precision::Unknown) => return Err(wrong("must be left out when the date is unknown")),
        (None, _) => return Err(wrong("is required unless the precision is unknown")),
        (Some(date), Precision::Day) => Some(date),
        (Some(date), Precision::Month) => date.with_day(1),
        (Some(date), Precision::Year) => NaiveDate::from_ymd_opt(date.year(), 1, 1),
    };
    Ok(Finished { on, ..finished })
}
