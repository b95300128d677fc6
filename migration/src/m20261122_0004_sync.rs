//! What synchronisation needs: which database this is, the rows of an account in the order of their
//! revisions, who last wrote which field when, and what became of each mutation.
//!
//! `stamps` holds per field the revision, the phone's time and the mutation of the last write.
//! `account.horizon` is the revision up to which tombstones are gone. `sync_mutation` keeps outcomes, never
//! content.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_0004_sync"
    }
}

const TABLES: &str = r"
CREATE TABLE sync_epoch (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch UUID NOT NULL,
    began_at bigint NOT NULL
);

ALTER TABLE account ADD COLUMN horizon bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN stamps TEXT;
ALTER TABLE library_entry ADD COLUMN stamps TEXT;
ALTER TABLE review ADD COLUMN stamps TEXT;
ALTER TABLE comment ADD COLUMN stamps TEXT;
ALTER TABLE history_event ADD COLUMN stamps TEXT;
ALTER TABLE watched_episode ADD COLUMN stamps TEXT;
ALTER TABLE list ADD COLUMN stamps TEXT;
ALTER TABLE list_item ADD COLUMN stamps TEXT;

CREATE INDEX library_entry_by_revision ON library_entry (account_id, revision);
CREATE INDEX review_by_revision ON review (account_id, revision);
CREATE INDEX comment_by_revision ON comment (account_id, revision);
CREATE INDEX history_event_by_revision ON history_event (account_id, revision);
CREATE INDEX watched_episode_by_revision ON watched_episode (account_id, revision);
CREATE INDEX list_by_revision ON list (account_id, revision);
CREATE INDEX list_item_by_revision ON list_item (account_id, revision);
CREATE INDEX tombstone_by_revision ON tombstone (account_id, revision);
CREATE INDEX tombstone_by_time ON tombstone (deleted_at);

CREATE TABLE sync_mutation (
    account_id UUID NOT NULL REFERENCES account (id),
    id UUID NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    lost TEXT,
    revision bigint,
    applied_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
) CLUSTERED;
CREATE INDEX sync_mutation_by_time ON sync_mutation (applied_at);
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
