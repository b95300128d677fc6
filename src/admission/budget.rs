//! A budget of bytes that owners share: each may hold a part of it, all together the whole.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What every reservation costs beside its bytes, for its own bookkeeping. It bounds their number.
const OVERHEAD: usize = 512;

/// Why bytes are not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// The owner holds as much as one may.
    Share,
    /// All owners together do.
    Total,
}

/// Clones share the budget.
#[derive(Debug)]
pub struct ByteBudget<K>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K> {
    total: usize,
    share: usize,
    held: Mutex<Held<K>>,
}

#[derive(Debug)]
struct Held<K> {
    total: usize,
    /// Owners that hold nothing are not kept.
    owners: HashMap<K, usize>,
}

impl<K> Clone for ByteBudget<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> ByteBudget<K> {
    /// A budget of `total` bytes of which one owner may hold `share`.
    pub fn new(total: usize, share: usize) -> Self {
        let held = Mutex::new(Held { total: 0, owners: HashMap::new() });
        Self(Arc::new(Inner { total, share: share.min(total), held }))
    }

    fn held(&self) -> MutexGuard<'_, Held<K>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes that are held.
    pub fn used(&self) -> usize {
        self.held().total
    }
}

impl<K: Copy + Eq + Hash> ByteBudget<K> {
    /// Begins a reservation of `owner` that grows as bytes arrive.
    ///
    /// # Errors
    /// Not even an empty one fits.
    pub fn reserve(&self, owner: K) -> Result<Reservation<K>, Exhausted> {
        let mut reservation = Reservation { budget: self.clone(), owner, bytes: 0 };
        reservation.grow(OVERHEAD)?;
        Ok(reservation)
    }
}

/// Bytes that an owner holds until it is dropped.
#[derive(Debug)]
#[must_use = "the bytes are given back when it is dropped"]
pub struct Reservation<K: Copy + Eq + Hash> {
    budget: ByteBudget<K>,
    owner: K,
    bytes: usize,
}

impl<K: Copy + Eq + Hash> Reservation<K> {
    /// Takes so many more bytes.
    ///
    /// # Errors
    /// They are not there; what is held already stays held.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let mut held = self.budget.held();
        self.judge(&held, bytes)?;
        held.total += bytes;
        *held.owners.entry(self.owner).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }

    /// Whether so many more bytes are there just now. Takes none.
    ///
    /// # Errors
    /// They are not.
    pub fn fits(&self, bytes: usize) -> Result<(), Exhausted> {
        self.judge(&self.budget.held(), bytes)
    }

    fn judge(&self, held: &Held<K>, bytes: usize) -> Result<(), Exhausted> {
        let own = held.owners.get(&self.owner).copied().unwrap_or_default();
        if bytes > self.budget.0.share.saturating_sub(own) {
            return Err(Exhausted::Share);
        }
        if bytes > self.budget.0.total.saturating_sub(held.total) {
            return Err(Exhausted::Total);
        }
        Ok(())
    }
}

impl<K: Copy + Eq + Hash> Drop for Reservation<K> {
    fn drop(&mut self) {
        let mut held = self.budget.held();
        held.total = held.total.saturating_sub(self.bytes);
        if let Some(own) = held.owners.get_mut(&self.owner) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                held.owners.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
