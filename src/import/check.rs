//! The look at a whole archive before anything of it is written.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use uuid::Uuid;

use super::archive::{Counts, Faults, MAX_PACKED, Packed, read};
use crate::admission::{ByteBudget, Slot, Slots};
use crate::error::{Error, Result};

/// Uploads under way at once, one of each account.
const UPLOADS: usize = 4;
/// Bytes of all of them. The largest archive leaves room for the usual ones of others.
const UPLOAD_BYTES: usize = MAX_PACKED + 32 * 1024 * 1024;
/// Bytes of one of them: the archive and its bookkeeping.
const UPLOAD_SHARE: usize = MAX_PACKED + 1024;
/// Archives looked at at once.
const CHECKS: usize = 2;
/// How long an upload waits for its turn to be looked at.
const TURN: Duration = Duration::from_secs(30);

/// What is under way at this instance, and the word that something waits to be applied.
#[derive(Debug, Clone)]
pub struct Imports {
    uploads: Slots<Uuid>,
    /// How long an upload waits for its slot.
    wait: Duration,
    /// What uploads hold in memory.
    pub bytes: ByteBudget<Uuid>,
    checks: Arc<Semaphore>,
    wake: Arc<Notify>,
}

/// What a look at an archive has shown.
#[derive(Debug)]
pub struct Checked {
    pub packed: Packed,
    pub counts: Counts,
    pub faults: Faults,
}

impl Imports {
    pub fn new(wait: Duration) -> Self {
        Self {
            uploads: Slots::new(UPLOADS),
            wait,
            bytes: ByteBudget::new(UPLOAD_BYTES, UPLOAD_SHARE),
            checks: Arc::new(Semaphore::new(CHECKS)),
            wake: Arc::default(),
        }
    }

    /// Waits for the account's turn to upload.
    ///
    /// # Errors
    /// [`Error::TooManyTransfers`] while the account uploads another archive; [`Error::Busy`] while others do.
    pub async fn slot(&self, account: Uuid) -> Result<Slot<Uuid>> {
        Ok(self.uploads.acquire(account, self.wait).await?)
    }

    /// How many uploads are under way.
    pub fn uploading(&self) -> usize {
        self.uploads.running()
    }

    /// Reads the whole archive and writes nothing.
    ///
    /// # Errors
    /// [`Error::Busy`] while others are looked at.
    pub async fn check(&self, packed: Packed) -> Result<Checked> {
        let turn = timeout(TURN, self.checks.clone().acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(Error::Busy)?;
        let look = move || {
            let (mut faults, mut counts) = (Faults::default(), Counts::default());
            packed.open(&mut faults, |reader, faults| {
                counts = read::read(reader, faults, 0, &mut |_| ControlFlow::Continue(()));
            });
            // Held until now, also when nobody waits for the outcome any more.
            drop(turn);
            Checked { packed, counts, faults }
        };
        spawn_blocking(look).await.map_err(|_| Error::Busy)
    }

    /// Says that something waits to be applied.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Resolves when something was added since the last time.
    pub async fn added(&self) {
        self.wake.notified().await;
    }
}
