//! Whose request it is.

use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use poem::Request;
use serde::Deserialize;
use uuid::Uuid;

use crate::Result;

/// The file with the public key, and the one with the issuer.
pub const KEY: &str = "key.pem";
pub const ISSUER: &str = "issuer";

pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Verifier {
    pub fn read(folder: &Path) -> Result<Self> {
        let key = DecodingKey::from_rsa_pem(&std::fs::read(folder.join(KEY))?)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[std::fs::read_to_string(folder.join(ISSUER))?]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_nbf = true;
        Ok(Self { key, validation })
    }

    pub fn account(&self, request: &Request) -> Result<Uuid> {
        let header = request.header("authorization").ok_or("no token")?;
        let token = header.strip_prefix("Bearer ").ok_or("no token")?;
        let claims = decode::<Claims>(token, &self.key, &self.validation)?.claims;
        Ok(omnitrack::clerk::account_id(&claims.sub))
    }
}
