//! Carries erasures through: accounts whose days of grace are over, deletions that Clerk has not confirmed
//! yet, and the wiping of SQLite's files.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::erasure::wipe::{self, Wiped};
use crate::erasure::{self, at_clerk};
use crate::error::Result;

/// Erases what is due, and asks Clerk again.
pub(super) async fn run(app: App, shutdown: CancellationToken) {
    loop {
        let work = async {
            if let Err(error) = round(&app).await {
                tracing::warn!(%error, "an erasure could not be carried on");
            }
            tokio::time::sleep(at_clerk::ROUND).await;
        };
        tokio::select! {
            // Cut anywhere, it leaves rows that the next start finds.
            () = shutdown.cancelled() => return,
            () = work => {}
        }
    }
}

async fn round(app: &App) -> Result<()> {
    let erased = erasure::due(&app.db).await?;
    if erased > 0 {
        tracing::info!(accounts = erased, "days of grace are over");
    }
    let confirmed = at_clerk::round(&app.db, &app.users).await?;
    if confirmed > 0 {
        tracing::info!(users = confirmed, "Clerk has confirmed deletions");
    }
    if erased + confirmed > 0 {
        app.erasures.to_be_wiped();
    }
    Ok(())
}

/// Wipes the files: soon after an erasure, and from time to time.
pub(super) async fn wipe(app: App, shutdown: CancellationToken) {
    loop {
        let work = async {
            let wait = match wipe_once(&app).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(%error, "the database's files could not be wiped");
                    wipe::RETRY
                }
            };
            tokio::select! {
                () = app.erasures.wiping() => {}
                () = tokio::time::sleep(wait) => {}
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = work => {}
        }
    }
}

/// One attempt; how long to wait for the next.
async fn wipe_once(app: &App) -> Result<Duration> {
    match wipe::wipe(&app.db).await? {
        Wiped::Clean(0) | Wiped::NotHere => {}
        Wiped::Clean(erasures) => tracing::info!(erasures, "the database's files are wiped"),
        Wiped::Busy => {}
    }
    Ok(if wipe::is_wanted(&app.db).await? { wipe::RETRY } else { wipe::ROUND })
}
