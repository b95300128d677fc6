//! Slots for long work, such as uploads and downloads: a few at once, one of each owner, and while more owners
//! wait than there are slots, granted to the owners by turns.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Requests of one owner that wait at once.
const MAX_WAITING_OF_OWNER: usize = 2;
/// Requests that wait at once.
const MAX_WAITING: usize = 64;

/// Why a slot is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The owner has one.
    Owner,
    /// Others have all of them, or too many wait.
    Busy,
}

/// Clones share the slots.
#[derive(Debug)]
pub struct Slots<K>(Arc<Mutex<State<K>>>);

#[derive(Debug)]
struct State<K> {
    free: usize,
    /// The owners that have a slot.
    running: HashSet<K>,
    /// The owners that wait, the next one first.
    turns: VecDeque<K>,
    /// What each of them waits with, the first one first. Never empty.
    waiting: HashMap<K, VecDeque<Waiting>>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    granted: oneshot::Sender<()>,
}

impl<K> Clone for Slots<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

fn lock<K>(state: &Mutex<State<K>>) -> MutexGuard<'_, State<K>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash> Slots<K> {
    pub fn new(slots: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: slots,
            running: HashSet::new(),
            turns: VecDeque::new(),
            waiting: HashMap::new(),
            next_ticket: 0,
        })))
    }

    /// Waits for a slot of `owner`, at most for `patience`. Dropped meanwhile, it leaves nothing behind.
    ///
    /// # Errors
    /// None was granted in time, or too many requests wait already.
    pub async fn acquire(&self, owner: K, patience: Duration) -> Result<Slot<K>, Refused> {
        let mut place = self.enqueue(owner)?;
        match timeout(patience, &mut place.granted).await {
            Ok(Ok(())) => Ok(place.into_slot()),
            _ => Err(if lock(&self.0).running.contains(&owner) { Refused::Owner } else { Refused::Busy }),
        }
    }

    /// How many slots are taken.
    pub fn running(&self) -> usize {
        lock(&self.0).running.len()
    }

    fn enqueue(&self, owner: K) -> Result<Place<K>, Refused> {
        let mut state = lock(&self.0);
        let own = state.waiting.get(&owner).map_or(0, VecDeque::len);
        if own >= MAX_WAITING_OF_OWNER {
            return Err(Refused::Owner);
        }
        if state.waiting.values().map(VecDeque::len).sum::<usize>() >= MAX_WAITING {
            return Err(Refused::Busy);
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let (granted, receiver) = oneshot::channel();
        state.waiting.entry(owner).or_default().push_back(Waiting { ticket, granted });
        if own == 0 {
            state.turns.push_back(owner);
        }
        state.grant();
        Ok(Place { state: Some(self.0.clone()), owner, ticket, granted: receiver })
    }
}

impl<K: Copy + Eq + Hash> State<K> {
    /// Grants free slots to the owners whose turn it is.
    fn grant(&mut self) {
        while self.free > 0 {
            let Some(index) = self.turns.iter().position(|owner| !self.running.contains(owner)) else {
                return;
            };
            let Some(owner) = self.turns.remove(index) else { return };
            let Some(queue) = self.waiting.get_mut(&owner) else { continue };
            let first = queue.pop_front();
            if queue.is_empty() {
                self.waiting.remove(&owner);
            } else {
                self.turns.push_back(owner);
            }
            if let Some(first) = first {
                self.free -= 1;
                self.running.insert(owner);
                // Whoever no longer waits releases the slot when its place is dropped.
                let _ = first.granted.send(());
            }
        }
    }

    fn release(&mut self, owner: K) {
        self.running.remove(&owner);
        self.free += 1;
        self.grant();
    }

    /// Takes a request out of its queue; tells whether it was still waiting.
    fn leave(&mut self, owner: K, ticket: u64) -> bool {
        let Some(queue) = self.waiting.get_mut(&owner) else { return false };
        let before = queue.len();
        queue.retain(|one| one.ticket != ticket);
        let left = queue.len();
        if left == 0 {
            self.waiting.remove(&owner);
            self.turns.retain(|one| *one != owner);
        }
        left < before
    }
}

/// A place in the queue, or a slot that was granted and not yet taken.
struct Place<K: Copy + Eq + Hash> {
    /// None once it has become a slot.
    state: Option<Arc<Mutex<State<K>>>>,
    owner: K,
    ticket: u64,
    granted: oneshot::Receiver<()>,
}

impl<K: Copy + Eq + Hash> Place<K> {
    fn into_slot(mut self) -> Slot<K> {
        Slot { state: self.state.take(), owner: self.owner }
    }
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let Some(state) = self.state.take() else { return };
        let mut state = lock(&state);
        if !state.leave(self.owner, self.ticket) {
            state.release(self.owner);
        }
    }
}

/// A slot, given back when it is dropped.
#[derive(Debug)]
#[must_use = "it is given back when it is dropped"]
pub struct Slot<K: Copy + Eq + Hash> {
    state: Option<Arc<Mutex<State<K>>>>,
    owner: K,
}

impl<K: Copy + Eq + Hash> Drop for Slot<K> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            lock(&state).release(self.owner);
        }
    }
}

#[cfg(test)]
#[path = "slots_test.rs"]
mod tests;
