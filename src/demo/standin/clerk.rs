//! The stand-in of Clerk: the JWKS of its Frontend API, session tokens, and the users of its Backend
//! API in memory. Sends no webhooks and knows no sessions.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Method;
use serde_json::{Map, Value, json};

use super::CLERK_SECRET_KEY;
use super::exchange::{Received, Reply};
use super::key::SigningKey;
use super::listener::{Answer, Fault, lock};
use crate::clock;

/// What `cat` says of a session token.
const SESSION: &str = "cl_B7d4PD111AAA";
/// Users kept, deleted ones included; later ones stay unknown to the users API.
const PEOPLE: usize = 100_000;
/// What PATCH may change.
const CHANGEABLE: [&str; 6] =
    ["first_name", "last_name", "username", "external_id", "primary_email_address_id", "locale"];

pub(super) struct Clerk {
    issuer: String,
    keys: Mutex<Keys>,
    people: Mutex<People>,
}

struct Keys {
    current: Arc<SigningKey>,
    made: u32,
}

#[derive(Default)]
struct People {
    users: HashMap<String, Value>,
    deleted: HashSet<String>,
}

impl Clerk {
    pub(super) fn new(issuer: String) -> io::Result<Self> {
        let keys = Mutex::new(Keys { current: SigningKey::first()?, made: 1 });
        Ok(Self { issuer, keys, people: Mutex::default() })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn rotate(&self) -> io::Result<()> {
        let mut keys = lock(&self.keys);
        keys.made += 1;
        keys.current = Arc::new(SigningKey::generate(format!("ins_demo_{}", keys.made))?);
        Ok(())
    }

    fn key(&self) -> Arc<SigningKey> {
        Arc::clone(&lock(&self.keys).current)
    }

    pub(super) fn public_key_pem(&self) -> io::Result<String> {
        self.key().pem()
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.key().sign(header, claims)
    }

    pub(super) fn header(&self) -> Value {
        json!({
            "alg": "RS256", "cat": SESSION, "kid": self.key().kid,
            "oiat": clock::now() / 1000, "typ": "JWT",
        })
    }

    pub(super) fn claims(&self, user: &str, lifetime: Duration) -> Value {
        let now = clock::now() / 1000;
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        json!({
            "exp": now.saturating_add(lifetime), "fea": "", "fva": [0, -1], "iat": now, "iss": self.issuer,
            "jti": uuid::Uuid::new_v4().simple().to_string(), "nbf": now - 10, "pla": "u:free",
            "sid": format!("sess_{user}"), "sts": "active", "sub": format!("user_{user}"), "v": 2,
        })
    }

    /// Makes the user known, unless known or deleted.
    pub(super) fn meet(&self, name: &str) {
        let id = format!("user_{name}");
        let mut people = lock(&self.people);
        let full = people.users.len() + people.deleted.len() >= PEOPLE;
        if !full && !people.deleted.contains(&id) {
            people.users.entry(id).or_insert_with_key(|id| person(id, name));
        }
    }

    pub(super) fn user(&self, id: &str) -> Option<Value> {
        lock(&self.people).users.get(id).cloned()
    }

    pub(super) fn put_user(&self, user: Value) {
        let Some(id) = user.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
        let mut people = lock(&self.people);
        people.deleted.remove(&id);
        people.users.insert(id, user);
    }

    fn backend(&self, request: &Received) -> Reply {
        match request.bearer() {
            Some(CLERK_SECRET_KEY) => {}
            Some(_) => {
                return refuse(401, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.", None);
            }
            None => {
                let text = "Invalid Authorization header format. Must be \"Bearer <token>\".";
                return refuse(401, "authorization_header_format_invalid", text, None);
            }
        }
        match (&request.method, request.segments().as_slice()) {
            (&Method::GET, ["v1", "jwks"]) => self.jwks(),
            (&Method::GET, ["v1", "users", id]) => {
                self.user(id).map_or_else(unknown, |user| Reply::json(200, &user))
            }
            (&Method::PATCH, ["v1", "users", id]) => self.change(id, &request.body),
            (&Method::DELETE, ["v1", "users", id]) => self.delete(id),
            (_, ["v1", "users", _]) => Reply::new(405, "text/plain", ""),
            _ => unknown(),
        }
    }

    fn jwks(&self) -> Reply {
        Reply::json(200, &json!({ "keys": [self.key().jwk()] }))
            .with("cache-control", "public, max-age=3600, stale-while-revalidate=31536000")
    }

    fn change(&self, id: &str, body: &[u8]) -> Reply {
        let Ok(changes) = serde_json::from_slice::<Map<String, Value>>(body) else {
            return refuse(400, "request_body_invalid", "Request body invalid", None);
        };
        for (name, value) in &changes {
            if !CHANGEABLE.contains(&name.as_str()) {
                return refuse(422, "form_param_unknown", "is unknown", Some(name));
            }
            if !value.is_string() && !value.is_null() {
                return refuse(422, "form_param_format_invalid", "is invalid", Some(name));
            }
        }
        let mut people = lock(&self.people);
        let Some(user) = people.users.get_mut(id).and_then(Value::as_object_mut) else { return unknown() };
        user.extend(changes);
        user.insert("updated_at".into(), clock::now().into());
        Reply::json(200, &Value::Object(user.clone()))
    }

    fn delete(&self, id: &str) -> Reply {
        let mut people = lock(&self.people);
        if people.users.remove(id).is_none() {
            return unknown();
        }
        people.deleted.insert(id.to_owned());
        Reply::json(200, &json!({ "object": "user", "id": id, "deleted": true }))
    }
}

impl Answer for Clerk {
    fn answer(&self, request: &Received) -> Reply {
        match (&request.method, request.path.as_str()) {
            (&Method::GET, "/.well-known/jwks.json") => self.jwks(),
            _ => self.backend(request),
        }
    }
}

impl Fault {
    /// 429 as Clerk sends it: an empty list of errors, and the seconds to wait.
    pub fn clerk_too_many(retry_after: u64) -> Self {
        let body = json!({ "errors": [], "clerk_trace_id": "demo_trace" });
        Reply::json(429, &body).with("retry-after", retry_after.to_string()).into()
    }

    /// 500 as Clerk sends it.
    pub fn clerk_internal() -> Self {
        refuse(500, "internal_clerk_error", "Oops, an unexpected error occurred", None).into()
    }
}

fn unknown() -> Reply {
    refuse(404, "resource_not_found", "not found", None)
}

/// Clerk's envelope; its texts may name the user, as here the parameter.
fn refuse(status: u16, code: &str, message: &str, parameter: Option<&str>) -> Reply {
    let mut error = json!({ "message": message, "long_message": message, "code": code });
    if let Some(name) = parameter {
        error["long_message"] = format!("{name} {message}").into();
        error["meta"] = json!({ "param_name": name });
    }
    Reply::json(status, &json!({ "errors": [error], "clerk_trace_id": "demo_trace" }))
}

/// A user with everything Clerk knows of one, also what nobody should keep.
fn person(id: &str, name: &str) -> Value {
    let now = clock::now();
    let first_name: String =
        name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
    let email = format!("{name}@example.org");
    let (address, google) = (format!("idn_{name}"), format!("idn_google_{name}"));
    json!({
        "object": "user", "id": id, "username": null, "first_name": first_name, "last_name": "Example",
        "image_url": "https://img.example.org/face.png", "has_image": false, "locale": null,
        "primary_email_address_id": address, "primary_phone_number_id": null, "primary_web3_wallet_id": null,
        "password_enabled": false, "two_factor_enabled": false, "banned": false, "locked": false, "external_id": null,
        "email_addresses": [{
            "object": "email_address", "id": address, "email_address": email, "reserved": false,
            "verification": { "status": "verified", "strategy": "from_oauth_google", "attempts": null, "expire_at": null },
            "linked_to": [{ "type": "oauth_google", "id": google }], "created_at": now, "updated_at": now,
        }],
        "phone_numbers": [{
            "object": "phone_number", "id": format!("idn_phone_{name}"), "phone_number": "+15555550100",
            "verification": null, "linked_to": [], "created_at": now, "updated_at": now,
        }],
        "web3_wallets": [], "passkeys": [], "saml_accounts": [], "enterprise_accounts": [],
        "external_accounts": [
            { "object": "google_account", "id": google, "external_account_id": format!("eac_google_{name}"),
              "provider": "google", "provider_user_id": "100000000000000000000", "email_address": email,
              "given_name": first_name, "family_name": "Example", "label": null, "verification": null },
            { "object": "external_account", "id": format!("eac_apple_{name}"), "provider": "oauth_apple",
              "identification_id": format!("idn_apple_{name}"), "provider_user_id": "000000.demo.0000",
              "email_address": "demo@privaterelay.example.org", "first_name": "", "last_name": "",
              "verification": null },
        ],
        "public_metadata": {}, "private_metadata": { "note": "never to be kept" }, "unsafe_metadata": {},
        "last_sign_in_at": now, "last_active_at": now, "created_at": now, "updated_at": now,
        "delete_self_enabled": true, "legal_accepted_at": null,
    })
}

#[cfg(test)]
#[path = "clerk_test.rs"]
mod tests;
