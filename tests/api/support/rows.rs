//! The database behind the service's back: which tables hold rows of accounts, and what is in them.

use std::collections::BTreeSet;

use omnitrack::db::rows;
use sea_orm::FromQueryResult as _;
use serde_json::Value;
use uuid::Uuid;

use super::app::TestApp;

/// The tables with a column of this name, as the database itself knows them.
pub async fn tables_with(t: &TestApp, column: &str) -> BTreeSet<String> {
    let sql = if t.is_sqlite() {
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = $1 WHERE m.type = 'table'"
    } else {
        "SELECT table_name::text FROM information_schema.columns \
         WHERE column_name = $1 AND table_schema = 'public'"
    };
    let found = rows(t.app.db.read(), sql, [column.into()]).await.unwrap();
    found.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
}

/// All rows that these tables have of the account.
pub async fn of_account(t: &TestApp, account: Uuid) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for table in tables_with(t, "account_id").await {
        let sql = format!("SELECT * FROM {table} WHERE account_id = $1");
        for row in rows(t.app.db.shared(), &sql, [account.into()]).await.unwrap() {
            let row = sea_orm::JsonValue::from_query_result(&row, "").unwrap();
            found.push((table.clone(), row));
        }
    }
    found
}
