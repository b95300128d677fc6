//! The stand-in of Twitch's sign-in for IGDB: mints app tokens against the client's secret, and knows
//! which of them are still good.

use std::collections::VecDeque;
use std::sync::Mutex;

use hyper::Method;
use serde_json::json;

use super::exchange::{Received, Reply};
use super::listener::{Answer, lock};
use super::{TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET};

/// App tokens of one client that live at the same time; minting more kills the oldest.
const ALIVE: usize = 25;

#[derive(Default)]
pub(super) struct Tokens(Mutex<Minted>);

#[derive(Default)]
struct Minted {
    count: usize,
    alive: VecDeque<String>,
}

impl Tokens {
    pub(super) fn minted(&self) -> usize {
        lock(&self.0).count
    }

    pub(super) fn revoke(&self) {
        lock(&self.0).alive.clear();
    }

    pub(super) fn is_good(&self, token: &str) -> bool {
        lock(&self.0).alive.iter().any(|alive| alive == token)
    }

    fn mint(&self) -> String {
        let mut minted = lock(&self.0);
        minted.count += 1;
        let token = format!("demo{:026}", minted.count);
        if minted.alive.len() == ALIVE {
            minted.alive.pop_front();
        }
        minted.alive.push_back(token.clone());
        token
    }
}

impl Answer for Tokens {
    fn answer(&self, request: &Received) -> Reply {
        if request.path != "/oauth2/token" {
            return Reply::json(404, &json!({ "error": "Not Found", "status": 404, "message": "" }));
        }
        if request.method != Method::POST {
            return Reply::json(404, &json!({ "status": 404, "message": "404 page not found" }));
        }
        // The form only: a secret in the address would end in logs, and a client must not put it there.
        let form = request.form();
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let refuse = |status: u16, message: &str| {
            Reply::json(status, &json!({ "status": status, "message": message }))
        };
        match (field("client_id"), field("client_secret"), field("grant_type")) {
            (None, _, _) => refuse(400, "missing client id"),
            (Some(TWITCH_CLIENT_ID), None, _) => refuse(400, "missing client secret"),
            (Some(TWITCH_CLIENT_ID), Some(TWITCH_CLIENT_SECRET), Some("client_credentials")) => {
                let body =
                    json!({ "access_token": self.mint(), "expires_in": 5_066_399, "token_type": "bearer" });
                Reply::json(200, &body)
            }
            (Some(TWITCH_CLIENT_ID), Some(TWITCH_CLIENT_SECRET), _) => refuse(400, "invalid grant type"),
            (Some(TWITCH_CLIENT_ID), Some(_), _) => refuse(403, "invalid client secret"),
            (Some(_), _, _) => refuse(400, "invalid client"),
        }
    }
}
