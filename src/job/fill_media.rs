//! Looks up the titles that people's writes refer to and that nothing is known of yet.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::catalog::DayShare;
use crate::media;

/// How often the loop looks without being woken, for pauses that have ended.
const ROUND: Duration = Duration::from_secs(5);
/// How many rounds pass between two sweeps.
const SWEEP_EVERY: u32 = 12;

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    // What people wait for in the background counts as one account of its own.
    let share = DayShare::new();
    let mut round = 0;
    while !shutdown.is_cancelled() {
        if round % SWEEP_EVERY == 0
            && let Err(error) = media::sweep(&app.db).await
        {
            tracing::warn!(%error, "sweep for waiting titles failed");
        }
        round += 1;
        let filled = tokio::select! {
            // Cut anywhere, it leaves rows that wait, which the next start finds.
            () = shutdown.cancelled() => return,
            filled = media::fill(&app.db, &app.catalog, &app.covers, &share) => filled,
        };
        let more = match filled {
            Ok(taken) => taken > 0,
            Err(error) => {
                tracing::warn!(%error, "filling titles failed");
                false
            }
        };
        if more {
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = app.wanted.added() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}
