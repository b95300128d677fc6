//! The database: how it is opened, how its schema is brought up to date, and the one door through
//! which every write to a person's rows goes ([`Db::change`]). It knows tables, not rules.

mod change;
mod connections;
mod disk_space;
mod epoch;
mod failure;
mod forget;
mod heads;
mod lease;
mod open;
mod per_account;
mod reader;
mod relay;
mod scrub;
mod snapshot;
mod stamp;
mod transaction;
mod transport;
mod usage;
mod wipe;
mod writable;
mod write_queue;
mod writer;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, QueryResult, Statement, Value};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use change::Change;
pub use failure::{error_kind, is_busy, is_storage_full, is_unavailable};
pub use forget::{BATCH, Kept};
pub use heads::{Bounds, Full, Heads, Listener, News};
pub use open::sqlite_file;
use per_account::PerAccount;
pub use per_account::on_behalf_of;
pub use reader::Reader;
pub use snapshot::Snapshot;
pub use stamp::{Author, Stamp, Stamps};
pub use transport::check_transport;
pub use usage::{Counted, Quota, text_bytes};
use writable::LastWrite;
pub use writer::{Tx, Writer};

/// The connections. On SQLite reads use several and all writes queue for one; on PostgreSQL both
/// are the same pool.
#[derive(Debug, Clone)]
pub struct Db {
    read: Reader,
    write: Writer,
    /// One change of an account at a time, waited for before a connection is taken: whoever sends many
    /// waits in a queue of their own.
    changes: PerAccount,
    heads: Heads,
    last_write: LastWrite,
    epoch: Arc<OnceCell<Uuid>>,
    quota: Quota,
    /// On SQLite what cuts the write-ahead log.
    cutter: Option<Reader>,
}

impl Db {
    /// Connected to nothing: every statement fails.
    pub fn detached() -> Self {
        Self::new(Reader::detached(), Writer::detached(), false)
    }

    /// `several`: whether other instances may share the database.
    fn new(read: Reader, write: Writer, several: bool) -> Self {
        Self {
            read,
            write,
            changes: PerAccount::new(1),
            heads: Heads::new(several),
            last_write: LastWrite::default(),
            epoch: Arc::default(),
            quota: Quota::default(),
            cutter: None,
        }
    }

    /// Sets what one account may keep; without it the defaults apply.
    #[must_use]
    pub fn with_quota(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// Where the revisions of accounts are announced as they are committed.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// For reads, each seeing one consistent moment.
    pub fn read(&self) -> &Reader {
        &self.read
    }

    /// For writes to what belongs to nobody: the shared media tables and the queues. A person's rows
    /// are written through [`Db::change`] only.
    pub fn shared(&self) -> &Writer {
        &self.write
    }

    pub fn is_sqlite(&self) -> bool {
        self.read.get_database_backend() == DatabaseBackend::Sqlite
    }
}

/// The rows that `sql` gives. Parameters are written `$1`, `$2`, … on both engines.
pub async fn rows(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.query_all_raw(statement).await
}

/// The first row that `sql` gives, if any.
pub async fn row(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.query_one_raw(statement).await
}

/// Runs `sql` and tells how many rows it touched.
pub async fn execute(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}
