//! FairQueue to an upstream in fair turns: so many requests a second, so many open at once. Those that
//! wait are served by priority, and within a priority in turns by lane (start-time fair queuing). A lane
//! is a number that its user gives to whoever should not delay others; nothing here knows whose it is.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Of so many turns one is for the lowest priority while any of it waits, so that it is late under load
/// and never stands still.
const LOWEST_EVERY: u32 = 8;

/// Who is served first. Higher ones go before lower ones, whatever their lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Nobody waits for the answer.
    Background,
    /// A person waits for it.
    Interactive,
    /// It goes before everything else: a deletion.
    Urgent,
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub per_second: f64,
    /// How many may come at once after a quiet time.
    pub burst: u32,
    /// Requests open at the same time.
    pub open: usize,
    /// Requests of one lane open at the same time.
    pub open_per_lane: usize,
    /// Requests that wait at the same time.
    pub waiting: usize,
}

/// The place of one request in the queue. It can be raised while it waits.
#[derive(Debug)]
pub struct Turn(Mutex<Place>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    lane: u64,
    priority: Priority,
    /// How many ordinary requests this one counts as in its lane's turns.
    cost: u64,
}

impl Turn {
    pub fn new(lane: u64, priority: Priority, cost: u64) -> Self {
        Self(Mutex::new(Place { lane, priority, cost: cost.max(1) }))
    }

    /// Gives the request to `lane` if that has the higher priority: somebody more urgent has come to wait
    /// for the same answer.
    pub fn raise(&self, lane: u64, priority: Priority) {
        let mut place = lock(&self.0);
        if priority > place.priority {
            *place = Place { lane, priority, ..*place };
        }
    }

    pub fn priority(&self) -> Priority {
        self.place().priority
    }

    /// A turn at the same place, which counts as one request.
    pub fn again(&self) -> Self {
        Self(Mutex::new(Place { cost: 1, ..self.place() }))
    }

    fn place(&self) -> Place {
        *lock(&self.0)
    }
}

/// Too many wait, or the wait was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// A queue in front of one upstream. Clones share it.
#[derive(Clone)]
pub struct FairQueue(Arc<Inner>);

struct Inner {
    limits: Limits,
    interval: Duration,
    state: Mutex<State>,
}

struct State {
    waiting: Vec<Waiting>,
    lanes: HashMap<u64, Lane>,
    /// The start tag of the request that was served last.
    virtual_time: u64,
    /// When the next turn is due at an even pace.
    due: Instant,
    open: usize,
    arrivals: u64,
    /// Turns since the lowest priority had one.
    since_lowest: u32,
    timer: bool,
}

#[derive(Default)]
struct Lane {
    /// Where the lane's last request ends in virtual time.
    finish: u64,
    open: usize,
}

struct Waiting {
    turn: Arc<Turn>,
    /// The place that the tag was given for.
    place: Place,
    tag: u64,
    arrival: u64,
    admit: oneshot::Sender<Permit>,
}

/// The right to have one request open; it ends when this is dropped.
pub struct Permit {
    queue: Arc<Inner>,
    lane: u64,
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permit")
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.state);
        state.open = state.open.saturating_sub(1);
        if let Some(lane) = state.lanes.get_mut(&self.lane) {
            lane.open = lane.open.saturating_sub(1);
        }
        drop(state);
        self.queue.serve();
    }
}

impl FairQueue {
    pub fn new(limits: Limits) -> Self {
        let interval = Duration::from_secs_f64((1.0 / limits.per_second).clamp(0.0, 3600.0));
        let state = State {
            waiting: Vec::new(),
            lanes: HashMap::new(),
            virtual_time: 0,
            due: Instant::now(),
            open: 0,
            arrivals: 0,
            since_lowest: 0,
            timer: false,
        };
        Self(Arc::new(Inner { limits, interval, state: Mutex::new(state) }))
    }

    /// Waits for the right to make one request, for at most `max_wait`. Cancel-safe: a caller who leaves
    /// gives up the place.
    ///
    /// # Errors
    /// [`Busy`] after `max_wait`; at once, or while it waits, where the queue is full and no other lane
    /// has more requests in it.
    pub async fn enter(&self, turn: Arc<Turn>, max_wait: Duration) -> Result<Permit, Busy> {
        let admitted = self.0.enqueue(turn)?;
        self.0.serve();
        match tokio::time::timeout(max_wait, admitted).await {
            Ok(Ok(permit)) => Ok(permit),
            // The sender went: another lane had the better claim to the place.
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }

    /// Requests that wait now.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        lock(&self.0.state).waiting.len()
    }
}

impl Inner {
    fn enqueue(&self, turn: Arc<Turn>) -> Result<oneshot::Receiver<Permit>, Busy> {
        let mut state = lock(&self.state);
        state.waiting.retain(|waiting| !waiting.admit.is_closed());
        let place = turn.place();
        if state.waiting.len() >= self.limits.waiting {
            state.make_room(place)?;
        }
        let tag = state.tag(place);
        let arrival = state.arrivals;
        state.arrivals += 1;
        let (admit, admitted) = oneshot::channel();
        state.waiting.push(Waiting { turn, place, tag, arrival, admit });
        Ok(admitted)
    }

