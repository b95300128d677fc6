//! Everything about Clerk.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{ConfigError, Env, Secret, http_url, wrong};
use crate::secret;

/// How session tokens are verified.
#[derive(Debug, Clone)]
pub struct Clerk {
    /// Exactly what `iss` must be: the Frontend API address without a trailing slash.
    pub issuer: String,
    pub keys: ClerkKeys,
    /// What `azp` may be where a token carries one; empty means any.
    pub authorized_parties: Vec<String>,
    pub backend: Backend,
    /// What Clerk's webhooks are signed with; without it none is accepted.
    pub webhook_secret: Option<Secret>,
}

/// Clerk's Backend API: the person's profile, and the deletion of a user.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Without it nothing is asked of Clerk.
    pub secret_key: Option<Secret>,
    /// Without a trailing slash and without `/v1`.
    pub api_url: String,
}

/// Where the verification keys come from.
#[derive(Debug, Clone)]
pub enum ClerkKeys {
    /// Fetched from this address and cached.
    JwksUrl(String),
    /// One fixed PEM public key; no network is used.
    Pem(String),
}

pub(super) fn read(env: &Env<'_>) -> Result<Clerk, ConfigError> {
    let derived = match env.get("CLERK_PUBLISHABLE_KEY") {
        Some(key) => Some(frontend_api(&key)?),
        None => None,
    };
    let issuer = match (env.get("CLERK_ISSUER"), derived) {
        (Some(issuer), _) => http_url("CLERK_ISSUER", &issuer)?,
        (None, Some(issuer)) => issuer,
        (None, None) => return wrong("CLERK_PUBLISHABLE_KEY", "is needed (or CLERK_ISSUER)"),
    };
    let keys = match (env.get("CLERK_JWT_KEY"), env.get("CLERK_JWKS_URL")) {
        // An environment file often holds the PEM's line breaks as the two characters \n.
        (Some(pem), _) => ClerkKeys::Pem(pem.replace("\\n", "\n")),
        (None, Some(url)) => ClerkKeys::JwksUrl(http_url("CLERK_JWKS_URL", &url)?),
        (None, None) => ClerkKeys::JwksUrl(format!("{issuer}/.well-known/jwks.json")),
    };
    let authorized_parties = env
        .get("CLERK_AUTHORIZED_PARTIES")
        .map(|list| list.split(',').map(|party| party.trim().to_owned()).filter(|p| !p.is_empty()).collect())
        .unwrap_or_default();
    let backend = Backend {
        secret_key: env.get("CLERK_SECRET_KEY").map(Secret::new),
        api_url: env.url("CLERK_API_URL", "https://api.clerk.com")?,
    };
    let webhook_secret = env.get("CLERK_WEBHOOK_SIGNING_SECRET").map(webhook_secret).transpose()?;
    Ok(Clerk { issuer, keys, authorized_parties, backend, webhook_secret })
}

/// Checks that it is what the verifier takes and nobody guesses: with it, anybody's account can be erased.
/// Standard Webhooks asks for 24 to 64 bytes; Clerk's have 24.
fn webhook_secret(text: String) -> Result<Secret, ConfigError> {
    let bytes = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    match bytes {
        Some(bytes) if (24..=64).contains(&bytes.len()) && !secret::is_weak(&bytes) => Ok(Secret::new(text)),
        _ => wrong("CLERK_WEBHOOK_SIGNING_SECRET", "must be whsec_ and 24 to 64 random bytes in base64"),
    }
}

/// `pk_test_…` and `pk_live_…` hold the Frontend API's host in base64, closed by a `$`.
fn frontend_api(publishable_key: &str) -> Result<String, ConfigError> {
    let name = "CLERK_PUBLISHABLE_KEY";
    let Some(encoded) =
        publishable_key.strip_prefix("pk_test_").or_else(|| publishable_key.strip_prefix("pk_live_"))
    else {
        return wrong(name, "must begin with pk_test_ or pk_live_");
    };
    let host = STANDARD_NO_PAD
        .decode(encoded.trim_end_matches('='))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_suffix('$').map(str::to_owned))
        .filter(|host| {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        });
    let url = host.and_then(|host| http_url(name, &format!("https://{host}")).ok());
    url.map_or_else(|| wrong(name, "does not hold a Frontend API host"), Ok)
}
