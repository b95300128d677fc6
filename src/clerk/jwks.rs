//! Clerk's public keys: fetched from the configured address, cached, and renewed when they are old or
//! a token names one that is not known. However many tokens arrive and whatever they name, at most one
//! fetch runs at a time and at most one starts in [`Pace::between`]. A failed fetch loses no key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{Clock, Rejected};
use crate::clock::Millis;
use crate::config::ConfigError;

/// Largest key set read, in bytes; Clerk's has one or two keys of about 500.
const MAX_BODY: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// From the request to the last byte of the answer; a token with an unknown key waits no longer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// How often keys are fetched, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Keys older than this are renewed in the background while they keep serving.
    pub(super) fresh_for: Millis,
    /// Shortest time between the starts of two fetches.
    pub(super) between: Millis,
    /// The same for as long as there are no keys at all.
    pub(super) between_first: Millis,
}

impl Default for Pace {
    fn default() -> Self {
        Self { fresh_for: 300_000, between: 30_000, between_first: 1_000 }
    }
}

/// The keys by their ids. Clones share them.
#[derive(Clone)]
pub(super) struct KeyCache(Arc<Inner>);

struct Inner {
    url: String,
    client: reqwest::Client,
    pace: Pace,
    clock: Clock,
    state: Mutex<State>,
}

type KeySet = HashMap<String, Arc<DecodingKey>>;

struct State {
    keys: KeySet,
    /// When the keys that are held were asked for.
    fetched_at: Option<Millis>,
    /// When the last fetch began, however it ended.
    tried_at: Option<Millis>,
    /// Cancelled once the last fetch has ended, however it did.
    ended: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0}")]
    Request(reqwest::Error),
    #[error("status {0}")]
    Status(u16),
    #[error("more than {MAX_BODY} bytes")]
    TooLarge,
    #[error("not a key set")]
    NotAKeySet,
    #[error("no RSA key for signatures in it")]
    NoKeys,
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Request(error.without_url())
    }
}

impl KeyCache {
    pub(super) fn new(url: &str, pace: Pace, clock: Clock) -> Result<Self, ConfigError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(FETCH_TIMEOUT)
            .build()
            .map_err(|error| ConfigError {
                name: "CLERK_JWKS_URL",
                reason: error.without_url().to_string(),
            })?;
        let ended = CancellationToken::new();
        ended.cancel();
        let state = State { keys: KeySet::new(), fetched_at: None, tried_at: None, ended };
        Ok(Self(Arc::new(Inner { url: url.to_owned(), client, pace, clock, state: Mutex::new(state) })))
    }

    /// Whether there is any key; where there is none, sees to it that one is asked for.
    pub(super) fn ready(&self) -> bool {
        let mut state = self.0.lock();
        if state.keys.is_empty() {
            self.fetch_if_due(&mut state);
        }
        !state.keys.is_empty()
    }

    /// The key named `kid`. A known key is returned at once; for an unknown one the fetch under way
    /// is waited for, or a new one if it is due.
    ///
    /// # Errors
    /// [`Rejected::UnknownKey`], or [`Rejected::KeysUnavailable`] while there are none at all.
    pub(super) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, Rejected> {
        let ended = {
            let mut state = self.0.lock();
            if let Some(key) = state.keys.get(kid).cloned() {
                if due(state.fetched_at, self.0.pace.fresh_for, (self.0.clock)()) {
                    self.fetch_if_due(&mut state);
                }
                return Ok(key);
            }
            self.fetch_if_due(&mut state);
            state.ended.clone()
        };
        ended.cancelled().await;
        let state = self.0.lock();
        match state.keys.get(kid) {
            Some(key) => Ok(Arc::clone(key)),
            None if state.keys.is_empty() => Err(Rejected::KeysUnavailable),
            None => Err(Rejected::UnknownKey),
        }
    }

    /// Starts a fetch unless one is under way or the last began too short a time ago. It runs in a
    /// task of its own, so that a caller that goes away does not end it for the others.
    fn fetch_if_due(&self, state: &mut State) {
        let now = (self.0.clock)();
        let pace = &self.0.pace;
        let between = if state.keys.is_empty() { pace.between_first } else { pace.between };
        if !state.ended.is_cancelled() || !due(state.tried_at, between, now) {
            return;
        }
        state.tried_at = Some(now);
        state.ended = CancellationToken::new();
        let ended = state.ended.clone().drop_guard();
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            // Dropped last, once the outcome is in place, and also if the task is cut short.
            let _ended = ended;
            match inner.fetch().await {
                Ok(keys) => {
                    let mut state = inner.lock();
                    state.keys = keys;
                    state.fetched_at = Some(now);
                }
                Err(error) => tracing::warn!(%error, "clerk's keys could not be fetched"),
            }
        });
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let mut answer = self.client.get(&self.url).send().await?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        parse(&body)
    }
}

/// Whether `interval` has passed since `last`. A clock that was set back counts as passed, so that it
/// cannot hold fetches up.
fn due(last: Option<Millis>, interval: Millis, now: Millis) -> bool {
    last.is_none_or(|last| now < last || now - last >= interval)
}

#[derive(Deserialize)]
struct JsonKey {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
}

/// The usable keys of a key set. Keys of other kinds and uses are skipped: they are not for us, and
/// one of them must not cost the others.
fn parse(body: &[u8]) -> Result<KeySet, FetchError> {
    #[derive(Deserialize)]
    struct JsonKeySet {
        keys: Vec<serde_json::Value>,
    }
    let set: JsonKeySet = serde_json::from_slice(body).map_err(|_| FetchError::NotAKeySet)?;
    let keys: KeySet = set
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<JsonKey>(key).ok())
        .filter(|key| {
            key.kty == "RSA"
                && key.usage.as_deref().is_none_or(|usage| usage == "sig")
                && key.alg.as_deref().is_none_or(|alg| alg == "RS256")
        })
        .filter_map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            Some((key.kid, Arc::new(decoding)))
        })
        .collect();
    if keys.is_empty() { Err(FetchError::NoKeys) } else { Ok(keys) }
}

#[cfg(test)]
#[path = "jwks_test.rs"]
mod tests;
