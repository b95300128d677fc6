//! A mark over many episodes of a series whose episodes are not known yet.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_episodes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    /// When it was asked for, in the order of the account's changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// Marked as watched, or the mark taken back.
    pub watched: bool,
    /// None: every season but the specials.
    pub season: Option<i32>,
    pub first: Option<i32>,
    pub last: Option<i32>,
    /// ISO date: only episodes that aired by then.
    pub aired_by: Option<String>,
    /// ISO date that the marks get.
    pub watched_on: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
