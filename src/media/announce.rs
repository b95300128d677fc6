//! Tells those who wait for a title that it is known now.

use uuid::Uuid;

use crate::catalog::MediaId;
use crate::db::{Db, execute, rows};
use crate::error::Result;

/// Accounts found by one statement.
const BATCH: i64 = 50;

/// The first filling is a change of every row that waited for it.
pub async fn announce(db: &Db, media_id: &MediaId) -> Result<()> {
    let media_id = media_id.as_str();
    loop {
        let waiting = rows(
            db.read(),
            "SELECT account_id FROM library_entry WHERE media_id = $1 AND awaits_media \
             UNION SELECT account_id FROM list_item WHERE media_id = $1 AND awaits_media LIMIT $2",
            [media_id.into(), BATCH.into()],
        )
        .await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for row in waiting {
            announce_to(db, row.try_get_by_index(0)?, media_id).await?;
        }
    }
}

async fn announce_to(db: &Db, account: Uuid, media_id: &str) -> Result<()> {
    let mut change = match db.change(account).await {
        Ok(change) => change,
        // Erased in between: its rows are gone with it.
        Err(crate::error::Error::AccountErased) => return Ok(()),
        Err(error) => return Err(error),
    };
    let waits = rows(
        change.tx(),
        "SELECT 1 FROM library_entry WHERE account_id = $1 AND media_id = $2 AND awaits_media",
        [account.into(), media_id.into()],
    )
    .await?;
    if !waits.is_empty() {
        let revision = change.next_revision();
        execute(
            change.tx(),
            "UPDATE library_entry SET awaits_media = FALSE, revision = $3 WHERE account_id = $1 AND media_id = $2",
            [account.into(), media_id.into(), revision.into()],
        )
        .await?;
    }
    let lists = rows(
        change.tx(),
        "SELECT list_id FROM list_item WHERE account_id = $1 AND media_id = $2 AND awaits_media",
        [account.into(), media_id.into()],
    )
    .await?;
    for list in lists {
        let list: Uuid = list.try_get_by_index(0)?;
        let revision = change.next_revision();
        execute(
            change.tx(),
            "UPDATE list_item SET awaits_media = FALSE, revision = $4 \
             WHERE account_id = $1 AND list_id = $2 AND media_id = $3",
            [account.into(), list.into(), media_id.into(), revision.into()],
        )
        .await?;
    }
    change.commit().await?;
    Ok(())
}
