//! Rate limits, per account and per client address, held in this instance's memory within a bound.
//! Headers: draft-ietf-httpapi-ratelimit-headers.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;
use uuid::Uuid;

use crate::config;
use crate::network::{SITE, SUBSCRIBER, network};

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// The policy that every request with a valid token is counted by.
const ACCOUNT: &str = "account";

/// Buckets held at once per policy; the least used go first.
const MAX_BUCKETS: u64 = 100_000;

/// How many clients' worth of requests the networks of one IPv6 site may make together. Without this
/// bound, whoever holds a /48 has 65,536 networks with a full allowance each.
const CLIENTS_PER_SITE: u32 = 10;

pub struct Limits {
    pub account: Policy<Uuid>,
    pub search: Policy<Uuid>,
    pub address: AddressPolicy,
    pub image: AddressPolicy,
}

/// A policy for clients that are known by their address only: one bucket for each client, and beside it
/// one for each IPv6 site.
pub struct AddressPolicy {
    client: Policy<IpAddr>,
    site: Policy<IpAddr>,
}

impl AddressPolicy {
    fn new(client: &'static str, site: &'static str, per_minute: u32) -> Self {
        let of_site = per_minute.saturating_mul(CLIENTS_PER_SITE);
        Self { client: Policy::new(client, per_minute), site: Policy::new(site, of_site) }
    }

    /// Counts one request of `address`. A request that its client's own bucket refuses does not count for
    /// the site, so that one client cannot use up the allowance of its neighbors.
    pub fn count(&self, address: IpAddr, decisions: &mut Vec<Decision>) {
        let decision = self.client.count(address_key(address));
        decisions.push(decision);
        let site = network(address, SITE);
        if decision.retry_after.is_none() && site.is_ipv6() {
            decisions.push(self.site.count(site));
        }
    }
}

impl Limits {
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            account: Policy::new(ACCOUNT, limits.account),
            search: Policy::new("search", limits.search),
            address: AddressPolicy::new("address", "site", limits.address),
            image: AddressPolicy::new("image", "site-image", limits.image),
        }
    }
}

/// So many requests per minute for each key, a quarter of them at once.
pub struct Policy<K> {
    name: &'static str,
    per_minute: NonZeroU32,
    burst: NonZeroU32,
    buckets: Cache<K, Arc<Bucket>>,
}

/// What a policy says of one request.
#[derive(Debug, Clone, Copy)]
pub struct Decision {
    name: &'static str,
    burst: u32,
    /// Seconds in which an empty bucket fills.
    window: u32,
    remaining: u32,
    /// Set when the request is refused: seconds until the next may come.
    pub retry_after: Option<u64>,
}

impl Decision {
    /// Whether the request was counted for an account.
    pub fn is_of_account(&self) -> bool {
        self.name == ACCOUNT
    }
}

impl<K: std::hash::Hash + Eq + Send + Sync + 'static> Policy<K> {
    fn new(name: &'static str, per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(per_minute.get().div_ceil(4)).unwrap_or(NonZeroU32::MIN);
        let buckets =
            Cache::builder().max_capacity(MAX_BUCKETS).time_to_idle(Duration::from_secs(120)).build();
        Self { name, per_minute, burst, buckets }
    }

    /// Counts one request of `key`.
    pub fn count(&self, key: K) -> Decision {
        self.count_many(key, 1)
    }

    /// Counts what stands for `number` requests of `key`. What is more than may come at once is not
    /// counted, so that a full bucket always lets it pass.
    fn count_many(&self, key: K, number: u32) -> Decision {
        let number = NonZeroU32::new(number.min(self.burst.get())).unwrap_or(NonZeroU32::MIN);
        let bucket = self.buckets.get_with(key, || {
            let quota = Quota::per_minute(self.per_minute).allow_burst(self.burst);
            Arc::new(RateLimiter::direct(quota).with_middleware::<StateInformationMiddleware>())
        });
        let window = (60 * self.burst.get()).div_ceil(self.per_minute.get());
        let decision =
            Decision { name: self.name, burst: self.burst.get(), window, remaining: 0, retry_after: None };
        // No more than the burst is asked for, so that there is capacity for it.
        let Ok(checked) = bucket.check_n(number) else { return decision };
        match checked {
            Ok(state) => Decision { remaining: state.remaining_burst_capacity(), ..decision },
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                Decision { retry_after: Some(wait.as_secs() + 1), ..decision }
            }
        }
    }
}

/// An account's limit, for an operation that does the work of several requests. The edge has counted the
/// request itself before; what it says to the client is what was decided last.
#[derive(Clone)]
pub struct Charge {
    limits: Arc<Limits>,
    account: Uuid,
    decided: Arc<Mutex<Option<Decision>>>,
}

impl Charge {
    pub fn new(limits: Arc<Limits>, account: Uuid) -> Self {
        Self { limits, account, decided: Arc::default() }
    }

    /// Counts a request that does the work of `number`, of which one was counted already.
    ///
    /// # Errors
    /// The seconds to wait, where the account may not do so much now.
    pub fn count_as(&self, number: usize) -> Result<(), u64> {
        let burst = self.limits.account.burst.get();
        let number = u32::try_from(number).unwrap_or(u32::MAX).min(burst);
        let Some(more) = number.checked_sub(1).filter(|more| *more > 0) else { return Ok(()) };
        let decision = self.limits.account.count_many(self.account, more);
        *self.decided.lock().unwrap_or_else(PoisonError::into_inner) = Some(decision);
        decision.retry_after.map_or(Ok(()), Err)
    }

    /// Puts what was decided since in place of what the edge decided of the same policy.
    pub fn update(&self, decisions: &mut [Decision]) {
        let decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(decided) = *decided else { return };
        for decision in decisions.iter_mut().filter(|decision| decision.name == decided.name) {
            *decision = decided;
        }
    }
}

/// Returns the address under which a client is counted: one subscriber has a whole /64 of IPv6.
pub fn address_key(address: IpAddr) -> IpAddr {
    network(address, SUBSCRIBER)
}

/// The values of `RateLimit-Policy` and `RateLimit`.
pub fn headers(decisions: &[Decision]) -> (String, String) {
    let policy = |d: &Decision| format!("\"{}\";q={};w={}", d.name, d.burst, d.window);
    let state = |d: &Decision| {
        let reset = d.retry_after.unwrap_or_else(|| u64::from(d.window));
        format!("\"{}\";r={};t={reset}", d.name, d.remaining)
    };
    let join = |parts: Vec<String>| parts.join(", ");
    (join(decisions.iter().map(policy).collect()), join(decisions.iter().map(state).collect()))
}

#[cfg(test)]
#[path = "limit_test.rs"]
mod tests;
