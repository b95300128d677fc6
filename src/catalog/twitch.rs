//! IGDB's sign-in: one token for the whole process, minted once however many need it, renewed before
//! it ends, and minted anew when IGDB refuses it.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::failure::Failure;
use super::field;
use super::gate::Clock;
use super::request;
use super::wire::{FAULT_PAUSE, Fault, Reply, Wire};
use crate::clock::Millis;
use crate::config::{Igdb, Secret};

/// How long before its end a token is renewed.
const RENEW_BEFORE: Millis = 3_600_000;

/// How long a failed sign-in is not tried again, so that those who wait do not try one by one.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Twitch {
    address: Url,
    client_id: String,
    client_secret: Secret,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// No sign-in before this time.
    failed_until: Millis,
}

struct Token {
    authorization: HeaderValue,
    renew_at: Millis,
}

impl Twitch {
    pub(super) fn new(address: Url, config: &Igdb, clock: Clock) -> Self {
        Self {
            address,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            clock,
            state: Mutex::default(),
        }
    }

    /// The `Authorization` to use, minted over `wire` if there is none. `refused` is one that IGDB no
    /// longer takes: if it is still the current one, another is minted. Whoever comes while one is
    /// being minted waits for it.
    pub(super) async fn authorization(
        &self,
        wire: &Wire,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Failure> {
        let mut state = self.state.lock().await;
        let now = (self.clock)();
        let usable = state.token.as_ref().filter(|token| Some(&token.authorization) != refused);
        if let Some(token) = usable.filter(|token| now < token.renew_at) {
            return Ok(token.authorization.clone());
        }
        let left = state.failed_until - now;
        if left > 0 {
            let retry_after_seconds = u64::try_from(left).unwrap_or(0).div_ceil(1000);
            return Err(Failure::Unavailable { retry_after_seconds });
        }
        let minted = wire
            .send_once(
                request::twitch_token(&self.address, &self.client_id, self.client_secret.expose()),
                |reply| judge(reply, now),
            )
            .await;
        match minted {
            Ok(token) => Ok(state.token.insert(token).authorization.clone()),
            Err(fault) => {
                let pause = match fault {
                    Fault::Refused => {
                        tracing::warn!("twitch refuses the client id or secret");
                        FAULT_PAUSE
                    }
                    Fault::Limited(pause) | Fault::Away(pause) => pause,
                    _ => FAILURE_PAUSE,
                };
                // From the end of the try, which may have taken longer than the pause.
                state.failed_until =
                    (self.clock)().saturating_add(Millis::try_from(pause.as_millis()).unwrap_or(0));
                Err(Failure::Unavailable { retry_after_seconds: pause.as_secs().max(1) })
            }
        }
    }
}

fn judge(reply: &Reply, now: Millis) -> Result<Token, Fault> {
    match reply.status.as_u16() {
        200 => {
            let body = reply.json()?;
            let token = body.get("access_token").and_then(Json::as_str).ok_or(Fault::Lasting)?;
            let mut authorization =
                HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Fault::Lasting)?;
            authorization.set_sensitive(true);
            // A token without an end, or with a short one, is still good for a minute.
            let seconds = field::id(&body, "expires_in").and_then(|s| Millis::try_from(s).ok()).unwrap_or(0);
            let lifetime = seconds.saturating_mul(1000).saturating_sub(RENEW_BEFORE).max(60_000);
            Ok(Token { authorization, renew_at: now.saturating_add(lifetime) })
        }
        // Wrong id, wrong secret: somebody has to change the settings.
        400 | 401 | 403 => Err(Fault::Refused),
        _ => Err(reply.fault(FAILURE_PAUSE)),
    }
}
