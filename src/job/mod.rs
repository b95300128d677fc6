//! What runs beside the requests, each loop bounded and ended by the shutdown token.

mod erase;
mod fill_media;
mod import;
mod refresh_media;
mod relay;
mod reload_policies;
mod retain;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;

/// Starts every loop; `tracker` tells when all have ended.
pub fn start(app: &App, tracker: &TaskTracker, shutdown: &CancellationToken) {
    tracker.spawn(fill_media::run(app.clone(), shutdown.clone()));
    tracker.spawn(refresh_media::run(app.clone(), shutdown.clone()));
    tracker.spawn(erase::run(app.clone(), shutdown.clone()));
    tracker.spawn(erase::wipe(app.clone(), shutdown.clone()));
    tracker.spawn(retain::run(app.clone(), shutdown.clone()));
    // Two, so that a large archive does not keep all others waiting.
    for _ in 0..2 {
        tracker.spawn(import::run(app.clone(), shutdown.clone()));
    }
    tracker.spawn(relay::run(app.clone(), shutdown.clone()));
    tracker.spawn(reload_policies::run(app.clone(), shutdown.clone()));
}
