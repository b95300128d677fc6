//! One transaction on one account's rows. It begins by taking the account's row, which is the lock
//! and the source of revisions: whoever comes second waits, sees what the first one wrote, and gets
//! higher numbers, so that no change can ever appear behind one that was already read.
//!
//! That is what the feed of `sync` rests on. The row is held until the commit, so two changes of one
//! account never overlap, and every number of the later one is above the earlier one's last. Whoever sees
//! the account's row at revision n in one snapshot therefore sees all that was ever written under numbers
//! up to n, in its latest state, and whatever is committed afterwards has a number above n.

use std::time::Duration;

use entity::value::TombstoneKind;
use entity::{account, tombstone};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Set};
use tokio::time::timeout;
use uuid::Uuid;

use super::heads::{Heads, News};
use super::per_account::Permit;
use super::stamp::{Author, Stamps};
use super::usage::{self, Quota};
use super::{Db, Tx, execute, row};
use crate::clock::{self, Millis};
use crate::error::{Error, Result};

/// How long a change waits for the others of its account.
const PATIENCE: Duration = Duration::from_secs(15);

/// Dropped without [`Change::commit`], it leaves no trace.
pub struct Change {
    tx: Tx,
    /// Lets the account's next change begin; it has to be dropped after the transaction.
    _turn: Permit,
    account: account::Model,
    used: i64,
    keep: bool,
    /// The numbers of what the account keeps as they are in its row.
    stored: [i64; 5],
    quota: Quota,
    now: Millis,
    author: Author,
    heads: Heads,
}

/// A point inside a change.
pub struct Savepoint {
    account: account::Model,
    used: i64,
}

impl Db {
    /// Begins a change to the rows of `account_id`. Changes of one account wait for each other before they
    /// take a connection.
    ///
    /// # Errors
    /// [`Error::AccountErased`]; [`Error::Busy`] where the account's other changes take too long.
    pub async fn change(&self, account_id: Uuid) -> Result<Change> {
        let turn = self.turn(account_id).await?;
        self.change_in(self.write.begin().await?, turn, account_id).await
    }

    /// Like [`Db::change`], for an erasure: it may use the disk space that is kept free for it.
    pub async fn erasing_change(&self, account_id: Uuid) -> Result<Change> {
        let turn = self.turn(account_id).await?;
        self.change_in(self.write.begin_reserved().await?, turn, account_id).await
    }

    async fn turn(&self, account_id: Uuid) -> Result<Permit> {
        timeout(PATIENCE, self.changes.acquire(account_id)).await.map_err(|_| Error::Busy)
    }

    async fn change_in(&self, tx: Tx, turn: Permit, account_id: Uuid) -> Result<Change> {
        let locked = row(
            &tx,
            "UPDATE account SET revision = revision + 1 WHERE id = $1 AND erased_at IS NULL RETURNING *",
            [account_id.into()],
        )
        .await?;
        let account = match locked {
            Some(row) => account::Model::from_query_result(&row, "")?,
            None => return Err(Error::AccountErased),
        };
        let now = clock::now();
        let author = Author { made_at: now, mutation: None };
        let (stored, quota, heads) = (usage::numbers(&account), self.quota, self.heads.clone());
        let used = 0;
        Ok(Change { tx, _turn: turn, account, used, keep: false, stored, quota, now, author, heads })
    }
}

impl Change {
    pub fn tx(&self) -> &Tx {
        &self.tx
    }

    /// The account as it stands inside this transaction.
    pub fn account(&self) -> &account::Model {
        &self.account
    }

    pub(super) fn account_mut(&mut self) -> &mut account::Model {
        &mut self.account
    }

    pub(super) fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The account's settings as a write inside this change has left them, for the writes that follow.
    pub fn adopt(&mut self, settings: account::Model) {
        self.account = settings;
    }

    pub fn account_id(&self) -> Uuid {
        self.account.id
    }

    /// When this change happened, for every row it stamps.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// A number of its own for one more changed row.
    pub fn next_revision(&mut self) -> i64 {
        self.used += 1;
        self.account.revision + self.used - 1
    }

    /// Whose writes follow, for their stamps; without it they are a call's of now.
    pub fn write_as(&mut self, author: Author) {
        self.author = author;
    }

    /// The stamps of a row that had `before`, after a write under `revision` to the fields that are named
    /// with `true`.
    pub fn stamps(&self, before: Option<&str>, revision: i64, fields: &[(&str, bool)]) -> Option<String> {
        let mut stamps = Stamps::parse(before);
        for (field, _) in fields.iter().filter(|(_, changed)| *changed) {
            stamps.set(field, revision, self.author);
        }
        stamps.to_text()
    }

    /// Marks a point that [`Change::roll_back_to`] can go back to, until [`Change::release`].
    pub async fn savepoint(&self) -> Result<Savepoint> {
        self.tx().execute_unprepared("SAVEPOINT part").await?;
        Ok(Savepoint { account: self.account.clone(), used: self.used })
    }

    pub async fn release(&self) -> Result<()> {
        self.tx().execute_unprepared("RELEASE SAVEPOINT part").await?;
        Ok(())
    }

