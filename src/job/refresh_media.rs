//! Has titles that people track looked up again when it is time, and keeps to the sources' terms.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::media;

/// How often titles that are due are queued, one batch each time: so many that a large catalog comes
/// round in time, so few that people's own lookups do not wait for them.
const ROUND: Duration = Duration::from_secs(60);
/// Rounds between two looks at what the sources' terms no longer allow: a day.
const EXPIRE_EVERY: u32 = 24 * 60;

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    let mut round = 0;
    loop {
        let work = async {
            if let Err(error) = media::refresh(&app.db, &app.wanted).await {
                tracing::warn!(%error, "titles could not be queued for another look");
            }
            if round % EXPIRE_EVERY == 0 {
                match media::expire(&app.db).await {
                    Ok(0) => {}
                    Ok(rows) => tracing::info!(rows, "what the sources' terms no longer allow is gone"),
                    Err(error) => tracing::warn!(%error, "old texts of the sources could not be removed"),
                }
            }
            tokio::time::sleep(ROUND).await;
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = work => {}
        }
        round += 1;
    }
}
