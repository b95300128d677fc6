//! The deletion at Clerk: one attempt within the person's request, then as many as it takes, over crashes
//! and outages. Clerk's id of the person is kept for that alone, and no longer than until Clerk confirms.

use std::time::Duration;

use entity::{account, clerk_deletion, receipt as row};
use rand::Rng as _;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::receipt;
use crate::clerk::{Users, UsersError};
use crate::clock::{self, Millis};
use crate::config::Secret;
use crate::db::{Db, execute};
use crate::error::Result;

/// When the job takes an order up that the person's own request should have carried out.
pub(super) const FIRST_ATTEMPT_AFTER: Millis = 10_000;
/// The pause after the first failure; it doubles.
const PAUSE: Millis = 5_000;
const LONGEST_PAUSE: Millis = 3_600_000;
/// Orders taken up in one round.
const BATCH: u64 = 20;

/// Tries every order that is due once; tells how many Clerk has confirmed. Of several instances one tries
/// an order.
pub async fn round(db: &Db, users: &Users) -> Result<u64> {
    use clerk_deletion::Column;
    let waiting = clerk_deletion::Entity::find()
        .filter(Column::NextAttemptAt.lte(clock::now()))
        .order_by_asc(Column::NextAttemptAt)
        .limit(BATCH)
        .all(db.shared())
        .await?;
    let mut confirmed = 0;
    for order in waiting {
        confirmed += u64::from(attempt(db, users, order).await?);
    }
    Ok(confirmed)
}

/// Tries the order of an account that was just erased, if Clerk has not confirmed yet; the receipt as it is then.
pub async fn try_now(db: &Db, users: &Users, account: Uuid, receipt: row::Model) -> Result<row::Model> {
    let order = clerk_deletion::Entity::find_by_id(account).one(db.shared()).await?;
    let Some(order) = order else { return Ok(receipt) };
    if !attempt(db, users, order).await? {
        return Ok(receipt);
    }
    let after = row::Entity::find_by_id(receipt.id).one(db.shared()).await?;
    Ok(after.unwrap_or(receipt))
}

/// One attempt; whether Clerk has confirmed.
async fn attempt(db: &Db, users: &Users, order: clerk_deletion::Model) -> Result<bool> {
    // Until the erasure it only waits.
    if order.next_attempt_at == Millis::MAX {
        return Ok(false);
    }
    // Whoever moves the time takes the order; cut anywhere, it is due again then.
    let next = clock::now() + pause(order.attempts);
    let taken = execute(
        db.shared(),
        "UPDATE clerk_deletion SET attempts = attempts + 1, next_attempt_at = $3 \
         WHERE account_id = $1 AND next_attempt_at = $2",
        [order.account_id.into(), order.next_attempt_at.into(), next.into()],
    )
    .await?;
    if taken == 0 {
        return Ok(false);
    }
    let outcome = match users.delete(&Secret::new(order.user_id)).await {
        Ok(()) => {
            confirm(db, order.account_id).await?;
            return Ok(true);
        }
        Err(UsersError::RateLimited { retry_after_seconds: Some(seconds) }) => {
            let wait = Millis::try_from(seconds).unwrap_or(LONGEST_PAUSE).saturating_mul(1000);
            let at = clock::now() + wait.min(LONGEST_PAUSE);
            execute(
                db.shared(),
                "UPDATE clerk_deletion SET next_attempt_at = $2 WHERE account_id = $1 AND next_attempt_at < $2",
                [order.account_id.into(), at.into()],
            )
            .await?;
            "too many requests"
        }
        Err(UsersError::RateLimited { .. }) => "too many requests",
        Err(UsersError::Refused) => "refused: is the secret key right?",
        Err(UsersError::NotConfigured) => "no secret key",
        Err(UsersError::NotFound | UsersError::Unavailable | UsersError::Invalid { .. }) => "no answer",
    };
    tracing::warn!(attempts = order.attempts + 1, outcome, "Clerk has not deleted a user yet");
    Ok(false)
}

/// How long to wait after so many failures, with some chance in it, so that orders do not come in crowds.
fn pause(attempts: i32) -> Millis {
    let doubled = PAUSE.saturating_mul(1 << attempts.clamp(0, 12));
    let longest = doubled.min(LONGEST_PAUSE);
    rand::rng().random_range(longest / 2..=longest)
}

/// Clerk has no such user any more: the receipt says so, and the id that was kept for it goes.
pub(super) async fn confirm(db: &Db, account: Uuid) -> Result<()> {
    let mark = account::Entity::find_by_id(account).one(db.shared()).await?;
    let Some(receipt) = mark.and_then(|mark| mark.receipt_id) else { return Ok(()) };
    let tx = db.shared().begin().await?;
    settle(&tx, account, receipt, clock::now()).await?;
    Ok(tx.commit().await?)
}

/// The same inside a transaction.
pub(super) async fn settle(
    tx: &impl ConnectionTrait,
    account: Uuid,
    receipt: Uuid,
    now: Millis,
) -> Result<()> {
    receipt::clerk_done(tx, receipt, now).await?;
    clerk_deletion::Entity::delete_by_id(account).exec(tx).await?;
    Ok(())
}

/// An order that waited for the erasure waits no longer.
pub(super) async fn release(tx: &impl ConnectionTrait, account: Uuid, now: Millis) -> Result<()> {
    execute(
        tx,
        "UPDATE clerk_deletion SET next_attempt_at = $2 WHERE account_id = $1",
        [account.into(), now.into()],
    )
    .await?;
    Ok(())
}

/// How often the job looks for orders that are due.
pub const ROUND: Duration = Duration::from_secs(5);