    /// Undoes everything since the savepoint, the numbers taken included.
    pub async fn roll_back_to(&mut self, savepoint: Savepoint) -> Result<()> {
        self.tx().execute_unprepared("ROLLBACK TO SAVEPOINT part").await?;
        self.release().await?;
        self.account = savepoint.account;
        self.used = savepoint.used;
        Ok(())
    }

    /// Leaves a tombstone for something that was deleted.
    pub async fn bury(&mut self, kind: TombstoneKind, key: String) -> Result<()> {
        self.bury_all(kind, vec![key]).await
    }

    /// The same for many keys.
    pub async fn bury_all(&mut self, kind: TombstoneKind, keys: Vec<String>) -> Result<()> {
        let mut buried = Vec::with_capacity(keys.len());
        for key in keys {
            buried.push(tombstone::ActiveModel {
                account_id: Set(self.account.id),
                kind: Set(kind),
                key: Set(key),
                revision: Set(self.next_revision()),
                deleted_at: Set(self.now),
            });
        }
        // In parts, because an engine bounds the values of one statement.
        for part in buried.chunks(500) {
            tombstone::Entity::insert_many(part.to_vec())
                .on_conflict(replacing_tombstone())
                .exec_without_returning(self.tx())
                .await?;
        }
        Ok(())
    }

    /// Whether something with this key was deleted.
    pub async fn is_buried(&self, kind: TombstoneKind, key: String) -> Result<bool> {
        let found = tombstone::Entity::find_by_id((self.account.id, kind, key)).one(self.tx()).await?;
        Ok(found.is_some())
    }

    /// Takes the tombstone away from a key that lives again (keys that are not chosen at random: a
    /// title's review, the history event of a day). That of an entry stays: it stands for more than the
    /// entry, and the entry that lives again has a higher number.
    pub async fn unbury(&self, kind: TombstoneKind, key: String) -> Result<()> {
        tombstone::Entity::delete_by_id((self.account.id, kind, key)).exec(self.tx()).await?;
        Ok(())
    }

    /// The same for many keys.
    pub async fn unbury_all(
        &self,
        kind: TombstoneKind,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<()> {
        tombstone::Entity::delete_many()
            .filter(tombstone::Column::AccountId.eq(self.account.id))
            .filter(tombstone::Column::Kind.eq(kind))
            .filter(tombstone::Column::Key.is_in(keys))
            .exec(self.tx())
            .await?;
        Ok(())
    }

    /// Makes [`Change::commit`] keep what was written even if nothing was stamped: for what no device
    /// needs to hear of.
    pub fn keep(&mut self) {
        self.keep = true;
    }

    /// Ends the account: all that is left of its row is the mark, which keeps anything from being made
    /// under its id again. Whoever listens to the account is sent away. The rows of its tables are the
    /// caller's to remove.
    pub async fn erase(self, receipt: Uuid) -> Result<()> {
        execute(
            &self.tx,
            "UPDATE account SET revision = 0, settings_revision = 0, language = NULL, time_zone = 'UTC', \
             progress_sets_status = FALSE, entries = 0, events = 0, lists = 0, list_items = 0, text_bytes = 0, \
             created_at = 0, updated_at = 0, horizon = 0, stamps = NULL, \
             deletion_due_at = NULL, erased_at = $2, receipt_id = $3 WHERE id = $1",
            [self.account.id.into(), self.now.into(), receipt.into()],
        )
        .await?;
        self.tx.commit().await?;
        self.heads.end(self.account.id);
        Ok(())
    }

    /// Makes the change durable and returns the account's revision. A change that stamped nothing
    /// takes no number.
    pub async fn commit(self) -> Result<i64> {
        let counted = usage::numbers(&self.account);
        if self.used == 0 && !self.keep && counted == self.stored {
            // Takes back the number it began with.
            self.tx.rollback().await?;
            return Ok(self.account.revision - 1);
        }
        let more = self.used - 1;
        if counted != self.stored {
            let [entries, events, lists, list_items, text_bytes] = counted.map(sea_orm::Value::from);
            execute(
                &self.tx,
                "UPDATE account SET revision = revision + $2, entries = $3, events = $4, lists = $5, \
                 list_items = $6, text_bytes = $7 WHERE id = $1",
                [self.account.id.into(), more.into(), entries, events, lists, list_items, text_bytes],
            )
            .await?;
        } else if more != 0 {
            execute(
                &self.tx,
                "UPDATE account SET revision = revision + $2 WHERE id = $1",
                [self.account.id.into(), more.into()],
            )
            .await?;
        }
        self.tx.commit().await?;
        let head = self.account.revision + self.used - 1;
        if self.used > 0 {
            // Never before: who is told comes to read it.
            self.heads.announce(self.account.id, News::Head(head));
        }
        Ok(head)
    }
}

fn replacing_tombstone() -> OnConflict {
    OnConflict::columns([tombstone::Column::AccountId, tombstone::Column::Kind, tombstone::Column::Key])
        .update_columns([tombstone::Column::Revision, tombstone::Column::DeletedAt])
        .to_owned()
}
