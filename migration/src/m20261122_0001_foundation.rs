//! Accounts, the library with what hangs on it, lists, tombstones, and the shared media tables.
//!
//! Every table of a person's own begins its primary key with the account id and refers by foreign
//! key only to rows of the same account, so that it can be distributed by account. `media` is
//! referred to by id without a foreign key. Instants are milliseconds since 1970, dates ISO text.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261122_0001_foundation"
    }
}

const TABLES: &str = r"
CREATE TABLE account (
    id UUID NOT NULL PRIMARY KEY,
    revision bigint NOT NULL,
    settings_revision bigint NOT NULL,
    language TEXT,
    time_zone TEXT NOT NULL,
    progress_sets_status boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    erased_at bigint
) CLUSTERED;

CREATE TABLE library_entry (
    account_id UUID NOT NULL REFERENCES account (id),
    media_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    status_set_by TEXT NOT NULL,
    rating integer,
    favorite boolean NOT NULL,
    progress_unit TEXT,
    progress_current integer,
    progress_total integer,
    started_on TEXT,
    finished_on TEXT,
    awaits_media boolean NOT NULL,
    revision bigint NOT NULL,
    added_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, media_id)
) CLUSTERED;
CREATE INDEX library_entry_by_update ON library_entry (account_id, updated_at, media_id);
CREATE INDEX library_entry_awaiting ON library_entry (media_id) WHERE awaits_media;

CREATE TABLE review (
    account_id UUID NOT NULL,
    media_id TEXT NOT NULL,
    title TEXT,
    body TEXT NOT NULL,
    spoiler boolean NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, media_id),
    FOREIGN KEY (account_id, media_id) REFERENCES library_entry (account_id, media_id)
) CLUSTERED;

CREATE TABLE comment (
    account_id UUID NOT NULL,
    media_id TEXT NOT NULL,
    id UUID NOT NULL,
    body TEXT NOT NULL,
    anchor_kind TEXT,
    anchor_season integer,
    anchor_number integer,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, media_id, id),
    FOREIGN KEY (account_id, media_id) REFERENCES library_entry (account_id, media_id)
) CLUSTERED;

CREATE TABLE history_event (
    account_id UUID NOT NULL,
    media_id TEXT NOT NULL,
    id UUID NOT NULL,
    finished_on TEXT,
    finished_precision TEXT NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, media_id, id),
    FOREIGN KEY (account_id, media_id) REFERENCES library_entry (account_id, media_id)
) CLUSTERED;

CREATE TABLE list (
    account_id UUID NOT NULL REFERENCES account (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
) CLUSTERED;

CREATE TABLE list_item (
    account_id UUID NOT NULL,
    list_id UUID NOT NULL,
    media_id TEXT NOT NULL,
    position BYTES NOT NULL,
    note TEXT,
    awaits_media boolean NOT NULL,
    revision bigint NOT NULL,
    added_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, list_id, media_id),
    FOREIGN KEY (account_id, list_id) REFERENCES list (account_id, id)
) CLUSTERED;
CREATE INDEX list_item_by_position ON list_item (account_id, list_id, position, media_id);
CREATE INDEX list_item_awaiting ON list_item (media_id) WHERE awaits_media;

CREATE TABLE tombstone (
    account_id UUID NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    revision bigint NOT NULL,
    deleted_at bigint NOT NULL,
    PRIMARY KEY (account_id, kind, key)
) CLUSTERED;

CREATE TABLE media (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    title TEXT,
    sort_title TEXT,
    cover TEXT,
    release_date TEXT,
    runtime_minutes integer,
    page_count integer,
    season_count integer,
    episode_count integer,
    details TEXT,
    refreshed_at bigint NOT NULL
) CLUSTERED;

CREATE TABLE media_text (
    media_id TEXT NOT NULL REFERENCES media (id),
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    sort_title TEXT NOT NULL,
    cover TEXT,
    overview TEXT,
    genres TEXT NOT NULL,
    refreshed_at bigint NOT NULL,
    PRIMARY KEY (media_id, language)
) CLUSTERED;

CREATE TABLE media_wanted (
    media_id TEXT NOT NULL,
    language TEXT NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at bigint NOT NULL,
    PRIMARY KEY (media_id, language)
) CLUSTERED;
CREATE INDEX media_wanted_by_time ON media_wanted (next_attempt_at);
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
