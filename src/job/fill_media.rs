//! Looks up the titles that people's writes refer to and that nothing is known of yet.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::catalog::SourceName;
use crate::error::Result;
use crate::library::episode;
use crate::media;

/// How often the loop looks without being woken, for pauses that have ended.
const ROUND: Duration = Duration::from_secs(5);
/// How many rounds pass between two sweeps.
const SWEEP_EVERY: u32 = 12;

/// One loop for each source, so that titles of one do not wait for the answers of another.
pub(super) async fn run(app: App, shutdown: CancellationToken) {
    let run = |source| run_source(&app, source, &shutdown);
    tokio::join!(run(SourceName::Tmdb), run(SourceName::Igdb), run(SourceName::GoogleBooks));
}

async fn run_source(app: &App, source: SourceName, shutdown: &CancellationToken) {
    let shares = media::Shares::default();
    let mut round = 0;
    while !shutdown.is_cancelled() {
        // What is to do for all sources is done by one.
        let sweeps = source == SourceName::Tmdb && round % SWEEP_EVERY == 0;
        round += 1;
        let filled = tokio::select! {
            // Cut anywhere, it leaves rows that wait, which the next start finds.
            () = shutdown.cancelled() => return,
            filled = fill(app, source, &shares, sweeps) => filled,
        };
        let more = match filled {
            Ok(more) => more,
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
            () = app.wanted.added(source) => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// One round; tells whether there may be more to do.
async fn fill(app: &App, source: SourceName, shares: &media::Shares, sweeps: bool) -> Result<bool> {
    if sweeps {
        for title in media::sweep(&app.db).await? {
            media::announce(&app.db, &title).await?;
        }
        episode::settle_all(&app.db).await?;
    }
    let filled = media::fill(&app.db, &app.catalog, source, shares).await?;
    for title in &filled.told {
        media::announce(&app.db, title).await?;
        episode::settle(&app.db, title).await?;
    }
    media::meet_covers(&app.db, &app.catalog, &app.covers, &filled.covers).await;
    for (title, language) in &filled.complete {
        media::done(&app.db, title, *language).await?;
    }
    Ok(filled.more)
}
