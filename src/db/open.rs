//! Opening the database with the settings that the promises rest on, and migrating it under a lock.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::Executor as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbErr, TransactionTrait};

use super::disk_space::DiskSpace;
use super::{Db, Reader, Writer, row};
use crate::config::Secret;
use crate::private_file;

/// Any fixed number: whoever holds it in PostgreSQL migrates, the others wait.
const MIGRATION_LOCK: i64 = 0x006f_6d6e_6974_7261;
const POSTGRES_CONNECTIONS: u32 = 16;
/// Of these, as many as reads may hold; the others are left to writes.
const POSTGRES_READERS: usize = 8;
/// Of the others, as many as writes may hold; one is left to migrations.
const POSTGRES_WRITERS: usize = 7;
const SQLITE_READERS: u32 = 4;
/// SQLite: how long a write waits for its turn; all writers share one.
const WRITE_TURN: Duration = Duration::from_secs(15);
/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

impl Db {
    /// Opens the database. SQLite: write-ahead log, `synchronous=FULL` (an acknowledged write
    /// survives a power cut), `secure_delete` (deleted bytes are overwritten), foreign keys.
    pub async fn open(url: &Secret) -> Result<Self, DbErr> {
        Self::open_with_floor(url, 0).await
    }

    /// Like [`Db::open`]. On SQLite ordinary writes are refused while fewer than `min_free_bytes` are free on
    /// the disk of the file.
    pub async fn open_with_floor(url: &Secret, min_free_bytes: u64) -> Result<Self, DbErr> {
        if url.expose().starts_with("sqlite:") {
            // The first connection puts the file into the mode of the write-ahead log. Where two processes do
            // that at once SQLite refuses one of them on the spot: here no time-out applies.
            let lock = hold(url).await?;
            prepare_files(url).await?;
            let write = Database::connect(sqlite(url, 1)).await?;
            let read = Database::connect(sqlite(url, SQLITE_READERS)).await?;
            drop(lock);
            let read = Reader::new(read, SQLITE_READERS as usize, ACQUIRE_TIMEOUT);
            let cutter = Reader::new(Database::connect(cutter(url)).await?, 1, ACQUIRE_TIMEOUT);
            let disk = DiskSpace::new(sqlite_file(url)?, min_free_bytes);
            let write = Writer::sqlite(write, disk, WRITE_TURN);
            return Ok(Self { cutter: Some(cutter), ..Self::new(read, write, false) });
        }
        let pool = Database::connect(postgres(url)).await?;
        let read = Reader::new(pool.clone(), POSTGRES_READERS, ACQUIRE_TIMEOUT);
        let write = Writer::postgres(pool, POSTGRES_WRITERS, ACQUIRE_TIMEOUT);
        Ok(Self::new(read, write, true))
    }

    /// Brings the schema up to date. Several instances may do this at once: one works, the others
    /// wait and find it done.
    pub async fn migrate(&self, url: &Secret) -> Result<(), DbErr> {
        if self.is_sqlite() {
            let lock = hold(url).await?;
            let result = Migrator::up(self.write.pool(), None).await;
            drop(lock);
            return result;
        }
        // Connections of its own, because the time-outs of the others do not fit: a migration may take long,
        // and meanwhile the lock is held by a transaction that says nothing.
        let unbounded = Database::connect(common(url, 2)).await?;
        let lock = unbounded.begin().await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        Migrator::up(&unbounded, None).await?;
        lock.commit().await?;
        unbounded.close().await
    }

    /// Whether every migration that this version knows has been applied.
    pub async fn is_migrated(&self) -> Result<bool, DbErr> {
        let applied = row(&self.read, "SELECT COUNT(*) FROM seaql_migrations", []).await?;
        let applied: i64 = applied.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
        Ok(usize::try_from(applied).is_ok_and(|applied| applied >= Migrator::migrations().len()))
    }

