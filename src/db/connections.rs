//! Connections kept at hand between uses. sqlx tests a connection each time it goes back to its pool,
//! which doubles the round trips of a request whose work is a few short statements. A connection that
//! answered is kept here instead; one that failed, or whose statement was cancelled, goes back to the
//! pool and its test, or is closed. Knows statements and rows, no tables.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _, Postgres, Sqlite};
use sea_orm::{
    ConnAcquireErr, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, Values,
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::per_account::{self, PerAccount};

/// Unused for longer than this, a connection goes through the pool's test before it is used again.
const TRUSTED: Duration = Duration::from_secs(30);
/// Kept out of the pool for longer than this, a connection goes back there, where its lifetime is bounded.
const OUT_AT_MOST: Duration = Duration::from_secs(600);

/// A bounded set of connections of one pool.
#[derive(Debug)]
pub(super) struct Connections {
    pool: Pool,
    /// One permit for each connection that may be out of the pool.
    places: Arc<Semaphore>,
    /// How many of the places one account may hold.
    shares: PerAccount,
    /// The connection used last is taken first.
    idle: Mutex<Vec<Idle>>,
    patience: Duration,
}

#[derive(Debug)]
enum Pool {
    Sqlite(sqlx::Pool<Sqlite>),
    Postgres(sqlx::Pool<Postgres>),
}

#[derive(Debug)]
enum Live {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

#[derive(Debug)]
struct Idle {
    live: Live,
    out_since: Instant,
    used: Instant,
}

impl Connections {
    /// At most `places` connections of `pool`, of which one account may hold `share`. A place is waited
    /// for as long as `patience`.
    pub(super) fn new(pool: &DatabaseConnection, places: usize, share: usize, patience: Duration) -> Self {
        let pool = match pool.get_database_backend() {
            DatabaseBackend::Sqlite => Pool::Sqlite(pool.get_sqlite_connection_pool().clone()),
            _ => Pool::Postgres(pool.get_postgres_connection_pool().clone()),
        };
        Self {
            pool,
            places: Arc::new(Semaphore::new(places)),
            shares: PerAccount::new(share),
            idle: Mutex::default(),
            patience,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the connections at hand.
    pub(super) fn clear(&self) {
        self.idle().clear();
    }

    /// Returns a connection: one at hand that was used a moment ago, else one from the pool. The share of
    /// the account that the current task works for is taken first, so that the requests of one account
    /// wait for each other and not in front of everybody.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Connection, DbErr> {
        let waited = timeout(self.patience, async {
            let share = match per_account::current() {
                Some(account) => Some(self.shares.acquire(account).await),
                None => None,
            };
            (share, self.places.clone().acquire_owned().await)
        });
        let Ok((share, Ok(place))) = waited.await else { return Err(timed_out()) };
        let idle = self.idle().pop().filter(|idle| idle.used.elapsed() < TRUSTED);
        let (live, out_since) = match idle {
            Some(idle) => (idle.live, idle.out_since),
            None => (self.acquire().await?, Instant::now()),
        };
        Ok(Connection { live, out_since, connections: self.clone(), _place: place, _share: share })
    }

    async fn acquire(&self) -> Result<Live, DbErr> {
        match &self.pool {
            Pool::Sqlite(pool) => pool.acquire().await.map(Live::Sqlite),
            Pool::Postgres(pool) => pool.acquire().await.map(Live::Postgres),
        }
        .map_err(unavailable)
    }
}

/// A connection out of the pool. Dropped instead of kept, it goes back to the pool and through its test.
#[derive(Debug)]
pub(super) struct Connection {
    live: Live,
    out_since: Instant,
    connections: Arc<Connections>,
    _place: OwnedSemaphorePermit,
    _share: Option<per_account::Permit>,
}

impl Connection {
    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        let row = match &mut self.live {
            Live::Sqlite(live) => {
                sqlx::query_with(sql, values).fetch_optional(&mut **live).await.map(|row| row.map(Into::into))
            }
            Live::Postgres(live) => {
                sqlx::query_with(sql, values).fetch_optional(&mut **live).await.map(|row| row.map(Into::into))
            }
        };
        self.judge(row.map_err(query_failed))
    }

    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        let rows = match &mut self.live {
            Live::Sqlite(live) => {
                let rows = sqlx::query_with(sql, values).fetch_all(&mut **live).await;
                rows.map(|rows| rows.into_iter().map(Into::into).collect())
            }
            Live::Postgres(live) => {
                let rows = sqlx::query_with(sql, values).fetch_all(&mut **live).await;
                rows.map(|rows| rows.into_iter().map(Into::into).collect())
            }
        };
        self.judge(rows.map_err(query_failed))
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (sql, values) = parts(statement);
        let done = match &mut self.live {
            Live::Sqlite(live) => sqlx::query_with(sql, values).execute(&mut **live).await.map(Into::into),
            Live::Postgres(live) => sqlx::query_with(sql, values).execute(&mut **live).await.map(Into::into),
        };
        self.judge(done.map_err(failed))
    }

    /// Runs statements without parameters, several at once if they are separated by semicolons. The
    /// first one that fails ends it.
    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = match &mut self.live {
            Live::Sqlite(live) => (&mut **live).execute(sqlx::raw_sql(sql)).await.map(Into::into),
            Live::Postgres(live) => (&mut **live).execute(sqlx::raw_sql(sql)).await.map(Into::into),
        };
        self.judge(done.map_err(failed))
    }

    /// Passes a result on. Where the database has cut the connection it has cut the others, too: they are
    /// not used again without the pool's test.
    fn judge<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.as_ref().is_err_and(super::is_unavailable) {
            self.connections.clear();
        }
        result
    }

    /// Puts the connection at hand for its next use.
    pub(super) fn keep(self) {
        let Self { live, out_since, connections, .. } = self;
        if out_since.elapsed() < OUT_AT_MOST {
            connections.idle().push(Idle { live, out_since, used: Instant::now() });
        }
    }

    /// Closes the connection, because it is not known what state it is in.
    pub(super) fn close(mut self) {
        match &mut self.live {
            Live::Sqlite(live) => live.close_on_drop(),
            Live::Postgres(live) => live.close_on_drop(),
        }
    }
}

fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    let values = statement.values.unwrap_or_else(|| Values(Vec::new()));
    (AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn query_failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

/// All places stayed taken for as long as one may wait.
pub(super) fn timed_out() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

fn unavailable(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => timed_out(),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}
