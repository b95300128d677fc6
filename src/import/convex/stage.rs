//! Rows on their way, sorted by account: an export has them by table, and one account's may be anywhere.
//! They are kept in a temporary SQLite database of this process's own, whose file has no name (SQLite
//! unlinks it when it is made), so that memory is bounded and a kill leaves nothing behind.

use sea_orm::{ConnectOptions, Database, DatabaseTransaction, DbErr, TransactionTrait};
use uuid::Uuid;

use crate::catalog::MediaId;
use crate::db::{execute, row, rows};

/// Rows of one page: each may hold a long text.
const PAGE: u32 = 100;

/// One transaction, never committed: nothing here outlives it.
pub struct Stage {
    tx: DatabaseTransaction,
}

/// What a name of the export stands for.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Person = 0,
    Title = 1,
    Entry = 2,
    List = 3,
}

/// Where a row belongs, in the order in which rows come out again: of an account the titles with what
/// hangs on them, the entry itself first; then the lists with their items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub account: Uuid,
    pub family: Family,
    /// The media id, or the list's document.
    pub parent: String,
    /// What kind of row, by [`super::report::Part`]; the parent's own comes first.
    pub part: i32,
    /// The natural key below the parent.
    pub key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Title = 0,
    List = 1,
}

/// A row that was checked.
#[derive(Debug, Clone)]
pub struct Staged {
    pub key: Key,
    /// The place among its siblings, where the person gave one, and the place in the export.
    pub place: f64,
    pub number: i64,
    /// The document's `_id`.
    pub document: String,
    /// JSON of the archive's row.
    pub content: String,
}

impl Stage {
    pub async fn open() -> Result<Self, DbErr> {
        // Without a file name: a temporary database.
        let mut options = ConnectOptions::new("sqlite://");
        options.max_connections(1).sqlx_logging(false);
        options
            .map_sqlx_sqlite_opts(|sqlite| sqlite.pragma("journal_mode", "OFF").pragma("synchronous", "OFF"));
        let tx = Database::connect(options).await?.begin().await?;
        for sql in [
            "CREATE TABLE name (kind INTEGER NOT NULL, document TEXT NOT NULL, account BLOB, media TEXT, \
             PRIMARY KEY (kind, document)) WITHOUT ROWID",
            "CREATE TABLE staged (account BLOB NOT NULL, family INTEGER NOT NULL, parent TEXT NOT NULL, \
             part INTEGER NOT NULL, key TEXT NOT NULL, place REAL NOT NULL, number INTEGER NOT NULL, \
             document TEXT NOT NULL, content TEXT NOT NULL, \
             PRIMARY KEY (account, family, parent, part, key)) WITHOUT ROWID",
        ] {
            execute(&tx, sql, []).await?;
        }
        Ok(Self { tx })
    }

    /// Each of these tells whether the document is the first of that name.
    pub async fn name_person(&self, document: &str, account: Uuid) -> Result<bool, DbErr> {
        self.name(Kind::Person, document, Some(account), None).await
    }

    pub async fn name_title(&self, document: &str, id: &MediaId) -> Result<bool, DbErr> {
        self.name(Kind::Title, document, None, Some(id)).await
    }

    pub async fn name_entry(&self, document: &str, account: Uuid, id: &MediaId) -> Result<bool, DbErr> {
        self.name(Kind::Entry, document, Some(account), Some(id)).await
    }

    pub async fn name_list(&self, document: &str, account: Uuid) -> Result<bool, DbErr> {
        self.name(Kind::List, document, Some(account), None).await
    }

    async fn name(
        &self,
        kind: Kind,
        document: &str,
        account: Option<Uuid>,
        id: Option<&MediaId>,
    ) -> Result<bool, DbErr> {
        let sql = "INSERT INTO name (kind, document, account, media) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT DO NOTHING";
        let id = id.map(|id| id.as_str().to_owned());
        let values = [(kind as i32).into(), document.into(), account.into(), id.into()];
        Ok(execute(&self.tx, sql, values).await? == 1)
    }

    pub async fn person(&self, document: &str) -> Result<Option<Uuid>, DbErr> {
        Ok(self.named(Kind::Person, document).await?.and_then(|(account, _)| account))
    }

    pub async fn title(&self, document: &str) -> Result<Option<MediaId>, DbErr> {
        Ok(self.named(Kind::Title, document).await?.and_then(|(_, id)| id))
    }

    pub async fn entry(&self, document: &str) -> Result<Option<(Uuid, MediaId)>, DbErr> {
        Ok(self.named(Kind::Entry, document).await?.and_then(|(account, id)| Some((account?, id?))))
    }

    pub async fn list(&self, document: &str) -> Result<Option<Uuid>, DbErr> {
        Ok(self.named(Kind::List, document).await?.and_then(|(account, _)| account))
    }

    async fn named(
        &self,
        kind: Kind,
        document: &str,
    ) -> Result<Option<(Option<Uuid>, Option<MediaId>)>, DbErr> {
        let sql = "SELECT account, media FROM name WHERE kind = $1 AND document = $2";
        let Some(found) = row(&self.tx, sql, [(kind as i32).into(), document.into()]).await? else {
            return Ok(None);
        };
        let id: Option<String> = found.try_get_by_index(1)?;
        Ok(Some((found.try_get_by_index(0)?, id.and_then(|id| id.parse().ok()))))
    }

    /// Keeps a row; tells whether it is the first under its key.
    pub async fn put(&self, staged: Staged) -> Result<bool, DbErr> {
        let sql = "INSERT INTO staged (account, family, parent, part, key, place, number, document, content) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
        let Staged { key, place, number, document, content } = staged;
        let values = [
            key.account.into(),
            (key.family as i32).into(),
            key.parent.into(),
            key.part.into(),
            key.key.into(),
            place.into(),
            number.into(),
            document.into(),
            content.into(),
        ];
        Ok(execute(&self.tx, sql, values).await? == 1)
    }

    /// The rows that follow `after`, in order; none at the end.
    pub async fn page(&self, after: Option<&Key>) -> Result<Vec<Staged>, DbErr> {
        let all = "SELECT account, family, parent, part, key, place, number, document, content FROM staged";
        let order = format!("ORDER BY account, family, parent, part, key LIMIT {PAGE}");
        let found = match after {
            None => rows(&self.tx, &format!("{all} {order}"), []).await?,
            Some(key) => {
                let sql = format!(
                    "{all} WHERE (account, family, parent, part, key) > ($1, $2, $3, $4, $5) {order}"
                );
                let values = [
                    key.account.into(),
                    (key.family as i32).into(),
                    key.parent.clone().into(),
                    key.part.into(),
                    key.key.clone().into(),
                ];
                rows(&self.tx, &sql, values).await?
            }
        };
        found.iter().map(decode).collect()
    }
}

fn decode(row: &sea_orm::QueryResult) -> Result<Staged, DbErr> {
    let family: i32 = row.try_get_by_index(1)?;
    Ok(Staged {
        key: Key {
            account: row.try_get_by_index(0)?,
            family: if family == Family::Title as i32 { Family::Title } else { Family::List },
            parent: row.try_get_by_index(2)?,
            part: row.try_get_by_index(3)?,
            key: row.try_get_by_index(4)?,
        },
        place: row.try_get_by_index(5)?,
        number: row.try_get_by_index(6)?,
        document: row.try_get_by_index(7)?,
        content: row.try_get_by_index(8)?,
    })
}
