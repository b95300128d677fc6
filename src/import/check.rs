//! The look at a whole archive before anything of it is written.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::archive::{Counts, Faults, Packed, read};
use crate::error::{Error, Result};

/// Uploads held in memory at once.
const UPLOADS: usize = 4;
/// Archives looked at at once.
const CHECKS: usize = 2;
/// How long an upload waits for its turn to be looked at.
const TURN: Duration = Duration::from_secs(30);

/// What is under way at this instance, and the word that something waits to be applied.
#[derive(Debug, Clone)]
pub struct Imports {
    uploads: Arc<Semaphore>,
    checks: Arc<Semaphore>,
    wake: Arc<Notify>,
}

impl Default for Imports {
    fn default() -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            checks: Arc::new(Semaphore::new(CHECKS)),
            wake: Arc::default(),
        }
    }
}

/// What a look at an archive has shown.
#[derive(Debug)]
pub struct Checked {
    pub packed: Packed,
    pub counts: Counts,
    pub faults: Faults,
}

impl Imports {
    /// Room for one upload, or [`Error::Busy`].
    pub fn room(&self) -> Result<OwnedSemaphorePermit> {
        self.uploads.clone().try_acquire_owned().map_err(|_| Error::Busy)
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
