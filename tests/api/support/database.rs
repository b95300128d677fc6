//! A database of its own for each test: a copy of one that was migrated once, dropped afterwards.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use omnitrack::config::Secret;
use omnitrack::db::Db;
use sea_orm::{ConnectionTrait, Database as Connector, DatabaseConnection, DbErr};
use tempfile::TempDir;

use super::cluster::Cluster;

/// How titles and texts are compared in the databases where the service does not say so itself: as
/// people would, not by bytes, so that a query which leans on the database's order is found out.
const COLLATIONS: [&str; 3] = [
    "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
    "LC_COLLATE 'en_US.utf8' LC_CTYPE 'en_US.utf8'",
    "LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8'",
];

pub struct Database {
    pub url: Secret,
    _held: Held,
}

enum Held {
    File {
        _folder: TempDir,
    },
    /// A file in a folder that somebody else removes.
    Elsewhere,
    Server {
        _dropped: Dropped,
    },
}

impl Database {
    /// A migrated SQLite file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = Self::sqlite_in(folder.path()).url;
        Self { url, _held: Held::File { _folder: folder } }
    }

    /// A migrated SQLite file in this folder, which the caller keeps.
    pub fn sqlite_in(folder: &Path) -> Self {
        static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| thread::spawn(sqlite_template).join().unwrap());
        let file = folder.join("omnitrack.db");
        std::fs::write(&file, template).unwrap();
        Self { url: Secret::new(format!("sqlite://{}", file.display())), _held: Held::Elsewhere }
    }

    /// A SQLite file that is not there yet.
    pub fn sqlite_empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}", folder.path().join("omnitrack.db").display()));
        Self { url, _held: Held::File { _folder: folder } }
    }

    /// A migrated PostgreSQL database, if there is a server to be had.
    ///
    /// # Panics
    /// Where there is none although `OMNITRACK_TEST_POSTGRES=required`.
    pub fn postgres() -> Option<Self> {
        Self::on_server("template")
    }

    /// A PostgreSQL database without tables; otherwise as [`Self::postgres`].
    pub fn postgres_empty() -> Option<Self> {
        Self::on_server("template0")
    }

    fn on_server(template: &'static str) -> Option<Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        let Some(server) = SERVER.get_or_init(Server::start) else {
            let required = std::env::var("OMNITRACK_TEST_POSTGRES").is_ok_and(|value| value == "required");
            assert!(!required, "OMNITRACK_TEST_POSTGRES=required, and no PostgreSQL server binaries");
            println!("skipped: no PostgreSQL server binaries");
            return None;
        };
        let (url, name) = server.create(template);
        let dropped = Dropped { name, orders: server.orders.clone() };
        Some(Self { url: Secret::new(url), _held: Held::Server { _dropped: dropped } })
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self._held, Held::File { .. } | Held::Elsewhere)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn migrate(url: String) {
    let url = Secret::new(url);
    let db = Db::open(&url).await.unwrap();
    db.migrate(&url).await.unwrap();
    db.close().await.unwrap();
}

fn sqlite_template() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.db");
    block_on(migrate(format!("sqlite://{}", file.display())));
    std::fs::read(file).unwrap()
}

/// The cluster, and the thread that makes and drops databases in it.
struct Server {
    orders: mpsc::Sender<Order>,
}

enum Order {
    Create { name: String, template: &'static str, made: mpsc::Sender<String> },
    Drop(String),
}

/// Drops a database of the cluster, not waiting for it.
struct Dropped {
    name: String,
    orders: mpsc::Sender<Order>,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Drop(std::mem::take(&mut self.name)));
    }
}

impl Server {
    fn start() -> Option<Self> {
        let cluster = Cluster::start()?;
        let (orders, received) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(cluster, &ready, &received));
        });
        started.recv().expect("the PostgreSQL server starts");
        Some(Self { orders })
    }

    fn create(&self, template: &'static str) -> (String, String) {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let (made, answer) = mpsc::channel();
        self.orders.send(Order::Create { name: name.clone(), template, made }).unwrap();
        (answer.recv().expect("a database is made"), name)
    }
}

async fn serve(mut cluster: Cluster, ready: &mpsc::Sender<()>, orders: &mpsc::Receiver<Order>) {
    let connection = connect(&mut cluster).await;
    make_template(&connection).await;
    migrate(cluster.url("template")).await;
    ready.send(()).unwrap();
    while let Ok(order) = orders.recv() {
        match order {
            Order::Create { name, template, made } => {
                let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
                connection.execute_unprepared(&sql).await.unwrap();
                let _ = made.send(cluster.url(&name));
            }
            Order::Drop(name) => {
                let sql = format!("DROP DATABASE {name} WITH (FORCE)");
                connection.execute_unprepared(&sql).await.unwrap();
            }
        }
    }
}

async fn make_template(connection: &DatabaseConnection) {
    let mut last = None;
    for collation in COLLATIONS {
        let sql = format!("CREATE DATABASE template TEMPLATE template0 ENCODING 'UTF8' {collation}");
        match connection.execute_unprepared(&sql).await {
            Ok(_) => return,
            Err(error) => last = Some(error),
        }
    }
    println!("no linguistic collation: {last:?}");
    connection.execute_unprepared("CREATE DATABASE template TEMPLATE template0").await.unwrap();
}

/// Waits until the server answers, half a minute at most.
async fn connect(cluster: &mut Cluster) -> DatabaseConnection {
    let mut last: Option<DbErr> = None;
    for _ in 0..600 {
        assert!(cluster.is_running(), "the PostgreSQL server ended: {last:?}");
        let mut options = sea_orm::ConnectOptions::new(cluster.url("postgres"));
        options.max_connections(1).sqlx_logging(false).connect_timeout(Duration::from_secs(1));
        match Connector::connect(options).await {
            Ok(connection) => return connection,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the PostgreSQL server does not answer: {last:?}");
}
