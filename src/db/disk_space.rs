//! A floor under the free disk space. A database whose disk runs full fails in the middle of things; so
//! ordinary writes are refused before that, and what is left is kept for erasures and for the log.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sea_orm::DbErr;

use crate::clock::{self, Millis};

/// How long a look at the file system is relied on.
const RELIED_ON: Millis = 1000;
/// What the refusal says; [`is_storage_full`](super::is_storage_full) knows it again.
pub(super) const REFUSAL: &str = "free disk space is below the floor";

/// Clones share the last look.
#[derive(Debug, Clone)]
pub(super) struct DiskSpace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// A file or folder on the file system that counts.
    path: PathBuf,
    /// Bytes that stay free.
    floor: u64,
    free: AtomicU64,
    looked_at: AtomicI64,
}

impl DiskSpace {
    pub(super) fn new(path: PathBuf, floor: u64) -> Self {
        let inner =
            Inner { path, floor, free: AtomicU64::new(u64::MAX), looked_at: AtomicI64::new(Millis::MIN) };
        Self(Arc::new(inner))
    }

    /// Refuses while less than the floor is free.
    pub(super) fn check(&self) -> Result<(), DbErr> {
        if self.0.floor > 0 && self.free() < self.0.floor {
            return Err(DbErr::Custom(REFUSAL.into()));
        }
        Ok(())
    }

    /// The free bytes as of the last look, which is at most a second old. Where the file system does not
    /// say, nothing is refused.
    fn free(&self) -> u64 {
        let (now, looked_at) = (clock::now(), self.0.looked_at.load(Ordering::Acquire));
        let outdated = !(looked_at..looked_at.saturating_add(RELIED_ON)).contains(&now);
        let mine = || self.0.looked_at.compare_exchange(looked_at, now, Ordering::AcqRel, Ordering::Acquire);
        if outdated && mine().is_ok() {
            let free = rustix::fs::statvfs(&self.0.path)
                .map_or(u64::MAX, |space| space.f_bavail.saturating_mul(space.f_frsize));
            self.0.free.store(free, Ordering::Release);
        }
        self.0.free.load(Ordering::Acquire)
    }
}

#[cfg(test)]
#[path = "disk_space_test.rs"]
mod tests;
