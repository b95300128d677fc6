//! The library: what one account says of media items, with the reviews, comments, history and
//! watched episodes that hang on an entry. Owns the rules of status and dates; knows nothing of HTTP or of sources.

pub mod comment;
pub mod entry;
pub mod episode;
pub mod history;
pub mod page;
pub mod review;
pub mod rules;

use entity::library_entry;
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::catalog::MediaId;
use crate::db::{Change, Db};
use crate::error::{Error, Result};

/// Comments, and history events, that one entry may have.
pub const MAX_PER_ENTRY: u64 = 1_000;

/// The entry that a change is about, or [`Error::NotFound`].
async fn require_entry(change: &Change, id: &MediaId) -> Result<library_entry::Model> {
    let key: (Uuid, String) = (change.account_id(), id.as_str().to_owned());
    library_entry::Entity::find_by_id(key).one(change.tx()).await?.ok_or(Error::NotFound)
}

/// Tells an entry without children from one that is not there.
async fn entry_exists(db: &Db, account: Uuid, id: &MediaId) -> Result<()> {
    let key: (Uuid, String) = (account, id.as_str().to_owned());
    library_entry::Entity::find_by_id(key).one(db.read()).await?.map(|_| ()).ok_or(Error::NotFound)
}
