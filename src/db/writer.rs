//! Where everything is written: single statements on tables that belong to no account, and transactions.
//! On SQLite all of it goes through one connection and its [`WriteQueue`]; on PostgreSQL each
//! transaction has a connection of its own. Knows statements and rows, no tables.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult,
    Statement,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connections::Connections;
use super::disk_space::DiskSpace;
use super::transaction::Transaction;
use super::write_queue::{WriteQueue, WriteSlot};

/// A setting that lasts as long as the transaction marks it.
const POSTGRES_BEGIN: &str = "BEGIN; SET LOCAL omnitrack.transaction = 'open'";
/// Divides by zero, and so does not commit, unless the mark is there. PostgreSQL answers the COMMIT of an
/// aborted transaction with a rollback and no error, and one outside a transaction with a warning.
const POSTGRES_COMMIT: &str = "SELECT 1 / (CASE current_setting('omnitrack.transaction', true) \
    WHEN 'open' THEN 1 ELSE 0 END); COMMIT";
/// How often a transaction is begun when connections turn out to be cut.
const BEGIN_ATTEMPTS: u32 = 3;
/// How long a rollback may take before the connection is closed instead.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs writes. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Writer {
    pool: DatabaseConnection,
    engine: Option<Engine>,
}

#[derive(Debug, Clone)]
enum Engine {
    Sqlite { queue: WriteQueue, disk: DiskSpace },
    Postgres(Arc<Connections>),
}

impl Writer {
    /// SQLite: through the only connection of `pool`.
    pub(super) fn sqlite(pool: DatabaseConnection, disk: DiskSpace, patience: Duration) -> Self {
        let connections = Arc::new(Connections::new(&pool, 1, 1, patience));
        Self { pool, engine: Some(Engine::Sqlite { queue: WriteQueue::new(connections, patience), disk }) }
    }

    /// PostgreSQL: through at most `connections` of `pool`.
    pub(super) fn postgres(pool: DatabaseConnection, connections: usize, patience: Duration) -> Self {
        let share = connections.div_ceil(2);
        let connections = Arc::new(Connections::new(&pool, connections, share, patience));
        Self { pool, engine: Some(Engine::Postgres(connections)) }
    }

    /// Connected to nothing.
    pub(super) fn detached() -> Self {
        Self { pool: DatabaseConnection::default(), engine: None }
    }

    /// The pool itself, for migrations.
    pub(super) fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Begins a transaction. On SQLite it is refused while the disk is too full.
    ///
    /// # Errors
    /// [`DbErr::ConnectionAcquire`] where no connection or turn comes free in time.
    pub async fn begin(&self) -> Result<Tx, DbErr> {
        if let Some(Engine::Sqlite { disk, .. }) = &self.engine {
            disk.check()?;
        }
        self.begin_reserved().await
    }

    /// Begins a transaction that may use the space that is kept free for erasures.
    pub(super) async fn begin_reserved(&self) -> Result<Tx, DbErr> {
        let kind = match self.engine.as_ref().ok_or_else(closed)? {
            Engine::Sqlite { queue, .. } => Kind::Shared(queue.slot().await?),
            Engine::Postgres(connections) => Kind::Own(begin_postgres(connections).await?),
        };
        Ok(Tx { kind: Some(Mutex::new(kind)), backend: self.pool.get_database_backend() })
    }

    /// Waits for the commit that is under way and lets go of the connections at hand.
    pub(super) async fn release(&self) {
        match &self.engine {
            Some(Engine::Sqlite { queue, .. }) => queue.clear().await,
            Some(Engine::Postgres(connections)) => connections.clear(),
            None => {}
        }
    }

    /// Closes the pool; see [`Writer::release`].
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.pool.close_by_ref().await
    }
}

