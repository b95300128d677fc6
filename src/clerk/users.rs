//! A person's profile at Clerk, through its Backend API: read, corrected and deleted there. Reads no more
//! of a user than [`Profile`] names, keeps nothing of it, and logs neither the user's id nor a body.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::gate::Gate;
use super::token::account_id;
use crate::config::{self, ConfigError, Secret};
use crate::fair_queue::Priority;

/// The version of the API that this was written for.
const API_VERSION: &str = "2026-05-12";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// From the request to the last byte of the answer: a person waits for it.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Largest answer read, in bytes; a user object has some thousands.
const MAX_BODY: usize = 256 * 1024;
/// Longest id that Clerk is asked about, in bytes; its own have 32.
const MAX_ID: usize = 200;
/// What Clerk's ids are made of stays as it is; nothing else can reach beyond its place in an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');
/// No wait is longer than an hour, in seconds: everything pauses for as long.
const MAX_RETRY_AFTER: u64 = 3_600;

/// Why Clerk did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsersError {
    /// There is no secret key to ask with.
    #[error("not configured")]
    NotConfigured,
    /// Clerk knows no such user.
    #[error("not found")]
    NotFound,
    #[error("rate limited")]
    RateLimited { retry_after_seconds: Option<u64> },
    /// No answer in time, a failure on Clerk's side, or an answer that is not Clerk's.
    #[error("unavailable")]
    Unavailable,
    /// The secret key is wrong or may not do this: the operator's fault.
    #[error("refused")]
    Refused,
    /// Clerk does not take these names.
    #[error("invalid")]
    Invalid { first_name: bool, last_name: bool },
}

/// What is ever read of a user. It shows in no debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    /// The primary one first; may be empty.
    pub email_addresses: Vec<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[profile]")
    }
}

/// The users of a Clerk instance. Clones share the connections.
#[derive(Clone)]
pub struct Users(Arc<Inner>);

struct Inner {
    secret_key: Option<Secret>,
    api_url: String,
    client: Client,
    gate: Arc<Gate>,
}

