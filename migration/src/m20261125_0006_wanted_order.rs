//! The order in which wanted titles are looked up. It is a time in a queue that is fair to accounts, and
//! names none: who wished for a title is written nowhere.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_0006_wanted_order"
    }
}

const CHANGES: &str = r"
ALTER TABLE media_wanted ADD COLUMN fair_order bigint NOT NULL DEFAULT 0;
UPDATE media_wanted SET fair_order = next_attempt_at;
CREATE INDEX media_wanted_by_order ON media_wanted (fair_order);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::dialect::run(manager, CHANGES).await
    }

    /// Nothing is taken back: data would be lost.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
