//! The settings: one struct per concern, read from environment variables. A setting that cannot be
//! right stops the start with one clear line. Secrets never show in `Debug`.

mod clerk;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use clerk::{Backend, Clerk, ClerkKeys};
use url::{Host, Url};

use crate::db::{self, Quota};
use crate::secret::Secrets;

/// A value that must not reach a log: `Debug` prints a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends or verifies with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: Secret,
    /// What addresses are signed with; `None` on SQLite means the one kept beside the file.
    pub secrets: Option<Secrets>,
    pub clerk: Clerk,
    pub sources: Sources,
    pub tls: Option<Tls>,
    /// A proxy in front terminates TLS and names the client in `X-Forwarded-For`.
    pub behind_proxy: bool,
    pub metrics_token: Option<Secret>,
    pub limits: Limits,
    pub bodies: Bodies,
    /// What one account may keep.
    pub quota: Quota,
    pub uploads: Uploads,
    pub retention: Retention,
    pub operator: Operator,
    pub log: Log,
}

/// Access to the three sources. A source without credentials is `None` and reported as
/// `not_configured`.
#[derive(Debug, Clone)]
pub struct Sources {
    pub tmdb: Option<Tmdb>,
    pub igdb: Option<Igdb>,
    pub google_books: Option<GoogleBooks>,
    /// This instance's part of each source's allowance, above 0 and at most 1.
    pub share: f64,
    /// The bound on all lookup caches together, in bytes.
    pub cache_bytes: u64,
}

#[derive(Debug, Clone)]
pub struct Tmdb {
    pub access_token: Secret,
    /// Without a trailing slash, like every base address here.
    pub base_url: String,
    pub image_base_url: String,
}

#[derive(Debug, Clone)]
pub struct Igdb {
    pub client_id: String,
    pub client_secret: Secret,
    pub token_url: String,
    pub base_url: String,
    pub image_base_url: String,
}

#[derive(Debug, Clone)]
pub struct GoogleBooks {
    pub api_key: Secret,
    pub base_url: String,
    pub image_base_url: String,
}

/// Certificate chain and key, both PEM files; read again when they change.
#[derive(Debug, Clone)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// How request bodies are read. A body that brings too little within a window is refused.
#[derive(Debug, Clone, Copy)]
pub struct Bodies {
    /// Bytes of all bodies in memory at once, uploads of archives excepted.
    pub bytes: usize,
    /// No setting: tests have less patience.
    pub window: Duration,
    /// Bytes that arrive in each window at the least.
    pub least: usize,
}

impl Bodies {
    /// The least budget: an account may hold a quarter of it, and the largest body must fit into that.
    const MIN_BYTES: u32 = 16 * 1024 * 1024;

    fn new(bytes: usize) -> Self {
        Self { bytes, window: Duration::from_secs(5), least: 5 * 1024 }
    }
}

/// How long a large body may take. No setting: tests have less patience.
#[derive(Debug, Clone, Copy)]
pub struct Uploads {
    /// The window in which at least [`Uploads::least`] bytes arrive.
    pub stall: Duration,
    pub least: usize,
    /// Altogether.
    pub whole: Duration,
    /// Until it begins, while others are under way.
    pub wait: Duration,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(30),
            least: 30 * 1024,
            whole: Duration::from_secs(600),
            wait: Duration::from_secs(10),
        }
    }
}

/// Requests per minute; a quarter of a minute's worth may come at once. Limits hold per instance.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Per account.
    pub account: u32,
    /// Searches and lookups per account, since they draw on the sources' allowances.
    pub search: u32,
    /// Per client address, for what needs no token and for tokens that are refused.
    pub address: u32,
    /// Pictures per client address: they need no token, and a page shows dozens at once.
    pub image: u32,
    /// Connections open at once.
    pub connections: usize,
    /// SQLite: bytes of the disk that stay free; 0: no floor. Below it only erasures write.
    pub min_free_bytes: u64,
    /// Connections open at once per client address. Not applied behind a proxy.
    pub connections_per_address: usize,
}

