//! On SQLite one write to the disk makes everything of one transaction durable, and that write is what
//! a writer waits for. So writers that queue while another one works share its transaction, each in a
//! savepoint of its own, and all are acknowledged by the one commit that follows. A writer that is
//! alone waits for nobody.

use std::sync::Arc;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// The queue of writers. Its lock is fair: who came first goes first.
#[derive(Clone, Debug, Default)]
pub(super) struct Group(Arc<Mutex<Option<Open>>>);

/// A transaction under way and the writers that wait for its commit.
#[derive(Debug)]
struct Open {
    tx: DatabaseTransaction,
    waiting: Vec<oneshot::Sender<()>>,
}

/// A writer's turn. Dropped without [`Turn::commit`], its savepoint is rolled back and the others of
/// the group are not touched.
pub(super) struct Turn {
    // The order matters: the savepoint ends before the next writer's turn begins.
    savepoint: DatabaseTransaction,
    seat: OwnedMutexGuard<Option<Open>>,
}

impl Group {
    /// Waits for a turn on `write`, which has one connection.
    pub(super) async fn turn(&self, write: &DatabaseConnection) -> Result<Turn, DbErr> {
        let mut seat = self.0.clone().lock_owned().await;
        if seat.is_none() {
            let options = TransactionOptions {
                // A deferred transaction that reads first and writes later fails at once when another
                // process wrote in between; an immediate one waits for its turn.
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            };
            let tx = write.begin_with_options(options).await?;
            *seat = Some(Open { tx, waiting: Vec::new() });
            // It queues behind the writers that wait already: those share the commit.
            tokio::spawn(finish(self.clone()));
        }
        let open = seat.as_ref().ok_or_else(|| DbErr::Custom("no open transaction".into()))?;
        let savepoint = open.tx.begin().await?;
        Ok(Turn { savepoint, seat })
    }
}

/// Commits the open transaction and tells those who wait for it. If it fails, their senders are
/// dropped, which tells them too.
async fn finish(group: Group) {
    let mut seat = group.0.lock().await;
    if let Some(Open { tx, waiting }) = seat.take() {
        match tx.commit().await {
            // A writer that went away needs no word.
            Ok(()) => waiting.into_iter().for_each(|writer| {
                let _ = writer.send(());
            }),
            Err(error) => tracing::error!(kind = super::error_kind(&error), "commit failed"),
        }
    }
}

impl Turn {
    pub(super) fn tx(&self) -> &DatabaseTransaction {
        &self.savepoint
    }

    /// Ends the turn and waits until its work is durable.
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        let Self { savepoint, seat } = self;
        savepoint.commit().await?;
        durable(seat).await
    }

    /// Takes the turn's work back. What it saw may be the work of a writer before it in the group:
    /// that is waited for, so that nobody is told of what a power cut could still undo.
    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        let Self { savepoint, seat } = self;
        savepoint.rollback().await?;
        if seat.as_ref().is_some_and(|open| open.waiting.is_empty()) {
            return Ok(());
        }
        durable(seat).await
    }
}

/// Gives the seat to the next writer and waits for the group's commit.
async fn durable(mut seat: OwnedMutexGuard<Option<Open>>) -> Result<(), DbErr> {
    let (done, durable) = oneshot::channel();
    if let Some(open) = seat.as_mut() {
        open.waiting.push(done);
    }
    drop(seat);
    durable.await.map_err(|_| DbErr::Custom("the commit failed".into()))
}
