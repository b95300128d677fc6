//! What Clerk tells us by itself. Outside the contract: Clerk is the only client. A message counts only
//! with a signature of Clerk's over its exact bytes; of what it says only the kind and the user's id are
//! read, and nothing is kept or logged but the message's own id.

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use serde::Deserialize;
use svix::webhooks::Webhook;

use super::json;
use super::problem::{Problem, Raised};
use crate::app::App;
use crate::erasure;

/// The bound on a message, in bytes.
const LIMIT: usize = 1024 * 1024;

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
    let bytes = body.into_bytes_limit(LIMIT).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => json::too_large(LIMIT),
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_body", "The body ended early"),
    })?;
    let webhook = Webhook::new(secret.expose()).map_err(|_| Problem::internal())?;
    // Also the time: five minutes of tolerance.
    webhook.verify(&bytes, request.headers()).map_err(|_| unsigned())?;
    let message = message_id(request).ok_or_else(unsigned)?;
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

/// The message's own id, the same each time it is sent again.
fn message_id(request: &Request) -> Option<String> {
    let header = ["svix-id", "webhook-id"].iter().find_map(|name| request.headers().get(*name))?;
    header.to_str().ok().filter(|id| id.len() <= 200).map(str::to_owned)
}
