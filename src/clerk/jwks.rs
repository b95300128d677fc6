//! Clerk's public keys: fetched from the configured address, cached, and renewed when they are old or
//! a token names one that is not known. However many tokens arrive and whatever they name, at most one
//! fetch runs at a time, and fetches for unknown keys draw on a small budget. A failed fetch loses no key
//! until the keys were last confirmed [`Pace::trusted_for`] ago.
//!
//! A key is called unknown (401) only after a key set that was asked for after the token came in lacks
//! it. While no such set can be had, because Clerk does not answer or the budget is used up, the answer is
//! that the keys are unavailable (503): a made-up key id must sign nobody out.

use std::collections::{HashMap, VecDeque};
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

/// Longest key id that is looked up, in bytes; Clerk's have about thirty.
const MAX_KID: usize = 128;
/// Key ids that are remembered as absent.
const MAX_ABSENT: usize = 256;

/// How often keys are fetched and how long they count, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Keys older than this are renewed in the background while they keep serving.
    pub(super) fresh_for: Millis,
    /// Keys that were not confirmed for this long verify nothing any more, so that a key that Clerk has
    /// withdrawn does not outlive a long outage.
    pub(super) trusted_for: Millis,
    /// Shortest time between the starts of two renewals.
    pub(super) between: Millis,
    /// The same for as long as there are no keys that count.
    pub(super) between_first: Millis,
    /// A fetch for an unknown key is earned back in this time,
    pub(super) refill: Millis,
    /// and so many may come at once.
    pub(super) burst: i32,
    /// How long a key id that the key set lacks is answered without another fetch.
    pub(super) absent_for: Millis,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            fresh_for: 300_000,
            trusted_for: 86_400_000,
            between: 30_000,
            between_first: 1_000,
            refill: 12_000,
            burst: 5,
            absent_for: 30_000,
        }
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
    /// Fetches begun so far, and the number of the last one that brought a key set.
    begun: u64,
    succeeded: u64,
    /// When the budget for unknown keys is full again.
    full_at: Millis,
    /// Key ids that a key set lacked, oldest first, and when that was.
    absent: VecDeque<(String, Millis)>,
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
        let state = State {
            keys: KeySet::new(),
            fetched_at: None,
            tried_at: None,
            begun: 0,
            succeeded: 0,
            full_at: Millis::MIN,
            absent: VecDeque::new(),
            ended,
        };
        Ok(Self(Arc::new(Inner { url: url.to_owned(), client, pace, clock, state: Mutex::new(state) })))
    }

    /// Returns whether there are keys that count. Starts a fetch where there are none and one is due, and
    /// where those that are held are no longer fresh.
    pub(super) fn ready(&self) -> bool {
        let mut state = self.0.lock();
        self.renew_if_due(&mut state);
        self.0.is_trusted(&state)
    }

    /// Returns the key named `kid`: a known one at once; for an unknown one it waits for at most two
    /// fetches, the one under way and the one that the budget allows. Cancel-safe.
    ///
    /// # Errors
    /// [`Rejected::UnknownKey`]: Clerk has no such key. [`Rejected::KeysUnavailable`]: that cannot be
    /// told just now.
    pub(super) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, Rejected> {
        if kid.len() > MAX_KID {
            return Err(Rejected::UnknownKey);
        }
        // A set that was asked for before the token came may be older than the token's key.
        let needed = self.0.lock().begun + 1;
        loop {
            let ended = {
                let mut state = self.0.lock();
                match self.judge(&mut state, kid, needed) {
                    Some(judged) => return judged,
                    None => state.ended.clone(),
                }
            };
            ended.cancelled().await;
        }
    }

    /// Returns what is known of `kid` now, or nothing while a fetch under way may tell more. `needed` is
    /// the number of the first fetch that began after the token came in.
    fn judge(&self, state: &mut State, kid: &str, needed: u64) -> Option<Result<Arc<DecodingKey>, Rejected>> {
        let now = (self.0.clock)();
        if self.0.is_trusted(state) {
            if let Some(key) = state.keys.get(kid).cloned() {
                self.renew_if_due(state);
                return Some(Ok(key));
            }
            if state.succeeded >= needed {
                state.note_absent(kid, now);
                return Some(Err(Rejected::UnknownKey));
            }
            let absent_for = self.0.pace.absent_for;
            if state.absent.iter().any(|(absent, at)| absent == kid && !due(Some(*at), absent_for, now)) {
                return Some(Err(Rejected::UnknownKey));
            }
        }
        if !state.ended.is_cancelled() {
            return None;
        }
        if state.begun >= needed {
            return Some(Err(Rejected::KeysUnavailable));
        }
        let started = if self.0.is_trusted(state) {
            state.spend(&self.0.pace, now) && self.fetch(state)
        } else {
            self.renew_if_due(state)
        };
        if started { None } else { Some(Err(Rejected::KeysUnavailable)) }
    }

    /// Starts a fetch if the keys are not fresh and the last one began long enough ago. Returns whether it
    /// did.
    fn renew_if_due(&self, state: &mut State) -> bool {
        let (now, pace) = ((self.0.clock)(), &self.0.pace);
        let between = if self.0.is_trusted(state) { pace.between } else { pace.between_first };
        due(state.fetched_at, pace.fresh_for, now) && due(state.tried_at, between, now) && self.fetch(state)
    }

    /// Starts a fetch unless one is under way. It runs in a task of its own, so that a caller that goes
    /// away does not end it for the others.
    fn fetch(&self, state: &mut State) -> bool {
        if !state.ended.is_cancelled() {
            return false;
        }
        let now = (self.0.clock)();
        state.tried_at = Some(now);
        state.begun += 1;
        state.ended = CancellationToken::new();
        let (number, ended) = (state.begun, state.ended.clone().drop_guard());
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            // Dropped last, once the outcome is in place, and also if the task is cut short.
            let _ended = ended;
            match inner.fetch().await {
                Ok(keys) => {
                    let mut state = inner.lock();
                    state.keys = keys;
                    state.fetched_at = Some(now);
                    state.succeeded = number;
                }
                Err(error) => tracing::warn!(%error, "clerk's keys could not be fetched"),
            }
        });
        true
    }
}

impl State {
    /// Takes one fetch for an unknown key from the budget (a generic cell rate algorithm). Returns false
    /// if it is used up.
    fn spend(&mut self, pace: &Pace, now: Millis) -> bool {
        let whole = pace.refill * Millis::from(pace.burst);
        // A clock that was set back cannot hold fetches up.
        let full_at = if self.full_at > now + whole { now } else { self.full_at.max(now) };
        let allowed = full_at + pace.refill <= now + whole;
        self.full_at = if allowed { full_at + pace.refill } else { full_at };
        allowed
    }

    fn note_absent(&mut self, kid: &str, now: Millis) {
        self.absent.retain(|(absent, _)| absent != kid);
        if self.absent.len() >= MAX_ABSENT {
            self.absent.pop_front();
        }
        self.absent.push_back((kid.to_owned(), now));
    }
}

impl Inner {
    /// Whether there are keys, and Clerk has confirmed them lately.
    fn is_trusted(&self, state: &State) -> bool {
        let now = (self.clock)();
        // A clock that was set back takes no trust away: [`due`] has the keys renewed.
        let trusted = |at| now - at < self.pace.trusted_for;
        !state.keys.is_empty() && state.fetched_at.is_some_and(trusted)
    }

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
