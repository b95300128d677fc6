//! Where a device is reached. A token belongs to one device of one account.

use sea_orm::entity::prelude::*;

use crate::value::PushEnvironment;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token: String,
    pub environment: PushEnvironment,
    pub account_id: Uuid,
    pub device_id: Uuid,
    pub registered_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
