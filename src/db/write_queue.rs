//! Group commit. On SQLite one write to the disk makes everything of one transaction durable, and that
//! write is what a writer waits for. So writers that queue while another one works share its transaction,
//! each in a savepoint of its own, and all are acknowledged by the one commit that follows. A writer that
//! is alone waits for nobody.
//!
//! Nobody is acknowledged by a commit of something else: the group begins with a savepoint that is
//! released right before the commit, and the release fails unless the very transaction is still there
//! (SQLite itself rolls one back on a full disk or an I/O error). After any error of a statement of
//! control the connection is closed and nobody of the group is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbErr;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::time::timeout;

use super::connections::{Connections, timed_out};
use super::transaction::Transaction;

/// An immediate transaction waits for another process that writes; a deferred one that reads first and
/// writes later would fail at once.
const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT proof";
const COMMIT: &str = "RELEASE SAVEPOINT proof; COMMIT";
const ENTER: &str = "SAVEPOINT slot";
const LEAVE: &str = "RELEASE SAVEPOINT slot";
const UNDO: &str = "ROLLBACK TO SAVEPOINT slot; RELEASE SAVEPOINT slot";

/// What a writer is told whose group was not committed.
pub(super) const NOT_COMMITTED: &str = "the transaction was not committed";

/// The queue of writers. Its lock is fair: first come, first served.
#[derive(Clone, Debug)]
pub(super) struct WriteQueue {
    connections: Arc<Connections>,
    group: Arc<Mutex<Option<Group>>>,
    patience: Duration,
}

/// A transaction under way and the writers that wait for its commit.
#[derive(Debug)]
struct Group {
    transaction: Transaction,
    waiting: Vec<oneshot::Sender<()>>,
}

/// A writer's turn. Dropped without [`WriteSlot::commit`], its savepoint is rolled back, and the others
/// of the group keep what they wrote.
#[derive(Debug)]
pub(super) struct WriteSlot(Option<OwnedMutexGuard<Option<Group>>>);

impl WriteQueue {
    /// `connections` has one place; `patience` is how long a turn is waited for.
    pub(super) fn new(connections: Arc<Connections>, patience: Duration) -> Self {
        Self { connections, group: Arc::default(), patience }
    }

    /// Waits for a turn. Cancelled while the turn begins, the group of the turn is not acknowledged.
    pub(super) async fn slot(&self) -> Result<WriteSlot, DbErr> {
        let waited = timeout(self.patience, self.group.clone().lock_owned()).await;
        let mut group = waited.map_err(|_| timed_out())?;
        if group.is_none() {
            let transaction = Transaction::begin(self.connections.take().await?, BEGIN).await?;
            *group = Some(Group { transaction, waiting: Vec::new() });
            // It queues behind the writers that wait already: those share the commit.
            tokio::spawn(commit_group(self.clone()));
        }
        let mut slot = WriteSlot(Some(group));
        slot.control(ENTER).await?;
        Ok(slot)
    }
}

impl WriteQueue {
    /// Waits for the commit that is under way and lets go of the connection.
    pub(super) async fn clear(&self) {
        let _group = self.group.lock().await;
        self.connections.clear();
    }
}

/// Commits the group that is open and acknowledges those who wait for it. If that fails, their senders are
/// dropped, which tells them too.
async fn commit_group(queue: WriteQueue) {
    let mut group = queue.group.lock().await;
    let Some(Group { transaction, waiting }) = group.take() else { return };
    match transaction.end(COMMIT).await {
        // A writer that was cancelled is not there any more.
        Ok(()) => waiting.into_iter().for_each(|writer| {
            let _ = writer.send(());
        }),
        Err(error) => {
            tracing::error!(kind = super::error_kind(&error), writers = waiting.len(), "commit failed");
        }
    }
}

impl WriteSlot {
    /// The transaction that the turn is in.
    pub(super) fn transaction(&mut self) -> Result<&mut Transaction, DbErr> {
        let group = self.0.as_mut().and_then(|group| group.as_mut());
        group.map(|group| &mut group.transaction).ok_or_else(not_committed)
    }

    /// Runs statements of control. After an error the group is given up: its transaction is rolled back
    /// and nobody in it is acknowledged.
    async fn control(&mut self, sql: &str) -> Result<(), DbErr> {
        let mut giving_up = GiveUp { slot: self, armed: true };
        let result = giving_up.slot.transaction()?.control(sql).await;
        giving_up.armed = result.is_err();
        result
    }

    /// Ends the turn and waits until its work is durable. An error means that the work is not
    /// acknowledged.
    pub(super) async fn commit(mut self) -> Result<(), DbErr> {
        self.control(LEAVE).await?;
        self.durable().await
    }

    /// Takes the turn's work back. What it saw may be the work of a writer before it in the group:
    /// that is waited for, so that nobody is told of what a power cut could still undo.
    pub(super) async fn rollback(mut self) -> Result<(), DbErr> {
        self.control(UNDO).await?;
        let others = self.0.as_ref().and_then(|group| group.as_ref()).is_some_and(|g| !g.waiting.is_empty());
        if others {
            return self.durable().await;
        }
        self.0 = None;
        Ok(())
    }

    /// Gives the turn to the next writer and waits for the group's commit.
    async fn durable(mut self) -> Result<(), DbErr> {
        let (done, durable) = oneshot::channel();
        if let Some(group) = self.0.take().as_mut().and_then(|group| group.as_mut()) {
            group.waiting.push(done);
        }
        durable.await.map_err(|_| not_committed())
    }
}

impl WriteSlot {
    /// Closes the group's connection: its transaction is rolled back, nobody in it is acknowledged.
    fn give_up(&mut self) {
        if let Some(mut group) = self.0.take() {
            group.take();
        }
    }
}

impl Drop for WriteSlot {
    fn drop(&mut self) {
        let Some(group) = self.0.take() else { return };
        if group.is_none() {
            return;
        }
        let undo = Undo(Self(Some(group)));
        // The next writer's turn begins when this is done. Without a runtime the group is given up.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(undo.run());
        }
    }
}

/// A turn whose work is being taken back. Dropped before that is done, the group is given up; it starts no
/// further task, because a runtime that is shutting down drops those at once.
struct Undo(WriteSlot);

impl Undo {
    async fn run(mut self) {
        if self.0.control(UNDO).await.is_ok() {
            self.0.0 = None;
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// Gives the group up unless disarmed: also where the statement of control is cancelled, since then it is
/// not known whether it was carried out.
struct GiveUp<'a> {
    slot: &'a mut WriteSlot,
    armed: bool,
}

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.slot.give_up();
        }
    }
}

fn not_committed() -> DbErr {
    DbErr::Custom(NOT_COMMITTED.into())
}
