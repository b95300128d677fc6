//! Whether writes succeed just now, for whoever decides where requests go.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{Db, execute};
use crate::clock;

/// How long one attempt stands for those that follow.
const RELIED_ON: Duration = Duration::from_secs(5);
/// Longer than this, and writes count as failing.
const TIMEOUT: Duration = Duration::from_secs(3);

/// When a write was last tried, and how that ended.
#[derive(Debug, Clone, Default)]
pub(super) struct LastWrite(Arc<Mutex<Option<Attempt>>>);

#[derive(Debug)]
struct Attempt {
    at: Instant,
    result: Result<(), DbErr>,
}

impl Db {
    /// Tries a write to a row of its own, at most once in five seconds; the answer in between is the last
    /// one.
    ///
    /// # Errors
    /// The write failed, or was not durable within three seconds.
    pub async fn writable(&self) -> Result<(), DbErr> {
        let mut last = self.last_write.0.lock().await;
        if let Some(attempt) = last.as_ref().filter(|attempt| attempt.at.elapsed() < RELIED_ON) {
            return attempt.result.clone();
        }
        let result = timeout(TIMEOUT, self.try_write()).await;
        let result = result.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)));
        *last = Some(Attempt { at: Instant::now(), result: result.clone() });
        result
    }

    /// Begins a write and ends it durably. The row is a lease that nothing takes.
    async fn try_write(&self) -> Result<(), DbErr> {
        execute(
            &self.write,
            "INSERT INTO job_lease (job, holder, held_until) VALUES ('write_probe', $1, $2) \
             ON CONFLICT (job) DO UPDATE SET held_until = $2",
            [Uuid::nil().into(), clock::now().into()],
        )
        .await
        .map(drop)
    }
}
