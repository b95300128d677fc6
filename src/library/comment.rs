//! Comments: dated notes on an entry, under ids that the phone chose.

use entity::comment;
use entity::value::{AnchorKind, TombstoneKind};
use sea_orm::ExprTrait;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entry::child_key;
use super::{MAX_PER_ENTRY, require_entry};
use crate::catalog::{Kind, MediaId};
use crate::clock::Millis;
use crate::db::{Change, Counted, Db};
use crate::error::{Error, Result};
use crate::expected::Expected;

/// What a comment is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Episode { season: i32, episode: i32 },
    Page(i32),
    Percent(i32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub body: String,
    pub anchor: Option<Anchor>,
}

/// Where a page ended: creation time and id of its last comment.
pub type Position = (Millis, Uuid);

/// The comments of an entry that exists, oldest first.
pub async fn list(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<comment::Model>, Option<Position>)> {
    let mut query = comment::Entity::find()
        .filter(comment::Column::AccountId.eq(account).and(comment::Column::MediaId.eq(id.as_str())))
        .order_by_asc(comment::Column::CreatedAt)
        .order_by_asc(comment::Column::Id)
        .limit(limit + 1);
    if let Some((created_at, comment_id)) = after {
        let later = comment::Column::CreatedAt.gt(created_at);
        let beside = comment::Column::CreatedAt.eq(created_at).and(comment::Column::Id.gt(comment_id));
        query = query.filter(later.or(beside));
    }
    let mut found = query.all(db.read()).await?;
    if found.is_empty() {
        super::entry_exists(db, account, id).await?;
    }
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = found.last().filter(|_| more).map(|row| (row.created_at, row.id));
    Ok((found, end))
}

pub async fn get(db: &Db, account: Uuid, id: &MediaId, comment: Uuid) -> Result<comment::Model> {
    let key = (account, id.to_string(), comment);
    comment::Entity::find_by_id(key).one(db.read()).await?.ok_or(Error::NotFound)
}

pub async fn put(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    comment_id: Uuid,
    expected: &Expected,
    text: Text,
) -> Result<(comment::Model, bool)> {
    let mut change = db.change(account).await?;
    let written = write(&mut change, id, comment_id, expected, text).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write(
    change: &mut Change,
    id: &MediaId,
    comment_id: Uuid,
    expected: &Expected,
    text: Text,
) -> Result<(comment::Model, bool)> {
    check(id, &text)?;
    let account = change.account_id();
    require_entry(change, id).await?;
    let key = (account, id.to_string(), comment_id);
    let before = comment::Entity::find_by_id(key).one(change.tx()).await?;
    if before.is_none() && change.is_buried(TombstoneKind::Comment, child_key(id, comment_id)).await? {
        return Err(Error::Deleted);
    }
    expected.allows(before.as_ref().map(|row| row.revision))?;
    let (anchor_kind, anchor_season, anchor_number) = columns(text.anchor);
    if let Some(row) = &before
        && (&row.body, row.anchor_kind, row.anchor_season, row.anchor_number)
            == (&text.body, anchor_kind, anchor_season, anchor_number)
    {
        return Ok((row.clone(), false));
    }
    let created = before.is_none();
    if created {
        let count = comment::Entity::find()
            .filter(comment::Column::AccountId.eq(account).and(comment::Column::MediaId.eq(id.as_str())))
            .count(change.tx())
            .await?;
        if count >= MAX_PER_ENTRY {
            return Err(Error::LimitReached { what: "comments on an entry", limit: MAX_PER_ENTRY });
        }
    }
    change.replace_text(before.as_ref().map_or(0, |row| row.body.len() as u64), text.body.len() as u64)?;
    let revision = change.next_revision();
    let old = before.as_ref();
    let anchored = |row: &comment::Model| (row.anchor_kind, row.anchor_season, row.anchor_number);
    let fields = [
        ("body", old.is_none_or(|row| row.body != text.body)),
        ("anchor", old.is_none_or(|row| anchored(row) != (anchor_kind, anchor_season, anchor_number))),
    ];
    let stamps = change.stamps(old.and_then(|row| row.stamps.as_deref()), revision, &fields);
    let row = comment::Model {
        account_id: account,
        media_id: id.to_string(),
        id: comment_id,
        body: text.body,
        anchor_kind,
        anchor_season,
        anchor_number,
        revision,
        created_at: before.map_or(change.now(), |row| row.created_at),
        updated_at: change.now(),
        stamps,
    };
    let active = row.clone().into_active_model().reset_all();
    if created {
        comment::Entity::insert(active).exec_without_returning(change.tx()).await?;
    } else {
        comment::Entity::update(active).exec(change.tx()).await?;
    }
    Ok((row, created))
}

pub async fn delete(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    comment_id: Uuid,
    expected: &Expected,
) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, id, comment_id, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, id: &MediaId, comment_id: Uuid, expected: &Expected) -> Result<()> {
    let key = (change.account_id(), id.to_string(), comment_id);
    let Some(row) = comment::Entity::find_by_id(key.clone()).one(change.tx()).await? else {
        return expected.allows_absence();
    };
    expected.allows(Some(row.revision))?;
    comment::Entity::delete_by_id(key).exec(change.tx()).await?;
    change.count_removed(Counted::TextBytes, row.body.len() as u64);
    change.bury(TombstoneKind::Comment, child_key(id, comment_id)).await
}

/// The anchor that a row holds.
pub fn anchor(row: &comment::Model) -> Option<Anchor> {
    let number = row.anchor_number?;
    Some(match row.anchor_kind? {
        AnchorKind::Episode => Anchor::Episode { season: row.anchor_season?, episode: number },
        AnchorKind::Page => Anchor::Page(number),
        AnchorKind::Percent => Anchor::Percent(number),
    })
}

/// The columns that hold an anchor: kind, season, number.
pub fn columns(anchor: Option<Anchor>) -> (Option<AnchorKind>, Option<i32>, Option<i32>) {
    match anchor {
        None => (None, None, None),
        Some(Anchor::Episode { season, episode }) => (Some(AnchorKind::Episode), Some(season), Some(episode)),
        Some(Anchor::Page(page)) => (Some(AnchorKind::Page), None, Some(page)),
        Some(Anchor::Percent(percent)) => (Some(AnchorKind::Percent), None, Some(percent)),
    }
}

/// Refuses an anchor that titles of this kind do not have.
pub fn check(id: &MediaId, text: &Text) -> Result<()> {
    let message = match (text.anchor, id.kind()) {
        (Some(Anchor::Episode { .. }), kind) if kind != Kind::Tv => "only a series has episodes",
        (Some(Anchor::Page(_)), kind) if kind != Kind::Book => "only a book has pages",
        _ => return Ok(()),
    };
    Err(Error::invalid("invalid_anchor", "/anchor", message))
}
