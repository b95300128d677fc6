//! What stands under a key now: what a device is shown that came too late.

use uuid::Uuid;

use super::feed::{Change, Thing};
use super::key::Key;
use crate::account::{self, Locale};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::library::{comment, entry, episode, history, review};
use crate::list::{self, item};

/// The thing under `key`, or `None` where nothing is.
pub async fn current(db: &Db, account: Uuid, key: &Key, locale: Locale) -> Result<Option<Change>> {
    let found = match key {
        Key::Settings => account::open(db, account).await.map(|row| Thing::Settings(Box::new(row))),
        Key::Entry(id) => {
            entry::get(db, account, id, locale).await.map(|entry| Thing::Entry(Box::new(entry)))
        }
        Key::Review(id) => review::get(db, account, id).await.map(Thing::Review),
        Key::Comment(id, child) => comment::get(db, account, id, *child).await.map(Thing::Comment),
        Key::HistoryEvent(id, child) => history::get(db, account, id, *child).await.map(Thing::HistoryEvent),
        Key::Episode(id, place) => episode::get(db, account, id, *place).await.map(Thing::Episode),
        Key::List(id) => list::get(db, account, *id).await.map(Thing::List),
        Key::ListItem(list, id) => {
            let item = item::get(db, account, *list, id, locale.language).await;
            item.map(|item| Thing::ListItem(Box::new(item)))
        }
    };
    match found {
        Ok(thing) => Ok(Some(thing.into())),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
