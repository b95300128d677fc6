//! Applies archives that were taken in.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::import::{run, store};

/// How often the loop looks without being woken, for what another instance has left behind.
const ROUND: Duration = Duration::from_secs(5);

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    loop {
        let work = async {
            let again = match store::claim(&app.db).await {
                Ok(Some((account, id))) => match run::run(&app.db, account, id, &app.wanted).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::warn!(%error, "an import could not be applied; it goes on later");
                        false
                    }
                },
                Ok(None) => false,
                Err(error) => {
                    tracing::warn!(%error, "imports could not be looked for");
                    false
                }
            };
            if !again {
                tokio::select! {
                    () = app.imports.added() => {}
                    () = tokio::time::sleep(ROUND) => {}
                }
            }
        };
        tokio::select! {
            // Cut anywhere, it leaves an import that goes on at the next start.
            () = shutdown.cancelled() => return,
            () = work => {}
        }
    }
}
