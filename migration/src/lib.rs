//! The schema, one tree for SQLite and PostgreSQL. Migrations only add (expand, then contract in a
//! later release), because several versions of the service may run at once while one is rolled out.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::{MigrationTrait, async_trait};

mod dialect;
mod m20261122_0001_foundation;
mod m20261122_0002_cover;
mod m20261122_0003_episode;
mod m20261122_0004_sync;
mod m20261124_0005_rights;
mod m20261125_0006_wanted_order;
mod m20261125_0007_usage;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_0001_foundation::Migration),
            Box::new(m20261122_0002_cover::Migration),
            Box::new(m20261122_0003_episode::Migration),
            Box::new(m20261122_0004_sync::Migration),
            Box::new(m20261124_0005_rights::Migration),
            Box::new(m20261125_0006_wanted_order::Migration),
            Box::new(m20261125_0007_usage::Migration),
        ]
    }
}
