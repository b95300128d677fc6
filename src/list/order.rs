//! Where an item stands: a fractional index, compared by its bytes, so that moving one item writes
//! one row. Two phones may pick the same key while they are apart; then the media id decides, and the
//! first item that has to go between the two gives them keys of their own.

use entity::list_item;
use fractional_index::FractionalIndex;
use sea_orm::Value;
use uuid::Uuid;

use super::MAX_ITEMS;
use crate::catalog::MediaId;
use crate::db::{Change, execute, rows};
use crate::error::{Error, Result};

/// Where an item shall go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A new item goes to the end; one that is there keeps its place.
    AsIs,
    Before(MediaId),
    After(MediaId),
    /// Behind all others.
    End,
}

/// A longer key makes the whole list be numbered anew.
const MAX_KEY: usize = 128;

/// An item's order: position, then media id.
type Key = (Vec<u8>, String);

/// The position for `media` in `list`; `current` is the one it has now.
pub(super) async fn place(
    change: &mut Change,
    list: Uuid,
    media: &MediaId,
    current: Option<&list_item::Model>,
    place: &Place,
) -> Result<Vec<u8>> {
    let (anchor, after, pointer) = match place {
        Place::AsIs => match current {
            Some(item) => return Ok(item.position.clone()),
            None => return last_position(change, list).await,
        },
        Place::End => return to_the_end(change, list, media, current).await,
        Place::Before(anchor) => (anchor, false, "/before"),
        Place::After(anchor) => (anchor, true, "/after"),
    };
    if anchor == media {
        return match current {
            Some(item) => Ok(item.position.clone()),
            None => Err(missing_anchor(pointer)),
        };
    }
    // The list as it would be without the item: one bounded read, so that every case is plain.
    let order: Vec<Key> =
        keys(change, list).await?.into_iter().filter(|(_, id)| id != media.as_str()).collect();
    let at = order.iter().position(|(_, id)| id == anchor.as_str()).ok_or_else(|| missing_anchor(pointer))?;
    let slot = if after { at + 1 } else { at };
    let lower = slot.checked_sub(1).and_then(|index| order.get(index));
    let upper = order.get(slot);
    if let Some(item) = current {
        let own: Key = (item.position.clone(), item.media_id.clone());
        if lower.is_none_or(|lower| *lower < own) && upper.is_none_or(|upper| own < *upper) {
            return Ok(item.position.clone());
        }
    }
    match between(lower.map(|key| key.0.as_slice()), upper.map(|key| key.0.as_slice())) {
        Some(position) if position.len() <= MAX_KEY => Ok(position),
        _ => renumber(change, list, &order, slot).await,
    }
}

fn missing_anchor(pointer: &str) -> Error {
    Error::invalid("anchor_not_found", pointer, "is not an item of this list")
}

/// The position behind all other items: for the last one the position that it has.
async fn to_the_end(
    change: &mut Change,
    list: Uuid,
    media: &MediaId,
    current: Option<&list_item::Model>,
) -> Result<Vec<u8>> {
    let order = keys(change, list).await?;
    match (order.last(), current) {
        (Some((position, id)), Some(_)) if id == media.as_str() => Ok(position.clone()),
        _ => last_position(change, list).await,
    }
}

/// The position behind the last item.
async fn last_position(change: &mut Change, list: Uuid) -> Result<Vec<u8>> {
    let last = rows(
        change.tx(),
        "SELECT position FROM list_item WHERE account_id = $1 AND list_id = $2 \
         ORDER BY position DESC, media_id DESC LIMIT 1",
        [change.account_id().into(), list.into()],
    )
    .await?;
    let last: Option<Vec<u8>> = last.first().map(|row| row.try_get_by_index(0)).transpose()?;
    match between(last.as_deref(), None) {
        Some(position) if position.len() <= MAX_KEY => Ok(position),
        _ => {
            let order = keys(change, list).await?;
            let slot = order.len();
            renumber(change, list, &order, slot).await
        }
    }
}

/// Positions for `count` new items behind all others, in their order.
pub async fn at_the_end(change: &mut Change, list: Uuid, count: usize) -> Result<Vec<Vec<u8>>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let first = last_position(change, list).await?;
    let positions = row_of(first, count);
    if positions.last().is_none_or(|last| last.len() <= MAX_KEY) {
        return Ok(positions);
    }
    let order = keys(change, list).await?;
    let slot = order.len();
    let first = renumber(change, list, &order, slot).await?;
    Ok(row_of(first, count))
}

/// `first` and the positions that follow it.
fn row_of(first: Vec<u8>, count: usize) -> Vec<Vec<u8>> {
    let next = |position: &Vec<u8>| between(Some(position), None);
    std::iter::successors(Some(first), next).take(count).collect()
}

async fn keys(change: &Change, list: Uuid) -> Result<Vec<Key>> {
    let bound = i64::try_from(MAX_ITEMS).unwrap_or(i64::MAX);
    let found = rows(
        change.tx(),
        "SELECT position, media_id FROM list_item WHERE account_id = $1 AND list_id = $2 \
         ORDER BY position, media_id LIMIT $3",
        [change.account_id().into(), list.into(), bound.into()],
    )
    .await?;
    let key = |row: sea_orm::QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    Ok(found.into_iter().map(key).collect::<Result<Vec<_>, sea_orm::DbErr>>()?)
}

/// A position between two others; none where there is no room (equal keys, or one not of our making).
fn between(lower: Option<&[u8]>, upper: Option<&[u8]>) -> Option<Vec<u8>> {
    let index = |bytes: &[u8]| FractionalIndex::from_bytes(bytes.to_vec()).ok();
    let found = match (lower, upper) {
        (None, None) => FractionalIndex::default(),
        (Some(lower), None) => FractionalIndex::new_after(&index(lower)?),
        (None, Some(upper)) => FractionalIndex::new_before(&index(upper)?),
        (Some(lower), Some(upper)) => FractionalIndex::new_between(&index(lower)?, &index(upper)?)?,
    };
    Some(found.as_bytes().to_vec())
}

/// Gives every item a position of its own, leaving room at `slot`, which is returned. Each item whose
/// position changes is a change of that item.
async fn renumber(change: &mut Change, list: Uuid, order: &[Key], slot: usize) -> Result<Vec<u8>> {
    let mut position = FractionalIndex::default();
    let mut free = None;
    for (index, (old, media_id)) in order.iter().enumerate() {
        if index == slot {
            free = Some(position.as_bytes().to_vec());
            position = FractionalIndex::new_after(&position);
        }
        if old != position.as_bytes() {
            let revision = change.next_revision();
            let values: [Value; 5] = [
                change.account_id().into(),
                list.into(),
                media_id.clone().into(),
                position.as_bytes().to_vec().into(),
                revision.into(),
            ];
            execute(
                change.tx(),
                "UPDATE list_item SET position = $4, revision = $5 \
                 WHERE account_id = $1 AND list_id = $2 AND media_id = $3",
                values,
            )
            .await?;
        }
        position = FractionalIndex::new_after(&position);
    }
    Ok(free.unwrap_or_else(|| position.as_bytes().to_vec()))
}

#[cfg(test)]
#[path = "order_test.rs"]
mod tests;
