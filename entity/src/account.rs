//! One person, or the erasure mark that is left of one (`erased_at` is set).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The number of the latest change to anything the account owns.
    pub revision: i64,
    /// The revision at which the settings last changed.
    pub settings_revision: i64,
    /// Preferred language of titles; none means the default.
    pub language: Option<String>,
    /// IANA name: decides the calendar day of a write that names none.
    pub time_zone: String,
    /// Whether progress on a backlog entry that had none moves it to `in_progress`.
    pub progress_sets_status: bool,
    pub created_at: i64,
    pub updated_at: i64,
    /// When the account was erased.
    pub erased_at: Option<i64>,
    /// Tombstones up to this revision are gone: who knows less must read everything anew.
    pub horizon: i64,
    /// Per setting who wrote it last and when, in a compact form.
    pub stamps: Option<String>,
    /// The receipt of the deletion that was asked for or done.
    pub receipt_id: Option<Uuid>,
    /// When the deletion that was asked for takes effect, until then it can be taken back.
    pub deletion_due_at: Option<i64>,
    /// How many library entries there are.
    pub entries: i64,
    /// How many history events and watched episodes.
    pub events: i64,
    pub lists: i64,
    /// Of all lists.
    pub list_items: i64,
    /// The length of reviews, comments and the texts of lists and their items, in UTF-8.
    pub text_bytes: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
