//! Removes what synchronisation keeps for a time only.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{clock, sync};

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    loop {
        let work = async {
            let before = clock::now() - i64::from(app.config.retention.tombstone_days) * 24 * 3_600_000;
            match sync::forget(&app.db, before).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "old tombstones and outcomes are gone"),
                Err(error) => tracing::warn!(%error, "old tombstones could not be removed"),
            }
            tokio::time::sleep(DAY).await;
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = work => {}
        }
    }
}
