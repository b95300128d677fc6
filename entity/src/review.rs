//! The one review of an entry.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    pub title: Option<String>,
    pub body: String,
    pub spoiler: bool,
    pub revision: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// Per field who wrote it last and when, in a compact form.
    pub stamps: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
