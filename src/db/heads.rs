//! Who listens to which account, and the telling: after each commit the account's new revision goes to
//! its listeners here and, where several instances share a database, to the others (`relay`). An
//! announcement is a hint: what is lost is made good by whoever reads the revision again from time to
//! time. Only the latest matters, so nothing queues.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// Accounts whose news may wait to go to other instances; more are not told there.
const MAX_WAITING: usize = 10_000;

/// What listeners of an account are told. The greater outweighs the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// The account's latest revision.
    Head(i64),
    /// The account is nobody's any more: all who listen must go.
    Ended,
}

/// How many may listen at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub per_account: usize,
    pub per_instance: usize,
}

/// Too many listen already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    Account,
    Instance,
}

#[derive(Debug, Clone)]
pub struct Heads(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    listened: Mutex<Listened>,
    /// Whether other instances may share the database.
    several: bool,
    waiting: Mutex<HashMap<Uuid, News>>,
    wake: Notify,
}

/// The accounts that somebody listens to; no others are in it.
#[derive(Debug, Default)]
struct Listened {
    accounts: HashMap<Uuid, watch::Sender<News>>,
    listeners: usize,
}

impl Heads {
    /// `several`: whether there may be other instances to tell.
    pub(super) fn new(several: bool) -> Self {
        let (listened, waiting, wake) = (Mutex::default(), Mutex::default(), Notify::new());
        Self(Arc::new(Shared { listened, several, waiting, wake }))
    }

    /// Listens to an account. Whoever begins should read the account's revision afterwards: what was
    /// committed before is not told.
    pub fn listen(&self, account: Uuid, bounds: Bounds) -> Result<Listener, Full> {
        let mut listened = self.listened();
        if listened.listeners >= bounds.per_instance {
            return Err(Full::Instance);
        }
        let sender = listened.accounts.entry(account).or_insert_with(|| watch::Sender::new(News::Head(0)));
        if sender.receiver_count() >= bounds.per_account {
            return Err(Full::Account);
        }
        let news = sender.subscribe();
        listened.listeners += 1;
        Ok(Listener { heads: self.clone(), account, news: Some(news) })
    }

    /// Ends all that listen to an account, here and at the other instances: it was erased or blocked.
    pub fn end(&self, account: Uuid) {
        self.announce(account, News::Ended);
    }

    /// Tells listeners here at once, those of other instances soon.
    pub(super) fn announce(&self, account: Uuid, news: News) {
        self.tell(account, news);
        self.put(account, news);
    }

    /// Tells the listeners here.
    pub(super) fn tell(&self, account: Uuid, news: News) {
        let mut listened = self.listened();
        if let Some(sender) = listened.accounts.get(&account) {
            sender.send_if_modified(|latest| {
                let newer = news > *latest;
                *latest = news.max(*latest);
                newer
            });
        }
        if news == News::Ended {
            // They have it; who comes later begins anew.
            listened.accounts.remove(&account);
        }
    }

    /// Leaves news for the other instances.
    pub(super) fn put(&self, account: Uuid, news: News) {
        if !self.0.several {
            return;
        }
        let mut waiting = self.waiting();
        if let Some(latest) = waiting.get_mut(&account) {
            *latest = news.max(*latest);
        } else if waiting.len() < MAX_WAITING {
            waiting.insert(account, news);
        }
        self.0.wake.notify_one();
    }

    /// What waits for the other instances.
    pub(super) fn take(&self) -> Vec<(Uuid, News)> {
        self.waiting().drain().collect()
    }

    /// Resolves when there may be something for the other instances.
    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// How many listen at this instance.
    pub fn listeners(&self) -> usize {
        self.listened().listeners
    }

    fn listened(&self) -> MutexGuard<'_, Listened> {
        self.0.listened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Uuid, News>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who listens to an account, until dropped.
#[derive(Debug)]
pub struct Listener {
    heads: Heads,
    account: Uuid,
    /// There until the drop.
    news: Option<watch::Receiver<News>>,
}

impl Listener {
    /// The latest news, as soon as there are any since the last time. Cancelling loses nothing.
    pub async fn news(&mut self) -> News {
        match &mut self.news {
            Some(news) => match news.changed().await {
                Ok(()) => *news.borrow_and_update(),
                Err(_) => News::Ended,
            },
            None => News::Ended,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listened = self.heads.listened();
        self.news = None;
        listened.listeners -= 1;
        if listened.accounts.get(&self.account).is_some_and(|sender| sender.receiver_count() == 0) {
            listened.accounts.remove(&self.account);
        }
    }
}

#[cfg(test)]
#[path = "heads_test.rs"]
mod tests;
