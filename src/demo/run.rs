//! `omnitrack demo`: the whole service in a temporary folder beside stand-ins of everything it talks
//! to, reached by the same clients as the real ones, with calls to try printed on the way up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::standin::StandIns;
use crate::app::StartError;
use crate::config::{Config, ConfigError};
use crate::server::stop_signal;
use crate::{serve, telemetry};

const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3600);
const PORT: u16 = 8080;

/// Settings that mean a real service: beside them the demonstration does not start.
const REAL: [&str; 4] = ["CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_ISSUER", "CLERK_JWT_KEY"];

/// Settings that hold for the demonstration too.
const KEPT: [&str; 6] = [
    "OMNITRACK_DELETION_GRACE_DAYS",
    "OMNITRACK_LOG",
    "OMNITRACK_RATE_ACCOUNT",
    "OMNITRACK_RATE_SEARCH",
    "OMNITRACK_RATE_ADDRESS",
    "OMNITRACK_RATE_IMAGE",
];

/// Runs the demonstration until the process is told to stop.
pub async fn run() -> Result<(), StartError> {
    if let Some(name) = REAL.into_iter().find(|name| std::env::var_os(name).is_some()) {
        return Err(failed(name, "is set: the demonstration does not run beside a real Clerk").into());
    }
    let folder = tempfile::tempdir().map_err(|error| failed("temporary folder", &error.to_string()))?;
    let stand_ins = StandIns::start().map_err(|error| failed("stand-ins", &error.to_string()))?;
    let mut settings = stand_ins.settings();
    settings.push(("DATABASE_URL", format!("sqlite://{}/omnitrack.db", folder.path().display())));
    settings.push(("OMNITRACK_LISTEN", free_address().to_string()));
    settings.extend(KEPT.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?))));
    let config = Config::read(&|name| {
        settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    })?;
    telemetry::init(&config.log);
    let shutdown = CancellationToken::new();
    let running = serve::start(config, shutdown.clone()).await?;
    let token = |user| stand_ins.token(user, TOKEN_LIFETIME);
    println!("{}", guide(running.address, &token("demo"), &token("demo_again")));
    stop_signal().await;
    shutdown.cancel();
    running.ended().await
}

/// Port 8080 on loopback, or any free one if that is taken.
fn free_address() -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    match std::net::TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

fn failed(name: &'static str, reason: &str) -> ConfigError {
    ConfigError { name, reason: reason.to_owned() }
}

fn guide(address: SocketAddr, token: &str, token_again: &str) -> String {
    let base = format!("http://{address}");
    format!(
        r#"
OmniTrack demonstration: everything is made up here and gone when it ends (Ctrl-C).

  docs    {base}/docs
  token   good for 12 hours, paste it into "Authorize" there

TOKEN={token}

Search all four kinds at once:
  curl -s -H "Authorization: Bearer $TOKEN" '{base}/v1/search?q=dune'
Put a movie in the library:
  curl -s -X PUT -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{{"status":"completed","rating":90}}' '{base}/v1/library/movie:tmdb:603'
Review it:
  curl -s -X PUT -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{{"body":"Still holds up.","spoiler":false}}' '{base}/v1/library/movie:tmdb:603/review'
Make a list and put the movie in it:
  curl -s -X PUT -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{{"name":"Favourites"}}' '{base}/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001'
  curl -s -X PUT -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{{"note":"For a rainy day"}}' '{base}/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001/items/movie:tmdb:603'
See the library, its history and the list:
  curl -s -H "Authorization: Bearer $TOKEN" '{base}/v1/library'
  curl -s -H "Authorization: Bearer $TOKEN" '{base}/v1/library/movie:tmdb:603/history'
  curl -s -H "Authorization: Bearer $TOKEN" '{base}/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001/items'
Delete the account; the answer is the receipt, which is shown again under its id, without a token:
  curl -s -X DELETE -H "Authorization: Bearer $TOKEN" '{base}/v1/account'
  curl -s '{base}/v1/deletions/'"$RECEIPT_ID"
The token is still good, the account is gone:
  curl -s -H "Authorization: Bearer $TOKEN" '{base}/v1/library'
Sign in again: Clerk gives a person who signs up anew another id, and the account is a new, empty one:

TOKEN_AGAIN={token_again}

  curl -s -H "Authorization: Bearer $TOKEN_AGAIN" '{base}/v1/library'
"#
    )
}
