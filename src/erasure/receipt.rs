//! Receipts: what was asked, what was done here, and what Clerk said. They do not say whose they are.

use entity::receipt;
use entity::value::{ClerkState, ErasureReason};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Set};
use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Db, execute};
use crate::error::{Error, Result};

/// The receipt with this id.
pub async fn find(db: &Db, id: Uuid) -> Result<receipt::Model> {
    receipt::Entity::find_by_id(id).one(db.read()).await?.ok_or(Error::NotFound)
}

/// A receipt of something that is about to happen. Its id is random: whoever has it was given it.
pub(super) fn new(reason: ErasureReason, asked_at: Millis, clerk: ClerkState) -> receipt::Model {
    receipt::Model {
        id: Uuid::new_v4(),
        reason,
        asked_at,
        due_at: None,
        erased_at: None,
        wiped_at: None,
        clerk,
        clerk_done_at: None,
    }
}

pub(super) async fn insert(tx: &impl ConnectionTrait, row: &receipt::Model) -> Result<()> {
    receipt::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// The erasure that this receipt was given for is done here.
pub(super) async fn erased(tx: &impl ConnectionTrait, id: Uuid, at: Millis) -> Result<()> {
    receipt::ActiveModel { id: Set(id), erased_at: Set(Some(at)), ..Default::default() }.update(tx).await?;
    Ok(())
}

/// Clerk has no such user any more.
pub(super) async fn clerk_done(tx: &impl ConnectionTrait, id: Uuid, at: Millis) -> Result<()> {
    execute(
        tx,
        "UPDATE receipt SET clerk = 'done', clerk_done_at = $2 WHERE id = $1 AND clerk <> 'done'",
        [id.into(), at.into()],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    receipt::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}
