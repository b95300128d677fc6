//! What was seen of covers: a thumbhash, or that the source has no such picture. Shared by all accounts.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_0002_cover"
    }
}

const TABLES: &str = r"
CREATE TABLE cover (
    source TEXT NOT NULL,
    image TEXT NOT NULL,
    thumbhash TEXT,
    missing boolean NOT NULL,
    seen_at bigint NOT NULL,
    PRIMARY KEY (source, image)
) CLUSTERED;
CREATE INDEX cover_missing ON cover (seen_at) WHERE missing;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::dialect::run(manager, TABLES).await
    }

    /// Nothing is taken back: data would be lost.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
