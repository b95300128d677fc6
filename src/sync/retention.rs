//! What synchronisation keeps for a time only: tombstones, and what became of each mutation. A device
//! that comes after that reads everything anew, because `account.horizon` says what is gone.

use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Db, execute, row, rows};
use crate::error::{Error, Result};

/// Rows of one account removed by one change, and rows looked at to find the accounts.
const BATCH: i64 = 500;

/// Removes what is older than `before`; tells how many rows. Cut anywhere it leaves nothing half done.
/// Several instances may do it at once: the account's row lets one at a time work on an account, and the
/// others find nothing left.
pub async fn forget(db: &Db, before: Millis) -> Result<u64> {
    let mut removed = 0;
    for table in ["tombstone", "sync_mutation"] {
        loop {
            let mut in_this_round = 0;
            for account in accounts(db, table, before).await? {
                in_this_round += forget_of(db, account, before).await?;
            }
            removed += in_this_round;
            if in_this_round == 0 {
                break;
            }
        }
    }
    Ok(removed)
}

/// Some accounts with something to forget. What an erased account may have left is not ours to touch.
async fn accounts(db: &Db, table: &str, before: Millis) -> Result<Vec<Uuid>> {
    let time = if table == "tombstone" { "deleted_at" } else { "applied_at" };
    let sql = format!(
        "SELECT DISTINCT account_id FROM (SELECT r.account_id FROM {table} r \
         JOIN account a ON a.id = r.account_id AND a.erased_at IS NULL \
         WHERE r.{time} < $1 ORDER BY r.{time} LIMIT $2) AS oldest"
    );
    let found = rows(db.read(), &sql, [before.into(), BATCH.into()]).await?;
    Ok(found.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}

/// One batch of an account, and the horizon with it.
async fn forget_of(db: &Db, account: Uuid, before: Millis) -> Result<u64> {
    let mut change = match db.change(account).await {
        Ok(change) => change,
        Err(Error::AccountErased) => return Ok(0),
        Err(error) => return Err(error),
    };
    let last = row(
        change.tx(),
        "SELECT MAX(revision) FROM (SELECT revision FROM tombstone WHERE account_id = $1 AND deleted_at < $2 \
         ORDER BY revision LIMIT $3) AS oldest",
        [account.into(), before.into(), BATCH.into()],
    )
    .await?;
    let last: Option<i64> = last.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    let mut removed = 0;
    if let Some(last) = last {
        removed += execute(
            change.tx(),
            "DELETE FROM tombstone WHERE account_id = $1 AND revision <= $2 AND deleted_at < $3",
            [account.into(), last.into(), before.into()],
        )
        .await?;
        execute(
            change.tx(),
            "UPDATE account SET horizon = $2 WHERE id = $1 AND horizon < $2",
            [account.into(), last.into()],
        )
        .await?;
    }
    removed += execute(
        change.tx(),
        "DELETE FROM sync_mutation WHERE account_id = $1 AND id IN (SELECT id FROM sync_mutation \
         WHERE account_id = $1 AND applied_at < $2 LIMIT $3)",
        [account.into(), before.into(), BATCH.into()],
    )
    .await?;
    // No device needs to hear of it.
    change.keep();
    change.commit().await?;
    Ok(removed)
}
