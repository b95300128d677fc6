//! The end of an account: everything of the person's is gone in one transaction, here at once and at Clerk
//! as soon as Clerk answers. What stays is a mark, so that nothing brings the account back, and a receipt
//! that does not say whose it is.
//!
//! An erasure has steps that each survive a crash: the transaction (rows, mark, receipt, and the order to
//! Clerk in `clerk_deletion`), the call of Clerk ([`at_clerk`]), and on SQLite the wiping of the files
//! ([`wipe`]). Whatever is cut between them is taken up by the jobs.

pub mod at_clerk;
mod grace;
pub mod marks;
pub mod receipt;
pub mod retention;
pub mod tables;
pub mod wipe;

use std::sync::Arc;

use entity::value::{ClerkState, ErasureReason};
use entity::{account, clerk_deletion, receipt as row};
use sea_orm::{EntityTrait, IntoActiveModel};
use tokio::sync::Notify;
use uuid::Uuid;

pub use grace::{due, restore};
pub use tables::TABLES;

use crate::account as accounts;
use crate::clerk::{Users, account_id};
use crate::clock::{self, Millis};
use crate::config::Secret;
use crate::db::{Change, Db, execute, row as first_row};
use crate::error::{Error, Result};

/// Who wants which account to end.
#[derive(Debug, Clone)]
pub struct Order {
    /// Clerk's own id of the person.
    pub user: Secret,
    pub reason: ErasureReason,
    /// What is known of the deletion at Clerk when the rows are gone: `Pending` makes the order to Clerk.
    pub clerk: ClerkState,
}

impl Order {
    /// One that Clerk is to be told of, where it can be.
    pub fn to_clerk(user: Secret, reason: ErasureReason, users: &Users) -> Self {
        let clerk = if users.is_configured() { ClerkState::Pending } else { ClerkState::NotConfigured };
        Self { user, reason, clerk }
    }

    pub fn account(&self) -> Uuid {
        account_id(self.user.expose())
    }
}

/// What a person's own request for deletion leads to: with days of grace the deletion is only noted, and
/// comes later unless it is taken back or asked for `now`. Asked again it answers the same.
pub async fn ask(db: &Db, order: Order, grace_days: u32, now: bool) -> Result<row::Model> {
    let account = order.account();
    match accounts::open(db, account).await {
        Ok(_) if grace_days > 0 && !now => grace::note(db, &order, grace_days).await,
        Ok(_) => erase(db, order).await,
        Err(Error::AccountErased) => given(db, account).await,
        Err(error) => Err(error),
    }
}

/// Erases an account, also one that was never seen. Asked again it answers the same. It is carried through
/// even where whoever asked goes away.
pub async fn erase(db: &Db, order: Order) -> Result<row::Model> {
    let db = db.clone();
    let work = tokio::spawn(async move { carry_out(&db, &order).await });
    work.await.map_err(|_| Error::Busy)?
}

async fn carry_out(db: &Db, order: &Order) -> Result<row::Model> {
    let account = order.account();
    let change = match accounts::open(db, account).await {
        Ok(_) => db.erasing_change(account).await,
        Err(error) => Err(error),
    };
    match change {
        Ok(change) => remove(change, Some(order)).await,
        Err(Error::AccountErased) => {
            if order.clerk == ClerkState::Done {
                at_clerk::confirm(db, account).await?;
            }
            given(db, account).await
        }
        Err(error) => Err(error),
    }
}

/// Removes all rows of the account that `change` holds and leaves the mark. Without an order the deletion
/// was noted before, with its receipt and its order to Clerk.
async fn remove(change: Change, order: Option<&Order>) -> Result<row::Model> {
    let (account, now) = (change.account_id(), change.now());
    // The order to Clerk goes when Clerk has confirmed.
    clear(&change, |table| table != tables::KEPT_FOR_CLERK).await?;
    let receipt = match (noted(&change).await?, order) {
        (Some(noted), _) => noted,
        (None, Some(order)) => {
            let made = receipt::new(order.reason, now, order.clerk);
            receipt::insert(change.tx(), &made).await?;
            made
        }
        (None, None) => return Err(Error::NotFound),
    };
    receipt::erased(change.tx(), receipt.id, now).await?;
    match order {
        Some(order) if order.clerk == ClerkState::Done => {
            at_clerk::settle(change.tx(), account, receipt.id, now).await?;
        }
        Some(order) if order.clerk == ClerkState::Pending => {
            queue(&change, &order.user, receipt.id, at_clerk::FIRST_ATTEMPT_AFTER + now).await?;
        }
        _ => at_clerk::release(change.tx(), account, now).await?,
    }
    let found = row::Entity::find_by_id(receipt.id).one(change.tx()).await?.ok_or(Error::NotFound)?;
    change.erase(receipt.id).await?;
    Ok(found)
}

