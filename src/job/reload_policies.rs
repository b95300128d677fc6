//! Reads the operator's policies and announcements again, so that a new file needs no restart.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

const INTERVAL: Duration = Duration::from_secs(30);

pub(super) async fn run(app: App, shutdown: CancellationToken) {
    let mut last_fault = None;
    while shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        let policies = app.policies.clone();
        match tokio::task::spawn_blocking(move || policies.reload()).await {
            Ok(Ok(changed)) => {
                last_fault = None;
                if changed {
                    tracing::info!("policies and announcements read again");
                }
            }
            // Said once, not every time.
            Ok(Err(fault)) if last_fault.as_ref() != Some(&fault) => {
                tracing::warn!(file = %fault.file, "policies and announcements stay as they were");
                last_fault = Some(fault);
            }
            Ok(Err(_)) => {}
            Err(_) => tracing::warn!("policies and announcements could not be read"),
        }
    }
}