/// How long what is left of things is kept, in days.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// How long synchronisation remembers what was deleted.
    pub tombstone_days: u32,
    /// How long a deletion that was asked for can be taken back; 0: it takes effect at once.
    pub grace_days: u32,
    /// How long backups of the database live, and with them the marks of erased accounts.
    pub backup_days: u32,
    /// How long the receipt of an erasure can be shown.
    pub receipt_days: u32,
}

/// Who runs the service, for the pages that people read, and what they are asked to agree to.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    pub controller: Option<String>,
    pub contact: Option<String>,
    /// The folder with policies and announcements.
    pub policies: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
pub struct Log {
    pub level: tracing::Level,
    pub json: bool,
}

/// A setting that cannot be right: its name and what is wrong with it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}: {reason}")]
pub struct ConfigError {
    pub name: &'static str,
    pub reason: String,
}

fn wrong<T>(name: &'static str, reason: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError { name, reason: reason.into() })
}

impl Config {
    /// Reads the settings of the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads the settings through `lookup`; an empty value counts as absent.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Env(lookup);
        let listen: SocketAddr = env.parse("OMNITRACK_LISTEN", "127.0.0.1:8080")?;
        let tls = match (env.get("OMNITRACK_TLS_CERT"), env.get("OMNITRACK_TLS_KEY")) {
            (Some(cert), Some(key)) => Some(Tls { cert: cert.into(), key: key.into() }),
            (None, None) => None,
            (Some(_), None) => return wrong("OMNITRACK_TLS_KEY", "is needed with OMNITRACK_TLS_CERT"),
            (None, Some(_)) => return wrong("OMNITRACK_TLS_CERT", "is needed with OMNITRACK_TLS_KEY"),
        };
        let behind_proxy = env.flag("OMNITRACK_BEHIND_PROXY")?;
        if tls.is_none() && !behind_proxy && !listen.ip().is_loopback() {
            return wrong(
                "OMNITRACK_LISTEN",
                "an outside address needs OMNITRACK_TLS_CERT and OMNITRACK_TLS_KEY, \
                 or OMNITRACK_BEHIND_PROXY=true when a proxy encrypts in front",
            );
        }
        let database_url = database_url(&env)?;
        Ok(Self {
            listen,
            secrets: secrets(&env, &database_url)?,
            database_url,
            clerk: clerk::read(&env)?,
            sources: sources(&env)?,
            tls,
            behind_proxy,
            metrics_token: env.get("OMNITRACK_METRICS_TOKEN").map(Secret::new),
            limits: Limits {
                account: env.positive("OMNITRACK_RATE_ACCOUNT", "1200")?,
                search: env.positive("OMNITRACK_RATE_SEARCH", "120")?,
                address: env.positive("OMNITRACK_RATE_ADDRESS", "300")?,
                image: env.positive("OMNITRACK_RATE_IMAGE", "3000")?,
                connections: env.positive("OMNITRACK_MAX_CONNECTIONS", "4096")? as usize,
                min_free_bytes: env.parse("OMNITRACK_MIN_FREE_BYTES", "67108864")?,
                connections_per_address: env.positive("OMNITRACK_MAX_CONNECTIONS_PER_ADDRESS", "256")?
                    as usize,
            },
            bodies: Bodies::new(env.body_bytes()?),
            quota: quota(&env)?,
            uploads: Uploads::default(),
            retention: Retention {
                tombstone_days: env.days("OMNITRACK_TOMBSTONE_DAYS", "180")?,
                grace_days: env.grace_days()?,
                backup_days: env.days("OMNITRACK_BACKUP_DAYS", "90")?,
                receipt_days: env.days("OMNITRACK_RECEIPT_DAYS", "1095")?,
            },
            operator: Operator {
                controller: env.get("OMNITRACK_CONTROLLER"),
                contact: env.get("OMNITRACK_CONTACT"),
                policies: env.get("OMNITRACK_POLICIES").map(PathBuf::from),
            },
            log: Log {
                level: env.parse("OMNITRACK_LOG", "info")?,
                json: match env.get("OMNITRACK_LOG_FORMAT").as_deref() {
                    None | Some("text") => false,
                    Some("json") => true,
                    Some(_) => return wrong("OMNITRACK_LOG_FORMAT", "must be text or json"),
                },
            },
        })
    }
}

