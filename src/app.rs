//! The one place where the parts are put together.

use std::path::PathBuf;
use std::sync::Arc;

use entity::receipt;
use entity::value::ErasureReason;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::admission::Bodies;
use crate::catalog::{
    BreakerState, Catalog, Cover, CoverSize, FairShare, Language, MediaId, Picture, SourceName,
};
use crate::clerk::{Users, Verifier};
use crate::config::{Config, Secret};
use crate::db::{Db, sqlite_file};
use crate::erasure::{self, Erasures, Order};
use crate::error::Error;
use crate::export::Exports;
use crate::http::page::Cursors;
use crate::import::Imports;
use crate::media::{self, Covers, Wanted};
use crate::policy::Policies;
use crate::secret::{Purpose, SecretError, Secrets};
use crate::sync::Events;
use crate::telemetry::Metrics;

/// Everything an operation may need. Clones share it all.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub db: Db,
    pub clerk: Verifier,
    pub users: Users,
    pub erasures: Erasures,
    pub policies: Policies,
    pub catalog: Catalog,
    pub wanted: Wanted,
    pub covers: Covers,
    pub cursors: Cursors,
    pub metrics: Metrics,
    pub events: Events,
    pub bodies: Bodies,
    pub exports: Exports,
    pub imports: Imports,
    /// Requests that may write, under way whether or not their clients still wait.
    pub writes: TaskTracker,
    shares: moka::sync::Cache<Uuid, FairShare>,
}

/// Accounts whose share of the sources is remembered at once.
const MAX_SHARES: u64 = 100_000;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Config(#[from] crate::config::ConfigError),
    #[error("{0}")]
    Catalog(#[from] crate::catalog::CatalogError),
    #[error("OMNITRACK_SECRET_KEY: {0}")]
    Secret(#[from] SecretError),
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
}

impl App {
    /// Opens and migrates the database and prepares the rest; nothing runs yet.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let db = Db::open_with_floor(&config.database_url, config.limits.min_free_bytes).await?;
        db.migrate(&config.database_url).await?;
        Self::with_db(config, db)
    }

    /// Without a database and reachable by nobody: enough to print the contract.
    pub fn detached() -> Result<Self, StartError> {
        let config = Config::read(&|name| match name {
            "CLERK_ISSUER" => Some("https://clerk.invalid".to_owned()),
            "OMNITRACK_SECRET_KEY" => Some("signs nothing that anybody sees".to_owned()),
            _ => None,
        })?;
        Self::with_db(config, Db::detached())
    }

    /// The same on a database that is already open.
    pub fn with_db(config: Config, db: Db) -> Result<Self, StartError> {
        let db = db.with_quota(config.quota);
        let clerk = Verifier::new(&config.clerk)?;
        let users = Users::new(&config.clerk.backend)?;
        let policies = Policies::open(config.operator.policies.clone())?;
        let catalog = Catalog::new(&config.sources)?;
        let secrets = match &config.secrets {
            Some(secrets) => secrets.clone(),
            None => Secrets::kept_in(&secret_file(&config)?)?,
        };
        let exports = Exports::new(secrets.sealer(Purpose::Export), &config);
        let bodies = Bodies::new(config.bodies.bytes);
        let imports = Imports::new(config.uploads.wait);
        Ok(Self {
            config: Arc::new(config),
            db,
            clerk,
            users,
            erasures: Erasures::default(),
            policies,
            catalog,
            wanted: Wanted::default(),
            covers: Covers::new(secrets.signer(Purpose::Cover)),
            cursors: Cursors::new(secrets.signer(Purpose::Cursor)),
            metrics: Metrics::new(),
            events: Events::default(),
            bodies,
            exports,
            imports,
            writes: TaskTracker::new(),
            shares: moka::sync::Cache::builder()
                .max_capacity(MAX_SHARES)
                .time_to_idle(std::time::Duration::from_secs(26 * 3600))
                .build(),
        })
    }

    /// A cover of its source. What is learnt by the way, its thumbhash or that there is none, is kept.
    pub async fn picture(&self, cover: &Cover, size: CoverSize) -> Result<Arc<Picture>, Error> {
        let found = self.catalog.picture(cover, size).await.map_err(|unavailable| {
            Error::SourceUnavailable { retry_after_seconds: unavailable.retry_after_seconds }
        })?;
        if size == CoverSize::Small || found.is_none() {
            self.covers.meet(&self.db, cover, found.as_deref()).await;
        }
        found.ok_or(Error::NotFound)
    }

    /// The account's own turns at the sources and part of Google's day. The catalog counts on it without
    /// knowing whose it is.
    pub fn share(&self, account: Uuid) -> FairShare {
        self.shares.get_with(account, FairShare::new)
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

    /// Erases the account of a Clerk user who asks for it, or notes that it is to be done; and asks Clerk
    /// at once to do the same.
    pub async fn erase(&self, user: Secret, now: bool) -> Result<receipt::Model, Error> {
        let reason = ErasureReason::Person;
        let order = Order::to_clerk(user, reason, &self.users);
        let account = order.account();
        let receipt = erasure::ask(&self.db, order, self.config.retention.grace_days, now).await?;
        if receipt.erased_at.is_none() {
            return Ok(receipt);
        }
        self.shares.invalidate(&account);
        let receipt = erasure::at_clerk::try_now(&self.db, &self.users, account, receipt).await?;
        self.erasures.to_be_wiped();
        Ok(receipt)
    }

    /// Brings the sources' counters up to date before the metrics are shown.
    pub fn publish_source_metrics(&self) {
        let stats = self.catalog.stats();
        let named = stats.sources.iter().map(|source| (source.source.as_str(), source));
        let pictures = stats.pictures.iter().map(|source| (pictures_of(source.source), source));
        for (name, source) in named.chain(pictures) {
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
            let state = match source.breaker {
                BreakerState::Closed => 0,
                BreakerState::HalfOpen => 1,
                BreakerState::Open => 2,
            };
            self.metrics.source_breaker(name, source.breaker_opened, state);
        }
    }
}

/// Where the secret is kept that nobody has set: beside the database, whose fate it shares.
fn secret_file(config: &Config) -> Result<PathBuf, sea_orm::DbErr> {
    let mut path = sqlite_file(&config.database_url)?;
    path.as_mut_os_string().push(".key");
    Ok(path)
}

/// What the metrics call the pictures of a source.
fn pictures_of(source: SourceName) -> &'static str {
    match source {
        SourceName::Tmdb => "tmdb_images",
        SourceName::Igdb => "igdb_images",
        SourceName::GoogleBooks => "google_books_images",
    }
}
