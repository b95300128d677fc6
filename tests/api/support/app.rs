//! The whole service in process: a database of its own, stand-ins of all it talks to, its background
//! jobs, and the people who call it.

use std::sync::Arc;
use std::time::Duration;

use omnitrack::app::App;
use omnitrack::config::Config;
use omnitrack::db::{Db, rows};
use omnitrack::demo::standin::StandIns;
use omnitrack::{http, job};
use poem::EndpointExt as _;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::Database;
use super::log;
use super::persona::{Persona, Service};

/// What the service under test signs with.
pub const SECRET: &str = "a secret that only the tests know";

const LIMITS: [&str; 4] =
    ["OMNITRACK_RATE_ACCOUNT", "OMNITRACK_RATE_SEARCH", "OMNITRACK_RATE_ADDRESS", "OMNITRACK_RATE_IMAGE"];

/// How long anything that happens in the background is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestApp {
    pub app: App,
    pub stand_ins: StandIns,
    /// Nobody: no token.
    pub anon: Persona,
    pub alice: Persona,
    pub bob: Persona,
    service: Service,
    jobs: Option<Jobs>,
    database: Database,
}

struct Jobs {
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl TestApp {
    pub async fn sqlite() -> Self {
        Self::start(Database::sqlite(), StandIns::start().unwrap(), |_| ()).await
    }

    /// `None`, having said so, where there is no PostgreSQL server to be had.
    pub async fn postgres() -> Option<Self> {
        Some(Self::start(Database::postgres()?, StandIns::start().unwrap(), |_| ()).await)
    }

    /// The service stopped and started again with other settings, on the same database and beside the
    /// same stand-ins.
    pub async fn restart(mut self, change: impl FnOnce(&mut Config)) -> Self {
        self.stop_jobs().await;
        let Self { app, stand_ins, database, .. } = self;
        app.db.close().await.unwrap();
        Self::start(database, stand_ins, change).await
    }

    /// Another service on an empty database beside the same stand-ins: it knows nothing of before.
    pub async fn afresh(mut self) -> Self {
        self.stop_jobs().await;
        let Self { app, stand_ins, database, .. } = self;
        app.db.close().await.unwrap();
        let empty = if database.is_sqlite() { Some(Database::sqlite()) } else { Database::postgres() };
        Self::start(empty.expect("the engine that was there before"), stand_ins, |_| ()).await
    }

    async fn start(database: Database, stand_ins: StandIns, change: impl FnOnce(&mut Config)) -> Self {
        log::capture();
        let mut config = config(&database, &stand_ins);
        change(&mut config);
        let db = Db::open(&config.database_url).await.unwrap();
        let app = App::with_db(config, db).unwrap();
        app.clerk.ready();
        let service: Service = Arc::new(http::endpoint(&app).boxed());
        let persona = |name| Persona::new(service.clone(), Some(token(&stand_ins, name)));
        let mut test = Self {
            anon: Persona::new(service.clone(), None),
            alice: persona("alice"),
            bob: persona("bob"),
            app,
            stand_ins,
            service,
            jobs: None,
            database,
        };
        test.start_jobs();
        test
    }

    /// Somebody else with an account, made at the first call.
    pub fn persona(&self, name: &str) -> Persona {
        Persona::new(self.service.clone(), Some(token(&self.stand_ins, name)))
    }

    /// Somebody else, such as Clerk's support desk, who acts in the name of a person.
    pub fn impersonated(&self, name: &str) -> Persona {
        let mut claims = self.stand_ins.claims(name, Duration::from_secs(3600));
        claims["act"] =
            json!({ "iss": "https://dashboard.clerk.com", "sid": "sess_x", "sub": "user_support" });
        let token = self.stand_ins.token_with(&self.stand_ins.header(), &claims);
        Persona::new(self.service.clone(), Some(token))
    }

    /// Another instance beside this one.
    pub async fn another(&self, change: impl FnOnce(&mut App)) -> Instance {
        let db = Db::open(&self.app.config.database_url).await.unwrap();
        let mut app = App::with_db((*self.app.config).clone(), db).unwrap();
        change(&mut app);
        app.clerk.ready();
        let service: Service = Arc::new(http::endpoint(&app).boxed());
        let jobs = Jobs { tasks: TaskTracker::new(), shutdown: CancellationToken::new() };
        job::start(&app, &jobs.tasks, &jobs.shutdown);
        Instance { app, service, jobs }
    }

    pub fn is_sqlite(&self) -> bool {
        self.database.is_sqlite()
    }

    /// What a test does behind the service's back.
    pub async fn sql(&self, sql: &str) {
        omnitrack::db::execute(self.app.db.shared(), sql, []).await.unwrap();
    }

    /// Starts the background jobs; they run from the beginning unless stopped.
    pub fn start_jobs(&mut self) {
        let jobs = Jobs { tasks: TaskTracker::new(), shutdown: CancellationToken::new() };
        job::start(&self.app, &jobs.tasks, &jobs.shutdown);
        jobs.tasks.close();
        self.jobs = Some(jobs);
    }

    /// Stops the background jobs and waits until they have ended.
    pub async fn stop_jobs(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            jobs.shutdown.cancel();
            tokio::time::timeout(PATIENCE, jobs.tasks.wait()).await.expect("the jobs end");
        }
    }

