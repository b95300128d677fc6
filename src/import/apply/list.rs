//! Lists with their items.

use std::collections::{BTreeSet, HashSet};

use entity::value::TombstoneKind;
use entity::{list, list_item};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::fresh::{self, Found, Seeker};
use super::{Fate, ListFate, Wanted, insert, unbury};
use crate::catalog::MediaId;
use crate::db::{Change, Counted, text_bytes};
use crate::error::Result;
use crate::import::checked::{List, ListItem};
use crate::list::item::item_key;
use crate::list::{MAX_ITEMS, order};

const LIST_FIELDS: [(&str, bool); 2] = [("name", true), ("description", true)];
const ITEM_FIELDS: [(&str, bool); 2] = [("position", true), ("note", true)];

pub(super) async fn apply(change: &mut Change, lists: &[List], wanted: &mut Wanted) -> Result<Vec<ListFate>> {
    let there: Vec<Uuid> = list::Entity::find()
        .select_only()
        .column(list::Column::Id)
        .filter(list::Column::AccountId.eq(change.account_id()))
        .into_tuple()
        .all(change.tx())
        .await?;
    let alive: HashSet<String> = there.iter().map(Uuid::to_string).collect();
    let seekers: Vec<Seeker> =
        lists.iter().map(|list| Seeker { parent: String::new(), id: list.id, lasting: false }).collect();
    let ids = fresh::find(change, TombstoneKind::List, &seekers, &alive).await?;
    let mut fates = Vec::with_capacity(lists.len());
    for (list, found) in lists.iter().zip(ids) {
        let (fate, id) = match found {
            Found::There(id) => (Fate::Left, id),
            Found::Free(id) if has_room(change, list) => {
                make(change, list, id).await?;
                (Fate::Taken, id)
            }
            Found::Free(_) | Found::Nothing => {
                fates.push(ListFate { list: Fate::NoRoom, items: vec![Fate::NoRoom; list.items.len()] });
                continue;
            }
        };
        let items = fill(change, id, fate == Fate::Left, &list.items, wanted).await?;
        fates.push(ListFate { list: fate, items });
    }
    Ok(fates)
}

async fn make(change: &mut Change, list: &List, id: Uuid) -> Result<()> {
    let revision = change.next_revision();
    let row = list::Model {
        account_id: change.account_id(),
        id,
        name: list.name.clone(),
        description: list.description.clone(),
        revision,
        created_at: list.created_at,
        updated_at: list.updated_at,
        stamps: change.stamps(None, revision, &LIST_FIELDS),
    };
    change.count_added(Counted::Lists, 1);
    change.count_added(Counted::TextBytes, length(list));
    insert(change, vec![row]).await
}

fn length(list: &List) -> u64 {
    text_bytes([Some(list.name.as_str()), list.description.as_deref()])
}

fn has_room(change: &Change, list: &List) -> bool {
    change.room(Counted::Lists) > 0 && change.room(Counted::TextBytes) >= length(list)
}

/// Puts the items that a list lacks at its end.
async fn fill(
    change: &mut Change,
    id: Uuid,
    is_there: bool,
    items: &[ListItem],
    wanted: &mut Wanted,
) -> Result<Vec<Fate>> {
    let there: HashSet<String> = if is_there { kept(change, id).await? } else { HashSet::new() };
    let mut room = MAX_ITEMS.saturating_sub(there.len() as u64);
    let fate = |item: &ListItem| {
        let length = text_bytes([item.note.as_deref()]);
        if there.contains(item.media_id.as_str()) {
            Fate::Left
        } else if room == 0
            || change.room(Counted::ListItems) == 0
            || change.room(Counted::TextBytes) < length
        {
            Fate::NoRoom
        } else {
            room -= 1;
            change.count_added(Counted::ListItems, 1);
            change.count_added(Counted::TextBytes, length);
            Fate::Taken
        }
    };
    let fates: Vec<Fate> = items.iter().map(fate).collect();
    let taken = || items.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Taken).map(|(item, _)| item);
    let ids: BTreeSet<MediaId> = taken().map(|item| item.media_id.clone()).collect();
    let known = wanted.note(change, &ids).await?;
    let positions = order::at_the_end(change, id, ids.len()).await?;
    let mut rows = Vec::with_capacity(ids.len());
    for (item, position) in taken().zip(positions) {
        let revision = change.next_revision();
        rows.push(list_item::Model {
            account_id: change.account_id(),
            list_id: id,
            media_id: item.media_id.to_string(),
            position,
            note: item.note.clone(),
            awaits_media: !known.contains(&item.media_id),
            revision,
            added_at: item.added_at,
            updated_at: item.updated_at,
            stamps: change.stamps(None, revision, &ITEM_FIELDS),
        });
    }
    insert(change, rows).await?;
    let keys = ids.iter().map(|media_id| item_key(id, media_id)).collect();
    unbury(change, TombstoneKind::ListItem, keys).await?;
    Ok(fates)
}

/// The titles that a list has.
async fn kept(change: &Change, id: Uuid) -> Result<HashSet<String>> {
    let found: Vec<String> = list_item::Entity::find()
        .select_only()
        .column(list_item::Column::MediaId)
        .filter(list_item::Column::AccountId.eq(change.account_id()))
        .filter(list_item::Column::ListId.eq(id))
        .into_tuple()
        .all(change.tx())
        .await?;
    Ok(found.into_iter().collect())
}
