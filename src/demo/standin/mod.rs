//! Stand-ins of Clerk, TMDB, Twitch, IGDB and Google Books: HTTP servers on loopback that speak the
//! upstreams' formats, oddities included, over the sample catalog. Owns their start, their settings,
//! and what tests do to them. Never calls out, and never listens beyond loopback.

mod apicalypse;
mod clerk;
mod exchange;
mod google_books;
mod igdb;
mod key;
mod listener;
mod tee;
mod tmdb;
mod twitch;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::{self, Config, ConfigError};
use crate::demo::sample::Catalog;

pub use exchange::Recorded;
pub use listener::{Fault, RECORDED};

use listener::{Answer, Listener};

/// The secret of Clerk's Backend API.
pub const CLERK_SECRET_KEY: &str = "sk_demo";
/// What Clerk's webhooks are signed with.
pub const CLERK_WEBHOOK_SIGNING_SECRET: &str = "whsec_ZGVtb25zdHJhdGlvbiBzZWNyZXQgb2YgQ2xlcms=";
pub const TMDB_ACCESS_TOKEN: &str = "demo-tmdb-access-token";
pub const TWITCH_CLIENT_ID: &str = "demotwitchclient";
pub const TWITCH_CLIENT_SECRET: &str = "demotwitchsecret";
pub const GOOGLE_BOOKS_API_KEY: &str = "demo-google-books-key";

/// One stand-in. Twitch has a server of its own, because IGDB's sign-in fails on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    Clerk,
    Tmdb,
    Twitch,
    Igdb,
    GoogleBooks,
}

impl Source {
    pub const ALL: [Self; 5] = [Self::Clerk, Self::Tmdb, Self::Twitch, Self::Igdb, Self::GoogleBooks];
}

/// All stand-ins, running. Dropping it closes every socket, also those of requests that hang.
pub struct StandIns {
    clerk: Arc<clerk::Clerk>,
    tokens: Arc<twitch::Tokens>,
    listeners: Listeners,
    _stop: DropGuard,
}

struct Listeners {
    clerk: Listener,
    tmdb: Listener,
    twitch: Listener,
    igdb: Listener,
    google_books: Listener,
}

impl StandIns {
    /// Starts all of them, each on a free port of 127.0.0.1. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// No port, no runtime, no key, or a sample catalog that does not parse (a test excludes that).
    pub fn start() -> io::Result<Self> {
        let catalog = Arc::new(Catalog::load()?);
        let stop = CancellationToken::new();
        let socket = Listener::bind()?;
        let clerk = Arc::new(clerk::Clerk::new(format!("http://{}", socket.local_addr()?))?);
        let tokens = Arc::new(twitch::Tokens::default());
        let serve = |answer: Arc<dyn Answer>| Listener::serve(Listener::bind()?, answer, stop.clone());
        let listeners = Listeners {
            clerk: Listener::serve(socket, Arc::<clerk::Clerk>::clone(&clerk), stop.clone())?,
            tmdb: serve(Arc::new(tmdb::Tmdb::new(Arc::clone(&catalog))))?,
            twitch: serve(Arc::<twitch::Tokens>::clone(&tokens))?,
            igdb: serve(Arc::new(igdb::Igdb::new(&catalog, Arc::clone(&tokens))))?,
            google_books: serve(Arc::new(google_books::GoogleBooks::new(catalog)))?,
        };
        Ok(Self { clerk, tokens, listeners, _stop: stop.drop_guard() })
    }

    /// Where a stand-in listens.
    pub fn address(&self, source: Source) -> SocketAddr {
        self.listeners.of(source).address
    }