    /// Admits as many as the limits allow now; the rest when a permit ends or the next turn is due.
    fn serve(self: &Arc<Self>) {
        loop {
            let mut state = lock(&self.state);
            if state.open >= self.limits.open {
                return;
            }
            let now = Instant::now();
            // How far turns may run ahead of an even pace.
            let ahead = self.interval * self.limits.burst.saturating_sub(1);
            let wait = state.due.saturating_duration_since(now).saturating_sub(ahead);
            if !wait.is_zero() {
                if !state.waiting.is_empty() && !state.timer {
                    state.timer = self.wake_after(wait);
                }
                return;
            }
            let Some(next) = state.next(&self.limits) else { return };
            state.due = state.due.max(now) + self.interval;
            state.open += 1;
            let lane = next.place.lane;
            state.lanes.entry(lane).or_default().open += 1;
            drop(state);
            // One that left in this moment gives its permit back, which serves the next.
            drop(next.admit.send(Permit { queue: self.clone(), lane }));
        }
    }

    /// Whether somebody will look again after `wait`.
    fn wake_after(self: &Arc<Self>, wait: Duration) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return false };
        let queue = self.clone();
        runtime.spawn(async move {
            tokio::time::sleep(wait).await;
            lock(&queue.state).timer = false;
            queue.serve();
        });
        true
    }
}

impl State {
    /// Where a request of this place stands in virtual time: behind its own lane's, and not before now.
    fn tag(&mut self, place: Place) -> u64 {
        let lane = self.lanes.entry(place.lane).or_default();
        let tag = lane.finish.max(self.virtual_time);
        lane.finish = tag.saturating_add(place.cost);
        tag
    }

    /// Takes the request out that is served next.
    fn next(&mut self, limits: &Limits) -> Option<Waiting> {
        self.waiting.retain(|waiting| !waiting.admit.is_closed());
        self.follow_raised();
        let free = |waiting: &&Waiting| {
            self.lanes.get(&waiting.place.lane).is_none_or(|lane| lane.open < limits.open_per_lane)
        };
        let lowest = |waiting: &&Waiting| waiting.place.priority == Priority::Background;
        let order = |waiting: &&Waiting| (waiting.tag, waiting.arrival);
        let due = self.since_lowest + 1 >= LOWEST_EVERY;
        let owed = self.waiting.iter().filter(free).filter(lowest).min_by_key(order).filter(|_| due);
        let first = owed.or_else(|| {
            let best = |w: &&Waiting| (std::cmp::Reverse(w.place.priority), w.tag, w.arrival);
            self.waiting.iter().filter(free).min_by_key(best)
        })?;
        let arrival = first.arrival;
        let at = self.waiting.iter().position(|waiting| waiting.arrival == arrival)?;
        let next = self.waiting.remove(at);
        self.since_lowest =
            if next.place.priority == Priority::Background { 0 } else { self.since_lowest.saturating_add(1) };
        self.virtual_time = self.virtual_time.max(next.tag);
        self.forget_lanes(limits);
        Some(next)
    }

    /// Forgets lanes that have no debt and none open. When nothing waits any more, a busy time is over and
    /// with it every debt.
    fn forget_lanes(&mut self, limits: &Limits) {
        if self.waiting.is_empty() {
            self.virtual_time = self.lanes.values().map(|lane| lane.finish).fold(self.virtual_time, u64::max);
        }
        let now = self.virtual_time;
        self.lanes.retain(|_, lane| lane.open > 0 || lane.finish > now);
        // A busy time in which ever new lanes come: those that have been served are as good as new.
        if self.lanes.len() > limits.waiting.saturating_mul(4) {
            let waiting: HashSet<u64> = self.waiting.iter().map(|waiting| waiting.place.lane).collect();
            self.lanes.retain(|number, lane| lane.open > 0 || waiting.contains(number));
        }
    }

    /// Moves requests to the lanes that they were given to while they waited.
    fn follow_raised(&mut self) {
        for at in 0..self.waiting.len() {
            let Some(waiting) = self.waiting.get(at) else { continue };
            let place = waiting.turn.place();
            if place == waiting.place {
                continue;
            }
            let tag = self.tag(place);
            if let Some(waiting) = self.waiting.get_mut(at) {
                (waiting.place, waiting.tag) = (place, tag);
            }
        }
    }

    /// Sends the last request of the least urgent and then fullest lane away, if that has more of them
    /// than the newcomer's.
    fn make_room(&mut self, newcomer: Place) -> Result<(), Busy> {
        let mut counts: HashMap<(Priority, u64), usize> = HashMap::new();
        for waiting in &self.waiting {
            *counts.entry((waiting.place.priority, waiting.place.lane)).or_default() += 1;
        }
        let own = counts.get(&(newcomer.priority, newcomer.lane)).copied().unwrap_or(0);
        let fullest =
            counts.into_iter().max_by_key(|((priority, _), count)| (std::cmp::Reverse(*priority), *count));
        let ((priority, lane), count) = fullest.ok_or(Busy)?;
        let yields = priority < newcomer.priority || (priority == newcomer.priority && count > own + 1);
        if !yields {
            return Err(Busy);
        }
        let last = self
            .waiting
            .iter()
            .enumerate()
            .filter(|(_, waiting)| waiting.place.lane == lane && waiting.place.priority == priority);
        let at = last.max_by_key(|(_, waiting)| waiting.arrival).map(|(at, _)| at).ok_or(Busy)?;
        let sent_away = self.waiting.remove(at);
        // What it would have used is the lane's again.
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.finish = lane.finish.saturating_sub(sent_away.place.cost);
        }
        Ok(())
    }
}

/// Nothing that runs under these locks can leave them in disorder.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "fair_queue_test.rs"]
mod tests;
