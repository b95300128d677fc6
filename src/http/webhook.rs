//! What Clerk tells us by itself. Outside the contract: Clerk is the only client. A message counts only
//! with a signature of Clerk's over its exact bytes; of what it says only the kind and the user's id are
//! read, and nothing is kept or logged but the message's own id.

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use serde::Deserialize;
use svix::webhooks::Webhook;

use super::body::{self, Bounds};
use super::edge::ClientAddress;
use super::json;
use super::problem::{Problem, Raised};
use crate::app::App;
use crate::config::Bodies;
use crate::{clock, erasure};

/// The bound on a message, in bytes. One about a user is a few KiB, metadata included.
const LIMIT: usize = 64 * 1024;
/// How far a message's time may be from ours, in seconds: as far as its signature is verified at all.
const TOLERANCE: u64 = 5 * 60;
/// Characters of a message's id, and of its signatures, of which there are as many as secrets in use.
const MAX_ID: usize = 200;
const MAX_SIGNATURE: usize = 1_000;
/// Characters of an HMAC-SHA256 in base64.
const DIGEST: usize = 44;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Subject,
}

/// Whom it is about; all else that Clerk says of them is not read.
#[derive(Default, Deserialize)]
struct Subject {
    id: Option<String>,
}

/// Takes a message of Clerk's: `user.deleted` erases the account, anything else is acknowledged.
#[handler]
pub async fn clerk(request: &Request, body: Body, app: Data<&App>) -> poem::Result<Response> {
    accept(request, body, app.0).await.map_err(|problem| Raised(Box::new(problem)).into())
}

async fn accept(request: &Request, body: Body, app: &App) -> Result<Response, Problem> {
    let Some(secret) = &app.config.clerk.webhook_secret else {
        let title = "No secret for Clerk's webhooks is set";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "webhooks_not_configured", title)
            .header(header::RETRY_AFTER, "3600"));
    };
    let message = plausible(request.headers(), clock::now() / 1000).ok_or_else(unsigned)?;
    body::refuse_compressed(request.headers())?;
    let ClientAddress(address) = request.extensions().get().copied().ok_or_else(Problem::internal)?;
    let mut reservation = app.bodies.anonymous.reserve(address)?;
    let Bodies { window, least, .. } = app.config.bodies;
    let bounds = Bounds { bytes: LIMIT, window, least };
    let bytes = body::collect(body, body::declared_length(request), bounds, &mut reservation).await?;
    let webhook = Webhook::new(secret.expose()).map_err(|_| Problem::internal())?;
    // Also the time: five minutes of tolerance.
    webhook.verify(&bytes, request.headers()).map_err(|_| unsigned())?;
    // Signed by Clerk, so whatever it is, to refuse it would only have it sent again for days.
    let Ok(event) = serde_json::from_slice::<Event>(&bytes) else {
        tracing::warn!("a message of Clerk's could not be read");
        return Ok(json::empty(StatusCode::NO_CONTENT));
    };
    if event.kind == "user.deleted" {
        match event.data.id.filter(|id| id.starts_with("user_")) {
            Some(id) => erasure::heard(&app.db, &message, id).await?,
            None => tracing::warn!("Clerk deleted somebody without saying whom"),
        }
    }
    Ok(json::empty(StatusCode::NO_CONTENT))
}

fn unsigned() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_signature", "The signature does not fit the message")
}

/// Judges the headers before the body is read: whether there is anything to verify at all. Returns the message's
/// own id, the same each time it is sent again.
fn plausible(headers: &HeaderMap, now: i64) -> Option<String> {
    let find = |names: [&str; 2]| names.iter().find_map(|name| headers.get(*name))?.to_str().ok();
    let id = find(["svix-id", "webhook-id"])?;
    let time: i64 = find(["svix-timestamp", "webhook-timestamp"])?.parse().ok()?;
    let signatures = find(["svix-signature", "webhook-signature"])?;
    let is_signature = |one: &str| one.strip_prefix("v1,").is_some_and(|digest| digest.len() == DIGEST);
    let plausible = (1..=MAX_ID).contains(&id.len())
        && now.checked_sub(time).is_some_and(|age| age.unsigned_abs() <= TOLERANCE)
        && signatures.len() <= MAX_SIGNATURE
        && signatures.split(' ').any(is_signature);
    plausible.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn judge(id: &str, time: &str, signature: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in [("svix-id", id), ("svix-timestamp", time), ("svix-signature", signature)] {
            headers.insert(name, value.parse().unwrap());
        }
        plausible(&headers, NOW)
    }

    #[test]
    fn headers_without_a_verifiable_signature_are_refused() {
        let signature = Webhook::new("whsec_c2VjcmV0").unwrap().sign("msg_1", NOW, b"{}").unwrap();
        let (late, early) = ((NOW - 300).to_string(), (NOW + 300).to_string());
        for time in [&late, &early] {
            assert_eq!(judge("msg_1", time, &signature).as_deref(), Some("msg_1"));
        }
        assert!(judge("msg_1", &late, &format!("v2,x v1a,y {signature}")).is_some());
        let (too_late, too_early) = ((NOW - 301).to_string(), (NOW + 301).to_string());
        for time in [too_late.as_str(), &too_early, "", "now", "-9223372036854775808"] {
            assert_eq!(judge("msg_1", time, &signature), None, "{time}");
        }
        for signature in ["", "v1,", "v1,short", signature.trim_start_matches("v1,"), &"v1,x ".repeat(300)] {
            assert_eq!(judge("msg_1", &late, signature), None, "{signature}");
        }
        assert_eq!(judge("", &late, &signature), None);
        assert_eq!(judge(&"m".repeat(201), &late, &signature), None);
        assert_eq!(plausible(&HeaderMap::new(), NOW), None);
    }
}