    /// The environment variables that point the service here, names and values.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let at = |source, path: &str| format!("http://{}{path}", self.address(source));
        vec![
            ("CLERK_ISSUER", self.clerk.issuer().to_owned()),
            ("CLERK_SECRET_KEY", CLERK_SECRET_KEY.into()),
            ("CLERK_API_URL", at(Source::Clerk, "")),
            ("CLERK_WEBHOOK_SIGNING_SECRET", CLERK_WEBHOOK_SIGNING_SECRET.into()),
            ("TMDB_ACCESS_TOKEN", TMDB_ACCESS_TOKEN.into()),
            ("TMDB_BASE_URL", at(Source::Tmdb, "/3")),
            ("TMDB_IMAGE_BASE_URL", at(Source::Tmdb, "/t/p")),
            ("TWITCH_CLIENT_ID", TWITCH_CLIENT_ID.into()),
            ("TWITCH_CLIENT_SECRET", TWITCH_CLIENT_SECRET.into()),
            ("TWITCH_TOKEN_URL", at(Source::Twitch, "/oauth2/token")),
            ("IGDB_BASE_URL", at(Source::Igdb, "/v4")),
            ("IGDB_IMAGE_BASE_URL", at(Source::Igdb, "/igdb/image/upload")),
            ("GOOGLE_BOOKS_API_KEY", GOOGLE_BOOKS_API_KEY.into()),
            ("GOOGLE_BOOKS_BASE_URL", at(Source::GoogleBooks, "/books/v1")),
            ("GOOGLE_BOOKS_IMAGE_BASE_URL", at(Source::GoogleBooks, "/books/content")),
        ]
    }

    /// The settings of Clerk and of the sources, read by the same code that reads the environment.
    ///
    /// # Errors
    /// A setting of [`StandIns::settings`] breaks a rule of [`Config`].
    pub fn configure(&self) -> Result<(config::Clerk, config::Sources), ConfigError> {
        let settings = self.settings();
        let config = Config::read(&|name| {
            settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
        })?;
        Ok((config.clerk, config.sources))
    }

    /// What came to `source`, oldest first: the last [`RECORDED`] requests.
    pub fn requests(&self, source: Source) -> Vec<Recorded> {
        self.listeners.of(source).requests()
    }

    /// Resolves when `count` requests have come to `source` since the start.
    pub async fn arrived(&self, source: Source, count: usize) {
        self.listeners.of(source).arrived(count).await;
    }

    /// Sets what `source` does instead of answering, or clears it; ends what hangs there.
    pub fn fault(&self, source: Source, fault: Option<Fault>) {
        self.listeners.of(source).fault(fault, None);
    }

    /// Sets `fault` for the next `times` requests only.
    pub fn fault_times(&self, source: Source, fault: Fault, times: usize) {
        self.listeners.of(source).fault((times > 0).then_some(fault), Some(times));
    }

    /// A session token as Clerk makes them for an iOS app: version 2, no `azp`. Its subject is
    /// `user_<user>`, whom the users API knows from then on, unless deleted there before.
    pub fn token(&self, user: &str, lifetime: Duration) -> String {
        self.clerk.meet(user);
        self.token_with(&self.header(), &self.claims(user, lifetime))
    }

    /// The header of [`StandIns::token`].
    pub fn header(&self) -> Value {
        self.clerk.header()
    }

    /// The claims of [`StandIns::token`].
    pub fn claims(&self, user: &str, lifetime: Duration) -> Value {
        self.clerk.claims(user, lifetime)
    }

    /// Signs any header and claims with the current key, whatever `alg` says; `alg` `none` gets an
    /// empty signature.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.clerk.sign(header, claims)
    }

    /// The current public key as PEM (`CLERK_JWT_KEY`).
    pub fn public_key_pem(&self) -> io::Result<String> {
        self.clerk.public_key_pem()
    }

    /// Replaces the signing key: a new `kid`, and the old key is gone from the JWKS.
    pub fn rotate_key(&self) -> io::Result<()> {
        self.clerk.rotate()
    }

    /// The user with that id (`user_…`), as the users API shows it.
    pub fn user(&self, id: &str) -> Option<Value> {
        self.clerk.user(id)
    }

    /// Puts or replaces a user object under its own `id`, deleted before or not.
    pub fn put_user(&self, user: Value) {
        self.clerk.put_user(user);
    }

    /// How many tokens Twitch has minted.
    pub fn minted(&self) -> usize {
        self.tokens.minted()
    }

    /// Makes every token that Twitch has minted so far invalid at IGDB.
    pub fn revoke_tokens(&self) {
        self.tokens.revoke();
    }
}

impl Listeners {
    fn of(&self, source: Source) -> &Listener {
        match source {
            Source::Clerk => &self.clerk,
            Source::Tmdb => &self.tmdb,
            Source::Twitch => &self.twitch,
            Source::Igdb => &self.igdb,
            Source::GoogleBooks => &self.google_books,
        }
    }
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;
