//! An account's own lists: ordered collections of media items with a note per item.

pub mod item;
pub mod order;

use std::ops::RangeInclusive;

use entity::list;
use entity::value::TombstoneKind;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
};
use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Change, Counted, Db, execute, row, rows, text_bytes};
use crate::error::{Error, Result};
use crate::expected::Expected;

/// Items that one list may have.
pub const MAX_ITEMS: u64 = 5_000;

/// A list and how many items it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub row: list::Model,
    pub item_count: i64,
}

/// What a write says: `None` keeps, `Some(None)` clears.
#[derive(Debug, Clone, Default)]
pub struct Write {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
}

/// Where a page ended: creation time and id of its last list.
pub type Position = (Millis, Uuid);

const COLUMNS: &str = "l.account_id, l.id, l.name, l.description, l.revision, l.created_at, l.updated_at, \
    l.stamps, (SELECT COUNT(*) FROM list_item i WHERE i.account_id = l.account_id AND i.list_id = l.id)";

fn decode(row: &sea_orm::QueryResult) -> Result<List, sea_orm::DbErr> {
    Ok(List {
        row: list::Model {
            account_id: row.try_get_by_index(0)?,
            id: row.try_get_by_index(1)?,
            name: row.try_get_by_index(2)?,
            description: row.try_get_by_index(3)?,
            revision: row.try_get_by_index(4)?,
            created_at: row.try_get_by_index(5)?,
            updated_at: row.try_get_by_index(6)?,
            stamps: row.try_get_by_index(7)?,
        },
        item_count: row.try_get_by_index(8)?,
    })
}

/// The account's lists, oldest first.
pub async fn list(
    db: &Db,
    account: Uuid,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<List>, Option<Position>)> {
    let (created_at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let sql = format!(
        "SELECT {COLUMNS} FROM list l WHERE l.account_id = $1 AND (l.created_at, l.id) > ($2, $3) \
         ORDER BY l.created_at, l.id LIMIT $4"
    );
    let bound = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = rows(db.read(), &sql, [account.into(), created_at.into(), id.into(), bound.into()]).await?;
    let mut lists = found.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let more = lists.len() as u64 > limit;
    lists.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = lists.last().filter(|_| more).map(|list| (list.row.created_at, list.row.id));
    Ok((lists, end))
}

pub async fn get(db: &Db, account: Uuid, id: Uuid) -> Result<List> {
    find(db.read(), account, id).await?.ok_or(Error::NotFound)
}

async fn find(connection: &impl ConnectionTrait, account: Uuid, id: Uuid) -> Result<Option<List>> {
    let sql = format!("SELECT {COLUMNS} FROM list l WHERE l.account_id = $1 AND l.id = $2");
    let found = rows(connection, &sql, [account.into(), id.into()]).await?;
    Ok(found.first().map(decode).transpose()?)
}

/// The lists that were last changed under one of `revisions`, in no particular order.
pub async fn changed(
    connection: &impl ConnectionTrait,
    account: Uuid,
    revisions: &RangeInclusive<i64>,
) -> Result<Vec<List>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM list l WHERE l.account_id = $1 AND l.revision >= $2 AND l.revision <= $3"
    );
    let (first, last) = (*revisions.start(), *revisions.end());
    let found = rows(connection, &sql, [account.into(), first.into(), last.into()]).await?;
    Ok(found.iter().map(decode).collect::<Result<_, _>>()?)
}

