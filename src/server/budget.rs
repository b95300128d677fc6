//! Budgets of memory that clients can have the server hold for them: bytes of answers that are not sent
//! yet, and requests that are being handled. Kept per connection, per client address and for the whole
//! instance, so that one client cannot use up what is there for all.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::network::{SUBSCRIBER, network};

/// What a request counts as while it is handled: its header, and what handling it takes.
pub(super) const RESERVE: usize = 32 * 1024;
/// Bytes per second that a client must take at least of what is queued for its connection.
const MIN_RATE: usize = 8 * 1024;

/// The limits of the budgets, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub connection: usize,
    pub address: usize,
    pub instance: usize,
    pub connections_per_address: usize,
}

impl Limits {
    /// For a server that sees the addresses of its clients.
    pub(super) fn by_address(connections_per_address: usize) -> Self {
        Self { address: 32 * 1024 * 1024, connections_per_address, ..Self::default() }
    }
}

impl Default for Limits {
    /// For a server behind a proxy, whose address is that of every client.
    fn default() -> Self {
        Self {
            connection: 8 * 1024 * 1024,
            address: usize::MAX,
            instance: 96 * 1024 * 1024,
            connections_per_address: usize::MAX,
        }
    }
}

/// The budget of the whole instance, and the addresses that have connections.
pub(super) struct Instance {
    limits: Limits,
    used: AtomicUsize,
    addresses: Mutex<HashMap<IpAddr, Address>>,
}

struct Address {
    connections: usize,
    used: Arc<AtomicUsize>,
}

impl Instance {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, used: AtomicUsize::new(0), addresses: Mutex::default() })
    }

    /// Counts a connection of `peer`. Returns `None` if its address has as many as it may.
    pub(super) fn connect(self: &Arc<Self>, peer: IpAddr) -> Option<Arc<Connection>> {
        let address = network(peer, SUBSCRIBER);
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let entry =
            addresses.entry(address).or_insert_with(|| Address { connections: 0, used: Arc::default() });
        if entry.connections >= self.limits.connections_per_address {
            return None;
        }
        entry.connections += 1;
        let state =
            State { used: 0, requests: 0, idle_since: Instant::now(), next_id: 0, unsent: BTreeMap::new() };
        Some(Arc::new(Connection {
            instance: Arc::clone(self),
            address,
            used_by_address: Arc::clone(&entry.used),
            state: Mutex::new(state),
            released: Notify::new(),
        }))
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }
}

/// The budget of one connection. It holds a place of its address until it is dropped.
pub(super) struct Connection {
    instance: Arc<Instance>,
    address: IpAddr,
    used_by_address: Arc<AtomicUsize>,
    state: Mutex<State>,
    released: Notify,
}

struct State {
    used: usize,
    /// Requests whose answers are not sent completely.
    requests: usize,
    /// When the last of them ended.
    idle_since: Instant,
    next_id: u64,
    unsent: BTreeMap<u64, Unsent>,
}

struct Unsent {
    bytes: usize,
    /// When the client last took a byte of it.
    progress_at: Instant,
    /// By when the client must have taken all of it.
    due: Instant,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// The client does not take what it asked for.
    Stalled,
    /// No request has been open for as long as is allowed.
    Idle,
}