    /// Waits until every account that follows the series was told of its schedule.
    pub async fn settled(&self, media_id: &str) {
        let unsettled = "SELECT 1 FROM media WHERE id = $1 AND unsettled";
        let settled = async {
            while !rows(self.app.db.read(), unsettled, [media_id.into()]).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("the schedule is settled");
    }

    /// Waits until the title was looked up in the background and all rows that waited for it were told.
    #[track_caller]
    pub fn filled(&self, media_id: &str) -> impl Future<Output = ()> {
        let (db, id) = (self.app.db.clone(), media_id.to_owned());
        async move {
            let wanted = "SELECT 1 FROM media_wanted WHERE media_id = $1 \
                          UNION ALL SELECT 1 FROM library_entry WHERE media_id = $1 AND awaits_media \
                          UNION ALL SELECT 1 FROM list_item WHERE media_id = $1 AND awaits_media";
            let settled = async {
                while !rows(db.read(), wanted, [id.clone().into()]).await.unwrap().is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(PATIENCE, settled)
                .await
                .unwrap_or_else(|_| panic!("{id} was not filled\n{}", log::troubles()));
        }
    }
}

/// Another instance of the service on the same database, with its own connections and jobs.
pub struct Instance {
    pub app: App,
    service: Service,
    jobs: Jobs,
}

impl Instance {
    /// Stops the background jobs of this instance and waits until they have ended.
    pub async fn stop_jobs(&self) {
        self.jobs.shutdown.cancel();
        self.jobs.tasks.close();
        tokio::time::timeout(PATIENCE, self.jobs.tasks.wait()).await.expect("the jobs end");
    }

    /// The same person, calling this instance.
    pub fn seen_by(&self, who: &Persona) -> Persona {
        Persona::new(self.service.clone(), who.token.clone())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.jobs.shutdown.cancel();
    }
}

fn token(stand_ins: &StandIns, name: &str) -> String {
    stand_ins.token(name, Duration::from_secs(3600))
}

/// The settings of the stand-ins, with limits that no ordinary test meets.
fn config(database: &Database, stand_ins: &StandIns) -> Config {
    let mut settings = stand_ins.settings();
    settings.push(("DATABASE_URL", database.url.expose().to_owned()));
    settings.push(("OMNITRACK_SECRET_KEY", SECRET.to_owned()));
    for name in LIMITS {
        settings.push((name, "1000000".to_owned()));
    }
    Config::read(&|name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
        .unwrap()
}
