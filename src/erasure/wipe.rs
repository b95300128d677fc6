//! Deleted bytes that are really gone. SQLite overwrites what is deleted (`secure_delete`), but not the copies
//! that its rows leave behind when they move (`db::Db::scrub`); and the old pages stand in the file, and
//! older ones in the write-ahead log, until a checkpoint has copied the new pages and cut the log to nothing. That cannot be done while somebody still reads an older moment, and
//! every read is bounded (`db::Snapshot`), so it is tried until it succeeds. PostgreSQL keeps its own time.

use std::time::Duration;

use crate::clock;
use crate::db::{Db, execute, row};
use crate::error::Result;

/// How often the log is cut where nobody waits for it: texts that were edited or deleted one by one are
/// gone from the files after that.
pub const ROUND: Duration = Duration::from_secs(60);
/// How often it is tried while an erasure waits for it.
pub const RETRY: Duration = Duration::from_secs(5);

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiped {
    /// The files hold nothing of what was deleted; so many receipts say so now.
    Clean(u64),
    /// Somebody still reads an older moment.
    Busy,
    /// Not a matter of this service.
    NotHere,
}

/// Tries once.
pub async fn wipe(db: &Db) -> Result<Wiped> {
    if !db.is_sqlite() {
        return Ok(Wiped::NotHere);
    }
    // Erasures that are committed from now on may miss this checkpoint.
    let begun = clock::now();
    if is_wanted(db).await? {
        // Looking at every page would be in vain while somebody reads an older moment.
        if !db.cut_log().await? {
            return Ok(Wiped::Busy);
        }
        match db.scrub().await {
            Ok(pages) => tracing::debug!(pages, "free room overwritten"),
            Err(error) if crate::db::is_busy(&error) => return Ok(Wiped::Busy),
            Err(error) => return Err(error.into()),
        }
    }
    if !db.cut_log().await? {
        return Ok(Wiped::Busy);
    }
    let told = execute(
        db.shared(),
        "UPDATE receipt SET wiped_at = $2 WHERE erased_at < $1 AND wiped_at IS NULL",
        [begun.into(), clock::now().into()],
    )
    .await?;
    Ok(Wiped::Clean(told))
}

/// Whether an erasure waits for it.
pub async fn is_wanted(db: &Db) -> Result<bool> {
    let sql = "SELECT 1 FROM receipt WHERE wiped_at IS NULL AND erased_at IS NOT NULL LIMIT 1";
    Ok(db.is_sqlite() && row(db.shared(), sql, []).await?.is_some())
}