/// Makes or replaces a list; tells it as it is then, and whether it is new.
pub async fn write(
    db: &Db,
    account: Uuid,
    id: Uuid,
    expected: &Expected,
    write: Write,
) -> Result<(List, bool)> {
    let mut change = db.change(account).await?;
    let written = write_in(&mut change, id, expected, write).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write_in(
    change: &mut Change,
    id: Uuid,
    expected: &Expected,
    write: Write,
) -> Result<(List, bool)> {
    let account = change.account_id();
    let before = find(change.tx(), account, id).await?;
    if before.is_none() && change.is_buried(TombstoneKind::List, id.to_string()).await? {
        return Err(Error::Deleted);
    }
    expected.allows(before.as_ref().map(|list| list.row.revision))?;
    let created = before.is_none();
    if created {
        change.add_one(Counted::Lists)?;
    }
    let list = store(change, id, before, write).await?;
    Ok((list, created))
}

/// Changes a list that exists.
pub async fn update(db: &Db, account: Uuid, id: Uuid, expected: &Expected, write: Write) -> Result<List> {
    let mut change = db.change(account).await?;
    let before = find(change.tx(), account, id).await?;
    expected.allows(before.as_ref().map(|list| list.row.revision))?;
    let before = before.ok_or(Error::NotFound)?;
    let list = store(&mut change, id, Some(before), write).await?;
    change.commit().await?;
    Ok(list)
}

/// Stores what a write makes of a list, unless that is what it was.
async fn store(change: &mut Change, id: Uuid, before: Option<List>, write: Write) -> Result<List> {
    let (old, item_count) = before.map_or((None, 0), |list| (Some(list.row), list.item_count));
    let row = list::Model {
        account_id: change.account_id(),
        id,
        name: write.name.or_else(|| old.as_ref().map(|row| row.name.clone())).unwrap_or_default(),
        description: write
            .description
            .unwrap_or_else(|| old.as_ref().and_then(|row| row.description.clone())),
        revision: old.as_ref().map_or(0, |row| row.revision),
        created_at: old.as_ref().map_or(change.now(), |row| row.created_at),
        updated_at: old.as_ref().map_or(change.now(), |row| row.updated_at),
        stamps: old.as_ref().and_then(|row| row.stamps.clone()),
    };
    if old.as_ref() == Some(&row) {
        return Ok(List { row, item_count });
    }
    change.replace_text(old.as_ref().map_or(0, text_of), text_of(&row))?;
    let revision = change.next_revision();
    let fields = [
        ("name", old.as_ref().is_none_or(|old| old.name != row.name)),
        ("description", old.as_ref().is_none_or(|old| old.description != row.description)),
    ];
    let stamps = change.stamps(row.stamps.as_deref(), revision, &fields);
    let row = list::Model { revision, updated_at: change.now(), stamps, ..row };
    let active = row.clone().into_active_model().reset_all();
    if old.is_none() {
        list::Entity::insert(active).exec_without_returning(change.tx()).await?;
    } else {
        list::Entity::update(active).exec(change.tx()).await?;
    }
    Ok(List { row, item_count })
}

/// Deletes a list with its items, for which its tombstone stands too.
pub async fn delete(db: &Db, account: Uuid, id: Uuid, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, id, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, id: Uuid, expected: &Expected) -> Result<()> {
    let account = change.account_id();
    let Some(found) = list::Entity::find_by_id((account, id)).one(change.tx()).await? else {
        return expected.allows_absence();
    };
    expected.allows(Some(found.revision))?;
    let key = || [account.into(), id.into()];
    let kept = "SELECT CAST(COALESCE(SUM(octet_length(note)), 0) AS bigint) FROM list_item \
                WHERE account_id = $1 AND list_id = $2";
    let notes = row(change.tx(), kept, key()).await?.map_or(Ok(0), |kept| kept.try_get_by_index(0));
    let notes: i64 = notes?;
    let items = "DELETE FROM list_item WHERE account_id = $1 AND list_id = $2";
    let items = execute(change.tx(), items, key()).await?;
    change.count_removed(Counted::ListItems, items);
    change.count_removed(Counted::Lists, 1);
    change.count_removed(Counted::TextBytes, text_of(&found) + notes.unsigned_abs());
    list::Entity::delete_many()
        .filter(list::Column::AccountId.eq(account).and(list::Column::Id.eq(id)))
        .exec(change.tx())
        .await?;
    change.bury(TombstoneKind::List, id.to_string()).await
}

fn text_of(row: &list::Model) -> u64 {
    text_bytes([Some(row.name.as_str()), row.description.as_deref()])
}

/// The list that a change is about, or [`Error::NotFound`].
async fn require(change: &Change, id: Uuid) -> Result<()> {
    let key = (change.account_id(), id);
    list::Entity::find_by_id(key).one(change.tx()).await?.map(|_| ()).ok_or(Error::NotFound)
}
