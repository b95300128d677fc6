//! Watched episodes, and what is known of the seasons of series.
//!
//! `media.schedule` holds when each episode airs, `library_entry.watched` which of them the account
//! has seen: both compact, because every page of the library is made of them. `pending_episodes` keeps
//! what was asked of a series whose episodes are not known yet, in the order of the revisions.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_0003_episode"
    }
}

const TABLES: &str = r"
ALTER TABLE media ADD COLUMN schedule TEXT;
ALTER TABLE media ADD COLUMN unsettled boolean NOT NULL DEFAULT FALSE;
ALTER TABLE media ADD COLUMN refresh_at bigint NOT NULL DEFAULT 0;
CREATE INDEX media_by_refresh ON media (refresh_at);
CREATE INDEX media_unsettled ON media (id) WHERE unsettled;

ALTER TABLE library_entry ADD COLUMN watched TEXT;
CREATE INDEX library_entry_by_media ON library_entry (media_id);
CREATE INDEX list_item_by_media ON list_item (media_id);

CREATE TABLE watched_episode (
    account_id UUID NOT NULL,
    media_id TEXT NOT NULL,
    season integer NOT NULL,
    number integer NOT NULL,
    source_episode_id bigint,
    watched_on TEXT,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, media_id, season, number),
    FOREIGN KEY (account_id, media_id) REFERENCES library_entry (account_id, media_id)
) CLUSTERED;

CREATE TABLE pending_episodes (
    account_id UUID NOT NULL,
    media_id TEXT NOT NULL,
    revision bigint NOT NULL,
    watched boolean NOT NULL,
    season integer,
    first integer,
    last integer,
    aired_by TEXT,
    watched_on TEXT,
    PRIMARY KEY (account_id, media_id, revision),
    FOREIGN KEY (account_id, media_id) REFERENCES library_entry (account_id, media_id)
) CLUSTERED;

CREATE TABLE media_season (
    media_id TEXT NOT NULL REFERENCES media (id),
    season integer NOT NULL,
    language TEXT NOT NULL,
    details TEXT NOT NULL,
    refreshed_at bigint NOT NULL,
    PRIMARY KEY (media_id, season, language)
) CLUSTERED;
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
