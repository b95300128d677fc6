//! What makes a JWT a Clerk session token. Pure functions over one token, one key and one instant:
//! no network and no cache. The same key signs other kinds of token (JWT templates, which outlive a
//! revoked session, machine tokens, OAuth access tokens): all of them are refused here.

use std::collections::HashSet;

use aws_lc_rs::digest;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use crate::clock::Millis;
use crate::config::{ConfigError, Secret};

/// Longest token looked at, in bytes; Clerk keeps its own under 4 kB (the size of a cookie).
const MAX_BYTES: usize = 8 * 1024;
/// The `cat` header of a session token; the other categories are not for us.
const SESSION_CATEGORY: &str = "cl_B7d4PD111AAA";
/// How far the clocks may differ, in milliseconds: the default of Clerk's own verifier.
const LEEWAY: Millis = 5_000;

/// The person a valid token speaks for.
#[derive(Debug, Clone)]
pub struct Session {
    pub account_id: Uuid,
    /// Clerk's own id of the person, for calls to Clerk's Backend API. Never stored or logged.
    pub user_id: Secret,
    /// Somebody else, such as Clerk's support desk, acts in the person's name.
    pub impersonated: bool,
    /// The token's own end, without leeway.
    pub expires_at: Millis,
}

/// Why a token was refused: for tests and metrics. A client is told none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    TooLong,
    /// Not three parts of JSON, an algorithm nobody knows, or a claim that is missing or of a wrong type.
    Malformed,
    Algorithm,
    /// It demands extensions (`crit`) that are not understood here.
    Critical,
    Type,
    Category,
    UnknownKey,
    Signature,
    Issuer,
    Expired,
    NotYetValid,
    AuthorizedParty,
    /// Signed in, but with tasks of Clerk's unfinished: counts as signed out.
    PendingSession,
    Subject,
    SessionId,
    /// It may be valid: the key that it names cannot be looked up just now.
    KeysUnavailable,
}

impl Rejected {
    /// The label of this reason in metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical",
            Self::Type => "type",
            Self::Category => "category",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::AuthorizedParty => "authorized_party",
            Self::PendingSession => "pending_session",
            Self::Subject => "subject",
            Self::SessionId => "session_id",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

/// The account of a Clerk user: the first 16 bytes of the SHA-256 of the user's id. It needs no
/// look-up, and Clerk's id need not be stored.
pub fn account_id(user_id: &str) -> Uuid {
    let hash = digest::digest(&digest::SHA256, user_id.as_bytes());
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    Uuid::from_bytes(bytes)
}

/// The key of a PEM public key from the settings.
pub(super) fn public_key(pem: &str) -> Result<DecodingKey, ConfigError> {
    // A private key is parsed as well and would fail only at the first token.
    let key = if pem.contains("PRIVATE") { None } else { DecodingKey::from_rsa_pem(pem.as_bytes()).ok() };
    key.ok_or_else(|| ConfigError { name: "CLERK_JWT_KEY", reason: "is not an RSA public key in PEM".into() })
}

/// Checks the size and the header, and returns the id of the key that is said to have signed it.
pub(super) fn key_id(token: &str) -> Result<Option<String>, Rejected> {
    if token.len() > MAX_BYTES {
        return Err(Rejected::TooLong);
    }
    let header = decode_header(token).map_err(|_| Rejected::Malformed)?;
    if header.alg != Algorithm::RS256 {
        return Err(Rejected::Algorithm);
    }
    if header.crit.is_some() {
        return Err(Rejected::Critical);
    }
    if header.typ.is_some_and(|typ| typ != "JWT") {
        return Err(Rejected::Type);
    }
    match header.extras.inner().get("cat") {
        Some(category) if category != SESSION_CATEGORY => Err(Rejected::Category),
        _ => Ok(header.kid),
    }
}

#[derive(Deserialize)]
struct Claims {
    /// A string only: an array that holds our issuer is not our issuer.
    iss: String,
    sub: String,
    sid: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    azp: Option<String>,
    sts: Option<String>,
    act: Option<IgnoredAny>,
}

/// What a session token of this Clerk instance must say.
pub(super) struct Rules {
    issuer: String,
    /// Empty means any.
    authorized_parties: Vec<String>,
    signature: Validation,
}

impl Rules {
    pub(super) fn new(issuer: &str, authorized_parties: &[String]) -> Self {
        // The crate checks the signature alone. The claims are checked below, because its defaults
        // differ from Clerk's (leeway, issuer, `nbf`, `iat`). `aud` is left alone on purpose: a
        // session token has none unless the instance adds one of its own.
        let mut signature = Validation::new(Algorithm::RS256);
        signature.required_spec_claims = HashSet::new();
        signature.validate_exp = false;
        signature.validate_aud = false;
        Self { issuer: issuer.to_owned(), authorized_parties: authorized_parties.to_vec(), signature }
    }

    /// Checks the signature, then the claims, for a token whose header [`key_id`] has accepted.
    pub(super) fn check(&self, token: &str, key: &DecodingKey, now: Millis) -> Result<Session, Rejected> {
        let claims = decode::<Claims>(token, key, &self.signature).map_err(|error| match error.kind() {
            ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => Rejected::Malformed,
            ErrorKind::InvalidAlgorithm => Rejected::Algorithm,
            _ => Rejected::Signature,
        })?;
        self.accept(claims.claims, now)
    }

    fn accept(&self, claims: Claims, now: Millis) -> Result<Session, Rejected> {
        if claims.iss != self.issuer {
            return Err(Rejected::Issuer);
        }
        let expires_at = millis(claims.exp);
        if expires_at <= now - LEEWAY {
            return Err(Rejected::Expired);
        }
        if claims.nbf.is_some_and(|at| millis(at) > now + LEEWAY)
            || claims.iat.is_some_and(|at| millis(at) > now + LEEWAY)
        {
            return Err(Rejected::NotYetValid);
        }
        // A native app sends no Origin, so that its tokens carry no `azp`: absent is accepted.
        if let Some(party) = claims.azp
            && !self.authorized_parties.is_empty()
            && !self.authorized_parties.contains(&party)
        {
            return Err(Rejected::AuthorizedParty);
        }
        if claims.sts.as_deref() == Some("pending") {
            return Err(Rejected::PendingSession);
        }
        if !claims.sub.starts_with("user_") {
            return Err(Rejected::Subject);
        }
        if !claims.sid.is_some_and(|sid| sid.starts_with("sess_")) {
            return Err(Rejected::SessionId);
        }
        Ok(Session {
            account_id: account_id(&claims.sub),
            user_id: Secret::new(claims.sub),
            impersonated: claims.act.is_some(),
            expires_at,
        })
    }
}

/// Seconds of a claim in milliseconds, without overflow.
fn millis(seconds: i64) -> Millis {
    seconds.saturating_mul(1000)
}

#[cfg(test)]
#[path = "token_test.rs"]
mod tests;
