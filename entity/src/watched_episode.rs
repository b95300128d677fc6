//! One episode that an account has seen.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "watched_episode")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    /// 0 holds the specials.
    #[sea_orm(primary_key, auto_increment = false)]
    pub season: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// The source's own id of the episode, by which the mark follows it when the source numbers anew.
    pub source_episode_id: Option<i64>,
    /// ISO date on the person's calendar; none when they do not remember.
    pub watched_on: Option<String>,
    pub revision: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
