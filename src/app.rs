//! The one place where the parts are put together.

use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::{Catalog, DayShare, Language, MediaId};
use crate::clerk::Verifier;
use crate::config::Config;
use crate::db::Db;
use crate::media::{self, Wanted};
use crate::sync::Events;
use crate::telemetry::Metrics;

/// Everything an operation may need. Clones share it all.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub db: Db,
    pub clerk: Verifier,
    pub catalog: Catalog,
    pub wanted: Wanted,
    pub metrics: Metrics,
    pub events: Events,
    book_shares: moka::sync::Cache<Uuid, DayShare>,
}

/// Accounts whose part of Google's day is remembered at once.
const MAX_SHARES: u64 = 100_000;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Config(#[from] crate::config::ConfigError),
    #[error("{0}")]
    Catalog(#[from] crate::catalog::CatalogError),
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
}

impl App {
    /// Opens and migrates the database and prepares the rest; nothing runs yet.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let db = Db::open(&config.database_url).await?;
        db.migrate(&config.database_url).await?;
        Self::with_db(config, db)
    }

    /// Without a database and reachable by nobody: enough to print the contract.
    pub fn detached() -> Result<Self, StartError> {
        let config =
            Config::read(&|name| (name == "CLERK_ISSUER").then(|| "https://clerk.invalid".to_owned()))?;
        Self::with_db(config, Db::detached())
    }

    /// The same on a database that is already open.
    pub fn with_db(config: Config, db: Db) -> Result<Self, StartError> {
        let clerk = Verifier::new(&config.clerk)?;
        let catalog = Catalog::new(&config.sources)?;
        Ok(Self {
            config: Arc::new(config),
            db,
            clerk,
            catalog,
            wanted: Wanted::default(),
            metrics: Metrics::new(),
            events: Events::default(),
            book_shares: moka::sync::Cache::builder()
                .max_capacity(MAX_SHARES)
                .time_to_idle(std::time::Duration::from_secs(26 * 3600))
                .build(),
        })
    }

    /// The account's own part of Google's day. The catalog counts on it without knowing whose it is.
    pub fn books_share(&self, account: Uuid) -> DayShare {
        self.book_shares.get_with(account, DayShare::new)
    }

    /// Keeps what a look-up just brought, so that the write which follows it shows the title at once.
    /// Asks no source. A failure loses nothing: the title is filled in later.
    pub async fn keep_if_seen(&self, id: &MediaId, language: Language) {
        let Some(item) = self.catalog.peek(id, language) else { return };
        let kept = match media::is_known(self.db.read(), id).await {
            Ok(true) => Ok(()),
            Ok(false) => media::remember(&self.db, &item, language).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "title not kept");
        }
    }

    /// Brings the sources' counters up to date before the metrics are shown.
    pub fn publish_source_metrics(&self) {
        for source in self.catalog.stats().sources {
            let name = source.source.as_str();
            let outcomes = [
                ("sent", source.requests),
                ("error", source.errors),
                ("rate_limited", source.rate_limited),
                ("cache_hit", source.cache_hits),
                ("cache_miss", source.cache_misses),
                ("stale_served", source.stale_served),
                ("text_refused", source.texts_refused),
            ];
            for (outcome, total) in outcomes {
                self.metrics.source_requests(name, outcome, total);
            }
        }
    }
}
