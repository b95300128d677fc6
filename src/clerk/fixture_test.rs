//! What the tests of this module share: RSA keys made on the spot, tokens signed with them (however
//! wrong), a clock that is set by hand, and a key server on loopback that counts its requests.

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

use super::Clock;
use crate::clock::Millis;
use crate::config::{self, Clerk, ClerkKeys};

pub(super) const ISSUER: &str = "https://clerk.example.com";
/// The instant the tests begin at, in seconds.
pub(super) const T: i64 = 1_800_000_000;
/// The `cat` of session tokens.
pub(super) const SESSION: &str = "cl_B7d4PD111AAA";

pub(super) struct Key(KeyPair);

/// Two unrelated keys; making one takes a moment.
pub(super) static A: LazyLock<Key> = LazyLock::new(Key::generate);
pub(super) static B: LazyLock<Key> = LazyLock::new(Key::generate);

impl Key {
    fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        // RSAPublicKey in DER: two headers of four bytes and a zero before the modulus of 256 bytes.
        let der = self.0.public_key().as_ref();
        assert_eq!(der.len(), 270, "a modulus of 2048 bits and the exponent 65537");
        let n = URL_SAFE_NO_PAD.encode(&der[9..265]);
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": "AQAB"})
    }

    pub(super) fn pem(&self) -> String {
        let der = self.0.public_key().as_der().expect("encodes");
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    /// A token with exactly this header and these claims.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .expect("signs");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A faultless session token under this key id, good for an hour from [`T`].
    pub(super) fn session(&self, kid: &str) -> String {
        self.sign(&header(kid), &claims())
    }
}

pub(super) fn header(kid: &str) -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": kid, "cat": SESSION, "oiat": T})
}

pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user_alice", "sid": "sess_1", "exp": T + 3600, "nbf": T - 10, "iat": T,
        "jti": "1", "v": 2, "fva": [3, -1], "sts": "active", "pla": "u:free"
    })
}

/// `base` with the members of `change`; a null takes the member away.
pub(super) fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().expect("an object") {
        if value.is_null() {
            base.as_object_mut().expect("an object").remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

pub(super) fn settings(keys: ClerkKeys) -> Clerk {
    let backend = config::Backend { secret_key: None, api_url: "https://api.clerk.com".into() };
    Clerk { issuer: ISSUER.into(), keys, authorized_parties: vec![], backend, webhook_secret: None }
}

/// A clock that moves only when told to.
#[derive(Clone)]
pub(super) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(super) fn at(millis: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(millis)))
    }

    pub(super) fn forward(&self, millis: Millis) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(super) fn clock(&self) -> Clock {
        let hand = self.clone();
        Arc::new(move || hand.0.load(Ordering::SeqCst))
    }
}

/// A key server on loopback.
#[derive(Clone)]
pub(super) struct KeyServer(Arc<Inner>);

struct Inner {
    url: String,
    answer: Mutex<(StatusCode, Bytes)>,
    requests: AtomicUsize,
    arrived: Notify,
    /// One permit per answer while held, else plenty.
    gate: Semaphore,
}

impl KeyServer {
    pub(super) async fn start(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks.json", listener.local_addr().expect("bound"));
        let server = Self(Arc::new(Inner {
            url,
            answer: Mutex::default(),
            requests: AtomicUsize::new(0),
            arrived: Notify::new(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }));
        server.serves(keys);
        let this = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                let service = hyper::service::service_fn(move |_| {
                    let this = this.clone();
                    async move { Ok::<_, Infallible>(this.answer().await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        server
    }

    async fn answer(&self) -> Response<Full<Bytes>> {
        self.0.requests.fetch_add(1, Ordering::SeqCst);
        self.0.arrived.notify_one();
        self.0.gate.acquire().await.expect("open").forget();
        let (status, body) = self.0.answer.lock().expect("whole").clone();
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        let elsewhere = self.0.url.parse().expect("a header value");
        response.headers_mut().insert("location", elsewhere);
        response
    }

    pub(super) fn url(&self) -> String {
        self.0.url.clone()
    }

    pub(super) fn keys(&self) -> ClerkKeys {
        ClerkKeys::JwksUrl(self.url())
    }

    pub(super) fn serves(&self, keys: &[Value]) {
        self.answers(StatusCode::OK, json!({"keys": keys}).to_string());
    }

    pub(super) fn answers(&self, status: StatusCode, body: impl Into<Bytes>) {
        *self.0.answer.lock().expect("whole") = (status, body.into());
    }

    /// Requests answered or held so far.
    pub(super) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::SeqCst)
    }

    /// From now on, requests wait.
    pub(super) fn hold(&self) {
        self.0.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// One request is answered; the others go on waiting.
    pub(super) fn release_one(&self) {
        self.0.gate.add_permits(1);
    }

    pub(super) fn release(&self) {
        self.0.gate.add_permits(1_000);
    }

    /// Waits until the next request has come in.
    pub(super) async fn arrival(&self) {
        self.0.arrived.notified().await;
    }
}
