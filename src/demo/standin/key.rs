//! The RSA key that signs the stand-in's session tokens: made at start, never written anywhere.
//! Owns signing and the two shapes of the public half; knows no claims.

use std::io;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub(super) struct SigningKey {
    pub(super) kid: String,
    pair: KeyPair,
}

impl SigningKey {
    /// The key `ins_demo`. All stand-ins of one process share it, because making one takes a while.
    pub(super) fn first() -> io::Result<Arc<Self>> {
        static FIRST: OnceLock<Arc<SigningKey>> = OnceLock::new();
        if let Some(key) = FIRST.get() {
            return Ok(Arc::clone(key));
        }
        let key = Self::generate("ins_demo")?;
        Ok(Arc::clone(FIRST.get_or_init(|| Arc::new(key))))
    }

    pub(super) fn generate(kid: impl Into<String>) -> io::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        Ok(Self { kid: kid.into(), pair })
    }

    /// `header.claims.signature` with RS256; `alg` `none` gets an empty signature.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let unsigned = header.get("alg").and_then(Value::as_str) == Some("none")
            || self
                .pair
                .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
                .is_err();
        if unsigned {
            signature.clear();
        }
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn jwk(&self) -> Value {
        // RFC 8017 RSAPublicKey of a 2048-bit key: 9 bytes lead to the modulus of 256; the exponent is 65537.
        let der = self.pair.public_key().as_ref();
        let modulus = der.get(9..265).unwrap_or_default();
        json!({
            "use": "sig", "kty": "RSA", "kid": self.kid, "alg": "RS256",
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB",
        })
    }

    pub(super) fn pem(&self) -> io::Result<String> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(io::Error::other)?;
        let text = STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        Ok(pem)
    }
}
