//! Table definitions are written once, in SQL, with a few words that each engine spells in its own
//! way. SQL is used because composite primary keys, collations and `WITHOUT ROWID` matter here.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Runs `script`, statement by statement, after replacing the words in capitals:
/// `UUID`, `BYTES`; `TEXT` (compared by bytes on both engines); `CLUSTERED` (rows kept in the order
/// of the primary key where the engine can).
pub(crate) async fn run(manager: &SchemaManager<'_>, script: &str) -> Result<(), DbErr> {
    let words: &[(&str, &str)] = match manager.get_database_backend() {
        DbBackend::Sqlite => {
            &[("UUID", "blob"), ("BYTES", "blob"), ("TEXT", "text"), ("CLUSTERED", "WITHOUT ROWID")]
        }
        _ => &[("UUID", "uuid"), ("BYTES", "bytea"), ("TEXT", "text COLLATE \"C\""), ("CLUSTERED", "")],
    };
    for statement in script.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        let sql = words.iter().fold(statement.to_owned(), |sql, (word, own)| sql.replace(word, own));
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
