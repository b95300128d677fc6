//! How much each account keeps of what is bounded: numbers in its row, counted once here.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_0007_usage"
    }
}

const COLUMNS: &str = r"
ALTER TABLE account ADD COLUMN entries bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN events bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN lists bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN list_items bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN text_bytes bigint NOT NULL DEFAULT 0;

UPDATE account SET
    entries = (SELECT COUNT(*) FROM library_entry o WHERE o.account_id = account.id),
    events = (SELECT COUNT(*) FROM history_event o WHERE o.account_id = account.id)
        + (SELECT COUNT(*) FROM watched_episode o WHERE o.account_id = account.id),
    lists = (SELECT COUNT(*) FROM list o WHERE o.account_id = account.id),
    list_items = (SELECT COUNT(*) FROM list_item o WHERE o.account_id = account.id),
    text_bytes = (SELECT COALESCE(SUM(octet_length(o.body) + COALESCE(octet_length(o.title), 0)), 0)
            FROM review o WHERE o.account_id = account.id)
        + (SELECT COALESCE(SUM(octet_length(o.body)), 0) FROM comment o WHERE o.account_id = account.id)
        + (SELECT COALESCE(SUM(octet_length(o.name) + COALESCE(octet_length(o.description), 0)), 0)
            FROM list o WHERE o.account_id = account.id)
        + (SELECT COALESCE(SUM(octet_length(o.note)), 0) FROM list_item o WHERE o.account_id = account.id)
WHERE erased_at IS NULL;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::dialect::run(manager, COLUMNS).await
    }

    /// Nothing is taken back: data would be lost.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
