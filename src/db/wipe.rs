//! The write-ahead log of SQLite, cut to nothing.

use sea_orm::DbErr;

use super::{Db, row};

impl Db {
    /// Copies every page of the log into the file and cuts the log, so that nothing of an older moment
    /// stands in either. False where somebody still reads an older moment, or another process writes just
    /// now: to be tried again. On PostgreSQL there is nothing to do.
    pub async fn cut_log(&self) -> Result<bool, DbErr> {
        let Some(cutter) = &self.cutter else { return Ok(true) };
        let cut = row(cutter, "PRAGMA wal_checkpoint(TRUNCATE)", []).await;
        cutter.release();
        match cut {
            Ok(Some(row)) => Ok(row.try_get_by_index::<i32>(0)? == 0),
            Ok(None) => Ok(false),
            Err(error) if super::is_busy(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
