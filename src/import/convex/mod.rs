//! `omnitrack import-convex`: takes what the app kept at Convex. Reads a snapshot export by a mapping of its
//! tables and fields (`mapping`), table after table (`read`), sorts it by account (`stage`) and
//! applies it as any import (`apply`), so that it can be run again, beside a running service too. Says of
//! each row that it did not take why, and never what the row says ([`report`]).

mod apply;
mod document;
mod group;
pub mod mapping;
mod read;
pub mod report;
mod rows;
mod snapshot;
mod stage;

use std::io::Write;
use std::path::Path;

pub use mapping::{Mapping, MappingError};
use report::Report;
pub use report::{Part, Summary};
use sea_orm::DbErr;
use snapshot::Snapshot;
pub use snapshot::SnapshotError;
use stage::Stage;

use crate::db::Db;
use crate::error::Error;

/// Why nothing, or not everything, could be done. What was applied before stays; the same run again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ConvexError {
    #[error("mapping: {0}")]
    Mapping(#[from] MappingError),
    #[error("export: {0}")]
    Snapshot(#[from] SnapshotError),
    #[error("export: it has none of the tables that the mapping names")]
    NoTable,
    #[error("report: {0}")]
    Report(#[from] std::io::Error),
    #[error("{0}")]
    Apply(#[from] Error),
    #[error("database: its schema is not up to date; run `omnitrack migrate` first")]
    Schema,
    #[error("a row that was read cannot be read again")]
    Internal,
}

impl From<DbErr> for ConvexError {
    fn from(error: DbErr) -> Self {
        Self::Apply(Error::Database(error))
    }
}

/// Takes the export in `file`. The whole of it is read before anything is written; with `dry` nothing is.
///
/// # Errors
/// The export or the database cannot be read, or the report not written. Rows that are not taken are no error.
pub async fn run(
    db: &Db,
    file: &Path,
    mapping: &Mapping,
    dry: bool,
    out: impl Write,
) -> Result<Summary, ConvexError> {
    match db.is_migrated().await {
        Ok(true) => {}
        // Of a new database not even the table of migrations is there.
        Ok(false) | Err(DbErr::Query(_)) => return Err(ConvexError::Schema),
        Err(error) => return Err(error.into()),
    }
    let snapshot = Snapshot::open(file).await?;
    let stage = Stage::open().await?;
    let mut report = Report::new(out);
    read::Reading::new(mapping, &stage, &mut report).all(&snapshot).await?;
    apply::Applying::new(db, mapping, &stage, &mut report, dry).all().await?;
    Ok(report.end()?)
}
