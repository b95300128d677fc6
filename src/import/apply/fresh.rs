//! Under which id a row is taken whose own id was deleted here. A phone that knows of the deletion must
//! not meet the id again, so the row gets another one, made from it: whoever takes the same row again meets
//! the one that is there.

use std::collections::HashSet;

use entity::value::TombstoneKind;
use uuid::Uuid;

use super::{buried, has_tombstones};
use crate::db::Change;
use crate::error::Result;

const NAMESPACE: Uuid = uuid::uuid!("6f6d6e69-7472-5163-8b69-6d706f727421");

/// How often the same row can be deleted and taken back.
const LIVES: usize = 8;

/// The id itself, and those that stand in for it one after the other.
fn lives(id: Uuid) -> impl Iterator<Item = Uuid> {
    std::iter::successors(Some(id), |id| Some(Uuid::new_v5(&NAMESPACE, id.as_bytes()))).take(LIVES)
}

/// A row that looks for its id.
pub(super) struct Seeker {
    /// What its key begins with: where it hangs.
    pub parent: String,
    pub id: Uuid,
    /// The id stands for what the row says (a title finished on a day): it lives again after a deletion.
    pub lasting: bool,
}

/// What was found for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is there already, under this id.
    There(Uuid),
    Free(Uuid),
    /// It was deleted too often.
    Nothing,
}

/// The ids for `seekers`, in their order; `alive` are the keys that are there.
pub(super) async fn find(
    change: &Change,
    kind: TombstoneKind,
    seekers: &[Seeker],
    alive: &HashSet<String>,
) -> Result<Vec<Found>> {
    let key = |seeker: &Seeker, id: Uuid| format!("{}{id}", seeker.parent);
    let mut found: Vec<Found> = seekers
        .iter()
        .map(|seeker| {
            let there = lives(seeker.id).find(|id| !alive.is_empty() && alive.contains(&key(seeker, *id)));
            there.map_or(Found::Free(seeker.id), Found::There)
        })
        .collect();
    if !has_tombstones(change, kind).await? {
        return Ok(found);
    }
    // What the rows themselves are called is not given to another one.
    let mut given: HashSet<String> = seekers.iter().map(|seeker| key(seeker, seeker.id)).collect();
    let open = |found: &[Found]| -> Vec<usize> {
        let free = |at: &usize| matches!(found.get(*at), Some(Found::Free(_)));
        (0..found.len()).filter(free).collect()
    };
    let mut seeking: Vec<usize> = open(&found);
    seeking.retain(|at| seekers.get(*at).is_some_and(|seeker| !seeker.lasting));
    for life in 0..LIVES {
        let candidates: Vec<(usize, Uuid, String)> = seeking
            .iter()
            .filter_map(|at| {
                let seeker = seekers.get(*at)?;
                let id = lives(seeker.id).nth(life)?;
                Some((*at, id, key(seeker, id)))
            })
            .collect();
        if candidates.is_empty() {
            return Ok(found);
        }
        let keys: Vec<String> = candidates.iter().map(|(_, _, key)| key.clone()).collect();
        let gone = buried(change, kind, &keys).await?;
        seeking.clear();
        for (at, id, key) in candidates {
            let taken = gone.contains(&key) || (life > 0 && !given.insert(key));
            let Some(slot) = found.get_mut(at) else { continue };
            if taken {
                *slot = Found::Nothing;
                seeking.push(at);
            } else {
                *slot = Found::Free(id);
            }
        }
    }
    Ok(found)
}
