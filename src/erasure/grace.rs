//! Days of grace: a deletion that was asked for and can be taken back until it is due.

use entity::value::ClerkState;
use entity::{account, clerk_deletion, receipt as row};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{Order, noted, queue, receipt, remove};
use crate::clock::{self, Millis};
use crate::db::{Db, execute, rows};
use crate::error::Result;

/// Accounts looked at in one round.
const BATCH: i64 = 100;
const DAY: Millis = 24 * 3_600_000;
/// An order to Clerk that waits for the erasure.
const NOT_BEFORE_THE_ERASURE: Millis = Millis::MAX;

/// Notes that the account is to end. Asked again it answers the same.
pub(super) async fn note(db: &Db, order: &Order, days: u32) -> Result<row::Model> {
    let mut change = db.change(order.account()).await?;
    if let Some(noted) = noted(&change).await? {
        return Ok(noted);
    }
    let now = change.now();
    let due = now + i64::from(days) * DAY;
    let receipt = row::Model { due_at: Some(due), ..receipt::new(order.reason, now, order.clerk) };
    receipt::insert(change.tx(), &receipt).await?;
    if order.clerk == ClerkState::Pending {
        queue(&change, &order.user, receipt.id, NOT_BEFORE_THE_ERASURE).await?;
    }
    execute(
        change.tx(),
        "UPDATE account SET deletion_due_at = $2, receipt_id = $3 WHERE id = $1",
        [change.account_id().into(), due.into(), receipt.id.into()],
    )
    .await?;
    // No device needs to hear of it as a change: all are sent away.
    change.keep();
    change.commit().await?;
    db.heads().end(order.account());
    Ok(receipt)
}

/// Takes a noted deletion back; where there is none, nothing happens.
pub async fn restore(db: &Db, account: Uuid) -> Result<account::Model> {
    let mut change = db.change(account).await?;
    let before = change.account().clone();
    let Some(receipt) = before.receipt_id else { return Ok(before) };
    receipt::delete(change.tx(), receipt).await?;
    clerk_deletion::Entity::delete_by_id(account).exec(change.tx()).await?;
    execute(
        change.tx(),
        "UPDATE account SET deletion_due_at = NULL, receipt_id = NULL WHERE id = $1",
        [account.into()],
    )
    .await?;
    change.keep();
    change.commit().await?;
    Ok(account::Model { deletion_due_at: None, receipt_id: None, ..before })
}

/// Erases accounts whose time has come; tells how many. Several instances may do it at once.
pub async fn due(db: &Db) -> Result<u64> {
    let now = clock::now();
    let sql = "SELECT id FROM account WHERE deletion_due_at <= $1 AND erased_at IS NULL \
               ORDER BY deletion_due_at LIMIT $2";
    let mut erased = 0;
    for found in rows(db.read(), sql, [now.into(), BATCH.into()]).await? {
        let Some(change) = db.change_unless_erased(found.try_get_by_index(0)?).await? else { continue };
        // It may have been taken back since.
        if change.account().deletion_due_at.is_some_and(|due| due <= now) {
            remove(change, None).await?;
            erased += 1;
        }
    }
    Ok(erased)
}
