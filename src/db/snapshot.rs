//! Several reads that see one and the same moment.

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnAcquireErr, ConnectionTrait, DatabaseBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;

use super::reader::Reader;
use super::transaction::Transaction;

/// SQLite shows the moment of the first statement until the end.
const SQLITE: &str = "BEGIN";

/// So does PostgreSQL here. What is read in a snapshot is looked up by keys, and how much that is does not
/// show in the values that a plan is made for: the ways to read many rows at once are left out.
const POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan = off; \
    SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
    SET LOCAL statement_timeout = '10s'";

/// A read transaction on a connection of its own. Dropped without [`Snapshot::end`], it costs the
/// connection, never a later reader its view. Whoever holds one must be quick, or bounded in time: what
/// was deleted meanwhile cannot be wiped from a SQLite file, nor vacuumed, before it ends.
pub struct Snapshot {
    transaction: Mutex<Transaction>,
    backend: DatabaseBackend,
}

impl Reader {
    /// Begins to read at one moment.
    pub async fn snapshot(&self) -> Result<Snapshot, DbErr> {
        let connection =
            self.take().await?.ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?;
        let backend = self.get_database_backend();
        let begin = if backend == DatabaseBackend::Sqlite { SQLITE } else { POSTGRES };
        let transaction = Mutex::new(Transaction::begin(connection, begin).await?);
        Ok(Snapshot { transaction, backend })
    }
}

impl Snapshot {
    /// Ends it; the connection stays at hand.
    pub async fn end(self) -> Result<(), DbErr> {
        self.transaction.into_inner().end("COMMIT").await
    }
}

fn refused() -> DbErr {
    DbErr::Custom("a snapshot is only read".into())
}

#[async_trait]
impl ConnectionTrait for Snapshot {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.backend
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(refused())
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(refused())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.transaction.lock().await.query_one(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.lock().await.query_all(statement).await
    }
}
