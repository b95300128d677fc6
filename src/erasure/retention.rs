//! What is left of erased accounts, and for how long: the mark until Clerk has confirmed and then as long
//! as backups live that could bring the account back; the receipt as long as it is to be shown, and never
//! shorter than the mark that names it.

use crate::clock::Millis;
use crate::db::{Db, execute};
use crate::error::Result;

/// Rows removed by one statement.
const BATCH: i64 = 500;

/// Removes the marks of accounts that were erased, and confirmed by Clerk, before `before`; tells how many.
/// A mark that Clerk never confirms stays.
pub async fn forget_marks(db: &Db, before: Millis) -> Result<u64> {
    let sql = "DELETE FROM account WHERE id IN (SELECT a.id FROM account a JOIN receipt r ON r.id = a.receipt_id \
               WHERE a.erased_at < $1 AND r.clerk = 'done' AND r.clerk_done_at < $1 LIMIT $2)";
    in_batches(db, sql, before).await
}

/// Removes receipts of erasures done before `before` that no mark names any more; tells how many.
pub async fn forget_receipts(db: &Db, before: Millis) -> Result<u64> {
    let sql = "DELETE FROM receipt WHERE id IN (SELECT r.id FROM receipt r WHERE r.erased_at < $1 \
               AND NOT EXISTS (SELECT 1 FROM account a WHERE a.erased_at IS NOT NULL AND a.receipt_id = r.id) \
               LIMIT $2)";
    in_batches(db, sql, before).await
}

/// Removes what is kept of Clerk's webhooks received before `before`; tells how many.
pub async fn forget_messages(db: &Db, before: Millis) -> Result<u64> {
    let sql = "DELETE FROM webhook_message WHERE id IN \
               (SELECT id FROM webhook_message WHERE received_at < $1 LIMIT $2)";
    in_batches(db, sql, before).await
}

async fn in_batches(db: &Db, sql: &str, before: Millis) -> Result<u64> {
    let mut removed = 0;
    loop {
        match execute(db.shared(), sql, [before.into(), BATCH.into()]).await? {
            0 => return Ok(removed),
            some => removed += some,
        }
    }
}
