//! People made of nothing but texts that occur nowhere else: whatever of them turns up somewhere came
//! from them. They are made from a seed, so that a failure can be seen again.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use super::app::TestApp;
use super::persona::{Call, Persona};

const HOUR: Duration = Duration::from_secs(3600);

/// The header that makes a request one that is done once.
const KEY: &str = "idempotency-key";

/// Somebody, and all that their phone says along with every call.
pub struct Stranger {
    /// What follows `user_` in the Clerk id.
    name: String,
    email: String,
    first_name: String,
    last_name: String,
    session: String,
    headers: Vec<(&'static str, String)>,
    /// What stands in everything they write, besides words that anybody might write.
    pub words: String,
}

impl Stranger {
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut letters = |count: usize| -> String {
            (0..count).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
        };
        let (name, first_name, last_name) = (letters(20), letters(9), letters(11));
        let email = format!("{}.{}@{}.example", letters(8), letters(8), letters(9));
        let (session, words) = (letters(20), format!("{} {}", letters(10), letters(12)));
        let mut header = |prefix: &str, suffix: &str| format!("{prefix}{}{suffix}", letters(12));
        let mut headers = vec![
            ("user-agent", header("OmniTrack/7.1 (iPhone15,3; iOS 26.1; ", ")")),
            ("accept-language", header("de-x-", ", fr;q=0.4")),
            ("cookie", header("session=", "; theme=dark")),
            ("referer", header("https://", ".example/watching")),
            ("origin", header("https://", ".example")),
            ("via", header("1.1 ", "")),
            ("x-forwarded-host", header("", ".example")),
            ("tracestate", header("vendor=", "")),
            ("baggage", header("user=", "")),
            ("x-request-id", header("", "")),
            ("x-correlation-id", header("", "")),
            (KEY, header("", "")),
            ("x-device-id", header("", "")),
            ("x-device-name", header("", "s-iPhone")),
            ("x-push-token", header("", "")),
            ("x-client-data", header("", "")),
            ("if-none-match", header("\"", "\"")),
            ("sec-ch-ua-model", header("\"", "\"")),
            ("x-something-new", header("", "")),
            ("from", email.clone()),
        ];
        let mut address =
            || format!("198.51.{}.{}", random.random_range(100..255), random.random_range(100..255));
        headers.extend([
            ("x-forwarded-for", format!("{}, 10.0.0.1", address())),
            ("forwarded", format!("for={};proto=https", address())),
            ("x-real-ip", address()),
            ("cf-connecting-ip", address()),
            ("true-client-ip", address()),
            ("x-client-ip", address()),
        ]);
        let (trace, span) = (random.random::<u128>(), random.random::<u64>());
        headers.push(("traceparent", format!("00-{trace:032x}-{span:016x}-01")));
        headers.push(("x-b3-traceid", format!("{:032x}", random.random::<u128>())));
        headers.push(("x-amzn-trace-id", format!("Root=1-{:08x}-{span:024x}", random.random::<u32>())));
        Self { name, email, first_name, last_name, session, headers, words }
    }

    /// Signs in, with a token that says more of them than Clerk's do.
    pub fn sign_in(&self, t: &TestApp) -> Persona {
        t.stand_ins.token(&self.name, HOUR);
        let mut claims = t.stand_ins.claims(&self.name, HOUR);
        claims["sid"] = json!(format!("sess_{}", self.session));
        claims["email"] = json!(self.email);
        claims["name"] = json!(format!("{} {}", self.first_name, self.last_name));
        let mut persona = t.anon.clone();
        persona.token = Some(t.stand_ins.token_with(&t.stand_ins.header(), &claims));
        persona
    }

    /// Adds all headers that the phone, and what is between it and us, might send.
    pub fn send_along(&self, call: Call) -> Call {
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }

    /// The same with a key of the request's own, where a key is for one request.
    pub fn send_along_once(&self, call: Call, request: &str) -> Call {
        let own = |name: &str, value: &String| {
            if name == KEY { format!("{value}-{request}") } else { value.clone() }
        };
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, &own(name, value)))
    }

    /// Every text that must be seen nowhere, `account` being the id of the account.
    pub fn secrets(&self, token: &str, account: &str) -> Vec<String> {
        let mut secrets = vec![
            self.name.clone(),
            format!("user_{}", self.name),
            self.session.clone(),
            self.email.clone(),
            self.first_name.clone(),
            self.last_name.clone(),
            account.to_owned(),
            account.replace('-', ""),
            token.to_owned(),
        ];
        secrets.extend(self.email.split(['@', '.']).filter(|part| *part != "example").map(str::to_owned));
        secrets.extend(self.words.split(' ').map(str::to_owned));
        secrets.extend(token.split('.').skip(1).map(str::to_owned));
        // The value as it is, and each part of it that is long enough to be told from chance.
        let common = ["OmniTrack", "iPhone15", "example", "watching", "session", "vendor", "iPhone"];
        for (_, value) in &self.headers {
            secrets.push(value.clone());
            let parts = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            secrets.extend(parts.filter(|part| part.len() >= 8 && !common.contains(part)).map(str::to_owned));
        }
        secrets.sort();
        secrets.dedup();
        secrets
    }
}

/// A text in the forms in which it might be handed on: as it is, escaped, encoded, or hashed. Forms that
/// have no case are in lower case.
pub fn forms(secret: &str) -> (Vec<String>, Vec<String>) {
    let bytes = secret.as_bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hash = digest(&SHA256, bytes);
    let hash = hash.as_ref();
    let mut exact = vec![STANDARD.encode(hash), URL_SAFE_NO_PAD.encode(hash)];
    // Base64 of a longer text that holds it looks one of three ways, its ends apart.
    for shift in 0..3 {
        let shifted = [&b"___"[..shift], bytes].concat();
        for encoded in [STANDARD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            let encoded = encoded.trim_end_matches('=');
            let end = encoded.len() - usize::from(shifted.len() % 3 != 0);
            exact.push(encoded[[0, 2, 3][shift]..end].to_owned());
        }
    }
    let uuid = |bytes: &[u8]| uuid::Uuid::from_slice(&bytes[..16]).unwrap().to_string();
    let caseless = vec![
        secret.to_lowercase(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().to_lowercase(),
        secret.to_lowercase().replace(' ', "+"),
        hex(bytes),
        hex(hash),
        // Half a hash is what our own ids are made of.
        hex(&hash[..16]),
        uuid(hash),
    ];
    (exact, caseless)
}
