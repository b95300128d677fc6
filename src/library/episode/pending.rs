//! What was asked of many episodes before they were known: kept in order and done when they are.

use chrono::NaiveDate;
use entity::pending_episodes;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::Span;
use crate::catalog::MediaId;
use crate::db::{Change, execute};
use crate::error::{Error, Result};

/// Calls that one entry may have waiting.
pub const MAX_PENDING: usize = 100;

/// Notes to mark `span` when its episodes are known. Asked for twice in a row it is noted once.
pub(super) async fn queue_mark(
    change: &mut Change,
    id: &MediaId,
    span: Span,
    aired_by: NaiveDate,
    watched_on: Option<String>,
) -> Result<()> {
    let waiting = all(change, id).await?;
    queue(change, id, &waiting, span, Some(aired_by.to_string()), watched_on).await
}

/// Notes to take `span` back from what is noted already; where nothing is, there is nothing to do.
pub(super) async fn queue_removal(change: &mut Change, id: &MediaId, span: Span) -> Result<()> {
    let waiting = all(change, id).await?;
    if waiting.is_empty() { Ok(()) } else { queue(change, id, &waiting, span, None, None).await }
}

async fn queue(
    change: &mut Change,
    id: &MediaId,
    waiting: &[pending_episodes::Model],
    span: Span,
    aired_by: Option<String>,
    watched_on: Option<String>,
) -> Result<()> {
    let row = pending_episodes::Model {
        account_id: change.account_id(),
        media_id: id.to_string(),
        revision: waiting.last().map_or(0, |last| last.revision),
        watched: aired_by.is_some(),
        season: span.season,
        first: span.first,
        last: span.last,
        aired_by,
        watched_on,
    };
    if waiting.last() == Some(&row) {
        return Ok(());
    }
    if waiting.len() >= MAX_PENDING {
        return Err(Error::LimitReached { what: "marks waiting for episodes", limit: MAX_PENDING as u64 });
    }
    let row = pending_episodes::Model { revision: change.next_revision(), ..row };
    let active = row.into_active_model().reset_all();
    pending_episodes::Entity::insert(active).exec_without_returning(change.tx()).await?;
    Ok(())
}

/// What waits, in the order in which it was asked for.
pub(super) async fn all(change: &Change, id: &MediaId) -> Result<Vec<pending_episodes::Model>> {
    Ok(pending_episodes::Entity::find()
        .filter(pending_episodes::Column::AccountId.eq(change.account_id()))
        .filter(pending_episodes::Column::MediaId.eq(id.as_str()))
        .order_by_asc(pending_episodes::Column::Revision)
        .all(change.tx())
        .await?)
}

pub(super) async fn clear(change: &Change, id: &MediaId) -> Result<()> {
    execute(
        change.tx(),
        "DELETE FROM pending_episodes WHERE account_id = $1 AND media_id = $2",
        [change.account_id().into(), id.as_str().into()],
    )
    .await?;
    Ok(())
}

impl Span {
    pub(super) fn of(row: &pending_episodes::Model) -> Self {
        Self { season: row.season, first: row.first, last: row.last }
    }
}
