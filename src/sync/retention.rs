//! What synchronisation keeps for a time only: tombstones, and what became of each mutation. A device
//! that comes after that reads everything anew, because `account.horizon` says what is gone.

use crate::clock::Millis;
use crate::db::{BATCH, Change, Db, Kept, execute, row};
use crate::error::Result;

const TOMBSTONES: Kept = Kept { table: "tombstone", key: "key", time: "deleted_at", only: "TRUE" };
const OUTCOMES: Kept = Kept { table: "sync_mutation", key: "id", time: "applied_at", only: "TRUE" };

/// Removes what is older than `before`; tells how many rows.
pub async fn forget(db: &Db, before: Millis) -> Result<u64> {
    let mut removed = db.forget(&OUTCOMES, before).await?;
    loop {
        let mut in_this_round = 0;
        for account in db.accounts_with(&TOMBSTONES, before).await? {
            let Some(mut change) = db.change_unless_erased(account).await? else { continue };
            in_this_round += forget_tombstones(&change, before).await?;
            change.keep();
            change.commit().await?;
        }
        removed += in_this_round;
        if in_this_round == 0 {
            return Ok(removed);
        }
    }
}

/// One batch of an account, and the horizon with it.
async fn forget_tombstones(change: &Change, before: Millis) -> Result<u64> {
    let account = change.account_id();
    let last = row(
        change.tx(),
        "SELECT MAX(revision) FROM (SELECT revision FROM tombstone WHERE account_id = $1 AND deleted_at < $2 \
         ORDER BY revision LIMIT $3) AS oldest",
        [account.into(), before.into(), BATCH.into()],
    )
    .await?;
    let last: Option<i64> = last.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    let Some(last) = last else { return Ok(0) };
    let removed = execute(
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
    Ok(removed)
}