/// Begins a transaction; again where the connection had been cut, because nothing was done yet.
async fn begin_postgres(connections: &Arc<Connections>) -> Result<Transaction, DbErr> {
    for _ in 1..BEGIN_ATTEMPTS {
        match Transaction::begin(connections.take().await?, POSTGRES_BEGIN).await {
            Err(error) if super::is_unavailable(&error) => {}
            begun => return begun,
        }
    }
    Transaction::begin(connections.take().await?, POSTGRES_BEGIN).await
}

/// One statement, durable when it returns. Cancelled, it may or may not have been carried out.
#[async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        if let Some(Engine::Postgres(connections)) = &self.engine {
            let mut connection = connections.take().await?;
            let result = connection.execute(statement).await?;
            connection.keep();
            return Ok(result);
        }
        let tx = self.begin().await?;
        let result = tx.execute_raw(statement).await?;
        tx.commit().await?;
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        if let Some(Engine::Postgres(connections)) = &self.engine {
            let mut connection = connections.take().await?;
            let result = connection.execute_unprepared(sql).await?;
            connection.keep();
            return Ok(result);
        }
        let tx = self.begin().await?;
        let result = tx.execute_unprepared(sql).await?;
        tx.commit().await?;
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if let Some(Engine::Postgres(connections)) = &self.engine {
            let mut connection = connections.take().await?;
            let row = connection.query_one(statement).await?;
            connection.keep();
            return Ok(row);
        }
        let tx = self.begin().await?;
        let row = tx.query_one_raw(statement).await?;
        tx.commit().await?;
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if let Some(Engine::Postgres(connections)) = &self.engine {
            let mut connection = connections.take().await?;
            let rows = connection.query_all(statement).await?;
            connection.keep();
            return Ok(rows);
        }
        let tx = self.begin().await?;
        let rows = tx.query_all_raw(statement).await?;
        tx.commit().await?;
        Ok(rows)
    }
}

/// A write transaction. Dropped without [`Tx::commit`], it leaves no trace: it is rolled back in a task of
/// its own, or, where that fails, with its connection.
#[derive(Debug)]
pub struct Tx {
    kind: Option<Mutex<Kind>>,
    backend: DatabaseBackend,
}

#[derive(Debug)]
enum Kind {
    /// PostgreSQL: a transaction of its own.
    Own(Transaction),
    /// SQLite: a turn in a group of writers.
    Shared(WriteSlot),
}

impl Tx {
    /// Makes everything durable. An error means that it is not acknowledged, not that it was not kept:
    /// the connection may have failed after the commit.
    pub async fn commit(mut self) -> Result<(), DbErr> {
        match self.take()? {
            Kind::Own(transaction) => transaction.end(POSTGRES_COMMIT).await,
            Kind::Shared(slot) => slot.commit().await,
        }
    }

    /// Takes everything back.
    pub async fn rollback(mut self) -> Result<(), DbErr> {
        match self.take()? {
            Kind::Own(transaction) => transaction.end("ROLLBACK").await,
            Kind::Shared(slot) => slot.rollback().await,
        }
    }

    fn take(&mut self) -> Result<Kind, DbErr> {
        self.kind.take().map(Mutex::into_inner).ok_or_else(closed)
    }

    fn kind(&self) -> Result<&Mutex<Kind>, DbErr> {
        self.kind.as_ref().ok_or_else(closed)
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        // A turn takes itself back.
        let Some(Kind::Own(transaction)) = self.kind.take().map(Mutex::into_inner) else { return };
        // Without a runtime the connection is closed with the transaction.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(ROLLBACK_TIMEOUT, transaction.end("ROLLBACK")));
        }
    }
}

impl Kind {
    fn transaction(&mut self) -> Result<&mut Transaction, DbErr> {
        match self {
            Self::Own(transaction) => Ok(transaction),
            Self::Shared(slot) => slot.transaction(),
        }
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.kind()?.lock().await.transaction()?.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.kind()?.lock().await.transaction()?.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.kind()?.lock().await.transaction()?.query_one(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.kind()?.lock().await.transaction()?.query_all(statement).await
    }
}

fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

#[cfg(test)]
#[path = "writer_test.rs"]
mod tests;
