//! Which database this is. Revisions mean something in one history only: a phone that comes with numbers
//! of another one must read everything anew.

use sea_orm::DbErr;
use uuid::Uuid;

use super::{Db, execute, row};
use crate::clock;

impl Db {
    /// The name of this database's history, made when there is none. Whoever puts back an old copy of the
    /// database begins another history ([`Db::begin_epoch`]) before the service starts.
    pub async fn epoch(&self) -> Result<Uuid, DbErr> {
        self.epoch.get_or_try_init(|| self.read_epoch()).await.copied()
    }

    /// Begins another history, for a database that was put back: what devices know of revisions is worth
    /// nothing any more. Services that run keep the name that they know: this is for the time before they
    /// start.
    pub async fn begin_epoch(&self) -> Result<(), DbErr> {
        execute(
            &self.write,
            "INSERT INTO sync_epoch (id, epoch, began_at) VALUES (1, $1, $2) \
             ON CONFLICT (id) DO UPDATE SET epoch = $1, began_at = $2",
            [Uuid::new_v4().into(), clock::now().into()],
        )
        .await?;
        Ok(())
    }

    /// Of several instances that find none, all take the first one's.
    async fn read_epoch(&self) -> Result<Uuid, DbErr> {
        if let Some(epoch) = self.find_epoch().await? {
            return Ok(epoch);
        }
        execute(
            &self.write,
            "INSERT INTO sync_epoch (id, epoch, began_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING",
            [Uuid::new_v4().into(), clock::now().into()],
        )
        .await?;
        self.find_epoch().await?.ok_or_else(|| DbErr::RecordNotFound("sync_epoch".into()))
    }

    async fn find_epoch(&self) -> Result<Option<Uuid>, DbErr> {
        // From where it was written: a reader may be a moment behind.
        let found = row(&self.write, "SELECT epoch FROM sync_epoch WHERE id = 1", []).await?;
        found.map(|row| row.try_get_by_index(0)).transpose()
    }
}
