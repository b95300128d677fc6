//! Work that one instance does for all. Who takes the lease of a job has it for a time, also where it dies.

use std::time::Duration;

use sea_orm::DbErr;
use uuid::Uuid;

use super::{Db, execute, row};
use crate::clock::{self, Millis};

/// A lease that was taken. Dropped, it runs out by itself.
pub struct Lease {
    db: Db,
    job: &'static str,
    holder: Uuid,
}

impl Db {
    /// Takes the lease of `job`, unless another instance has it.
    pub async fn lease(&self, job: &'static str, time: Duration) -> Result<Option<Lease>, DbErr> {
        let (holder, now) = (Uuid::new_v4(), clock::now());
        let taken = row(
            &self.write,
            "INSERT INTO job_lease (job, holder, held_until) VALUES ($1, $2, $3) \
             ON CONFLICT (job) DO UPDATE SET holder = $2, held_until = $3 WHERE job_lease.held_until <= $4 \
             RETURNING job",
            [job.into(), holder.into(), (now + millis(time)).into(), now.into()],
        )
        .await?;
        Ok(taken.map(|_| Lease { db: self.clone(), job, holder }))
    }
}

impl Lease {
    /// Says that the work is done and need not be done again before `pause` is over, by whomever.
    pub async fn done(self, pause: Duration) -> Result<(), DbErr> {
        execute(
            &self.db.write,
            "UPDATE job_lease SET held_until = $3 WHERE job = $1 AND holder = $2",
            [self.job.into(), self.holder.into(), (clock::now() + millis(pause)).into()],
        )
        .await?;
        Ok(())
    }
}

fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX / 2)
}
