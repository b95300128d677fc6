//! Reading through connections that stay at hand. sqlx tests a connection each time it goes back to
//! its pool, which doubles the round trips of a request whose work is a few short reads. A connection
//! that answered is kept here instead; one that failed, or whose query was cut off, goes back to the
//! pool and its test. Knows statements and rows, no tables.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::query::Query;
use sea_orm::sqlx::{self, AssertSqlSafe, Database, Executor, IntoArguments, Pool, Postgres, Sqlite};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement, Values,
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Longer without use, and a connection goes through the pool's test before it is used again.
const TRUSTED: Duration = Duration::from_secs(30);
/// Longer out of the pool, and it goes back there, where its lifetime is bounded.
const OUT_AT_MOST: Duration = Duration::from_secs(600);

/// Runs reads. Whatever else it is asked for goes to the pool.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: DatabaseConnection,
    held: Option<Arc<Engine>>,
}

#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

impl Reader {
    /// Reads through at most `connections` of the pool.
    pub(super) fn new(pool: DatabaseConnection, connections: u32, patience: Duration) -> Self {
        let engine = match pool.get_database_backend() {
            DatabaseBackend::Sqlite => {
                Engine::Sqlite(Held::new(pool.get_sqlite_connection_pool(), connections, patience))
            }
            _ => Engine::Postgres(Held::new(pool.get_postgres_connection_pool(), connections, patience)),
        };
        Self { pool, held: Some(Arc::new(engine)) }
    }

    /// Connected to nothing.
    pub(super) fn detached() -> Self {
        Self { pool: DatabaseConnection::default(), held: None }
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        self.held.as_deref()
    }

    /// Lets go of the connections at hand and closes the pool.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        match self.held.as_deref() {
            Some(Engine::Sqlite(held)) => held.idle().clear(),
            Some(Engine::Postgres(held)) => held.idle().clear(),
            None => {}
        }
        self.pool.close_by_ref().await
    }
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.pool.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self.held.as_deref() {
            Some(Engine::Sqlite(held)) => held.one(statement).await,
            Some(Engine::Postgres(held)) => held.one(statement).await,
            None => self.pool.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.held.as_deref() {
            Some(Engine::Sqlite(held)) => held.all(statement).await,
            Some(Engine::Postgres(held)) => held.all(statement).await,
            None => self.pool.query_all_raw(statement).await,
        }
    }
}

#[derive(Debug)]
pub(super) struct Held<D: Database> {
    pool: Pool<D>,
    /// One permit for each connection that may be out of the pool.
    places: Semaphore,
    /// The one used last is taken first.
    idle: Mutex<Vec<Idle<D>>>,
    patience: Duration,
}

#[derive(Debug)]
struct Idle<D: Database> {
    connection: PoolConnection<D>,
    out_since: Instant,
    used: Instant,
}

impl<D> Held<D>
where
    D: Database,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    SqlxValues: IntoArguments<D>,
    D::Row: Into<QueryResult>,
{
    fn new(pool: &Pool<D>, connections: u32, patience: Duration) -> Self {
        let places = Semaphore::new(usize::try_from(connections).unwrap_or(1));
        Self { pool: pool.clone(), places, idle: Mutex::default(), patience }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut taken = self.take().await?;
        let row = taken.one(statement).await?;
        self.keep(taken);
        Ok(row)
    }

    async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut taken = self.take().await?;
        let rows = taken.all(statement).await?;
        self.keep(taken);
        Ok(rows)
    }

    /// Begins a transaction with the words of the engine.
    pub(super) async fn begin(&self, words: &'static str) -> Result<Reading<'_, D>, DbErr> {
        let mut reading = Reading { held: self, taken: Some(self.take().await?) };
        reading.taken()?.say(words).await?;
        Ok(reading)
    }

    /// A connection at hand that was used a moment ago, else one from the pool.
    async fn take(&self) -> Result<Taken<'_, D>, DbErr> {
        let waited = timeout(self.patience, self.places.acquire()).await;
        let place =
            waited.ok().and_then(Result::ok).ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        let idle = self.idle().pop().filter(|idle| idle.used.elapsed() < TRUSTED);
        let (connection, out_since) = match idle {
            Some(idle) => (idle.connection, idle.out_since),
            None => (self.pool.acquire().await.map_err(unavailable)?, Instant::now()),
        };
        Ok(Taken { connection, out_since, place })
    }

    fn keep(&self, taken: Taken<'_, D>) {
        let Taken { connection, out_since, place } = taken;
        if out_since.elapsed() < OUT_AT_MOST {
            self.idle().push(Idle { connection, out_since, used: Instant::now() });
        }
        drop(place);
    }
}

/// Dropped instead of kept, its connection goes through the pool's test.
struct Taken<'a, D: Database> {
    connection: PoolConnection<D>,
    out_since: Instant,
    place: SemaphorePermit<'a>,
}

impl<D> Taken<'_, D>
where
    D: Database,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    SqlxValues: IntoArguments<D>,
    D::Row: Into<QueryResult>,
{
    async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let row = query(statement).fetch_optional(&mut *self.connection).await.map_err(failed)?;
        Ok(row.map(Into::into))
    }

    async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = query(statement).fetch_all(&mut *self.connection).await.map_err(failed)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn say(&mut self, words: &'static str) -> Result<(), DbErr> {
        (&mut *self.connection).execute(words).await.map_err(failed)?;
        Ok(())
    }
}

/// A connection with a transaction under way. Dropped before its end it is closed, because nobody can
/// tell what it is in the middle of.
pub(super) struct Reading<'a, D: Database> {
    held: &'a Held<D>,
    taken: Option<Taken<'a, D>>,
}

impl<'a, D: Database> Reading<'a, D> {
    fn taken(&mut self) -> Result<&mut Taken<'a, D>, DbErr> {
        self.taken.as_mut().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }
}

impl<D> Reading<'_, D>
where
    D: Database,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    SqlxValues: IntoArguments<D>,
    D::Row: Into<QueryResult>,
{
    pub(super) async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.taken()?.one(statement).await
    }

    pub(super) async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.taken()?.all(statement).await
    }

    pub(super) async fn end(mut self) -> Result<(), DbErr> {
        self.taken()?.say("COMMIT").await?;
        if let Some(taken) = self.taken.take() {
            self.held.keep(taken);
        }
        Ok(())
    }
}

impl<D: Database> Drop for Reading<'_, D> {
    fn drop(&mut self) {
        if let Some(taken) = &mut self.taken {
            taken.connection.close_on_drop();
        }
    }
}

fn query<'q, D: Database>(statement: Statement) -> Query<'q, D, SqlxValues>
where
    SqlxValues: IntoArguments<D>,
{
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn unavailable(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}

#[cfg(test)]
#[path = "reader_test.rs"]
mod tests;
