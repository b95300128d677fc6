//! The gate before Clerk's Backend API: keeps to the rate that Clerk allows an instance, lets deletions
//! pass first and accounts take turns, bounds what one account may ask, and pauses when Clerk says so.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::users::{Profile, UsersError};
use crate::fair_queue::{FairQueue, Limits, Permit, Priority, Turn};

/// The longest a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Requests that wait at once.
const MAX_WAITING: usize = 256;
/// Requests open at once.
const MAX_OPEN: usize = 16;

/// What one account may ask besides its deletion: so many at once after a quiet time, then one in
/// [`ACCOUNT_INTERVAL`]. Clerk allows 10 changes of one user in 10 seconds.
const ACCOUNT_BURST: u32 = 10;
const ACCOUNT_INTERVAL: Duration = Duration::from_secs(3);
/// Accounts that are remembered at once.
const MAX_ACCOUNTS: u64 = 100_000;

/// The pause where Clerk asks for one without naming its length.
const PAUSE: Duration = Duration::from_secs(5);

/// What Clerk documents for an instance: 1,000 requests in 10 seconds in production and 100 in
/// development. Burst and pace together never exceed it.
const PRODUCTION: Rate = Rate { per_second: 80.0, burst: 200 };
const DEVELOPMENT: Rate = Rate { per_second: 8.0, burst: 20 };

struct Rate {
    per_second: f64,
    burst: u32,
}

type Outcome = Result<Profile, UsersError>;

pub(super) struct Gate {
    turns: FairQueue,
    paused_until: Mutex<Instant>,
    /// For each account when its next request would be due at an even pace.
    accounts: moka::sync::Cache<Uuid, Arc<Mutex<Instant>>>,
    /// Profiles being read. Nothing stays when they are.
    reading: Mutex<HashMap<Uuid, watch::Receiver<Option<Outcome>>>>,
}

impl Gate {
    /// A gate for an instance of Clerk; `is_production` as its secret key says.
    pub(super) fn new(is_production: bool) -> Self {
        let Rate { per_second, burst } = if is_production { PRODUCTION } else { DEVELOPMENT };
        let limits = Limits { per_second, burst, open: MAX_OPEN, open_per_lane: 1, waiting: MAX_WAITING };
        Self {
            turns: FairQueue::new(limits),
            paused_until: Mutex::new(Instant::now()),
            accounts: moka::sync::Cache::builder()
                .max_capacity(MAX_ACCOUNTS)
                .time_to_idle(ACCOUNT_INTERVAL * ACCOUNT_BURST)
                .build(),
            reading: Mutex::default(),
        }
    }

    /// Waits for the right to make one request about `account`. Cancel-safe.
    ///
    /// # Errors
    /// [`UsersError::RateLimited`]: the account has asked too much, too many wait, or Clerk has asked for
    /// a pause.
    pub(super) async fn enter(&self, account: Uuid, priority: Priority) -> Result<Permit, UsersError> {
        self.check_pause()?;
        if priority != Priority::Urgent {
            self.charge(account)?;
        }
        let (high, low) = account.as_u64_pair();
        // A deletion does not wait for the end of the account's other requests.
        let lane = if priority == Priority::Urgent { high } else { low };
        let turn = Arc::new(Turn::new(lane, priority, 1));
        let permit = self.turns.enter(turn, MAX_WAIT).await.map_err(|_| limited(MAX_WAIT))?;
        // Clerk may have asked for a pause meanwhile.
        self.check_pause()?;
        Ok(permit)
    }

    /// Asks nothing more for as long as Clerk wants.
    pub(super) fn pause(&self, retry_after_seconds: Option<u64>) {
        let until = Instant::now() + retry_after_seconds.map_or(PAUSE, Duration::from_secs);
        let mut paused_until = lock(&self.paused_until);
        *paused_until = (*paused_until).max(until);
    }

    fn check_pause(&self) -> Result<(), UsersError> {
        let left = lock(&self.paused_until).saturating_duration_since(Instant::now());
        if left.is_zero() { Ok(()) } else { Err(limited(left)) }
    }

    /// Counts one request of the account.
    fn charge(&self, account: Uuid) -> Result<(), UsersError> {
        let now = Instant::now();
        let due = self.accounts.get_with(account, || Arc::new(Mutex::new(now)));
        let mut due = lock(&due);
        let ahead = ACCOUNT_INTERVAL * (ACCOUNT_BURST - 1);
        let wait = due.saturating_duration_since(now).saturating_sub(ahead);
        if !wait.is_zero() {
            return Err(limited(wait));
        }
        *due = (*due).max(now) + ACCOUNT_INTERVAL;
        Ok(())
    }

    /// The outcome of the reading of the account's profile that is under way, or of a new one by `read`,
    /// which goes on when its caller leaves.
    pub(super) async fn read_once<F>(self: &Arc<Self>, account: Uuid, read: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut reading = self.join(account, read);
        match reading.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(UsersError::Unavailable)),
            Err(_) => Err(UsersError::Unavailable),
        }
    }

    fn join<F>(self: &Arc<Self>, account: Uuid, read: impl FnOnce() -> F) -> watch::Receiver<Option<Outcome>>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut reading = lock(&self.reading);
        if let Some(reading) = reading.get(&account) {
            return reading.clone();
        }
        let (done, outcome) = watch::channel(None);
        reading.insert(account, outcome.clone());
        drop(reading);
        let (entry, read) = (Reading { gate: self.clone(), account }, read());
        tokio::spawn(async move {
            let outcome = read.await;
            // Whoever asks from now on is told what Clerk says from now on.
            drop(entry);
            done.send_replace(Some(outcome));
        });
        outcome
    }
}

/// Takes the reading off the map, also when it crashes.
struct Reading {
    gate: Arc<Gate>,
    account: Uuid,
}

impl Drop for Reading {
    fn drop(&mut self) {
        lock(&self.gate.reading).remove(&self.account);
    }
}

fn limited(wait: Duration) -> UsersError {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    UsersError::RateLimited { retry_after_seconds: Some(seconds.max(1)) }
}

/// Nothing that runs under these locks can leave them in disorder.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
