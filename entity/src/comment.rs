//! One of many dated notes on an entry.

use sea_orm::entity::prelude::*;

use crate::value::AnchorKind;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "comment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub body: String,
    pub anchor_kind: Option<AnchorKind>,
    /// Only with an episode anchor.
    pub anchor_season: Option<i32>,
    /// The episode, the page or the percentage.
    pub anchor_number: Option<i32>,
    pub revision: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// Per field who wrote it last and when, in a compact form.
    pub stamps: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
