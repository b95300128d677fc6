//! Requests that carry a key: what one did is done once, however often it arrives and at whichever
//! instance. Owns the rows that remember it. What is kept is a digest and an id, never content.
//!
//! Both halves belong inside the change that does the work: the account's row is the lock, so of two
//! requests with one key the second finds what the first has made.

use aws_lc_rs::digest;
use entity::idempotency_key;
use sea_orm::{EntityTrait, Set};
use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Change, Db, Kept};
use crate::error::{Error, Result};

const KEPT: Kept = Kept { table: "idempotency_key", key: "key", time: "created_at", only: "TRUE" };

/// A request that is to have its effect once.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Chosen by the client.
    pub key: &'a str,
    pub operation: &'static str,
    /// The SHA-256 of what was asked.
    pub digest: [u8; 32],
}

/// The SHA-256 of what was asked.
pub fn digest(asked: &[u8]) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, asked);
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, hashed)| *byte = *hashed);
    bytes
}

/// What the first request with this key has made, if there was one.
///
/// # Errors
/// [`Error::IdempotencyKeyReused`] where that was another request, or one to another operation.
pub async fn seen(change: &Change, request: &Request<'_>) -> Result<Option<Uuid>> {
    let id = (change.account_id(), request.key.to_owned());
    match idempotency_key::Entity::find_by_id(id).one(change.tx()).await? {
        None => Ok(None),
        Some(first) if first.operation == request.operation && first.request == request.digest => {
            Ok(Some(first.result))
        }
        Some(_) => Err(Error::IdempotencyKeyReused),
    }
}

/// Remembers what the request has made.
pub async fn keep(change: &mut Change, request: &Request<'_>, result: Uuid) -> Result<()> {
    let row = idempotency_key::ActiveModel {
        account_id: Set(change.account_id()),
        key: Set(request.key.to_owned()),
        operation: Set(request.operation.to_owned()),
        request: Set(request.digest.to_vec()),
        result: Set(result),
        created_at: Set(change.now()),
    };
    idempotency_key::Entity::insert(row).exec_without_returning(change.tx()).await?;
    // No device needs to hear of it.
    change.keep();
    Ok(())
}

/// Removes what is older than `before`; tells how many rows.
pub async fn forget(db: &Db, before: Millis) -> Result<u64> {
    db.forget(&KEPT, before).await
}
