//! The items of a list.

use std::ops::RangeInclusive;

use entity::list_item;
use entity::value::{MediaState, TombstoneKind};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait, QueryResult};
use uuid::Uuid;

use super::order::{self, Place};
use super::{MAX_ITEMS, require};
use crate::catalog::{Cover, Language, MediaId};
use crate::db::{Change, Counted, Db, rows};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::library::entry::Create;
use crate::media::{self, Summary, summary_columns, with_summary};

/// An item and what is known of its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub row: list_item::Model,
    pub media_state: Option<MediaState>,
    pub media: Option<Summary>,
}

impl Item {
    pub fn cover(&self) -> Option<Cover> {
        self.media.as_ref()?.cover.clone()
    }
}

/// What a write says: `None` keeps, `Some(None)` clears.
#[derive(Debug, Clone)]
pub struct Write {
    pub note: Option<Option<String>>,
    pub place: Place,
}

/// What a write did.
pub struct Written {
    pub item: Item,
    pub created: bool,
    /// The title is not known yet, or not in the language asked for.
    pub wanted: bool,
}

/// Where a page ended: position (in hexadecimal) and media id of its last item.
pub type Position = (String, String);

/// The items of a list that exists, in their order.
pub async fn list(
    db: &Db,
    account: Uuid,
    list: Uuid,
    language: Language,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<Item>, Option<Position>)> {
    let (position, media_id) = match after {
        Some((position, media_id)) => (unhex(&position)?, media_id),
        None => (Vec::new(), String::new()),
    };
    let bound = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = rows(
        db.read(),
        "SELECT media_id FROM list_item WHERE account_id = $1 AND list_id = $2 \
         AND (position, media_id) > ($3, $4) ORDER BY position, media_id LIMIT $5",
        [account.into(), list.into(), position.into(), media_id.into(), bound.into()],
    )
    .await?;
    if found.is_empty() {
        super::get(db, account, list).await?;
    }
    let mut ids: Vec<String> = found.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
    let more = ids.len() as u64 > limit;
    ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut items = many(db.read(), account, list, &ids, language).await?;
    items.sort_by(|a, b| (&a.row.position, &a.row.media_id).cmp(&(&b.row.position, &b.row.media_id)));
    let end = items.last().filter(|_| more).map(|item| (hex(&item.row.position), item.row.media_id.clone()));
    Ok((items, end))
}

pub async fn get(db: &Db, account: Uuid, list: Uuid, id: &MediaId, language: Language) -> Result<Item> {
    let found = many(db.read(), account, list, &[id.to_string()], language).await?;
    found.into_iter().next().ok_or(Error::NotFound)
}

async fn many(
    connection: &impl ConnectionTrait,
    account: Uuid,
    list: Uuid,
    ids: &[String],
    language: Language,
) -> Result<Vec<Item>> {
    let found = list_item::Entity::find()
        .filter(
            list_item::Column::AccountId
                .eq(account)
                .and(list_item::Column::ListId.eq(list))
                .and(list_item::Column::MediaId.is_in(ids.iter().map(String::as_str))),
        )
        .all(connection)
        .await?;
    let mut known = media::summaries(connection, ids, language).await?;
    let item = |row: list_item::Model| {
        let (media_state, media) =
            known.remove(&row.media_id).map_or((None, None), |known| (Some(known.state), known.summary));
        Item { row, media_state, media }
    };
    Ok(found.into_iter().map(item).collect())
}

const COLUMNS: &str = concat!(
    "e.account_id, e.list_id, e.media_id, e.position, e.note, e.awaits_media, e.revision, e.added_at, \
     e.updated_at, ",
    summary_columns!()
);

/// The first column that tells of the title.
const SUMMARY: usize = 9;

/// The items, of all lists, that were last changed under one of `revisions`, in no particular order.
pub async fn changed(
    connection: &impl ConnectionTrait,
    account: Uuid,
    revisions: &RangeInclusive<i64>,
    language: Language,
) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE e.account_id = $1 AND e.revision >= $3 AND e.revision <= $4",
        with_summary!("list_item")
    );
    let (first, last) = (*revisions.start(), *revisions.end());
    let values = [account.into(), language.as_str().into(), first.into(), last.into()];
    let found = rows(connection, &sql, values).await?;
    Ok(found.iter().map(decode).collect::<Result<_, DbErr>>()?)
}

fn decode(row: &QueryResult) -> Result<Item, DbErr> {
    let (media_state, media) = media::read_summary(row, SUMMARY, 2)?;
    let row = list_item::Model {
        account_id: row.try_get_by_index(0)?,
        list_id: row.try_get_by_index(1)?,
        media_id: row.try_get_by_index(2)?,
        position: row.try_get_by_index(3)?,
        note: row.try_get_by_index(4)?,
        awaits_media: row.try_get_by_index(5)?,
        revision: row.try_get_by_index(6)?,
        added_at: row.try_get_by_index(7)?,
        updated_at: row.try_get_by_index(8)?,
        // Writes alone need them, one row at a time.
        stamps: None,
    };
    Ok(Item { row, media_state, media })
}