/// What one account may keep, for the commands that need no other setting.
pub fn quota_from_env() -> Result<Quota, ConfigError> {
    quota(&Env(&|name| std::env::var(name).ok()))
}

fn quota(env: &Env<'_>) -> Result<Quota, ConfigError> {
    let usual = Quota::default();
    let number = |name, usual: u64| match env.parse(name, &usual.to_string())? {
        0 => wrong(name, "must be at least 1"),
        number => Ok(number),
    };
    Ok(Quota {
        entries: number("OMNITRACK_MAX_ENTRIES", usual.entries)?,
        events: number("OMNITRACK_MAX_EVENTS", usual.events)?,
        lists: number("OMNITRACK_MAX_LISTS", usual.lists)?,
        list_items: number("OMNITRACK_MAX_LIST_ITEMS", usual.list_items)?,
        text_bytes: number("OMNITRACK_MAX_TEXT_BYTES", usual.text_bytes)?,
    })
}

/// The database address alone, for `omnitrack migrate`, which needs no other setting.
pub fn database_url_from_env() -> Result<Secret, ConfigError> {
    database_url(&Env(&|name| std::env::var(name).ok()))
}

fn database_url(env: &Env<'_>) -> Result<Secret, ConfigError> {
    let url = env.get("DATABASE_URL").unwrap_or_else(|| "sqlite://omnitrack.db?mode=rwc".into());
    if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return wrong("DATABASE_URL", "must begin with sqlite:// or postgres://");
    }
    let url = Secret::new(url);
    if !url.expose().starts_with("sqlite:") {
        db::check_transport(&url).or_else(|reason| wrong("DATABASE_URL", reason))?;
    }
    Ok(url)
}

/// Instances that share a PostgreSQL must share the secret, so that it cannot be made up at one of them.
fn secrets(env: &Env<'_>, database_url: &Secret) -> Result<Option<Secrets>, ConfigError> {
    let name = "OMNITRACK_SECRET_KEY";
    match env.get(name) {
        Some(list) => Secrets::parse(&list).map(Some).or_else(|error| wrong(name, error.to_string())),
        None if database_url.expose().starts_with("sqlite:") => Ok(None),
        None => wrong(name, "is needed with PostgreSQL, the same at every instance"),
    }
}

