//! Tells other instances of changes, and hears of theirs.

use tokio_util::sync::CancellationToken;

use crate::app::App;

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = app.db.relay() => {}
    }
}