/// Puts a title into a list, or changes its note or place there.
pub async fn write(
    db: &Db,
    account: Uuid,
    (list, id): (Uuid, &MediaId),
    language: Language,
    expected: &Expected,
    create: Create,
    write: Write,
) -> Result<Written> {
    let mut change = db.change(account).await?;
    let written = write_in(&mut change, (list, id), language, expected, create, write).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write_in(
    change: &mut Change,
    (list, id): (Uuid, &MediaId),
    language: Language,
    expected: &Expected,
    create: Create,
    write: Write,
) -> Result<Written> {
    let account = change.account_id();
    require(change, list).await?;
    let before = many(change.tx(), account, list, &[id.to_string()], language).await?.into_iter().next();
    expected.allows(before.as_ref().map(|item| item.row.revision))?;
    if before.is_none() && create == Create::Refused {
        return Err(Error::NotFound);
    }
    let old = before.as_ref().map(|item| &item.row);
    let position = order::place(change, list, id, old, &write.place).await?;
    let note = write.note.unwrap_or_else(|| old.and_then(|row| row.note.clone()));
    if let Some(item) = &before
        && (&item.row.position, &item.row.note) == (&position, &note)
    {
        return Ok(Written { item: item.clone(), created: false, wanted: false });
    }
    let created = before.is_none();
    let (item, wanted) = store(change, list, id, language, before, position, note).await?;
    Ok(Written { item, created, wanted })
}

async fn store(
    change: &mut Change,
    list: Uuid,
    id: &MediaId,
    language: Language,
    before: Option<Item>,
    position: Vec<u8>,
    note: Option<String>,
) -> Result<(Item, bool)> {
    let (account, now) = (change.account_id(), change.now());
    let created = before.is_none();
    let mut wanted = false;
    let length = |note: Option<&String>| note.map_or(0, |note| note.len() as u64);
    let before_length = length(before.as_ref().and_then(|item| item.row.note.as_ref()));
    change.replace_text(before_length, length(note.as_ref()))?;
    let revision = change.next_revision();
    let old = before.as_ref().map(|item| &item.row);
    let fields = [
        ("position", old.is_none_or(|row| row.position != position)),
        ("note", old.is_none_or(|row| row.note != note)),
    ];
    let stamps = change.stamps(old.and_then(|row| row.stamps.as_deref()), revision, &fields);
    let (added_at, awaits_media, media_state, media) = match before {
        Some(item) => (item.row.added_at, item.row.awaits_media, item.media_state, item.media),
        None => {
            refuse_beyond_limit(change, list).await?;
            change.add_one(Counted::ListItems)?;
            let known = media::summaries(change.tx(), &[id.to_string()], language).await?.remove(id.as_str());
            wanted = known.as_ref().is_none_or(|known| !known.translated);
            let awaits = known.is_none();
            let (media_state, media) = known.map_or((None, None), |known| (Some(known.state), known.summary));
            (now, awaits, media_state, media)
        }
    };
    let row = list_item::Model {
        account_id: account,
        list_id: list,
        media_id: id.to_string(),
        position,
        note,
        awaits_media,
        revision,
        added_at,
        updated_at: now,
        stamps,
    };
    let active = row.clone().into_active_model().reset_all();
    if created {
        list_item::Entity::insert(active).exec_without_returning(change.tx()).await?;
        change.unbury(TombstoneKind::ListItem, item_key(list, id)).await?;
    } else {
        list_item::Entity::update(active).exec(change.tx()).await?;
    }
    Ok((Item { row, media_state, media }, wanted))
}

async fn refuse_beyond_limit(change: &Change, list: Uuid) -> Result<()> {
    let own = list_item::Column::AccountId.eq(change.account_id()).and(list_item::Column::ListId.eq(list));
    let count = list_item::Entity::find().filter(own).count(change.tx()).await?;
    if count >= MAX_ITEMS {
        return Err(Error::LimitReached { what: "items in a list", limit: MAX_ITEMS });
    }
    Ok(())
}

pub async fn delete(db: &Db, account: Uuid, list: Uuid, id: &MediaId, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, list, id, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, list: Uuid, id: &MediaId, expected: &Expected) -> Result<()> {
    let key = (change.account_id(), list, id.to_string());
    let Some(row) = list_item::Entity::find_by_id(key.clone()).one(change.tx()).await? else {
        return expected.allows_absence();
    };
    expected.allows(Some(row.revision))?;
    list_item::Entity::delete_by_id(key).exec(change.tx()).await?;
    change.count_removed(Counted::ListItems, 1);
    change.count_removed(Counted::TextBytes, row.note.as_ref().map_or(0, |note| note.len() as u64));
    change.bury(TombstoneKind::ListItem, item_key(list, id)).await
}

/// The tombstone key of an item.
pub fn item_key(list: Uuid, id: &MediaId) -> String {
    format!("{list}/{id}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let wrong = || Error::invalid("invalid_cursor", "/query/cursor", "is not a cursor of this question");
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(|at| byte(at).ok_or_else(wrong)).collect()
}
