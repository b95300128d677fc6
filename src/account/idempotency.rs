//! Requests that carry a key: what one did is done once, however often it arrives and at whichever
//! instance. Owns the rows that remember it. What is kept is a digest and an id, never content.
//!
//! Both halves belong inside the change that does the work: the account's row is the lock, so of two
//! requests with one key the second finds what the first has made.

use aws_lc_rs::digest;
use entity::idempotency_key;
use sea_orm::{EntityTrait, Set};
use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Change, Db, execute, rows};
use crate::error::{Error, Result};

/// Rows of one account removed by one change, and rows looked at to find the accounts.
const BATCH: i64 = 500;

/// A request that is to have its effect once.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Chosen by the client.
    pub key: &'a str,
    pub operation: &'static str,
    /// The SHA-256 of what was asked.
    pub digest: [u8; 32],
}

/// The SHA-256 of what was asked.
pub fn digest(asked: &[u8]) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, asked);
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, hashed)| *byte = *hashed);
    bytes
}

/// What the first request with this key has made, if there was one.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] where that was another request, or one to another operation.
pub async fn seen(change: &Change, request: &Request<'_>) -> Result<Option<Uuid>> {
    let id = (change.account_id(), request.key.to_owned());
    match idempotency_key::Entity::find_by_id(id).one(change.tx()).await? {
        None => Ok(None),
        Some(first) if first.operation == request.operation && first.request == request.digest => {
            Ok(Some(first.result))
        }
        Some(_) => Err(Error::IdempotencyKeyReused),
    }
}

/// Remembers what the request has made.
pub async fn keep(change: &mut Change, request: &Request<'_>, result: Uuid) -> Result<()> {
    let row = idempotency_key::ActiveModel {
        account_id: Set(change.account_id()),
        key: Set(request.key.to_owned()),
        operation: Set(request.operation.to_owned()),
        request: Set(request.digest.to_vec()),
        result: Set(result),
        created_at: Set(change.now()),
    };
    idempotency_key::Entity::insert(row).exec_without_returning(change.tx()).await?;
    // No device needs to hear of it.
    change.keep();
    Ok(())
}

/// Removes what is older than `before`; tells how many rows. Cut anywhere it leaves nothing half done.
pub async fn forget(db: &Db, before: Millis) -> Result<u64> {
    let mut removed = 0;
    loop {
        let mut in_this_round = 0;
        for account in accounts(db, before).await? {
            in_this_round += forget_of(db, account, before).await?;
        }
        removed += in_this_round;
        if in_this_round == 0 {
            return Ok(removed);
        }
    }
}

/// Some accounts with something to forget. What an erased account may have left is not ours to touch.
async fn accounts(db: &Db, before: Millis) -> Result<Vec<Uuid>> {
    let sql = "SELECT DISTINCT account_id FROM (SELECT k.account_id FROM idempotency_key k \
               JOIN account a ON a.id = k.account_id AND a.erased_at IS NULL \
               WHERE k.created_at < $1 ORDER BY k.created_at LIMIT $2) AS oldest";
    let found = rows(db.read(), sql, [before.into(), BATCH.into()]).await?;
    Ok(found.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// One batch of an account.
async fn forget_of(db: &Db, account: Uuid, before: Millis) -> Result<u64> {
    let mut change = match db.change(account).await {
        Ok(change) => change,
        Err(Error::AccountErased) => return Ok(0),
        Err(error) => return Err(error),
    };
    let removed = execute(
        change.tx(),
        "DELETE FROM idempotency_key WHERE account_id = $1 AND key IN (SELECT key FROM idempotency_key \
         WHERE account_id = $1 AND created_at < $2 LIMIT $3)",
        [account.into(), before.into(), BATCH.into()],
    )
    .await?;
    change.keep();
    change.commit().await?;
    Ok(removed)
}
