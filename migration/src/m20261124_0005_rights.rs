//! The person's rights: deletion with its marks and receipts, copies taken along and brought back,
//! devices, consents.
//!
//! `account.erased_at` and `account.receipt_id` are all that an erasure mark says. What stands at the end,
//! from `push_token` on, belongs to no account's part of a distributed database: a push token is one
//! device's in all the world, and the rest are queues, receipts and leases.

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261124_0005_rights"
    }
}

const TABLES: &str = r"
ALTER TABLE account ADD COLUMN receipt_id UUID;
ALTER TABLE account ADD COLUMN deletion_due_at bigint;
CREATE INDEX account_erased ON account (erased_at) WHERE erased_at IS NOT NULL;
CREATE INDEX account_deletion_due ON account (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

CREATE TABLE device (
    account_id UUID NOT NULL REFERENCES account (id),
    id UUID NOT NULL,
    model TEXT NOT NULL,
    os_version TEXT NOT NULL,
    app_version TEXT NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
) CLUSTERED;

CREATE TABLE consent (
    account_id UUID NOT NULL REFERENCES account (id),
    policy TEXT NOT NULL,
    revision bigint NOT NULL,
    version TEXT NOT NULL,
    decision TEXT NOT NULL,
    decided_at bigint NOT NULL,
    PRIMARY KEY (account_id, policy, revision)
) CLUSTERED;

CREATE TABLE export (
    account_id UUID NOT NULL REFERENCES account (id),
    id UUID NOT NULL,
    format TEXT NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
) CLUSTERED;
CREATE INDEX export_by_expiry ON export (expires_at);

CREATE TABLE import (
    account_id UUID NOT NULL REFERENCES account (id),
    id UUID NOT NULL,
    state TEXT NOT NULL,
    position bigint NOT NULL,
    report TEXT NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
) CLUSTERED;
CREATE INDEX import_by_state ON import (state, updated_at);

CREATE TABLE import_part (
    account_id UUID NOT NULL,
    import_id UUID NOT NULL,
    number integer NOT NULL,
    content BYTES NOT NULL,
    PRIMARY KEY (account_id, import_id, number),
    FOREIGN KEY (account_id, import_id) REFERENCES import (account_id, id)
);

CREATE TABLE idempotency_key (
    account_id UUID NOT NULL REFERENCES account (id),
    key TEXT NOT NULL,
    operation TEXT NOT NULL,
    request BYTES NOT NULL,
    result UUID NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (account_id, key)
) CLUSTERED;
CREATE INDEX idempotency_key_by_time ON idempotency_key (created_at);

CREATE TABLE push_token (
    token TEXT NOT NULL PRIMARY KEY,
    environment TEXT NOT NULL,
    account_id UUID NOT NULL,
    device_id UUID NOT NULL,
    registered_at bigint NOT NULL
) CLUSTERED;
CREATE UNIQUE INDEX push_token_of_device ON push_token (account_id, device_id);

CREATE TABLE policy_version (
    policy TEXT NOT NULL,
    version TEXT NOT NULL,
    first_served_at bigint NOT NULL,
    PRIMARY KEY (policy, version)
) CLUSTERED;

CREATE TABLE receipt (
    id UUID NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    asked_at bigint NOT NULL,
    due_at bigint,
    erased_at bigint,
    wiped_at bigint,
    clerk TEXT NOT NULL,
    clerk_done_at bigint
) CLUSTERED;
CREATE INDEX receipt_unwiped ON receipt (erased_at) WHERE wiped_at IS NULL AND erased_at IS NOT NULL;

CREATE TABLE clerk_deletion (
    account_id UUID NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    receipt_id UUID NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at bigint NOT NULL
) CLUSTERED;
CREATE INDEX clerk_deletion_by_time ON clerk_deletion (next_attempt_at);

CREATE TABLE webhook_message (
    id TEXT NOT NULL PRIMARY KEY,
    received_at bigint NOT NULL
) CLUSTERED;
CREATE INDEX webhook_message_by_time ON webhook_message (received_at);

CREATE TABLE job_lease (
    job TEXT NOT NULL PRIMARY KEY,
    holder UUID NOT NULL,
    held_until bigint NOT NULL
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
