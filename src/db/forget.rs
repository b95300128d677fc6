//! Rows of accounts that are kept for a time only. They go as every write to a person's rows goes: through a
//! change of their account, a batch at a time. Several instances may do it at once: the account's row lets
//! one at a time work on an account, and the others find nothing left. Cut anywhere it leaves nothing half
//! done. What an erased account may have left is not touched.

use uuid::Uuid;

use super::{Change, Db, execute, rows};
use crate::clock::Millis;
use crate::error::{Error, Result};

/// Rows of one account removed by one change, and rows looked at to find the accounts.
pub const BATCH: i64 = 500;

/// What is kept for a time only.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub table: &'static str,
    /// The rest of its primary key, behind the account.
    pub key: &'static str,
    /// The column whose time counts.
    pub time: &'static str,
    /// Which of its rows are meant, as a condition.
    pub only: &'static str,
}

impl Db {
    /// Removes what is older than `before`; tells how many rows.
    pub async fn forget(&self, kept: &Kept, before: Millis) -> Result<u64> {
        let Kept { table, key, time, only } = kept;
        let sql = format!(
            "DELETE FROM {table} WHERE account_id = $1 AND {key} IN \
             (SELECT {key} FROM {table} WHERE account_id = $1 AND {time} < $2 AND {only} LIMIT $3)"
        );
        let mut removed = 0;
        loop {
            let mut in_this_round = 0;
            for account in self.accounts_with(kept, before).await? {
                let Some(mut change) = self.change_unless_erased(account).await? else { continue };
                let values = [account.into(), before.into(), BATCH.into()];
                in_this_round += execute(change.tx(), &sql, values).await?;
                // No device needs to hear of it.
                change.keep();
                change.commit().await?;
            }
            removed += in_this_round;
            if in_this_round == 0 {
                return Ok(removed);
            }
        }
    }

    /// A change of an account that may have been erased meanwhile.
    pub async fn change_unless_erased(&self, account: Uuid) -> Result<Option<Change>> {
        match self.change(account).await {
            Ok(change) => Ok(Some(change)),
            Err(Error::AccountErased) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Some accounts with something older than `before`.
    pub async fn accounts_with(&self, kept: &Kept, before: Millis) -> Result<Vec<Uuid>> {
        let Kept { table, time, only, .. } = kept;
        let sql = format!(
            "SELECT DISTINCT account_id FROM (SELECT r.account_id FROM {table} r \
             JOIN account a ON a.id = r.account_id AND a.erased_at IS NULL \
             WHERE r.{time} < $1 AND {only} ORDER BY r.{time} LIMIT $2) AS oldest"
        );
        let found = rows(self.read(), &sql, [before.into(), BATCH.into()]).await?;
        Ok(found.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }
}
