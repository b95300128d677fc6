//! One media item of a list. Order is (position by bytes, media id).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "list_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub list_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    /// A fractional index.
    pub position: Vec<u8>,
    pub note: Option<String>,
    /// As on a library entry.
    pub awaits_media: bool,
    pub revision: i64,
    pub added_at: i64,
    pub updated_at: i64,
    /// Per field who wrote it last and when, in a compact form.
    pub stamps: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
