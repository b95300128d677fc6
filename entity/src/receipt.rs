//! The proof of an erasure. It does not say whose.

use sea_orm::entity::prelude::*;

use crate::value::{ClerkState, ErasureReason};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub reason: ErasureReason,
    pub asked_at: i64,
    /// When it takes effect, if it was to wait.
    pub due_at: Option<i64>,
    pub erased_at: Option<i64>,
    /// When the bytes were gone from the files, where the service can know.
    pub wiped_at: Option<i64>,
    pub clerk: ClerkState,
    pub clerk_done_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
