//! Sign-in by Clerk: turns the bearer token of a request into a [`Session`] without asking Clerk.
//! Owns the verification keys and the rules that a session token must meet. It keeps no token, logs
//! none, and never takes the address of a key from a token. Apart from that it knows the [`Users`] of
//! Clerk's Backend API.

mod gate;
mod jwks;
mod token;
mod users;

use std::sync::Arc;

use jsonwebtoken::DecodingKey;

use crate::clock::{self, Millis};
use crate::config::{self, ClerkKeys, ConfigError};
pub use token::{Rejected, Session, account_id};
pub use users::{Profile, Users, UsersError};

/// Where "now" comes from: [`clock::now`], except in the tests of this module.
type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Verifies session tokens. Clones share the keys.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    rules: token::Rules,
    keys: Keys,
    clock: Clock,
}

enum Keys {
    /// One key from the settings, whatever `kid` a token names.
    Fixed(DecodingKey),
    Fetched(jwks::KeyCache),
}

impl Verifier {
    /// Sets verification up; nothing is fetched yet (see [`Verifier::ready`]).
    ///
    /// # Errors
    /// The PEM is not an RSA public key, or no TLS client can be made (no CA certificates).
    pub fn new(clerk: &config::Clerk) -> Result<Self, ConfigError> {
        Self::with(clerk, jwks::Pace::default(), Arc::new(clock::now))
    }

    fn with(clerk: &config::Clerk, pace: jwks::Pace, clock: Clock) -> Result<Self, ConfigError> {
        let keys = match &clerk.keys {
            ClerkKeys::Pem(pem) => Keys::Fixed(token::public_key(pem)?),
            ClerkKeys::JwksUrl(url) => Keys::Fetched(jwks::KeyCache::new(url, pace, Arc::clone(&clock))?),
        };
        let rules = token::Rules::new(&clerk.issuer, &clerk.authorized_parties);
        Ok(Self(Arc::new(Inner { rules, keys, clock })))
    }

    /// Returns whether there are keys to verify with that Clerk has confirmed within the last 24 hours. Where
    /// there are none, or they are no longer fresh, they are asked for in the background, within the bounds
    /// of `jwks::Pace`, so that a start and its probes need nothing else. Must be called within the
    /// runtime.
    pub fn ready(&self) -> bool {
        match &self.0.keys {
            Keys::Fixed(_) => true,
            Keys::Fetched(cache) => cache.ready(),
        }
    }

    /// Returns who the token speaks for. Waits for the network only when the token names a key that is not
    /// known and a fetch is due or under way (bounded by two fetches' time-outs).
    ///
    /// # Errors
    /// Every reason is the same 401 to a client, except [`Rejected::KeysUnavailable`]: whether the token is
    /// valid cannot be told just now, which is a 503.
    pub async fn verify(&self, token: &str) -> Result<Session, Rejected> {
        let Inner { rules, keys, clock } = &*self.0;
        let kid = token::key_id(token)?;
        match keys {
            Keys::Fixed(key) => rules.check(token, key, clock()),
            Keys::Fetched(cache) => {
                let key = cache.find(&kid.ok_or(Rejected::UnknownKey)?).await?;
                rules.check(token, &key, clock())
            }
        }
    }
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;

#[cfg(test)]
#[path = "fixture_test.rs"]
mod fixture;
