//! Removes what is kept for a time only, once a day, by one instance for all.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::account::idempotency;
use crate::app::App;
use crate::clock::{self, Millis};
use crate::error::Result;
use crate::{erasure, export, import, sync};

/// How long one instance may take before another thinks that it died.
const AT_MOST: Duration = Duration::from_secs(3600);
/// A little less than a day, so that a run is never a day late.
const BETWEEN: Duration = Duration::from_secs(23 * 3600);
/// How often each instance looks whether it is time.
const ROUND: Duration = Duration::from_secs(600);
const DAY: Millis = 24 * 3_600_000;
/// Clerk sends a message again for some 28 hours.
const MESSAGES_DAYS: u32 = 7;
/// How long the report of an import is shown.
const IMPORTS_DAYS: u32 = 30;

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    loop {
        let work = async {
            if let Err(error) = round(&app).await {
                tracing::warn!(%error, "what is kept for a time only could not be removed");
            }
            tokio::time::sleep(ROUND).await;
        };
        tokio::select! {
            // Cut anywhere, it leaves rows that the next run finds.
            () = shutdown.cancelled() => return,
            () = work => {}
        }
    }
}

async fn round(app: &App) -> Result<()> {
    if let Some(lease) = app.db.lease("retention", AT_MOST).await? {
        forget(app).await?;
        lease.done(BETWEEN).await?;
    }
    Ok(())
}

/// One run.
async fn forget(app: &App) -> Result<()> {
    let (db, days) = (&app.db, app.config.retention);
    let before = |days: u32| clock::now() - Millis::from(days) * DAY;
    let tombstones_and_outcomes = sync::forget(db, before(days.tombstone_days)).await?;
    let marks = erasure::retention::forget_marks(db, before(days.backup_days)).await?;
    let receipts = erasure::retention::forget_receipts(db, before(days.receipt_days)).await?;
    let messages = erasure::retention::forget_messages(db, before(MESSAGES_DAYS)).await?;
    let exports = export::forget(db, before(0)).await?;
    let idempotency_keys = idempotency::forget(db, before(days.tombstone_days)).await?;
    let imports = import::store::forget(db, before(IMPORTS_DAYS)).await?;
    tracing::info!(
        tombstones_and_outcomes,
        marks,
        receipts,
        messages,
        exports,
        idempotency_keys,
        imports,
        "retention"
    );
    Ok(())
}