impl Users {
    /// Sets the client up; nothing is asked yet.
    ///
    /// # Errors
    /// No TLS client can be made (no CA certificates).
    pub fn new(backend: &config::Backend) -> Result<Self, ConfigError> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| ConfigError {
                name: "CLERK_API_URL",
                reason: error.without_url().to_string(),
            })?;
        let config::Backend { secret_key, api_url } = backend.clone();
        // Clerk's keys say which kind of instance they are for.
        let is_production = secret_key.as_ref().is_some_and(|key| key.expose().starts_with("sk_live_"));
        let gate = Arc::new(Gate::new(is_production));
        Ok(Self(Arc::new(Inner { secret_key, api_url, client, gate })))
    }

    pub fn is_configured(&self) -> bool {
        self.0.secret_key.is_some()
    }

    /// The profile as Clerk has it now. Those who ask for the same one at the same time get one answer.
    pub async fn get(&self, user: &Secret) -> Result<Profile, UsersError> {
        let (users, id) = (self.clone(), user.clone());
        let read = || async move {
            let user: JsonUser = users.ask(Method::GET, &id, None).await?;
            Ok(user.into())
        };
        self.0.gate.read_once(account_id(user.expose()), read).await
    }

    /// Corrects the names: `None` keeps one, `Some(None)` clears it. Tells the profile as it is then.
    pub async fn rename(
        &self,
        user: &Secret,
        first: Option<Option<String>>,
        last: Option<Option<String>>,
    ) -> Result<Profile, UsersError> {
        let names: Map<String, Value> = [("first_name", first), ("last_name", last)]
            .into_iter()
            .filter_map(|(field, name)| Some((field.to_owned(), Value::from(name?))))
            .collect();
        let user: JsonUser = self.ask(Method::PATCH, user, Some(&names)).await?;
        Ok(user.into())
    }

    /// Deletes the user. One that is not there any more counts as deleted.
    pub async fn delete(&self, user: &Secret) -> Result<(), UsersError> {
        match self.ask::<JsonDeleted>(Method::DELETE, user, None).await {
            Ok(JsonDeleted { deleted: true }) | Err(UsersError::NotFound) => Ok(()),
            Ok(JsonDeleted { deleted: false }) => Err(UsersError::Unavailable),
            Err(error) => Err(error),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        user: &Secret,
        body: Option<&Map<String, Value>>,
    ) -> Result<T, UsersError> {
        let Inner { secret_key, api_url, client, gate } = &*self.0;
        let key = secret_key.as_ref().ok_or(UsersError::NotConfigured)?;
        let id = user.expose();
        // Whatever else it is, it is no user of Clerk's.
        if !id.starts_with("user_") || id.len() > MAX_ID {
            return Err(UsersError::NotFound);
        }
        let deletes = method == Method::DELETE;
        let priority = if deletes { Priority::Urgent } else { Priority::Interactive };
        let _permit = gate.enter(account_id(id), priority).await?;
        let url = format!("{api_url}/v1/users/{}", utf8_percent_encode(id, ENCODED));
        let mut request = client
            .request(method, url)
            .bearer_auth(key.expose())
            .header("Clerk-API-Version", API_VERSION)
            .header("Accept", "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        // A `reqwest::Error` holds the address, and with it the id: it goes no further.
        let mut answer = request.send().await.map_err(|_| UsersError::Unavailable)?;
        let (status, retry_after) = (answer.status(), retry_after(answer.headers()));
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| UsersError::Unavailable)? {
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(UsersError::Unavailable);
            }
            bytes.extend_from_slice(&chunk);
        }
        match status {
            StatusCode::OK => serde_json::from_slice(&bytes).map_err(|_| UsersError::Unavailable),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(UsersError::Refused),
            StatusCode::TOO_MANY_REQUESTS => {
                gate.pause(retry_after);
                Err(UsersError::RateLimited { retry_after_seconds: retry_after })
            }
            // Only Clerk's own word counts: another server that happens to be there knows no page either.
            StatusCode::NOT_FOUND if refusals(&bytes).iter().any(|r| r.code == "resource_not_found") => {
                Err(UsersError::NotFound)
            }
            StatusCode::UNPROCESSABLE_ENTITY => Err(invalid(&refusals(&bytes))),
            _ => Err(UsersError::Unavailable),
        }
    }
}

/// The header in its form in seconds; Clerk sends no dates.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.min(MAX_RETRY_AFTER))
}

fn invalid(refusals: &[JsonRefusal]) -> UsersError {
    let names = |field| refusals.iter().any(|r| r.meta.param_name.as_deref() == Some(field));
    match (names("first_name"), names("last_name")) {
        // It says of neither what is wrong with it.
        (false, false) => UsersError::Unavailable,
        (first_name, last_name) => UsersError::Invalid { first_name, last_name },
    }
}

#[derive(Deserialize)]
struct JsonUser {
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    primary_email_address_id: Option<String>,
    email_addresses: Vec<JsonAddress>,
}

#[derive(Deserialize)]
struct JsonAddress {
    id: String,
    email_address: String,
}

#[derive(Deserialize)]
struct JsonDeleted {
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
struct JsonRefusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    meta: JsonMeta,
}

#[derive(Default, Deserialize)]
struct JsonMeta {
    #[serde(default)]
    param_name: Option<String>,
}

/// What Clerk says of a refused request; nothing if it is not Clerk that says it.
fn refusals(body: &[u8]) -> Vec<JsonRefusal> {
    #[derive(Deserialize)]
    struct Envelope {
        errors: Vec<JsonRefusal>,
    }
    serde_json::from_slice(body).map(|Envelope { errors }| errors).unwrap_or_default()
}

impl From<JsonUser> for Profile {
    fn from(user: JsonUser) -> Self {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut addresses = user.email_addresses;
        // Stable: the others stay in Clerk's order.
        addresses.sort_by_key(|address| Some(&address.id) != user.primary_email_address_id.as_ref());
        Self {
            first_name: filled(user.first_name),
            last_name: filled(user.last_name),
            username: filled(user.username),
            email_addresses: addresses.into_iter().map(|address| address.email_address).collect(),
        }
    }
}

#[cfg(test)]
#[path = "users_test.rs"]
mod tests;