/// Removes all rows that the account of `change` has in the tables that are `meant`.
async fn clear(change: &Change, meant: impl Fn(&str) -> bool) -> Result<()> {
    for table in TABLES.iter().filter(|table| meant(table.name)) {
        let sql = format!("DELETE FROM {} WHERE account_id = $1", table.name);
        execute(change.tx(), &sql, [change.account_id().into()]).await?;
    }
    Ok(())
}

/// The receipt of a deletion that was noted before.
async fn noted(change: &Change) -> Result<Option<row::Model>> {
    match change.account().receipt_id {
        Some(id) => Ok(row::Entity::find_by_id(id).one(change.tx()).await?),
        None => Ok(None),
    }
}

/// Leaves the order to Clerk, or brings the one that waits forward.
async fn queue(change: &Change, user: &Secret, receipt: Uuid, at: Millis) -> Result<()> {
    use clerk_deletion::Column;
    use sea_orm::sea_query::OnConflict;
    let order = clerk_deletion::Model {
        account_id: change.account_id(),
        user_id: user.expose().to_owned(),
        receipt_id: receipt,
        attempts: 0,
        next_attempt_at: at,
    };
    let known = OnConflict::column(Column::AccountId).update_column(Column::NextAttemptAt).to_owned();
    clerk_deletion::Entity::insert(order.into_active_model())
        .on_conflict(known)
        .exec_without_returning(change.tx())
        .await?;
    Ok(())
}

/// Clerk says that a user is gone, also one that was never seen here. A message that comes again does
/// nothing; were it lost in between, it would do the same.
pub async fn heard(db: &Db, message: &str, user: String) -> Result<()> {
    let known = "SELECT 1 FROM webhook_message WHERE id = $1";
    if first_row(db.shared(), known, [message.into()]).await?.is_some() {
        return Ok(());
    }
    erase(db, Order { user: Secret::new(user), reason: ErasureReason::Clerk, clerk: ClerkState::Done })
        .await?;
    execute(
        db.shared(),
        "INSERT INTO webhook_message (id, received_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        [message.into(), clock::now().into()],
    )
    .await?;
    Ok(())
}

/// Wakes the job that wipes the files.
#[derive(Debug, Clone, Default)]
pub struct Erasures(Arc<Notify>);

impl Erasures {
    /// The files hold something that is to be wiped.
    pub fn to_be_wiped(&self) {
        self.0.notify_one();
    }

    /// Resolves when something is to be wiped.
    pub async fn wiping(&self) {
        self.0.notified().await;
    }
}

/// The receipt that an erased account was given.
async fn given(db: &Db, account: Uuid) -> Result<row::Model> {
    let sql = "SELECT receipt_id FROM account WHERE id = $1 AND erased_at IS NOT NULL";
    // From where it was written: a reader may be a moment behind.
    let found = first_row(db.shared(), sql, [account.into()]).await?.ok_or(Error::NotFound)?;
    let id: Option<Uuid> = found.try_get_by_index(0)?;
    let id = id.ok_or(Error::NotFound)?;
    row::Entity::find_by_id(id).one(db.shared()).await?.ok_or(Error::NotFound)
}

/// The row of an account that was erased.
pub async fn mark(db: &Db, account: Uuid) -> Result<account::Model> {
    let found = account::Entity::find_by_id(account).one(db.shared()).await?;
    found.filter(|account| account.erased_at.is_some()).ok_or(Error::NotFound)
}
