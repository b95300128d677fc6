//! What is known of a title and has no language. Shared by all accounts.

use sea_orm::entity::prelude::*;

use crate::value::MediaState;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "media")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub state: MediaState,
    /// The last known title, in whichever language came first.
    pub title: Option<String>,
    pub sort_title: Option<String>,
    /// The source's own picture reference.
    pub cover: Option<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub release_date: Option<String>,
    pub runtime_minutes: Option<i32>,
    pub page_count: Option<i32>,
    pub season_count: Option<i32>,
    pub episode_count: Option<i32>,
    /// JSON: what is shown but never filtered or sorted by.
    pub details: Option<String>,
    /// When the source was last heard of the title.
    pub refreshed_at: i64,
    /// When each episode of a series airs, in a compact form; none until all are known.
    pub schedule: Option<String>,
    /// The schedule has changed and the accounts that follow it have not been told.
    pub unsettled: bool,
    /// When to ask the source again.
    pub refresh_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
