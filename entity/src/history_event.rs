//! One time an entry was finished.

use sea_orm::entity::prelude::*;

use crate::value::Precision;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "history_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The first day of the period that the precision names; none when unknown.
    pub finished_on: Option<String>,
    pub finished_precision: Precision,
    pub revision: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// Per field who wrote it last and when, in a compact form.
    pub stamps: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