impl Connection {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves room for handling one request. Waits while the connection has none, because a slow client
    /// may well ask for more at once than it can take. Returns `None` at once if the client's other
    /// connections or the instance have none. Dropped, it reserves nothing.
    pub(super) async fn admit(self: &Arc<Self>) -> Option<Reservation> {
        if !self.try_share(RESERVE) {
            return None;
        }
        // From here on the drop of `shared` gives back what was reserved.
        let mut shared = Reservation { connection: Arc::clone(self), of_connection: 0 };
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            released.as_mut().enable();
            if self.try_reserve() {
                shared.of_connection = RESERVE;
                return Some(shared);
            }
            released.await;
        }
    }

    fn try_reserve(&self) -> bool {
        let mut state = self.state();
        let fits = state.used + RESERVE <= self.instance.limits.connection;
        if fits {
            state.used += RESERVE;
        }
        fits
    }

    /// Adds to the budgets of the address and of the instance, unless that exceeds one of them.
    fn try_share(&self, bytes: usize) -> bool {
        let limits = &self.instance.limits;
        if !try_add(&self.used_by_address, bytes, limits.address) {
            return false;
        }
        let fits = try_add(&self.instance.used, bytes, limits.instance);
        if !fits {
            self.used_by_address.fetch_sub(bytes, Ordering::SeqCst);
        }
        fits
    }

    fn release_shared(&self, bytes: usize) {
        self.used_by_address.fetch_sub(bytes, Ordering::SeqCst);
        self.instance.used.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// Charges bytes of an answer that wait to be sent, if the budgets have room for them.
    pub(super) fn try_charge(self: &Arc<Self>, bytes: usize, stall: Duration) -> Option<UnsentBytes> {
        if !self.try_share(bytes) {
            return None;
        }
        // The request that is answered still holds its reservation.
        if self.state().used + bytes > self.instance.limits.connection + RESERVE {
            self.release_shared(bytes);
            return None;
        }
        Some(self.enqueue(bytes, stall))
    }

    /// Charges bytes of an answer that must be sent, whatever the budgets say: the answer to a write.
    pub(super) fn charge(self: &Arc<Self>, bytes: usize, stall: Duration) -> UnsentBytes {
        self.used_by_address.fetch_add(bytes, Ordering::SeqCst);
        self.instance.used.fetch_add(bytes, Ordering::SeqCst);
        self.enqueue(bytes, stall)
    }

    fn enqueue(self: &Arc<Self>, bytes: usize, stall: Duration) -> UnsentBytes {
        let now = Instant::now();
        let mut state = self.state();
        state.used += bytes;
        let in_turn = Duration::from_secs((state.used / MIN_RATE) as u64);
        let id = state.next_id;
        state.next_id += 1;
        state.unsent.insert(id, Unsent { bytes, progress_at: now, due: now + stall + in_turn });
        UnsentBytes { connection: Arc::clone(self), id }
    }

    /// Counts a request as open until the guard is dropped.
    pub(super) fn open_request(self: &Arc<Self>) -> OpenRequest {
        self.state().requests += 1;
        OpenRequest(Arc::clone(self))
    }

    /// Resolves when the client has left an answer unread, or the connection unused, for too long.
    pub(super) async fn expired(&self, stall: Duration, idle: Duration) -> Expiry {
        loop {
            let now = Instant::now();
            let next = {
                let state = self.state();
                let due = state.unsent.values().map(|unsent| unsent.due.min(unsent.progress_at + stall));
                let due = due.min();
                let idle_at = (state.requests == 0).then_some(state.idle_since + idle);
                if due.is_some_and(|due| due <= now) {
                    return Expiry::Stalled;
                }
                if idle_at.is_some_and(|idle_at| idle_at <= now) {
                    return Expiry::Idle;
                }
                // What begins later than now cannot expire before these.
                let later = now + stall.min(idle);
                [due, idle_at].into_iter().flatten().fold(later, Instant::min)
            };
            tokio::time::sleep_until(next.into()).await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut addresses = self.instance.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = addresses.get_mut(&self.address) {
            entry.connections -= 1;
            if entry.connections == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

fn try_add(counter: &AtomicUsize, bytes: usize, limit: usize) -> bool {
    let add = |used: usize| used.checked_add(bytes).filter(|used| *used <= limit);
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).is_ok()
}

/// Room for one request that is being handled, until dropped.
pub(super) struct Reservation {
    connection: Arc<Connection>,
    of_connection: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.connection.state().used -= self.of_connection;
        self.connection.release_shared(RESERVE);
        self.connection.released.notify_waiters();
    }
}

/// Bytes of an answer that wait to be sent. Dropped, they count no longer.
pub(super) struct UnsentBytes {
    connection: Arc<Connection>,
    id: u64,
}

impl UnsentBytes {
    /// Notes that the client's connection has taken `bytes` of them.
    pub(super) fn sent(&self, bytes: usize) {
        let mut state = self.connection.state();
        let Some(unsent) = state.unsent.get_mut(&self.id) else { return };
        let bytes = bytes.min(unsent.bytes);
        unsent.bytes -= bytes;
        unsent.progress_at = Instant::now();
        if unsent.bytes == 0 {
            state.unsent.remove(&self.id);
        }
        state.used -= bytes;
        drop(state);
        self.connection.release_shared(bytes);
        self.connection.released.notify_waiters();
    }
}

impl Drop for UnsentBytes {
    fn drop(&mut self) {
        self.sent(usize::MAX);
    }
}

/// An open request, until dropped.
pub(super) struct OpenRequest(Arc<Connection>);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.idle_since = Instant::now();
    }
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
