//! The receipt of an erasure on the wire.

use entity::{receipt, value};
use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

use super::wire_enum;
use crate::http::text::Timestamp;

wire_enum! {
    /// Who wanted it: the person in the app, Clerk (the user is gone there), or the operator, because the
    /// account belonged to a child or because they were asked.
    ErasureReason mirrors value::ErasureReason { Person, Clerk, Underage, Request }
}

wire_enum! {
    /// What is known of the deletion at Clerk. `not_configured`: the service has no access to Clerk.
    ClerkState mirrors value::ClerkState { Pending, Done, NotConfigured }
}

/// How far the erasure has come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ErasureState {
    /// It comes at `due_at`, and can be taken back until then.
    Scheduled,
    /// Everything is gone.
    Erased,
}

/// The proof of an erasure. It works after the account is gone, and does not say whose it was.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(rename = "DeletionReceipt", skip_serializing_if_is_none)]
pub struct Receipt {
    /// Shows this receipt again, without a token.
    pub id: Uuid,
    pub state: ErasureState,
    pub reason: ErasureReason,
    pub asked_at: Timestamp,
    /// When it takes effect, if it was to wait.
    pub due_at: Option<Timestamp>,
    /// When everything of the person's was gone from the database.
    pub erased_at: Option<Timestamp>,
    /// When the deleted bytes were gone from the database's files too; absent where the database cleans up
    /// in its own time.
    pub wiped_at: Option<Timestamp>,
    pub clerk: ClerkState,
    /// When Clerk confirmed that it has no such user any more.
    pub clerk_done_at: Option<Timestamp>,
}

impl From<receipt::Model> for Receipt {
    fn from(row: receipt::Model) -> Self {
        Self {
            id: row.id,
            state: if row.erased_at.is_some() { ErasureState::Erased } else { ErasureState::Scheduled },
            reason: row.reason.into(),
            asked_at: Timestamp(row.asked_at),
            due_at: row.due_at.map(Timestamp),
            erased_at: row.erased_at.map(Timestamp),
            wiped_at: row.wiped_at.map(Timestamp),
            clerk: row.clerk.into(),
            clerk_done_at: row.clerk_done_at.map(Timestamp),
        }
    }
}
