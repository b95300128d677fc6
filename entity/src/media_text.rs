//! What is said of a title in one language.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "media_text")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub language: String,
    pub title: String,
    /// What titles are sorted by, made by the service so that both engines agree.
    pub sort_title: String,
    pub cover: Option<String>,
    pub overview: Option<String>,
    /// JSON array of names.
    pub genres: String,
    pub refreshed_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
