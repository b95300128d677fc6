//! What one account says of one media item.

use sea_orm::entity::prelude::*;

use crate::value::{ProgressUnit, Status, StatusSetBy};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "library_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    /// The first part of the media id, kept for filters.
    pub kind: String,
    pub status: Status,
    pub status_set_by: StatusSetBy,
    /// 1 to 100.
    pub rating: Option<i32>,
    pub favorite: bool,
    pub progress_unit: Option<ProgressUnit>,
    pub progress_current: Option<i32>,
    pub progress_total: Option<i32>,
    /// ISO date on the person's calendar.
    pub started_on: Option<String>,
    /// ISO date on the person's calendar.
    pub finished_on: Option<String>,
    /// Nothing was known of the title when this was written: the first filling is a change of this row.
    pub awaits_media: bool,
    pub revision: i64,
    pub added_at: i64,
    pub updated_at: i64,
    /// Which episodes of a series the account has seen, in a compact form made from `watched_episode`.
    pub watched: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
