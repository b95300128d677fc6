//! How much is held about an account, counted by kind of data. Looks into every table of a person's own
//! and says nothing of what stands there.

use uuid::Uuid;

use crate::db::{Db, row};
use crate::error::{Error, Result};

/// Rows by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    pub entries: i64,
    pub reviews: i64,
    pub comments: i64,
    pub history_events: i64,
    pub watched_episodes: i64,
    pub lists: i64,
    pub list_items: i64,
    pub devices: i64,
    pub consents: i64,
    pub exports: i64,
    pub imports: i64,
}

/// In the order of the fields.
const TABLES: [&str; 11] = [
    "library_entry",
    "review",
    "comment",
    "history_event",
    "watched_episode",
    "list",
    "list_item",
    "device",
    "consent",
    "export",
    "import",
];

/// Counts at one moment.
pub async fn count(db: &Db, account: Uuid) -> Result<Holdings> {
    let counts = TABLES.map(|table| format!("(SELECT COUNT(*) FROM {table} WHERE account_id = $1)"));
    let sql = format!("SELECT {}", counts.join(", "));
    let row = row(db.read(), &sql, [account.into()]).await?.ok_or(Error::NotFound)?;
    Ok(Holdings {
        entries: row.try_get_by_index(0)?,
        reviews: row.try_get_by_index(1)?,
        comments: row.try_get_by_index(2)?,
        history_events: row.try_get_by_index(3)?,
        watched_episodes: row.try_get_by_index(4)?,
        lists: row.try_get_by_index(5)?,
        list_items: row.try_get_by_index(6)?,
        devices: row.try_get_by_index(7)?,
        consents: row.try_get_by_index(8)?,
        exports: row.try_get_by_index(9)?,
        imports: row.try_get_by_index(10)?,
    })
}
