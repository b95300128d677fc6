//! Fair shares of the database between accounts: how many connections, or turns to write, the requests of
//! one account may hold at once. Holds account ids in memory as long as somebody waits or works for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

tokio::task_local! {
    static ACCOUNT: Uuid;
}

/// Runs `work` for `account`: what it reads is charged to the account's share of the connections. Tasks
/// that it spawns are not.
pub async fn on_behalf_of<T>(account: Uuid, work: impl Future<Output = T>) -> T {
    ACCOUNT.scope(account, work).await
}

/// The account that the current task works for, if it works for one.
pub(super) fn current() -> Option<Uuid> {
    ACCOUNT.try_with(|account| *account).ok()
}

/// Permits for each account, given in the order in which they were asked for. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct PerAccount {
    most: usize,
    accounts: Arc<Mutex<HashMap<Uuid, Arc<Semaphore>>>>,
}

impl PerAccount {
    /// At most `most` permits of one account at once.
    pub(super) fn new(most: usize) -> Self {
        Self { most, accounts: Arc::default() }
    }

    /// Waits for a permit of `account`. Cancel-safe: dropped, it leaves the queue.
    pub(super) async fn acquire(&self, account: Uuid) -> Permit {
        // Made first, so that it also cleans up after a wait that is cancelled.
        let mut permit = Permit { permit: None, account, of: self.clone() };
        let semaphore =
            self.lock().entry(account).or_insert_with(|| Arc::new(Semaphore::new(self.most))).clone();
        // Never closed, so never an error.
        permit.permit = semaphore.acquire_owned().await.ok();
        permit
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Semaphore>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit of one account, until dropped.
#[derive(Debug)]
pub(super) struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    account: Uuid,
    of: PerAccount,
}

impl Drop for Permit {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut accounts = self.of.lock();
        // Permits and waiters hold the semaphore, too: where only the map is left, nobody needs it.
        if accounts.get(&self.account).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            accounts.remove(&self.account);
        }
    }
}

#[cfg(test)]
#[path = "per_account_test.rs"]
mod tests;