fn sources(env: &Env<'_>) -> Result<Sources, ConfigError> {
    let tmdb = match env.get("TMDB_ACCESS_TOKEN") {
        Some(token) => Some(Tmdb {
            access_token: Secret::new(token),
            base_url: env.url("TMDB_BASE_URL", "https://api.themoviedb.org/3")?,
            image_base_url: env.url("TMDB_IMAGE_BASE_URL", "https://image.tmdb.org/t/p")?,
        }),
        None => None,
    };
    let igdb = match (env.get("TWITCH_CLIENT_ID"), env.get("TWITCH_CLIENT_SECRET")) {
        (Some(client_id), Some(secret)) => Some(Igdb {
            client_id,
            client_secret: Secret::new(secret),
            token_url: env.url("TWITCH_TOKEN_URL", "https://id.twitch.tv/oauth2/token")?,
            base_url: env.url("IGDB_BASE_URL", "https://api.igdb.com/v4")?,
            image_base_url: env.url("IGDB_IMAGE_BASE_URL", "https://images.igdb.com/igdb/image/upload")?,
        }),
        (None, None) => None,
        (Some(_), None) => return wrong("TWITCH_CLIENT_SECRET", "is needed with TWITCH_CLIENT_ID"),
        (None, Some(_)) => return wrong("TWITCH_CLIENT_ID", "is needed with TWITCH_CLIENT_SECRET"),
    };
    let google_books = match env.get("GOOGLE_BOOKS_API_KEY") {
        Some(key) => Some(GoogleBooks {
            api_key: Secret::new(key),
            base_url: env.url("GOOGLE_BOOKS_BASE_URL", "https://www.googleapis.com/books/v1")?,
            image_base_url: env
                .url("GOOGLE_BOOKS_IMAGE_BASE_URL", "https://books.google.com/books/content")?,
        }),
        None => None,
    };
    let share: f64 = env.parse("OMNITRACK_SOURCE_SHARE", "1.0")?;
    if !(share > 0.0 && share <= 1.0) {
        return wrong("OMNITRACK_SOURCE_SHARE", "must be above 0 and at most 1");
    }
    let cache_bytes: u64 = env.parse("OMNITRACK_CACHE_BYTES", "67108864")?;
    Ok(Sources { tmdb, igdb, google_books, share, cache_bytes })
}

/// Reads a base address. It is parsed by the rules that clients follow (WHATWG URL) and used as it was
/// understood, so that what is checked here is what will be asked.
fn http_url(name: &'static str, text: &str) -> Result<String, ConfigError> {
    let url = Url::parse(text).or_else(|error| wrong(name, format!("is not a URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(name, "must hold no user name and no password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong(name, "must end with its path");
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return wrong(name, "clear text is allowed on loopback only: use https://"),
        _ => return wrong(name, "must begin with https:// (or http:// on loopback)"),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The environment behind a function, so that tests can make one up.
struct Env<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Env<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn parse<T: std::str::FromStr<Err: fmt::Display>>(
        &self,
        name: &'static str,
        default: &str,
    ) -> Result<T, ConfigError> {
        let text = self.get(name).unwrap_or_else(|| default.to_owned());
        text.parse().or_else(|error: T::Err| wrong(name, error.to_string()))
    }

    fn positive(&self, name: &'static str, default: &str) -> Result<u32, ConfigError> {
        match self.parse(name, default)? {
            0 => wrong(name, "must be at least 1"),
            number => Ok(number),
        }
    }

    fn body_bytes(&self) -> Result<usize, ConfigError> {
        let name = "OMNITRACK_BODY_BYTES";
        match self.parse(name, "67108864")? {
            0..Bodies::MIN_BYTES => wrong(name, format!("must be at least {}", Bodies::MIN_BYTES)),
            bytes => Ok(bytes as usize),
        }
    }

    /// At least one, and not more than a hundred years.
    fn days(&self, name: &'static str, default: &str) -> Result<u32, ConfigError> {
        match self.positive(name, default)? {
            days @ ..=36_500 => Ok(days),
            _ => wrong(name, "must be at most 36500"),
        }
    }

    /// None, or at most thirty days: a person who wants to go is not kept for longer.
    fn grace_days(&self) -> Result<u32, ConfigError> {
        let name = "OMNITRACK_DELETION_GRACE_DAYS";
        match self.parse(name, "0")? {
            days @ 0..=30 => Ok(days),
            _ => wrong(name, "must be at most 30"),
        }
    }

    fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.get(name).as_deref() {
            None | Some("false" | "0" | "no") => Ok(false),
            Some("true" | "1" | "yes") => Ok(true),
            Some(_) => wrong(name, "must be true or false"),
        }
    }

    fn url(&self, name: &'static str, default: &str) -> Result<String, ConfigError> {
        http_url(name, self.get(name).as_deref().unwrap_or(default))
    }
}

#[cfg(test)]
#[path = "config_test.rs"]
mod tests;
