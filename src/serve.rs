//! `omnitrack serve`: from settings to a running service, and down again in order.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, StartError};
use crate::config::Config;
use crate::server::{Server, stop_signal};
use crate::{http, job};

/// How long writes under way may take at the end, once no client is connected any more.
const LAST_WRITES: Duration = Duration::from_secs(10);

/// Serves until the process is told to stop.
pub async fn run(config: Config) -> Result<(), StartError> {
    let shutdown = CancellationToken::new();
    let running = start(config, shutdown.clone()).await?;
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping");
        shutdown.cancel();
    });
    running.ended().await
}

/// A service under way.
pub struct Running {
    pub address: SocketAddr,
    app: App,
    tasks: TaskTracker,
}

/// Opens everything and begins to serve.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Running, StartError> {
    let mut server = Server::bind(config.listen, config.tls.as_ref(), config.limits.connections)?;
    if !config.behind_proxy {
        server = server.bound_addresses(config.limits.connections_per_address);
    }
    let address = server.local_addr();
    let mut app = App::open(config).await?;
    app.events.stop = shutdown.clone();
    // Fetches the keys ahead of the first request; without them tokens are refused, nothing else.
    app.clerk.ready();
    let tasks = TaskTracker::new();
    job::start(&app, &tasks, &shutdown);
    tasks.spawn(server.run(http::endpoint(&app), shutdown));
    tasks.close();
    tracing::info!(%address, "serving");
    Ok(Running { address, app, tasks })
}

impl Running {
    /// Waits until what was under way is finished, then closes the database.
    pub async fn ended(self) -> Result<(), StartError> {
        self.tasks.wait().await;
        self.app.writes.close();
        // Writes whose clients are gone; one that takes longer is rolled back.
        if timeout(LAST_WRITES, self.app.writes.wait()).await.is_err() {
            tracing::warn!(writes = self.app.writes.len(), "writes cut off at the end");
        }
        Ok(self.app.db.close().await?)
    }
}