    /// Closes the connections; on SQLite this also folds the write-ahead log into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        if let Some(cutter) = &self.cutter {
            cutter.close().await?;
        }
        // Both first: on PostgreSQL they share a pool, whose end waits for every connection.
        self.read.release();
        self.write.release().await;
        self.read.close().await?;
        self.write.close().await
    }
}

fn common(url: &Secret, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.expose());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

/// What each connection to PostgreSQL begins with. A statement whose request was given up, and a
/// transaction whose instance is gone, must not hold locks until somebody notices: no statement of a request
/// or a job takes a minute, none waits for a lock longer than a request may, no transaction waits longer for the next one than a copy may wait for its
/// reader, and the server looks after peers that fell silent.
const POSTGRES_SESSION: &str = "\
    SET statement_timeout = '60s'; \
    SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '180s'; \
    SET tcp_keepalives_idle = 30; \
    SET tcp_keepalives_interval = 10; \
    SET tcp_keepalives_count = 3";

fn postgres(url: &Secret) -> ConnectOptions {
    let mut options = common(url, POSTGRES_CONNECTIONS);
    options.test_before_acquire_if_idle_for(Duration::from_secs(30));
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            Box::pin(async move { connection.execute(POSTGRES_SESSION).await.map(|_| ()) })
        })
    });
    options
}

fn sqlite(url: &Secret, connections: u32) -> ConnectOptions {
    let mut options = common(url, connections);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(ACQUIRE_TIMEOUT)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .pragma("mmap_size", "268435456")
            .pragma("cache_size", "-8192")
            .statement_cache_capacity(256)
            // The longest page and its end: a shorter channel stops the reading thread half-way.
            .row_buffer_size(256)
    });
    options
}

/// A connection of its own, made when it is needed, that does not wait for readers: it would hold up every
/// writer meanwhile.
fn cutter(url: &Secret) -> ConnectOptions {
    let mut options = sqlite(url, 1);
    options.min_connections(0).connect_lazy(true).idle_timeout(Duration::from_secs(30));
    options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_millis(100)));
    options
}

/// The file that a `sqlite:` address names. A database in memory is refused: it has no
/// write-ahead log, and each connection would see its own.
pub fn sqlite_file(url: &Secret) -> Result<PathBuf, DbErr> {
    let rest = url.expose().trim_start_matches("sqlite:").trim_start_matches("//");
    let path = rest.split('?').next().unwrap_or_default();
    if path.is_empty() || path.contains(":memory:") || rest.contains("mode=memory") {
        return Err(DbErr::Custom("DATABASE_URL: must name a SQLite file".into()));
    }
    Ok(PathBuf::from(path))
}

/// Creates the file before SQLite does, which would give it the mode that the process's mask allows. The
/// write-ahead log and its index get the mode of the file from SQLite.
async fn prepare_files(url: &Secret) -> Result<(), DbErr> {
    let options: SqliteConnectOptions =
        url.expose().parse().map_err(|_| DbErr::Custom("DATABASE_URL: must name a SQLite file".into()))?;
    let file = options.get_filename().to_path_buf();
    let prepare = move || {
        private_file::open(&file)?;
        for (ending, what) in [("", "database"), ("-wal", "write-ahead log"), ("-shm", "shared memory")] {
            let mut path = file.clone();
            path.as_mut_os_string().push(ending);
            private_file::warn_if_exposed(&path, what);
        }
        Ok(())
    };
    tokio::task::spawn_blocking(prepare)
        .await
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .map_err(|error: std::io::Error| DbErr::Custom(format!("database file: {error}")))
}

/// Waits until no other process opens or migrates this file. The lock ends with the returned handle.
async fn hold(url: &Secret) -> Result<File, DbErr> {
    let path = sqlite_file(url)?;
    tokio::task::spawn_blocking(move || lock_file(path))
        .await
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .map_err(|error| DbErr::Custom(format!("migration lock: {error}")))
}

fn lock_file(mut path: PathBuf) -> std::io::Result<File> {
    path.as_mut_os_string().push(".migration-lock");
    let file = private_file::open(&path)?;
    file.lock()?;
    Ok(file)
}
